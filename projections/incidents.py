"""Incidents: one row for everything a rule ever said about one subject, with its episodes and their proof."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.backlog import BacklogMemberChanged
from domain.batch import PolicyAdopted, WentLive
from domain.detection import FINDING_EVENTS, FindingEvent, FindingRetracted, Stored
from domain.instant import FOREVER, Instant, iso
from domain.policy import DEFAULT
from domain.report import line
from projections import flapping, incident_orders, muting
from projections.evidence import around, cite
from projections.query import After, Filter
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_WEIGHT = {"retracted": 0, "ended": 1, "open": 2}


class Incidents:
    """Keeps every incident with what is true of it now."""

    name = "incidents"
    version = 3
    tables = ("incidents", "episodes", "live_since", *incident_orders.TABLES, *muting.TABLES, *flapping.TABLES)
    # Every index ends in the order of the lists, so that no list is ever sorted.
    schema = (
        """CREATE TABLE IF NOT EXISTS incidents (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL,
            severity TEXT NOT NULL, warehouse TEXT, carrier TEXT, due_at INTEGER NOT NULL, ended_at INTEGER,
            position INTEGER NOT NULL, stream TEXT NOT NULL, episodes INTEGER NOT NULL, body BLOB NOT NULL,
            rule TEXT NOT NULL, clock TEXT NOT NULL, parcel TEXT, merged_into TEXT, known_at INTEGER NOT NULL,
            muted_by TEXT, muted_as TEXT, mending TEXT, mending_until INTEGER, mending_why TEXT) WITHOUT ROWID""",
        # Pages by date: of all, and of what is asked for most; then who is muted by one, and what a subject has.
        "CREATE INDEX IF NOT EXISTS incidents_due ON incidents (due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_state ON incidents (state, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_kind ON incidents (kind, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_warehouse ON incidents (warehouse, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_carrier ON incidents (carrier, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_muted ON incidents (muted_by, due_at, id) WHERE muted_by IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS incidents_of_stream ON incidents (stream, state)",
        """CREATE TABLE IF NOT EXISTS episodes (
            id TEXT NOT NULL, since INTEGER NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL,
            due_at INTEGER NOT NULL, ended_at INTEGER, known_at INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (id, since, stream)) WITHOUT ROWID""",
        *incident_orders.SCHEMA,
        "CREATE TABLE IF NOT EXISTS live_since (stream TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
        *muting.SCHEMA,
        *flapping.SCHEMA,
    )
    topics = frozenset(event.TOPIC for event in (*FINDING_EVENTS, WentLive, BacklogMemberChanged, PolicyAdopted))

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Keep each episode as its stream last told it, the incident as its episodes make it, and who mutes whom."""
        for stream, entries in streams.items():
            _apply(stream, entries, rows, subjects)


VIEW = Incidents()


def _apply(stream: str, entries: Sequence[Entry], rows: Rows, subjects: Subjects) -> None:
    touched: dict[str, int] = {}
    again: set[str] = set()
    known: dict[str, Any] | None = None
    for entry in entries:
        event = entry.event
        if isinstance(event, WentLive):
            rows.execute("INSERT INTO live_since VALUES (?,?) ON CONFLICT DO NOTHING", (stream, event.at))
        elif isinstance(event, BacklogMemberChanged):
            again |= muting.note_member(rows, stream, event)
        elif isinstance(event, PolicyAdopted):
            again.update(row[0] for row in rows.execute("SELECT id FROM incidents WHERE state = 'open'"))
        elif isinstance(event, FINDING_EVENTS) and event.finding.reported:
            known = _known(stream, subjects) if known is None else known
            identity = event.finding.incident
            _keep(rows, identity, stream, event, known)
            touched[identity] = entry.position
    for identity, position in touched.items():
        flapping.note(rows, identity, _sum_up(rows, identity, stream, position), position, subjects)
    if touched:
        again |= muting.concerned(rows, stream, touched)
    if again:
        # What is being mended is said while it goes on, so the last word counts, whenever the incident came due.
        policies = subjects.policies()
        policy = policies[-1].policy if policies else DEFAULT
        for identity in sorted(again):
            muting.settle(rows, identity, policy)


class Mending(NamedTuple):
    """Known trouble at the incident's place, because of which nobody need be called for a while."""

    name: str
    until: Instant
    why: str


class Incident(NamedTuple):
    """An incident as it is listed."""

    id: str
    position: int
    """Of its last change."""
    due_at: Instant
    episodes: int
    muted_by: str | None
    """The incident that speaks for it."""
    muted_as: str | None
    """``stronger``, ``duplicate``, ``backlog`` or ``cluster``."""
    mending: Mending | None
    members: int
    """How many incidents it speaks for."""
    shipped_late: bool
    """Its order was handed over late, or is still to be."""
    historic: bool
    """Due before we went live: listed, never alerted."""
    stale: bool
    """What came after could not be applied yet."""
    body: dict[str, Any]
    """The finding that counts, in the contract's form."""


_LISTED = """SELECT id, position, due_at, episodes, muted_by, muted_as, mending, mending_until, mending_why,
    (SELECT COUNT(*) FROM incidents AS muted WHERE muted.muted_by = incidents.id) AS members,
    EXISTS (SELECT 1 FROM incidents AS late WHERE late.stream = incidents.stream AND late.kind = 'late_shipment'
        AND late.state != 'retracted') AS shipped_late,
    due_at < COALESCE((SELECT MIN(at) FROM live_since), due_at) AS historic,
    EXISTS (SELECT 1 FROM parked WHERE view = 'incidents' AND parked.stream = incidents.stream) AS stale, body
    FROM incidents """


def listed(
    rows: Rows,
    wanted: Filter,
    limit: int,
    *,
    also: Iterable[tuple[str, Sequence[Any]]] = (),
    after: After | None = None,
    newest_first: bool = True,
    up_to: int = FOREVER,
) -> list[Incident]:
    """List incidents by when they were due.

    Args:
        rows: the views.
        wanted: what they must be.
        limit: how many at most.
        also: further conditions, each with its values.
        after: the last one of the page before.
        newest_first: the last due first.
        up_to: leaves out those that changed after a position.
    """
    conditions = [*wanted.conditions(), *also, ("position <= ?", (up_to,))]
    if after is not None:
        conditions.append((f"(due_at, id) {'<' if newest_first else '>'} (?, ?)", after))
    where = " AND ".join(text for text, _ in conditions)
    direction = "DESC" if newest_first else "ASC"
    found = rows.execute(
        f"{_LISTED} WHERE {where} ORDER BY due_at {direction}, id {direction} LIMIT ?",
        (*(value for _, values in conditions for value in values), limit),
    )
    return [_incident(row) for row in found]


def one(rows: Rows, identity: str) -> Incident | None:
    """Give one incident."""
    row = rows.execute(f"{_LISTED} WHERE id = ?", (identity,)).fetchone()
    return None if row is None else _incident(row)


def muted(now: Instant, *, yes: bool) -> tuple[str, Sequence[Any]]:
    """Make it a condition that something mutes an incident at an instant, or that nothing does."""
    return f"{'' if yes else 'NOT '}(muted_by IS NOT NULL OR COALESCE(mending_until, ?) > ?)", (now, now)


def muted_by(identity: str) -> tuple[str, Sequence[Any]]:
    """Make it a condition that another incident speaks for it."""
    return "muted_by = ?", (identity,)


def stream_of(rows: Rows, identity: str) -> str | None:
    """Name the subject's stream that holds an incident's finding; null where there is no such incident."""
    row = rows.execute("SELECT stream FROM incidents WHERE id = ?", (identity,)).fetchone()
    return None if row is None else str(row[0])


def episodes(rows: Rows, identity: str) -> list[dict[str, Any]]:
    """List an incident's episodes with their evidence, earliest first."""
    found = rows.execute("SELECT body FROM episodes WHERE id = ? ORDER BY since, stream", (identity,))
    return [_DECODE(row[0]) for row in found]


def live_since(rows: Rows) -> Instant | None:
    """Say when we went live; what was due before is historic."""
    at: Instant | None = rows.execute("SELECT MIN(at) FROM live_since").fetchone()[0]
    return at


def counts(rows: Rows) -> list[tuple[str, str, int]]:
    """Count incidents by kind and state."""
    found = rows.execute("SELECT kind, state, COUNT(*) FROM incidents GROUP BY kind, state ORDER BY kind, state")
    return [(row[0], row[1], row[2]) for row in found]


def _incident(row: Any) -> Incident:
    (
        identity, position, due_at, count, by, by_as, name, until, why, members, shipped_late, historic, stale, body,
    ) = row  # fmt: skip
    mending = None if name is None else Mending(name, until, why)
    return Incident(
        identity,
        position,
        due_at,
        count,
        by,
        by_as,
        mending,
        members,
        bool(shipped_late),
        bool(historic),
        bool(stale),
        _DECODE(body),
    )


def _known(stream: str, subjects: Subjects) -> dict[str, Any]:
    """Give the facts that proofs may cite; what groups find rests on facts of many, which are cited by name alone."""
    grouped = stream.partition("-")[0] not in {"order", "parcel", "complaint"}
    return {} if grouped else around(subjects.get(stream), subjects)


def _keep(rows: Rows, identity: str, stream: str, event: FindingEvent, known: dict[str, Any]) -> None:
    finding = event.finding
    stored = Stored(finding, isinstance(event, FindingRetracted))
    ended_by = finding.detail.get("ended_by")
    body = {
        **line(stored),
        "clock": finding.clock,
        "known_up_to": iso(event.known_up_to),
        "evidence": [cite(ref, known) for ref in finding.proof],
        "ended_by": None if ended_by is None else cite(ended_by, known),
    }
    times = (finding.due_at, finding.ended_at, event.known_up_to)
    rows.execute(
        "INSERT INTO episodes VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id, since, stream) DO UPDATE SET "
        "state = excluded.state, due_at = excluded.due_at, ended_at = excluded.ended_at, body = excluded.body",
        (identity, finding.since, stream, stored.state, *times, _ENCODE(body)),
    )
    incident_orders.note(rows, identity, finding.order_ids)


def _sum_up(rows: Rows, identity: str, stream: str, position: int) -> list[Any]:
    """Show the episode that counts: the last open one, else the last that held, else the last; gives all."""
    found = rows.execute(
        "SELECT state, due_at, ended_at, body, known_at FROM episodes WHERE id = ? ORDER BY since, stream", (identity,)
    ).fetchall()
    state, due_at, ended_at, text, _ = max(enumerate(found), key=lambda row: (_WEIGHT[row[1][0]], row[0]))[1]
    body = _DECODE(text)
    clock = body["clock"]
    for only_of_episodes in ("clock", "known_up_to", "evidence", "ended_by"):
        del body[only_of_episodes]
    values = {
        "id": identity,
        "kind": body["kind"],
        "subject": body["subject"],
        "state": state,
        "severity": body["severity"],
        "warehouse": body["warehouse_id"],
        "carrier": body["carrier"],
        "due_at": due_at,
        "ended_at": ended_at,
        "position": position,
        "stream": stream,
        "episodes": len(found),
        "body": _ENCODE(body),
        "rule": body["rule"],
        "clock": clock,
        "parcel": body["parcel_id"],
        "merged_into": body["detail"].get("merged_into"),
        "known_at": min(row[4] for row in found),
    }
    names = ", ".join(values)
    changed = ", ".join(f"{name} = excluded.{name}" for name in values if name != "id")
    rows.execute(
        f"INSERT INTO incidents ({names}) VALUES ({', '.join('?' * len(values))}) "  # noqa: S608  # our own names
        f"ON CONFLICT (id) DO UPDATE SET {changed}",
        tuple(values.values()),
    )
    incident_orders.call(rows, identity, body)
    return found
