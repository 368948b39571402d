"""Incidents: one row for everything a rule ever said about one subject, with its episodes and their proof."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.detection import FINDING_EVENTS
from domain.groups.backlog import BacklogMemberChanged
from domain.history.batch import PolicyAdopted, WentLive
from domain.instant import FOREVER, Instant
from domain.policies.policy import DEFAULT
from projections import calls, flapping, incident_orders, muting, summing, tasks, workflow
from projections.flapping import Flapping
from projections.query import After, Filter
from projections.subjects import Subjects
from projections.summing import Told
from projections.view import Rows, Streams, among
from projections.workflow import Worked

_DECODE = msgspec.json.Decoder().decode
_OWN: Final = frozenset(event.TOPIC for event in (*FINDING_EVENTS, WentLive, BacklogMemberChanged, PolicyAdopted))
_PARTS: Final = (summing, incident_orders, muting, flapping, calls, tasks)
"""What is worked out with the incidents, each with its tables."""


class Incidents:
    """Keeps every incident with what is true of it now."""

    name = "incidents"
    version = 4
    tables = ("incidents", "live_since", *(table for part in _PARTS for table in part.TABLES))
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
        "CREATE TABLE IF NOT EXISTS live_since (stream TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
        *(statement for part in _PARTS for statement in part.SCHEMA),
    )
    topics = _OWN | calls.TOPICS

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Keep each episode as last told, the incident as its episodes make it, who mutes whom, and whom to call."""
        touched = calls.concerned(rows, streams, subjects)
        touched |= _bring_on(rows, streams, subjects)
        tasks.settle(rows, calls.settle(rows, touched, streams, subjects), subjects)


VIEW = Incidents()


def _bring_on(rows: Rows, streams: Streams, subjects: Subjects) -> set[str]:
    """Bring the incidents on by what rules and policies say; names all that may be otherwise now."""
    told: list[Told] = []
    members: list[tuple[str, BacklogMemberChanged]] = []
    live: dict[str, Instant] = {}
    anew = False
    for stream, entries in streams.items():
        for entry in entries:
            if entry.row.topic not in _OWN:
                continue
            event = entry.event
            if isinstance(event, BacklogMemberChanged):
                members.append((stream, event))
            elif isinstance(event, FINDING_EVENTS):
                told += [Told(entry.position, stream, event)] if event.finding.reported else []
            else:
                anew = True
                live |= {stream: event.at} if isinstance(event, WentLive) and stream not in live else {}
    rows.executemany("INSERT INTO live_since VALUES (?,?) ON CONFLICT DO NOTHING", live.items())
    again = muting.note_members(rows, members)
    again |= muting.concerned(rows, summing.sum_up(rows, told, subjects), {one.stream for one in told})
    again |= _open(rows) if anew else set()
    # What is being mended is said while it goes on, so the last word counts, whenever the incident came due.
    policies = subjects.policies()
    muting.settle(rows, again, policies[-1].policy if policies else DEFAULT)
    return again


def _open(rows: Rows) -> set[str]:
    return {row[0] for row in rows.execute("SELECT id FROM incidents WHERE state = 'open'")}


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
    work: Worked
    """What staff have made of it."""
    spell: Flapping | None
    """Its last spell of unrest, which may be over."""
    body: dict[str, Any]
    """The finding that counts, in the contract's form."""


# The concatenation keeps to the index on streams: one on kinds would be read from end to end.
_LISTED = """SELECT id, position, due_at, episodes, muted_by, muted_as, mending, mending_until, mending_why,
    (SELECT COUNT(*) FROM incidents AS muted WHERE muted.muted_by = incidents.id) AS members,
    (SELECT COUNT(*) FROM incidents AS late WHERE late.stream = incidents.stream AND late.kind || '' = 'late_shipment'
        AND late.state != 'retracted') > 0 AS shipped_late,
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
    return _incidents(rows, found)


def one(rows: Rows, identity: str) -> Incident | None:
    """Give one incident."""
    return several(rows, [identity]).get(identity)


def several(rows: Rows, identities: Sequence[str]) -> dict[str, Incident]:
    """Give these incidents, as far as they are known."""
    found = among(rows, f"{_LISTED} WHERE id IN ({{among}})", identities)
    return {one.id: one for one in _incidents(rows, found)}


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


def _incidents(rows: Rows, found: Iterable[Any]) -> list[Incident]:
    read = list(found)
    names = [row[0] for row in read]
    works, spells = workflow.several(rows, names), flapping.several(rows, names)
    return [_incident(row, works[row[0]], spells.get(row[0])) for row in read]


def _incident(row: Any, work: Worked, spell: Flapping | None) -> Incident:
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
        work,
        spell,
        _DECODE(body),
    )
