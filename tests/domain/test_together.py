"""Together: what a batch changes, what comes due by it and what groups make of that commit at once, or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from deploy.wiring import open_log
from domain.history.log import Log
from domain.tracker import Tracker
from tests.stores.engine import memory_log
from tests.story import PARTITION, Desk, at, placed, requested, scanned, topics

LATE = (placed(0), requested(0, ship_by=2))
EVERYTHING = {"order.placed.v1", "finding.opened.v1", "backlog.member_changed.v1", "tick.fired.v1", "groups.told.v1"}


class _Lost(Exception):
    """Something breaks before the transaction is committed."""


def take_and_pass(desk: Desk, *said: Any) -> None:
    """Take a batch in, let time pass and groups hear of it, in one transaction."""
    with desk.tracker.together():
        desk.take(*said)
        desk.tick(3)
        desk.tracker.group(at(3))


def break_off(desk: Desk, *said: Any) -> None:
    """Do the same, but for the end."""
    with desk.tracker.together():
        take_and_pass(desk, *said)
        raise _Lost


def test_what_is_done_together_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with open_log(path) as log, closing(sqlite3.connect(path)) as outside:
        desk = Desk(log)
        before = _count(outside)
        with desk.tracker.together():
            desk.take(*LATE)
            desk.tick(3)
            desk.tracker.group(at(3))
            assert _count(outside) == before
        assert _count(outside) > before
        assert set(topics(log)) >= EVERYTHING


def test_it_is_what_the_steps_would_have_been_one_by_one() -> None:
    with memory_log() as log, memory_log() as other:
        take_and_pass(Desk(log), *LATE)
        desk = Desk(other)
        desk.take(*LATE)
        desk.tick(3)
        desk.tracker.group(at(3))
        assert _written(log) == _written(other)


def test_when_something_breaks_nothing_of_it_was_done(log: Log) -> None:
    desk = Desk(log)
    before = _written(log)
    with pytest.raises(_Lost):
        break_off(desk, *LATE)
    assert _written(log) == before
    assert desk.tracker.known_positions() == log.store.positions() == {}


def test_the_same_process_does_it_again_as_if_it_had_never_tried(log: Log) -> None:
    desk = Desk(log)
    with pytest.raises(_Lost):
        break_off(desk, *LATE)
    take_and_pass(desk, *LATE)
    with memory_log() as other:
        take_and_pass(Desk(other), *LATE)
        assert _written(log) == _written(other)


def test_a_store_that_fails_in_the_last_step_takes_the_first_one_back(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(log)

    def busy(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(Tracker, "_append", busy)
        with pytest.raises(OperationalError):
            take_and_pass(desk, *LATE)
    assert "order.placed.v1" not in topics(log)
    take_and_pass(desk, *LATE)
    assert desk.found() == [("open", "F", 2, None)]


def test_a_batch_that_another_process_has_taken_is_seen_for_what_it_is(log: Log) -> None:
    desk, other = Desk(log), Desk(log)
    batch = desk.batch(*LATE)
    other.tracker.take(batch, at(1))
    with desk.tracker.together():
        assert desk.tracker.take(batch, at(1)).position is None
    desk.take(scanned(4), until=5)
    assert log.store.positions()[PARTITION].next == 3


def test_a_stream_that_another_process_wrote_is_decided_again_inside(log: Log) -> None:
    desk, other = Desk(log), Desk(log)
    desk.take(*LATE)
    other.take(scanned(1), partition="other")
    with desk.tracker.together():
        assert desk.tracker.take(desk.batch(placed(0, key="again"), scanned(1.5, "P2")), at(1)).clashed
    assert desk.found() == []


def test_groups_that_were_told_everything_ask_the_log_for_nothing_more(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(log)
    take_and_pass(desk, *LATE)
    monkeypatch.setattr(type(log.store), "select_rows", _never)
    assert desk.tracker.group(at(3)) == 0


def _never(*_: object) -> None:
    raise AssertionError("the log is read again")


def _count(outside: sqlite3.Connection) -> int:
    return int(outside.execute("SELECT COUNT(*) FROM stored_events").fetchone()[0])


def _written(log: Log) -> list[tuple[str, int, str, bytes]]:
    return [(row.stream, row.version, row.topic, row.state) for row in log.store.select_rows(0, 9999)]
