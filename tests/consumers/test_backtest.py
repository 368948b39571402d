"""Backtest: the end of a file is the end of time, and the counts add up."""

from collections.abc import Iterator
from typing import Any

import pytest

from consumers.backtest import Outcome, Run, records, run
from consumers.translate import Translator
from domain.events import Fact
from domain.history.batch import Batch, Incoming, Slice
from domain.history.log import Log
from domain.judging.adoption import adopt
from domain.judging.report import final, line
from domain.tracker import TICK_LIMIT, Tracker
from tests.consumers.said import message
from tests.story import LATER, at, heartbeat, held, hours, memory_log, placed, requested, scanned, written

CONTRACT_KEYS = [
    "kind",
    "subject",
    "since",
    "due_at",
    "ended_at",
    "state",
    "order_ids",
    "parcel_id",
    "warehouse_id",
    "carrier",
    "sku",
    "severity",
    "rule",
    "policy",
    "proof",
    "detail",
]


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


def backtest(log: Log, *said: Fact | bytes, policy: str = "", batch: int = 500) -> Outcome:
    """Run a file of these messages."""
    tracker = Tracker(log, adopt(log, policy, LATER))
    lines = [one if isinstance(one, bytes) else written(one) for one in said]
    return run(lines, tracker, Translator({}), LATER, batch)


def test_at_the_end_time_stands_at_the_largest_event_time(log: Log) -> None:
    outcome = backtest(log, placed(0), requested(0, ship_by=10), heartbeat(10.5), held(1, key="last"))
    assert hours(outcome.end) == 10.5
    assert [one.finding.subject for one in final(log)] == []
    assert outcome.taken == 4


def test_a_finding_is_due_before_that_and_not_at_it(log: Log) -> None:
    backtest(log, placed(0), requested(0, ship_by=10), requested(0, "G", ship_by=10.5), heartbeat(10.5))
    assert [one.finding.subject for one in final(log)] == ["F"]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_messages_are_counted_by_what_became_of_them(log: Log, batch: int) -> None:
    foreign = message("weather.changed", source="/w")
    conflict = written(placed(0, customer_id="x"))
    said = (placed(0), placed(0), foreign, b"rubbish", b"", conflict, heartbeat(99), held(50), held(51))
    outcome = backtest(log, *said, batch=batch)
    assert (outcome.messages, outcome.taken, outcome.repeated, outcome.foreign) == (8, 4, 1, 1)
    assert dict(outcome.quarantined) == {"not_json": 1, "id_conflict": 1}
    assert outcome.late == 2


def test_blank_lines_are_no_messages() -> None:
    assert [one.value for one in records([b"a\n", b"\n", b"  \n", b"b"])] == [b"a", b"b"]


def test_an_empty_file_finds_nothing(log: Log) -> None:
    assert backtest(log).messages == 0
    assert final(log) == []


def test_a_finding_s_line_has_exactly_the_contract_s_members(log: Log) -> None:
    backtest(log, placed(0), requested(0, ship_by=10), scanned(12), heartbeat(50))
    [found] = [line(one) for one in final(log)]
    assert list(found) == CONTRACT_KEYS
    assert (found["due_at"], found["ended_at"], found["state"]) == (
        "2026-03-01T10:00:00Z",
        "2026-03-01T12:00:00Z",
        "ended",
    )
    assert found["proof"] == ["/s#F@0", "/s#order.placed@0"]


def test_findings_are_sorted_by_kind_subject_and_since(log: Log) -> None:
    due = {"C": 5, "A": 20, "B": 10}
    orders = [one for n in due for one in (placed(0, of=n), requested(0, f"F{n}", n, ship_by=due[n]))]
    backtest(log, *orders, heartbeat(50))
    assert [one.finding.subject for one in final(log)] == ["FA", "FB", "FC"]


def test_the_log_says_who_is_late_and_when_it_was_known(log: Log) -> None:
    backtest(
        log,
        placed(0),
        requested(0, ship_by=10),
        heartbeat(11),
        heartbeat(20, "/late"),
        policy='allowed_lateness = "1h"',
    )
    opened = [(name, event) for _, name, event in log.read(0, 9, ["finding.opened.v1"]) if name == "order-O"]
    assert [hours(event.known_up_to) for _, event in opened] == [19]  # type: ignore[attr-defined]  # opened


def test_more_deadlines_than_one_tick_takes_all_fire(log: Log) -> None:
    count = TICK_LIMIT + 3
    orders = [one for n in range(count) for one in (placed(0, of=f"O{n}"), requested(0, f"F{n}", f"O{n}", ship_by=10))]
    backtest(log, *orders, heartbeat(50))
    found = [one.finding.kind for one in final(log)]
    assert found.count("late_shipment") == count
    assert found.count("warehouse_backlog") == 1


def test_no_partition_is_left_behind(log: Log) -> None:
    driver = Run(Tracker(log, adopt(log, "", LATER)), ("a", "b"))
    read = Translator({})

    def batch(name: str, *facts: Fact) -> Batch:
        records = tuple(_incoming(read, number, one) for number, one in enumerate(facts))
        return Batch((Slice(name, name, 0, None, len(facts), records),), LATER)

    driver.take(batch("a", placed(0), requested(0, ship_by=10), heartbeat(99)))
    assert final(log) == []
    driver.take(batch("b", heartbeat(99)))
    assert [one.finding.due_at for one in final(log)] == [at(10)]


def _incoming(read: Translator, offset: int, one: Fact) -> Incoming:
    return read.incoming(offset, _raw(one), LATER)


def _raw(one: Fact) -> Any:
    [record] = records([written(one)])
    return record


def test_a_message_that_was_not_taken_in_does_not_move_time(log: Log) -> None:
    outcome = backtest(log, placed(0), requested(0, ship_by=10), held(5, key="x"), held(50, key="x"), batch=2)
    assert dict(outcome.quarantined) == {"id_conflict": 1}
    assert hours(outcome.end) == 5
    assert final(log) == []


def test_a_byte_order_mark_at_the_start_of_a_file_costs_no_event(log: Log) -> None:
    mark = b"\xef\xbb\xbf"
    outcome = backtest(log, mark + written(placed(0)), mark + b"\r\n", mark + written(requested(0, ship_by=10)))
    assert (outcome.messages, outcome.taken, outcome.unreadable) == (2, 2, False)


def test_a_run_says_whether_there_was_nothing_that_could_be_read(log: Log) -> None:
    assert not backtest(log).unreadable  # an empty file says nothing, and nothing wrong
    assert backtest(log, b"{", b"rubbish").unreadable


@pytest.mark.parametrize("good", [written(heartbeat(1)), message("weather.changed")])
def test_one_readable_message_is_enough(log: Log, good: bytes) -> None:
    assert not backtest(log, b"{", good).unreadable
