"""Incidents: one row for everything a rule ever said about one subject, with its episodes and their proof."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from domain.batch import WentLive
from domain.detection import FINDING_EVENTS, FindingEvent, FindingRetracted, Stored
from domain.instant import Instant, iso
from domain.report import line
from domain.streams import stream as name_of
from projections.evidence import around, cite
from projections.query import After, Filter
from projections.subjects import Subjects
from projections.view import Entry, Rows

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_WEIGHT = {"retracted": 0, "ended": 1, "open": 2}


def incident_id(kind: str, subject: str) -> str:
    """Name the incident of a kind at a subject.

    >>> incident_id("stock_out", "A/1:TEA 2")
    'incident-stock_out-A%2F1%3ATEA%202'
    """
    return name_of("incident", kind, subject)


class Incidents:
    """Keeps every incident with what is true of it now."""

    name = "incidents"
    version = 1
    tables = ("incidents", "episodes", "incident_orders", "live_since")
    # Every index ends in the order of the lists, so that no list is ever sorted.
    schema = (
        """CREATE TABLE IF NOT EXISTS incidents (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL,
            severity TEXT NOT NULL, warehouse TEXT, carrier TEXT, due_at INTEGER NOT NULL, ended_at INTEGER,
            position INTEGER NOT NULL, stream TEXT NOT NULL, episodes INTEGER NOT NULL, muted_by TEXT,
            body BLOB NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS incidents_due ON incidents (due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_state ON incidents (state, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_kind ON incidents (kind, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_warehouse ON incidents (warehouse, due_at, id)",
        "CREATE INDEX IF NOT EXISTS incidents_carrier ON incidents (carrier, due_at, id)",
        """CREATE TABLE IF NOT EXISTS episodes (
            id TEXT NOT NULL, since INTEGER NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL,
            due_at INTEGER NOT NULL, ended_at INTEGER, body BLOB NOT NULL,
            PRIMARY KEY (id, since, stream)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS incident_orders (
            order_id TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (order_id, id)) WITHOUT ROWID""",
        "CREATE TABLE IF NOT EXISTS live_since (stream TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
    )
    topics = frozenset(event.TOPIC for event in (*FINDING_EVENTS, WentLive))

    def apply(self, stream: str, entries: Sequence[Entry], rows: Rows, subjects: Subjects) -> None:
        """Keep each episode as its stream last told it, and the incident as its episodes make it."""
        touched: dict[str, int] = {}
        known: dict[str, Any] | None = None
        for entry in entries:
            event = entry.event
            if isinstance(event, WentLive):
                rows.execute("INSERT INTO live_since VALUES (?,?) ON CONFLICT DO NOTHING", (stream, event.at))
            elif isinstance(event, FINDING_EVENTS):
                known = around(subjects.get(stream), subjects) if known is None else known
                identity = incident_id(event.finding.kind, event.finding.subject)
                _keep(rows, identity, stream, event, known)
                touched[identity] = entry.position
        for identity, position in touched.items():
            _sum_up(rows, identity, stream, position)


VIEW = Incidents()


class Incident(NamedTuple):
    """An incident as it is listed."""

    id: str
    position: int
    """Of its last change."""
    due_at: Instant
    episodes: int
    muted_by: str | None
    historic: bool
    """Due before we went live: listed, never alerted."""
    stale: bool
    """What came after could not be applied yet."""
    body: dict[str, Any]
    """The finding that counts, in the contract's form."""


_LISTED = """SELECT id, position, due_at, episodes, muted_by,
    due_at < COALESCE((SELECT MIN(at) FROM live_since), due_at) AS historic,
    EXISTS (SELECT 1 FROM parked WHERE view = 'incidents' AND parked.stream = incidents.stream) AS stale, body
    FROM incidents """


def listed(
    rows: Rows, wanted: Filter, limit: int, *, after: After | None = None, newest_first: bool = True, up_to: int = 2**62
) -> list[Incident]:
    """List incidents by when they were due; ``up_to`` leaves out those that changed after a position."""
    conditions = [*wanted.conditions(), ("position <= ?", (up_to,))]
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
    identity, position, due_at, count, muted_by, historic, stale, body = row
    return Incident(identity, position, due_at, count, muted_by, bool(historic), bool(stale), _DECODE(body))


def _keep(rows: Rows, identity: str, stream: str, event: FindingEvent, known: dict[str, Any]) -> None:
    finding = event.finding
    stored = Stored(finding, isinstance(event, FindingRetracted))
    ended_by = finding.detail.get("ended_by")
    body = {
        **line(stored),
        "known_up_to": iso(event.known_up_to),
        "evidence": [cite(ref, known) for ref in finding.proof],
        "ended_by": None if ended_by is None else cite(ended_by, known),
    }
    rows.execute(
        "INSERT INTO episodes VALUES (?,?,?,?,?,?,?) ON CONFLICT (id, since, stream) DO UPDATE SET "
        "state = excluded.state, due_at = excluded.due_at, ended_at = excluded.ended_at, body = excluded.body",
        (identity, finding.since, stream, stored.state, finding.due_at, finding.ended_at, _ENCODE(body)),
    )
    for order_id in finding.order_ids:
        rows.execute("INSERT INTO incident_orders VALUES (?,?) ON CONFLICT DO NOTHING", (order_id, identity))


def _sum_up(rows: Rows, identity: str, stream: str, position: int) -> None:
    """Show the episode that counts: the last open one, else the last that held, else the last."""
    found = rows.execute(
        "SELECT state, due_at, ended_at, body FROM episodes WHERE id = ? ORDER BY since, stream", (identity,)
    ).fetchall()
    state, due_at, ended_at, text = max(enumerate(found), key=lambda row: (_WEIGHT[row[1][0]], row[0]))[1]
    body = _DECODE(text)
    for only_of_episodes in ("known_up_to", "evidence", "ended_by"):
        del body[only_of_episodes]
    rows.execute(
        "INSERT INTO incidents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,NULL,?) ON CONFLICT (id) DO UPDATE SET "
        "state = excluded.state, severity = excluded.severity, warehouse = excluded.warehouse, "
        "carrier = excluded.carrier, due_at = excluded.due_at, ended_at = excluded.ended_at, "
        "position = excluded.position, stream = excluded.stream, episodes = excluded.episodes, body = excluded.body",
        (
            identity,
            body["kind"],
            body["subject"],
            state,
            body["severity"],
            body["warehouse_id"],
            body["carrier"],
            due_at,
            ended_at,
            position,
            stream,
            len(found),
            _ENCODE(body),
        ),
    )
