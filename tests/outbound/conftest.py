from datetime import UTC, datetime

import pytest

from api.outbound import outlet
from domain.incidents.commands import Acknowledge, Assign
from tests.outbound.paper import Topics
from tests.outbound.truth import truth
from tests.projections.staffed import do
from tests.projections.stage import stage
from tests.projections.told import tell_season
from tests.story import LATER


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine):
    """Run on every store."""
    return engine


@pytest.fixture
def told(tmp_path):
    with stage(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    with stage(tmp_path_factory.mktemp("season")) as made:
        tell_season(made.log, datetime(2026, 3, 1, tzinfo=UTC), days=2)
        made.follow()
        [first, second] = [row[0] for row in made.query("SELECT id FROM incidents ORDER BY id LIMIT 2")]
        do(made, first, Acknowledge(by="mei", until=LATER), 9000)
        do(made, second, Assign(by="mei", person="jun"), 9001)
        made.true = truth(made)
        yield made


@pytest.fixture
def topics():
    return Topics()


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(outlet, "LIMIT", 3)
