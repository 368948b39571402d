"""Recorded: what was known at a time, each event with when the log took it.

What a batch, a look of the ticker or a retry brought stands before the event that closes it, which says when that was;
what a person did says so itself. Read from the log, so that nothing is kept twice.
"""

from bisect import bisect_left
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
    taken = [
        (row, decode(row.topic, row.state)) for row in sorted(row for row in rows if row.position <= until.position)
    ]
    closings = _closings(log, {row.position for row, event in taken if not _says_itself(event)})
    ends = sorted(closings)
    found = []
    for row, event in taken:
        end = bisect_left(ends, row.position)
        if _says_itself(event) or end == len(ends):
            at, complete_at = _said(event), row.position
        else:
            at, complete_at = closings[ends[end]], ends[end]
        if at <= until.at:
            found.append(Entry(row.position, row.stream, event, at, complete_at))
    return found


def _closings(log: LogRecorder, places: set[int]) -> dict[int, Instant]:
    """Find what closes the transactions of these places, and when that says they were; nothing where none follows."""
    found: dict[int, Instant] = {}
    while places:
        closing = {row.position: _closed_at(decode(row.topic, row.state)) for row in log.next_rows([*places], _CLOSING)}
        found |= {position: at for position, at in closing.items() if at is not None}
        places = closing.keys() - found.keys()
    return found


def _closed_at(event: Event) -> Instant | None:
    """Say when an event was written that closes a transaction; one of an earlier version may not say it."""
    if isinstance(event, BatchTaken):
        return event.received_at
    if isinstance(event, TickFired):
        return event.until if event.at is None else event.at
    assert isinstance(event, GroupsTold | QuarantineSettled)
    return event.at


def _says_itself(event: Event) -> bool:
    """Say whether an event was written when it happened: it is what a person did."""
    return isinstance(event, Step) and event.by not in {CLOCK, TRACKER}


def _said(event: Event) -> Instant:
    """Give an event's own time, where none was written behind it."""
    at: Instant = event.known_up_to if isinstance(event, FINDING_EVENTS) else getattr(event, "at", 0)
    return at
