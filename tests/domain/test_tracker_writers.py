"""The tracker beside other writers: redelivery, fencing, and streams that others wrote."""

import pytest

from domain.complaints.complaint import ComplaintAnswered, ComplaintCategorised
from domain.errors import Fenced
from domain.history.log import Log
from tests.domain.complaints import opened
from tests.story import (
    Desk,
    at,
    cancelled,
    fact,
    held,
    line,
    moved,
    packed,
    piece,
    placed,
    released,
    requested,
    scanned,
    topics,
)

ORDER = (placed(0), requested(0, ship_by=10))


# Redelivery, fencing, other writers


def test_a_batch_that_was_committed_already_is_recognised(desk: Desk) -> None:
    batch = desk.batch(*ORDER)
    desk.tracker.take(batch, at(0))
    before = topics(desk.log)
    again = desk.tracker.take(batch, at(0))
    assert (again.batches, again.position) == ((), None)
    assert topics(desk.log) == before


def test_a_committed_batch_is_recognised_by_a_process_that_did_not_write_it(log: Log, desk: Desk) -> None:
    other = Desk(log)
    batch = other.batch(*ORDER)
    desk.tracker.take(batch, at(0))
    assert other.tracker.take(batch, at(0)).position is None


def test_another_batch_from_where_somebody_has_gone_on_is_fenced(log: Log, desk: Desk) -> None:
    zombie = Desk(log)
    stale = zombie.batch(*ORDER, scanned(5))
    desk.take(*ORDER)
    before = topics(log)
    with pytest.raises(Fenced):
        zombie.tracker.take(stale, at(0))
    assert topics(log) == before


def test_a_batch_of_the_same_extent_but_other_records_is_fenced(log: Log, desk: Desk) -> None:
    zombie = Desk(log)
    stale = zombie.batch(placed(0), requested(0, "G"))
    desk.take(*ORDER)
    with pytest.raises(Fenced):
        zombie.tracker.take(stale, at(0))


def test_after_fencing_it_goes_on_from_where_the_log_stands(log: Log, desk: Desk) -> None:
    zombie = Desk(log)
    stale = zombie.batch(*ORDER, scanned(12))
    desk.take(*ORDER)
    with pytest.raises(Fenced):
        zombie.tracker.take(stale, at(0))
    zombie.take(scanned(12), until=20)
    assert zombie.found() == [("ended", "F", 10, 12)]


def test_two_writers_of_one_order_each_decide_on_what_the_other_wrote(log: Log, desk: Desk) -> None:
    other = Desk(log)
    desk.take(*ORDER, partition="a")
    other.take(held(3), partition="b")
    desk.take(moved(4, 30), partition="a", until=20)
    other.take(scanned(12), partition="b", until=20)
    assert other.found() == []
    versions = [row.version for row in log.store.select_streams(["order-O"])]
    assert versions == list(range(1, len(versions) + 1))


def test_a_message_seen_by_another_writer_meanwhile_is_a_repeat(log: Log, desk: Desk) -> None:
    other = Desk(log)
    batch = other.batch(placed(0), partition="b")
    desk.take(placed(0), partition="a")
    assert other.tracker.take(batch, at(0)).batches[0].repeated == 1
    assert topics(log).count("order.placed.v1") == 1


def test_a_tick_of_one_process_sees_the_deadline_that_another_has_moved(log: Log, desk: Desk) -> None:
    ticker = Desk(log)
    desk.take(placed(0), requested(0, ship_by=5), moved(6, 20), until=3)
    ticker.tick(7)
    assert ticker.found() == [("ended", "F", 5, 6)]
    desk.take(moved(8, 15), until=9)
    ticker.tick(16)
    assert ticker.found() == [("ended", "F", 5, 6), ("open", "F", 15, None)]


def test_a_tick_of_one_process_does_not_disarm_what_another_has_armed(log: Log, desk: Desk) -> None:
    ticker = Desk(log)
    desk.take(placed(0), requested(0, ship_by=5), scanned(4, fulfillment_ids=("F",)), moved(6, 20), until=3)
    ticker.tracker.rearm(at(7))
    desk.take(fact(type(held(1)), 7, order_id="O", reason="r"), until=9)
    assert ticker.tick(30) == 0
    desk.take(*ORDER, until=9)
    assert desk.found() == []


def test_a_writer_that_has_not_heard_of_a_new_policy_does_not_keep_its_deadline_from_firing(log: Log) -> None:
    before = Desk(log)
    before.take(placed(0), requested(0, ship_by=20), moved(1, 30, "merchant"), until=3)
    after = Desk(log, '[late_shipment]\npromise = "latest"', adopted_at=4)
    while after.tracker.rearm(at(5)):
        pass
    before.take(moved(6, 25, "merchant"), until=7)
    while after.tracker.rearm(at(8)):
        pass
    after.tick(26)
    assert after.found() == [("open", "F", 25, None)]


# What one subject's judgement writes into another's stream

SHORT = (placed(0, line("1", quantity=2), ship_by=90), packed(1, "P", piece()), scanned(2, order_ids=("O",)))


def test_a_tick_at_a_parcel_tells_an_order_that_another_process_has_written_since(log: Log, desk: Desk) -> None:
    other = Desk(log)
    desk.take(*SHORT, until=3)
    other.take(held(3), until=3, partition="b")
    desk.tick(60)
    assert desk.found() == [("open", "P", 1, None)]
    desk.take(opened(61, "missing_item"), until=62)
    assert [one[1] for one in desk.found() if one[0] == "open"] == ["P"]


def test_a_tick_at_an_order_tells_a_parcel_nothing_that_another_process_would_undo(log: Log, desk: Desk) -> None:
    other = Desk(log)
    desk.take(*SHORT, until=3)
    for when in (4, 5):
        desk.take(held(when), until=when)
        other.take(released(when + 0.5), until=when, partition="b")
    other.take(cancelled(6), until=7, partition="b")
    desk.tick(60)
    assert desk.found() == []
    rows = log.store.select_streams(["order-O", "parcel-P"])
    for name in ("order-O", "parcel-P"):
        versions = [row.version for row in rows if row.stream == name]
        assert versions == list(range(1, len(versions) + 1))


def test_a_writer_whose_time_is_behind_takes_back_nothing_that_was_knowable_later_than_it_was_due(
    log: Log, desk: Desk
) -> None:
    behind = Desk(log)
    desk.take(*SHORT, until=60)
    assert desk.found() == [("open", "P", 1, None)]
    behind.take(scanned(3, status="in_transit", order_ids=("O",)), until=20, partition="b")
    assert behind.found() == [("open", "P", 1, None)]
    assert topics(log).count("finding.retracted.v1") == 0


def test_nor_a_reported_one(log: Log, desk: Desk) -> None:
    behind = Desk(log)
    desk.take(opened(1, "other"), fact(ComplaintCategorised, 30, complaint_id="C", category="wrong_item"), until=40)
    reported = ("open", "C", 1, None)
    assert reported in desk.found()
    behind.take(fact(ComplaintAnswered, 3, complaint_id="C"), until=20, partition="b")
    assert reported in behind.found()
    assert topics(log).count("finding.retracted.v1") == 0
