import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.api.browser import chromium
from tests.api.desk_scene import desk_scene
from tests.projections.stage import stage
from tests.story import at, placed, requested


class Shop:
    """A stage with a client in front of it; time stands where the test puts it."""

    def __init__(self, told):
        self.told = told
        self.now = at(0)
        self.app = create_app(told.store, told.log.store, clock=lambda: self.now, version="1.2.3", docs=True)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def get(self, path, **params):
        return self.client.get(path, params=params)

    def read(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def late(self, *names, due=20, warehouse="W", until=None):
        """Let fulfilments become late, one an order."""
        for name in names:
            order = f"O{name}"
            self.told.desk.take(
                placed(0, of=order, key=f"p{name}"),
                requested(0, f"F{name}", of=order, ship_by=due, warehouse_id=warehouse),
            )
        self.told.come(due + 10 if until is None else until)

    def known(self, hours):
        """Let everything up to a time be read, and the clock stand there."""
        self.now = at(hours)
        self.told.desk.tracker.hear({"test/orders/0": at(hours)})
        self.told.follower._heard_at = -1e9
        self.told.follower.step()


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine):
    """Run on every store."""
    return engine


@pytest.fixture
def told(tmp_path):
    with stage(tmp_path) as made:
        yield made


@pytest.fixture
def shop(told):
    return Shop(told)


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Give a scene at the desk that nobody changes."""
    with desk_scene(tmp_path_factory.mktemp("seen")) as made:
        yield made


@pytest.fixture
def desk(tmp_path):
    """Give a scene at the desk to work in."""
    with desk_scene(tmp_path) as made:
        yield made
