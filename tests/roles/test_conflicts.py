"""An order's facts that two processes take in at once, from two partitions: decided twice at most, and then stored."""

import threading

import pytest

from domain.history.log import Log
from tests.story import Desk, approved, at, file_log, held, packed, piece, placed, requested, scanned


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine):
    return engine


@pytest.fixture
def desks(tmp_path):
    """Two processes over one log, as far as the log can tell."""
    with file_log(tmp_path / "log.db") as one, file_log(tmp_path / "log.db") as other:
        yield Desk(one), Desk(other)


class Appends:
    """Counts the appends of a log, and lets something happen before some of them."""

    def __init__(self, log: Log) -> None:
        self.times = 0
        self.before: dict[int, object] = {}
        self._append = log.append
        log.append = self  # type: ignore[method-assign] # a failpoint

    def __call__(self, *what: object) -> int | None:
        self.times += 1
        happen = self.before.get(self.times)
        if callable(happen):
            happen()
        return self._append(*what)


def versions(desk: Desk) -> list[int]:
    return [row.version for row in desk.log.store.select_streams(["order-O"])]


def told(desk: Desk) -> set[str]:
    return {row.topic for row in desk.log.store.select_streams(["order-O"])}


def test_what_another_process_wrote_first_is_decided_again_and_stored(desks):
    one, other = desks
    one.take(placed(0), requested(0, ship_by=10), partition="orders")
    appends = Appends(one.log)
    appends.before[1] = lambda: other.take(packed(5, "P", piece()), scanned(12), partition="parcels", until=20)
    taken = one.take(approved(1), held(3), partition="orders", until=20)
    assert (taken.clashed, appends.times) == (True, 2)
    assert versions(one) == list(range(1, len(versions(one)) + 1))
    assert {"order.approved.v1", "order.held.v1", "order.parcel_changed.v1"} <= told(one)
    assert one.found() == other.found()
    assert {name: one.next for name, one in one.log.store.positions().items()} == {"orders": 4, "parcels": 2}


def test_the_second_attempt_lets_nobody_come_between(desks):
    one, other = desks
    one.take(placed(0), requested(0, ship_by=10), partition="orders")
    came, between = threading.Event(), []

    def come() -> None:
        came.set()
        between.append(other.take(held(4), partition="c", until=20))

    busy = threading.Thread(target=come)
    appends = Appends(one.log)
    appends.before[1] = lambda: other.take(packed(5, "P", piece()), partition="b", until=20)
    appends.before[2] = lambda: (busy.start(), came.wait(10), busy.join(0.3))
    taken = one.take(approved(1), partition="orders", until=20)
    busy.join(30)
    assert (taken.clashed, appends.times) == (True, 2)
    assert [late.position is not None for late in between] == [True]
    assert versions(one) == list(range(1, len(versions(one)) + 1))


def test_after_one_conflict_what_others_wrote_is_looked_for_before_deciding(desks):
    one, other = desks
    assert not one.take(placed(0), requested(0, ship_by=10), partition="orders").clashed
    assert not other.take(packed(5, "P", piece()), partition="parcels").clashed
    assert one.take(approved(1), partition="orders", until=20).clashed, "what it had in memory was out of date"
    for hour in range(3, 9):
        other.take(packed(hour, f"P{hour}", piece()), partition="parcels", until=20)
        assert not one.take(held(hour), partition="orders", until=20).clashed
    assert versions(one) == list(range(1, len(versions(one)) + 1))


def test_two_tickers_at_once_find_what_is_due_once(desks):
    one, other = desks
    one.take(placed(0), requested(0, ship_by=10), partition="orders")
    appends = Appends(one.log)
    stopped = threading.Thread(target=lambda: other.tick(20))
    appends.before[1] = lambda: (stopped.start(), stopped.join(0.3))
    assert one.tick(20) == 1
    stopped.join(30)
    assert one.found() == [("open", "F", 10, None)]
    assert sum(row.topic == "finding.opened.v1" for row in one.log.store.select_rows(0, 1000)) == 1
    assert other.tick(20) == 0
    assert one.log.store.due(at(99), 10) == []
