"""A shop with a desk behind it, its worklist and its numbers."""

from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from domain.staff.desk import Desk
from tests.api.conftest import Shop
from tests.projections.stage import Stage
from tests.projections.test_worklist import late_order
from tests.story import at


class Desked(Shop):
    """A shop in which people act and are shown what to do."""

    def __init__(self, told: Stage) -> None:
        super().__init__(told)
        self.app = create_app(told.store, told.log.store, clock=lambda: self.now, desk=Desk(told.log))
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.now = at(40)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body, headers={"X-Actor": "li"})

    def orders(self, **customers: str) -> None:
        """Let an order of each customer be late."""
        for name, customer in customers.items():
            late_order(self.told, name[1:], customer)
        self.told.come(30)
