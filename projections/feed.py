"""Feed: every change of a finding, once, under the log position of the event that made it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from domain.detection import FINDING_EVENTS, FindingEvent, FindingRetracted, Stored
from domain.instant import Instant, iso
from domain.report import line
from projections.subjects import Subjects
from projections.view import Entry, Rows

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Feed:
    """Keeps what changed, in the order of the log; entries are never changed."""

    name = "feed"
    version = 1
    tables = ("feed",)
    schema = (
        """CREATE TABLE IF NOT EXISTS feed (
            position INTEGER PRIMARY KEY, change TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
            state TEXT NOT NULL, severity TEXT NOT NULL, warehouse TEXT, carrier TEXT, due_at INTEGER NOT NULL,
            known_up_to INTEGER NOT NULL, order_ids TEXT NOT NULL, body BLOB NOT NULL)""",
    )
    topics = frozenset(event.TOPIC for event in FINDING_EVENTS)

    def apply(self, stream: str, entries: Sequence[Entry], rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002
        """Add one entry for each event."""
        rows.executemany(
            "INSERT INTO feed VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                _row(entry.position, entry.event)
                for entry in entries
                if isinstance(entry.event, FINDING_EVENTS) and entry.event.finding.reported
            ],
        )


VIEW = Feed()


class Change(NamedTuple):
    """One entry of the feed, with what it is filtered by."""

    position: int
    change: str
    """``opened``, ``amended``, ``ended`` or ``retracted``."""
    incident: str
    kind: str
    state: str
    severity: str
    warehouse: str | None
    carrier: str | None
    due_at: Instant
    known_up_to: Instant
    order_ids: list[str]
    body: dict[str, Any]
    """The finding as it was then, in the contract's form."""


def after(rows: Rows, position: int, limit: int) -> list[Change]:
    """Read on from a position; 0 is before the first entry."""
    found = rows.execute("SELECT * FROM feed WHERE position > ? ORDER BY position LIMIT ?", (position, limit))
    return [Change._make((*row[:10], _DECODE(row[10]), _DECODE(row[11]))) for row in map(tuple, found)]


def decided_up_to(rows: Rows) -> Instant | None:
    """Say where time stood at the last change; null before the first."""
    row = rows.execute("SELECT known_up_to FROM feed ORDER BY position DESC LIMIT 1").fetchone()
    return None if row is None else row[0]


def _row(position: int, event: FindingEvent) -> tuple[Any, ...]:
    finding = event.finding
    stored = Stored(finding, isinstance(event, FindingRetracted))
    return (
        position,
        event.TOPIC.split(".")[1],
        finding.incident,
        finding.kind,
        stored.state,
        finding.severity,
        finding.warehouse_id,
        finding.carrier,
        finding.due_at,
        event.known_up_to,
        _ENCODE(finding.order_ids).decode(),
        _ENCODE({**line(stored), "known_up_to": iso(event.known_up_to)}),
    )
