"""The ticker: deadlines fire when time passes them, and never beyond what has been read."""

import threading
from collections.abc import Callable, Iterator

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent

from consumers import ticker
from domain.history.log import Beside, Log
from domain.instant import DAY
from tests.story import LATER, PARTITION, Desk, at, memory_log, placed, requested, topics


@pytest.fixture(name="log")
def a_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


@pytest.fixture(name="desk")
def a_desk(log: Log, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Take in an order that is due at 10."""
    monkeypatch.setattr(ticker, "EVERY", 0.001)
    desk = Desk(log)
    desk.take(placed(0), requested(0, ship_by=10), until=0)
    return desk


def rounds(desk: Desk, count: int, clock: Callable[[], int]) -> None:
    """Let the ticker look so many times."""
    stop = threading.Event()
    waits = iter(range(count))
    stop.wait = lambda _=None: next(waits, None) is None  # type: ignore[method-assign]  # this event alone
    ticker.run(desk.tracker, clock, stop, dedup_for=30 * DAY)


def test_a_deadline_fires_once_the_clock_has_passed_it_and_everything_was_read(desk: Desk) -> None:
    desk.tracker.hear({PARTITION: at(50)})
    rounds(desk, 1, lambda: at(10))
    assert desk.found() == []
    rounds(desk, 3, lambda: at(11))
    assert desk.found() == [("open", "F", 10, None)]


def test_what_was_not_read_yet_holds_time_back_whatever_the_clock_says(desk: Desk) -> None:
    rounds(desk, 2, lambda: at(99))
    assert desk.found() == []
    desk.tracker.hear({PARTITION: at(9)})
    rounds(desk, 2, lambda: at(99))
    assert desk.found() == []
    desk.tracker.hear({PARTITION: at(11)})
    rounds(desk, 2, lambda: at(99))
    assert desk.found() == [("open", "F", 10, None)]


def test_without_any_partition_nothing_is_known_and_nothing_fires(log: Log) -> None:
    rounds(Desk(log), 2, lambda: at(99))
    assert log.store.last_position() == 1


def test_a_store_that_is_busy_delays_and_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tracker.hear({PARTITION: at(50)})
    tick, failures = desk.tracker.tick, iter(range(2))

    def failing(until: int, limit: int = 500, *, at: int) -> int:
        if next(failures, None) is not None:
            raise OperationalError("database is locked")
        return tick(until, limit, at=at)

    monkeypatch.setattr(desk.tracker, "tick", failing)
    rounds(desk, 8, lambda: at(11))
    assert desk.found() == [("open", "F", 10, None)]


def test_a_policy_that_another_process_adopted_is_followed_and_open_orders_armed_anew(log: Log, desk: Desk) -> None:
    desk.tracker.hear({PARTITION: at(5)})
    Desk(log, '[late_shipment]\npromise = "latest"', adopted_at=4)
    rounds(desk, 2, lambda: at(5))
    assert log.store.count_armed_by_other(desk.tracker.policies[-1].policy.hash) == 0
    assert len(desk.tracker.policies) == 2


def last_repeated(desk: Desk) -> int:
    """Say how many repeats the last batch brought."""
    return int(desk.log.stream(f"batches-{PARTITION.replace('/', '%2F')}")[-1].repeated)  # type: ignore[attr-defined]  # the last event is of this kind


def test_event_keys_are_forgotten_once_they_are_old_enough_and_not_before(desk: Desk) -> None:
    rounds(desk, 1, lambda: LATER + 30 * DAY)
    desk.take(placed(0), until=0)
    assert last_repeated(desk) == 1
    rounds(desk, 1, lambda: LATER + 30 * DAY + 1)
    before = topics(desk.log)
    desk.take(placed(0), until=0)
    assert last_repeated(desk) == 0
    assert topics(desk.log) == [*before, "batch.taken.v1"]


def test_raw_bytes_in_quarantine_are_emptied_after_thirty_days(desk: Desk) -> None:
    desk.take(b"{")
    rounds(desk, 1, lambda: LATER + 30 * DAY)
    assert len(desk.log.store.quarantined("held")) == 1
    rounds(desk, 1, lambda: LATER + 30 * DAY + 1)
    [(_, status, one)] = desk.log.store.quarantined(None)
    assert (status, one.raw.value, one.code) == ("expired", None, "not_json")


def test_an_old_id_is_forgotten_though_one_came_before_it_by_a_clock_ahead_of_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker, "TIDY_LIMIT", 5)
    ids = [bytes([number]) * 16 for number in range(9)]
    seen = [(one, b"digest", at(0) + 90 * DAY if one == ids[0] else at(0)) for one in ids]
    desk.log.store.insert_events([StoredEvent("s", 1, "t.v1", b"{}")], beside=Beside(seen=seen))
    rounds(desk, 1, lambda: at(0) + 60 * DAY)
    assert desk.log.store.seen(ids) == {}


def test_an_idle_ticker_writes_nothing_and_looks_for_what_is_old_once_an_hour(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tracker.hear({PARTITION: at(5)})
    rounds(desk, 1, lambda: at(5))
    store, slices, before = desk.log.store, list[int](), desk.log.store.last_position()
    forget = store.forget_seen

    def forgetting(before: int, now: int, limit: int) -> int:
        slices.append(limit)
        return forget(before, now, limit)

    def refuse(*_: object) -> None:
        pytest.fail("an idle ticker took the log's lock")

    monkeypatch.setattr(store, "forget_seen", forgetting)
    monkeypatch.setattr(store, "writing", refuse)
    monkeypatch.setattr(store, "_change", refuse)
    rounds(desk, 50, lambda: at(5))
    assert slices == [ticker.TIDY_LIMIT]
    assert store.last_position() == before
