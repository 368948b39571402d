"""Feed: every change of a finding, and that it was escalated, once, under the position of the event that made it."""

from typing import Any, NamedTuple

import msgspec

from domain.detection import FINDING_EVENTS, FindingEvent, FindingRetracted, Key, Stored
from domain.incidents.urgency import IncidentEscalated
from domain.instant import Instant, iso
from domain.judging.report import line
from projections.subjects import Subjects
from projections.view import Rows, Streams

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Feed:
    """Keeps what changed, in the order of the log; entries are never changed."""

    name = "feed"
    version = 2
    tables = ("feed",)
    schema = (
        """CREATE TABLE IF NOT EXISTS feed (
            position INTEGER PRIMARY KEY, change TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
            state TEXT NOT NULL, severity TEXT NOT NULL, warehouse TEXT, carrier TEXT, due_at INTEGER NOT NULL,
            known_up_to INTEGER NOT NULL, order_ids TEXT NOT NULL, body BLOB NOT NULL)""",
    )
    topics = frozenset(event.TOPIC for event in (*FINDING_EVENTS, IncidentEscalated))

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Add one entry for each event."""
        found = []
        went_up: list[tuple[str, int, IncidentEscalated]] = []
        for stream, entries in streams.items():
            for entry in entries:
                event = entry.event
                if isinstance(event, FINDING_EVENTS) and event.finding.reported:
                    found.append(_row(entry.position, event))
                elif isinstance(event, IncidentEscalated) and event.subject:
                    went_up.append((stream, entry.position, event))
        told = subjects.findings([(event.subject, position) for _, position, event in went_up])
        for (stream, position, event), known in zip(went_up, told, strict=True):
            found += [_escalated(position, event, one) for one in _counting(known, stream)]
        rows.executemany("INSERT INTO feed VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", found)


VIEW = Feed()


class Change(NamedTuple):
    """One entry of the feed, with what it is filtered by."""

    position: int
    change: str
    """``opened``, ``amended``, ``ended``, ``retracted`` or ``escalated``."""
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
    person: str | None = None
    team: str | None = None
    """Who has the incident, as it is read; assigning it is no entry of the feed."""
    unrest: tuple[Instant, Instant] | None = None
    """The last spell in which the incident flapped."""


def after(rows: Rows, position: int, limit: int) -> list[Change]:
    """Read on from a position; 0 is before the first entry."""
    found = rows.execute(
        "SELECT feed.*, person, team, flapping.since, flapping.stable_at FROM feed "
        "LEFT JOIN workflow ON workflow.id = incident LEFT JOIN flapping ON flapping.id = incident "
        "WHERE feed.position > ? ORDER BY feed.position LIMIT ?",
        (position, limit),
    )
    return [
        Change._make(
            (*row[:10], _DECODE(row[10]), _DECODE(row[11]), *row[12:14], None if row[14] is None else row[14:])
        )
        for row in map(tuple, found)
    ]


def decided_up_to(rows: Rows) -> Instant | None:
    """Say where time stood at the last change; null before the first."""
    # What people do says nothing of how far the world has been read.
    row = rows.execute(
        "SELECT known_up_to FROM feed WHERE change != 'escalated' ORDER BY position DESC LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]


def _row(position: int, event: FindingEvent) -> tuple[Any, ...]:
    stored = Stored(event.finding, isinstance(event, FindingRetracted))
    return _entry(position, event.TOPIC.split(".")[1], stored, event.known_up_to, {})


def _counting(known: dict[Key, Stored], incident: str) -> list[Stored]:
    """Give the finding of an incident that counts: the last open one, else the last; none where there is none."""
    own = [known[key] for key in sorted(known) if known[key].finding.incident == incident]
    return ([one for one in own if one.state == "open"] or own)[-1:]


def _escalated(position: int, event: IncidentEscalated, stored: Stored) -> tuple[Any, ...]:
    return _entry(position, "escalated", stored, event.at, {"level": event.level, "escalated_to": event.to})


def _entry(position: int, change: str, stored: Stored, at: Instant, more: dict[str, Any]) -> tuple[Any, ...]:
    finding = stored.finding
    return (
        position,
        change,
        finding.incident,
        finding.kind,
        stored.state,
        finding.severity,
        finding.warehouse_id,
        finding.carrier,
        finding.due_at,
        at,
        _ENCODE(finding.order_ids).decode(),
        _ENCODE({**line(stored), **more, "known_up_to": iso(at)}),
    )
