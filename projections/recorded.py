"""Recorded: what was known at a time, each event with when the log took it.

What a batch, a look of the ticker or a retry brought stands before the event that closes it, which says when that was;
what a person did says so itself. Read from the log, so that nothing is kept twice.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.detection import FINDING_EVENTS
from domain.events import Event
from domain.history.batch import BatchTaken, GroupsTold, QuarantineSettled, TickFired
from domain.history.log import LogRecorder, Row, decode
from domain.incidents.events import CLOCK, TRACKER
from domain.incidents.step import Step
from domain.instant import FOREVER, Instant

_CLOSING: Final = tuple(event.TOPIC for event in (BatchTaken, TickFired, GroupsTold, QuarantineSettled))


class Until(NamedTuple):
    """How far it is asked what was known: up to a position of the log, and to what it took by an instant."""

    position: int
    at: Instant = FOREVER


class Entry(NamedTuple):
    """An event of the log, and when the log took it."""

    position: int
    stream: str
    event: Event
    recorded_at: Instant
    complete_at: int
    """The position with which the log had all that it took together with it."""


def known(log: LogRecorder, rows: Iterable[Row], until: Until) -> list[Entry]:
    """List what was known of these rows, in the order in which the log took them."""
    found = []
    end, closed_at = 0, None
    for row in sorted(row for row in rows if row.position <= until.position):
        event = decode(row.topic, row.state)
        if isinstance(event, Step) and event.by not in {CLOCK, TRACKER}:
            at, complete_at = event.at, row.position
        else:
            if row.position > end:
                end, closed_at = _closing(log, row.position)
            at, complete_at = (_said(event), row.position) if closed_at is None else (closed_at, end)
        if at <= until.at:
            found.append(Entry(row.position, row.stream, event, at, complete_at))
    return found


def _closing(log: LogRecorder, position: int) -> tuple[int, Instant | None]:
    """Find the next event from a position on that says when it was written; null where the log holds none."""
    while rows := log.select_rows(position, 1, _CLOSING):
        position, event = rows[0].position, decode(rows[0].topic, rows[0].state)
        if isinstance(event, BatchTaken):
            return position, event.received_at
        if isinstance(event, TickFired):
            return position, event.until if event.at is None else event.at
        if isinstance(event, GroupsTold | QuarantineSettled) and event.at is not None:
            return position, event.at
    return FOREVER, None


def _said(event: Event) -> Instant:
    """Give an event's own time, where none was written behind it."""
    at: Instant = event.known_up_to if isinstance(event, FINDING_EVENTS) else getattr(event, "at", 0)
    return at
