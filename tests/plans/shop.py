"""A shop whose every answer is asked for once, with the statements that the product runs for it written down."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from api.reading import ProductClock, Reader
from api.sharded.crossings import names
from domain.history.log import Log
from domain.instant import Instant
from domain.staff.desk import Desk
from tests.generator import files
from tests.shards.side import Side
from tests.stores.engine import views_at

Statement = tuple[str, tuple[Any, ...]]
ACTOR = {"X-Actor": "li"}


class Noting:
    """Rows that write down what is asked of them."""

    def __init__(self, rows: Any, noted: list[Statement]) -> None:
        self._rows, self._noted = rows, noted

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:
        self._noted.append((statement, tuple(values)))
        return self._rows.execute(statement, values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Any:
        rows = [tuple(row) for row in values]
        self._noted += [(statement, row) for row in rows[:1]]
        return self._rows.executemany(statement, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)


class PlannedShop:
    """A season has been taken in, staff have worked on it, and whoever asks is noted."""

    def __init__(self, log: Log, folder: Path, up_to: int | None = None) -> None:
        """Take in a season, or the beginning of one."""
        files.write(40, 3, folder)
        self.views = views_at(folder / "views.db")
        self.noted: list[Statement] = []
        """What was asked of the views, and what was written into them."""
        self._note()
        lines = (folder / "events.arrival.jsonl").read_bytes().splitlines()
        self.side = Side("all", log, self.views, (folder / "policy.toml").read_text(encoding="utf-8"), lines)
        if up_to is None:
            self.side.finish()
        else:
            self.side.take(up_to)
        self.now: Instant = self.side.run.frontier.end
        self.client = TestClient(
            create_app(self.views, log.store, clock=lambda: self.now, desk=Desk(log)), raise_server_exceptions=True
        )
        self.routes: set[str] = set()
        self._act()

    def read(self, route: str, **params: Any) -> Any:
        """Ask for one answer; ``{name}`` in the route is one of the parameters."""
        self.routes.add(route)
        path = re.sub(r"\{(\w+)[^}]*\}", lambda found: str(params.pop(found[1])), route)
        answer = self.client.get(path, params=params)
        assert answer.status_code in (200, 404), (path, answer.text)
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def names(self) -> None:
        """List names as the comparison of shards does."""
        reader = Reader(self.views, self.side.log.store, ProductClock(lambda: self.now))
        for what in ("order", "parcel"):
            names(reader, what, "M")

    def _act(self) -> None:
        """Let staff take up some incidents, so that there is work to list."""
        found = self.client.get("/v1/incidents", params={"state": "open", "limit": 9}).json()["incidents"]
        for one in found:
            where = f"/v1/incidents/{one['id']}"
            taken = self.client.post(f"{where}/assign", json={"person": "li"}, headers=ACTOR)
            assert taken.status_code == 200, taken.text
        self.side.follower.catch_up()

    def _note(self) -> None:
        reading, writing = self.views.reading, self.views.writing

        @contextmanager
        def read(seconds: float | None = None) -> Iterator[Any]:
            with reading(seconds) as rows:
                yield Noting(rows, self.noted)

        @contextmanager
        def written() -> Iterator[Any]:
            with writing() as rows:
                yield Noting(rows, self.noted)

        self.views.reading, self.views.writing = read, written  # type: ignore[method-assign]  # this shop's own store


def ask_for_everything(shop: PlannedShop) -> None:
    """Ask for every answer there is, in every way that leads to another statement."""
    first = shop.read("/v1/incidents", limit=1)["incidents"][0]
    _incidents(shop, first)
    _orders(shop, first["order_ids"][0])
    _work(shop)
    _money(shop, first)
    after = shop.read("/v1/feed", limit=2)["next"]
    shop.read("/v1/feed", after=after, kind="late_shipment", assignee="li")
    for route in ("/v1/metrics/summary", "/v1/feeds", "/v1/projections", "/v1/quarantine", "/metrics"):
        shop.read(route)
    shop.names()


def _incidents(shop: PlannedShop, first: Any) -> None:
    known = {
        "kind": first["kind"],
        "state": "open",
        "severity": first["severity"],
        "warehouse": "H-1",
        "carrier": "C-1",
        "order": first["order_ids"][0],
        "since": "2016-01-01T00:00:00Z",
        "until": "2090-01-01T00:00:00Z",
        "assignee": "li",
        "status": "acknowledged",
        "muted": "false",
        "muted_by": first["id"],
    }
    for wanted in ({}, *({name: value} for name, value in known.items())):
        for sort in ("due_at", "-due_at"):
            _pages(shop, "/v1/incidents", limit=1, sort=sort, **wanted)
    shop.read("/v1/incidents", kind=["late_shipment", "late_delivery"], state=["open", "ended"])
    shop.read("/v1/incidents", state="open", kind=first["kind"], warehouse="H-1")
    for one in {one["kind"]: one for one in shop.read("/v1/incidents", limit=500)["incidents"]}.values():
        shop.read("/v1/incidents/{incident_id}", incident_id=one["id"])
        shop.read("/v1/incidents/{incident_id}/history", incident_id=one["id"])


def _orders(shop: PlannedShop, order: str) -> None:
    shop.read("/v1/orders/{order_id:path}", order_id=order)
    shop.read("/v1/orders/{order_id:path}/history", order_id=order)
    for name in (order, "B000001", "T000001"):
        shop.read("/v1/search", q=name)
    for wanted in ({}, {"kind": "late_shipment"}, {"kind": "late_delivery"}):
        _pages(shop, "/v1/orders", at_risk="true", limit=2, **wanted)


def _work(shop: PlannedShop) -> None:
    for wanted in ({}, {"assignee": "li"}, {"difficulty": "hard"}, {"to_contact": "true"}):
        _pages(shop, "/v1/worklist", limit=2, **wanted)
    for task in shop.read("/v1/worklist")["tasks"][:1]:
        shop.read("/v1/worklist/{task_id:path}", task_id=task["id"])
    shop.read("/v1/told-wrong")
    places = shop.read("/v1/backlogs")["backlogs"]
    shop.read("/v1/backlogs", incident="true")
    shop.read("/v1/backlogs/{what}/{name:path}", what=places[0]["what"], name=places[0]["name"])
    for wanted in ({}, {"state": "open"}, {"kind": "product_defect"}, {"sku": "A"}):
        shop.read("/v1/clusters", **wanted)
    shop.read("/v1/clusters/{cluster_id}", cluster_id="incident-product_defect-A-1")
    shop.read("/v1/clusters/{cluster_id}/members", cluster_id="incident-product_defect-A-1")


def _money(shop: PlannedShop, first: Any) -> None:
    incident, order = first["id"], first["order_ids"][0]
    shop.read("/v1/payments", order=order)
    for wanted in ({}, {"incident": incident}, {"state": "approved"}):
        shop.read("/v1/batches", **wanted)
    shop.read("/v1/batches/{batch_id}", batch_id="payout-1")
    shop.read("/v1/batches/{batch_id}/export", batch_id="payout-1")
    for wanted in ({}, {"incident": incident}, {"order": order}, {"state": "overdue"}):
        shop.read("/v1/dispositions", **wanted)


def _pages(shop: PlannedShop, route: str, **params: Any) -> None:
    """Ask for a page and, where there is one, the next."""
    page = shop.read(route, **params)
    if page["next"]:
        shop.read(route, cursor=page["next"], **params)
