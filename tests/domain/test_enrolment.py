"""Enrolment: from where each partition is read is decided once, and written down."""

import pytest

from domain.errors import Fenced
from domain.history.batch import GapAccepted, Position
from domain.history.enrolment import (
    Partition,
    TopicReplaced,
    accept_gap,
    check_identities,
    enrol,
    go_live,
    retire,
    went_live,
)
from domain.history.log import Log
from domain.instant import FOREVER
from tests.story import PARTITION, Desk, at, placed, requested, topics

ONE, TWO = Partition("c/t/0", "t", 0), Partition("c/t/1", "t", 1)


def stands(log: Log) -> dict[str, int]:
    """Say where each partition stands."""
    return {name: position.next for name, position in log.store.positions().items()}


def test_the_first_start_writes_down_where_it_began_and_when(log: Log) -> None:
    assert went_live(log) is None
    go_live(log, {ONE: 5, TWO: 0}, "latest", at(1))
    assert stands(log) == {"c/t/0": 5, "c/t/1": 0}
    live = went_live(log)
    assert live is not None
    assert (live.at, live.begun_from) == (at(1), "latest")


def test_a_second_start_changes_nothing(log: Log) -> None:
    go_live(log, {ONE: 5}, "latest", at(1))
    go_live(log, {ONE: 99, TWO: 7}, "earliest", at(2))
    assert stands(log) == {"c/t/0": 5}
    assert topics(log) == ["tracker.went_live.v1"]


def test_a_partition_added_later_is_read_from_its_start(log: Log) -> None:
    go_live(log, {ONE: 5}, "latest", at(1))
    enrol(log, {TWO: 0})
    assert stands(log) == {"c/t/0": 5, "c/t/1": 0}


def test_one_that_another_process_has_enrolled_stays_where_it_is(log: Log) -> None:
    go_live(log, {ONE: 5}, "latest", at(1))
    enrol(log, {ONE: 0, TWO: 0})
    assert stands(log) == {"c/t/0": 5, "c/t/1": 0}


def test_a_batch_goes_on_from_where_the_partition_was_enrolled(log: Log) -> None:
    go_live(log, {Partition(PARTITION, "t", 0): 42}, "latest", at(1))
    desk = Desk(log)
    desk.take(placed(0), requested(0, ship_by=10), until=11)
    assert stands(log) == {PARTITION: 44}
    assert desk.found() == [("open", "F", 10, None)]


def test_a_topic_made_anew_is_not_read_on(log: Log) -> None:
    go_live(log, {ONE: 5}, "earliest", at(1))
    anew = Partition("c/t2/0", "t", 0)
    with pytest.raises(TopicReplaced, match="--accept-new-topics"):
        check_identities(log.store.positions(), {anew.identity: anew})
    check_identities(log.store.positions(), {ONE.identity: ONE, TWO.identity: TWO})


def test_a_topic_that_is_no_longer_read_is_no_replaced_one(log: Log) -> None:
    go_live(log, {ONE: 5}, "earliest", at(1))
    other = Partition("c/u/0", "u", 0)
    check_identities(log.store.positions(), {other.identity: other})


def test_a_retired_partition_holds_time_back_no_more_and_is_remembered(log: Log) -> None:
    go_live(log, {ONE: 5, TWO: 0}, "earliest", at(1))
    anew = Partition("c/t2/0", "t", 0)
    retire(log, {TWO.identity: TWO, anew.identity: anew})
    positions = log.store.positions()
    assert (positions["c/t/0"].taken_up_to, positions["c/t/1"].taken_up_to) == (FOREVER, None)
    check_identities({"c/t/0": positions["c/t/0"]}, {anew.identity: anew})


def test_a_gap_is_gone_over_on_record_and_a_stale_writer_is_fenced(log: Log) -> None:
    desk = Desk(log)
    desk.take(placed(0))
    stale = desk.batch(requested(0))
    position = log.store.positions()[PARTITION]
    accept_gap(log, position, 90, at(5))
    assert stands(log) == {PARTITION: 90}
    [_, gap] = log.stream(f"batches-{PARTITION.replace('/', '%2F')}")
    assert gap == GapAccepted(partition=PARTITION, expected=1, next=90, at=at(5))
    with pytest.raises(Fenced):
        desk.tracker.take(stale, at(5))
    desk.take(requested(0, ship_by=10), until=11)
    assert stands(log) == {PARTITION: 91}


def test_after_a_gap_there_is_no_record_to_compare_with(log: Log) -> None:
    desk = Desk(log)
    desk.take(placed(0))
    accept_gap(log, log.store.positions()[PARTITION], 90, at(5))
    position: Position = log.store.positions()[PARTITION]
    assert (position.last_offset, position.last_digest) == (None, b"")
