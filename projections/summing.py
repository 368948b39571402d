"""Summing up: an incident is what its episodes make it, each as its stream last told it, with its proof.

Worked out inside the view of incidents.
"""

from typing import Any, Final

import msgspec

from domain.detection import FindingEvent, FindingRetracted, Stored
from domain.instant import iso
from domain.judging.report import line
from projections import incident_orders
from projections.evidence import around, cite
from projections.subjects import Subjects
from projections.view import Rows

TABLES: Final = ("episodes", "incident_counts")
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS episodes (
        id TEXT NOT NULL, since INTEGER NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL,
        due_at INTEGER NOT NULL, ended_at INTEGER, known_at INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (id, since, stream)) WITHOUT ROWID""",
    # As many rows as kinds and states, for whoever counts all incidents again and again.
    """CREATE TABLE IF NOT EXISTS incident_counts (
        kind TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, state)) WITHOUT ROWID""",
)
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_WEIGHT = {"retracted": 0, "ended": 1, "open": 2}


def facts_of(stream: str, subjects: Subjects) -> dict[str, Any]:
    """Give the facts that proofs may cite; what groups find rests on facts of many, which are cited by name alone."""
    grouped = stream.partition("-")[0] not in {"order", "parcel", "complaint"}
    return {} if grouped else around(subjects.get(stream), subjects)


def keep(rows: Rows, identity: str, stream: str, event: FindingEvent, known: dict[str, Any]) -> None:
    """Keep an episode as it was told, and which orders it concerns."""
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


def sum_up(rows: Rows, identity: str, stream: str, position: int) -> list[Any]:
    """Show the episode that counts: the last open one, else the last that held, else the last; gives all."""
    found = rows.execute(
        "SELECT state, due_at, ended_at, body, known_at FROM episodes WHERE id = ? ORDER BY since, stream", (identity,)
    ).fetchall()
    state, due_at, ended_at, text, _ = max(enumerate(found), key=lambda row: (_WEIGHT[row[1][0]], row[0]))[1]
    before = rows.execute("SELECT state, position, stream FROM incidents WHERE id = ?", (identity,)).fetchone()
    if before is not None and before[1] > position:
        # Several streams may tell of one incident: the last word is the last in the log, however batches cut it.
        position, stream = before[1], before[2]
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
    _count(rows, body["kind"], None if before is None else before[0], state)
    return found


def counts(rows: Rows) -> list[tuple[str, str, int]]:
    """Count incidents by kind and state."""
    found = rows.execute("SELECT kind, state, n FROM incident_counts ORDER BY kind, state")
    return [(row[0], row[1], row[2]) for row in found]


def _count(rows: Rows, kind: str, before: str | None, now: str) -> None:
    """Keep how many incidents of a kind are in which state; a count that comes to nothing has no row."""
    if before == now:
        return
    changes = [(kind, now, 1)] if before is None else [(kind, before, -1), (kind, now, 1)]
    rows.executemany(
        "INSERT INTO incident_counts VALUES (?,?,?) ON CONFLICT (kind, state) "
        "DO UPDATE SET n = incident_counts.n + excluded.n",
        changes,
    )
    rows.execute("DELETE FROM incident_counts WHERE kind = ? AND state = ? AND n = 0", (kind, before))
