"""The ticker: time as a source. Looks at what came due, never beyond what has been read."""

import threading
from collections.abc import Callable
from typing import Final

from eventsourcing.persistence import OperationalError

from consumers.quarantine import KEPT_FOR
from domain.feeds.frontier import live
from domain.instant import FOREVER, HOUR, Instant
from domain.tracker import TICK_LIMIT, Tracker

EVERY: Final = 0.2
"""Seconds between looks."""
TIDY_EVERY: Final = HOUR
TIDY_LIMIT: Final = 5000
"""Event keys forgotten, or messages in quarantine emptied, in one transaction."""


Looked = Callable[[str | None], object]
"""Is told of every look; of one that the store did not allow, why."""


def run(
    tracker: Tracker,
    clock: Callable[[], Instant],
    stop: threading.Event,
    *,
    dedup_for: int,
    looked: Looked = lambda _why_not: None,
) -> None:
    """Fire deadlines until ``stop``; also looks again at what an earlier policy armed, and tidies once an hour."""
    tidied = -FOREVER
    while not stop.wait(EVERY):
        try:
            _round(tracker, clock, stop)
            now = clock()
            if now - tidied > TIDY_EVERY:
                tidied = now
                _tidy(tracker, now, dedup_for, stop)
            looked(None)
        except OperationalError as error:
            # The store is busy or full; deadlines stay armed and fire at their due time once it answers.
            looked(str(error))
            stop.wait(1.0)


def _tidy(tracker: Tracker, now: Instant, dedup_for: int, stop: threading.Event) -> None:
    """Forget old event keys, slice by slice, and empty the raw bytes of old messages in quarantine."""
    store = tracker.log.store
    # Among the oldest there may be some that came by a clock ahead of time.
    while not stop.is_set() and store.forget_seen(now - dedup_for, now, TIDY_LIMIT):
        pass
    while not stop.is_set() and store.expire_quarantine(now - KEPT_FOR, TIDY_LIMIT) == TIDY_LIMIT:
        pass


def _round(tracker: Tracker, clock: Callable[[], Instant], stop: threading.Event) -> None:
    stands = tracker.log.store.positions().values()
    if not stands:
        return
    until = live(clock(), (one.taken_up_to for one in stands))
    while not stop.is_set() and tracker.tick(until, at=clock()) == TICK_LIMIT:
        pass
    while not stop.is_set() and tracker.group(until, at=clock()):
        pass
    tracker.follow_policies()
    tracker.rearm(until, at=clock())
