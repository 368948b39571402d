"""Rows are a function of the log alone: in whatever batches it is read, they come out the same."""

from datetime import UTC, datetime

import pytest

from domain.incidents.commands import Acknowledge, Assign, Contact
from domain.incidents.events import Statement
from projections.follower import Follower
from tests.projections.staffed import all_of, do
from tests.projections.stage import stage
from tests.projections.told import tell_season
from tests.stores.engine import views_at
from tests.story import DAWN, HOUR


@pytest.fixture(scope="module")
def worked(tmp_path_factory, engine):  # noqa: ARG001  # made anew on each store
    """A season, on a few of whose incidents staff have acted."""
    with stage(tmp_path_factory.mktemp("worked")) as told:
        told.desk.tracker = tell_season(told.log, datetime(2026, 3, 1, tzinfo=UTC), days=2)
        told.follow()
        for place, (name, one) in enumerate(sorted(all_of(told).items())[:12]):
            when = (one.due_at - DAWN) / HOUR + 100 + place
            do(told, name, Acknowledge(by="li"), when)
            do(told, name, Assign(by="li", person="zhou"), when + 1)
            said = (Statement(order_id=one.body["order_ids"][0], claim="warehouse_shipped"),)
            do(told, name, Contact(by="li", channel="phone", outcome="reached", statements=said), when + 2)
        yield told


# A commit for each event takes PostgreSQL half a minute.
@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.only_on("sqlite")), 7, 300])
def test_the_rows_are_the_same_in_batches_of_any_size(worked, batch):
    other = views_at(worked.folder / f"batches-{batch}.db")
    Follower(other, worked.log.store, batch=batch).catch_up()
    ours, theirs = worked.tables(), worked.tables(other)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert len(ours["told"]) == len(ours["workflow"]) > 10
    other.close()
