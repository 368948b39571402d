"""The ticker: time as a source. Looks at what came due, never beyond what has been read."""

import threading
from collections.abc import Callable
from typing import Final

from eventsourcing.persistence import OperationalError

from consumers.quarantine import KEPT_FOR
from domain.frontier import live
from domain.instant import FOREVER, HOUR, Instant
from domain.tracker import TICK_LIMIT, Tracker

EVERY: Final = 0.2
"""Seconds between looks."""
TIDY_EVERY: Final = HOUR


def run(tracker: Tracker, clock: Callable[[], Instant], stop: threading.Event, *, dedup_for: int) -> None:
    """Fire deadlines until ``stop``; also looks again at what an earlier policy armed, and tidies once an hour."""
    tidied = -FOREVER
    while not stop.wait(EVERY):
        try:
            _round(tracker, clock, stop)
            now = clock()
            if now - tidied > TIDY_EVERY:
                tidied = now
                tracker.tidy(now - dedup_for, now - KEPT_FOR)
        except OperationalError:
            # The store is busy or full; deadlines stay armed and fire at their due time once it answers.
            stop.wait(1.0)


def _round(tracker: Tracker, clock: Callable[[], Instant], stop: threading.Event) -> None:
    stands = tracker.log.store.positions().values()
    if not stands:
        return
    until = live(clock(), (one.taken_up_to for one in stands))
    while not stop.is_set() and tracker.tick(until) == TICK_LIMIT:
        pass
    tracker.rearm(until)
