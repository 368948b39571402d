"""What comes in behind the mark, because a stream waited or a view was made anew, leaves as well, and not for ever."""

import pytest

from projections import VIEWS, feed, incidents, rebuild, states
from projections.follower import Follower
from tests.outbound.late import late
from tests.outbound.paper import Delivery, data, identity, last
from tests.outbound.truth import truth
from tests.projections.choking import Choking
from tests.story import scanned


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("view", [feed.VIEW, incidents.VIEW], ids=["feed", "incidents"])
def test_what_was_put_in_behind_the_mark_leaves_in_order_with_all_that_came_after_it(told, topics, view):
    choking = Choking(view, "order-O2")
    among = [choking if one is view else one for one in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "1", "2", "3")
    Delivery(told, topics).run()
    told.hear(scanned(31, "P2", fulfillment_ids=("F2",)), scanned(31, "P3", fulfillment_ids=("F3",)), until=34)
    Delivery(told, topics).run()
    before = len(topics.written)
    Delivery(told, topics).run()
    assert len(topics.written) == before, "while it waits, nothing is repeated"
    assert b"incident-late_shipment-F2" not in last(topics.of("changes" if view is feed.VIEW else "states"))

    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    Delivery(told, topics).run()
    _check_healed(told, topics)
    before = len(topics.written)
    Delivery(told, topics).run()
    assert len(topics.written) == before, "it was told once more, and not for ever"


@pytest.mark.only_on("sqlite")
def test_what_a_rebuild_put_in_behind_the_mark_leaves_as_well(told, topics):
    choking = Choking(feed.VIEW, "order-O1")
    told.follower = Follower(told.store, told.log.store, [choking if one is feed.VIEW else one for one in VIEWS])
    late(told, "1", "2")
    Delivery(told, topics).run()
    assert [data(one)["incident"]["subject"] for one in topics.of("changes")] == ["F2"]
    rebuild.rebuild(told.store, told.log.store, ["feed"])
    Delivery(told, topics).run()
    _check_healed(told, topics)


@pytest.mark.only_on("sqlite")
def test_what_waited_and_went_on_before_anybody_delivered_is_no_reason_to_repeat(told, topics):
    late(told, "1")
    Delivery(told, topics).run()
    choking = Choking(feed.VIEW, "order-O2")
    among = [choking if one is feed.VIEW else one for one in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "2", "3")
    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    Delivery(told, topics).run()
    _check_healed(told, topics)
    ids = [identity(one) for one in topics.written]
    assert len(ids) == len(set(ids))


def _check_healed(told, topics):
    """A change that left before the revision names its place in the feed by a token of that time."""
    true = truth(told)
    wanted = [(one["incident"]["id"], one["change"]) for one in true.changes]
    kept = [(data(one)["incident"]["id"], data(one)["change"]) for one in topics.of("changes")]
    assert set(kept) == set(wanted)
    for name, page in true.pages.items():
        mine = [change for incident, change in wanted if incident == name]
        assert [change for incident, change in kept if incident == name][-len(mine) :] == mine
        assert data(last(topics.of("states"))[name.encode()])["state"] == page["state"]


@pytest.mark.only_on("sqlite")
def test_what_was_touched_is_found_by_position_without_reading_all_of_it(told):
    asked = []

    class Rows:
        def execute(self, statement, values):
            asked.append((statement, values))
            return []

    states.touched(Rows(), 1, 2, 3)
    [(statement, values)] = asked
    plan = told.plan(statement, *values)
    assert "SEARCH feed USING INTEGER PRIMARY KEY" in plan
    assert "SEARCH workflow USING COVERING INDEX workflow_position" in plan
    assert "SCAN feed" not in plan
    assert "SCAN workflow" not in plan
