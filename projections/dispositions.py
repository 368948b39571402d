"""Dispositions: which goods are to come back or to be destroyed, until when, and which of it is proven."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from domain.dispositions.events import (
    EVENTS,
    DispositionCancelled,
    DispositionOverdue,
    DispositionProven,
    DispositionRequested,
)
from domain.instant import Instant, instant
from domain.parcels.events import RETURNED
from projections import orders, parcels
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams, among

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Dispositions:
    """Keeps one row for the goods of one order and SKU: what was last asked for, and what came of it."""

    name = "dispositions"
    version = 1
    tables = ("dispositions",)
    schema = (
        """CREATE TABLE IF NOT EXISTS dispositions (
            id TEXT PRIMARY KEY, position INTEGER NOT NULL, incident TEXT NOT NULL, order_id TEXT NOT NULL,
            sku TEXT NOT NULL, quantity INTEGER NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL,
            until INTEGER NOT NULL, refund_on_proof INTEGER NOT NULL, requested_by TEXT NOT NULL,
            requested_at INTEGER NOT NULL, why TEXT NOT NULL, parcel_id TEXT, seen TEXT, evidence TEXT NOT NULL,
            ended_by TEXT, ended_at INTEGER, ended_why TEXT) WITHOUT ROWID""",
        # Pages, the first deadline first: of all, of a state, of an incident, of an order.
        "CREATE INDEX IF NOT EXISTS dispositions_until ON dispositions (until, id)",
        "CREATE INDEX IF NOT EXISTS dispositions_state ON dispositions (state, until, id)",
        "CREATE INDEX IF NOT EXISTS dispositions_incident ON dispositions (incident, until, id)",
        "CREATE INDEX IF NOT EXISTS dispositions_order ON dispositions (order_id, until, id)",
    )
    topics = frozenset(event.TOPIC for event in EVENTS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002
        """Bring them on by what happened to the goods."""
        read = among(rows, "SELECT * FROM dispositions WHERE id IN ({among})", [*streams])
        known = {one.id: one for one in map(_disposition, read)}
        for stream, entries in streams.items():
            for entry in entries:
                now = _after(stream, entry, known.get(stream))
                known |= {} if now is None else {stream: now}
        rows.executemany(_PUT, [_stored(one) for one in known.values()])


VIEW = Dispositions()


class Disposition(NamedTuple):
    """What is to become of some goods."""

    id: str
    position: int
    incident: str
    order_id: str
    sku: str
    quantity: int
    action: str
    state: str
    until: Instant
    refund_on_proof: bool
    requested_by: str
    requested_at: Instant
    why: str
    parcel_id: str | None
    seen: str | None
    evidence: list[str]
    ended_by: str | None
    ended_at: Instant | None
    ended_why: str | None


class Wanted(NamedTuple):
    """Which are asked for; an empty part asks for nothing."""

    state: str | None = None
    incident: str | None = None
    order_id: str | None = None


def listed(rows: Rows, limit: int, wanted: Wanted, *, after: tuple[int, str] | None = None) -> list[Disposition]:
    """List them by the time until which there must be proof."""
    parts = [(f"{name} = ?", (value,)) for name, value in wanted._asdict().items() if value is not None]
    more = [*parts, *([] if after is None else [("(until, id) > (?, ?)", after)])]
    where = " AND ".join(text for text, _ in more) or "TRUE"
    found = rows.execute(
        f"SELECT * FROM dispositions WHERE {where} ORDER BY until, id LIMIT ?",  # noqa: S608  # our own words
        (*(value for _, values in more for value in values), limit),
    )
    return [_disposition(row) for row in found]


def one(rows: Rows, identity: str) -> Disposition | None:
    """Give one of them."""
    row = rows.execute("SELECT * FROM dispositions WHERE id = ?", (identity,)).fetchone()
    return None if row is None else _disposition(row)


def came_back(rows: Rows, order_id: str, since: Instant) -> list[str]:
    """Name the parcels of an order that had left by an instant and of which a carrier says that they came back since.

    See ``domain.staff.disposing.came_back``.
    """
    found = orders.one(rows, order_id)
    names = [] if found is None else [one["parcel_id"] for one in found[1]["parcels"]]
    known = parcels.several(rows, names).items()
    return [name for name, one in known if one["status"] in RETURNED and _went_and_came(one, since)]


def _went_and_came(parcel: dict[str, Any], since: Instant) -> bool:
    made = [parcel[name] for name in ("packed_at", "labelled_at") if parcel[name] is not None]
    return _at(parcel["status_at"]) >= since and all(_at(one) < since for one in made)


def _at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))


def _disposition(row: Any) -> Disposition:
    values = tuple(row)
    return Disposition._make((*values[:9], bool(values[9]), *values[10:15], _DECODE(values[15]), *values[16:]))


def _stored(one: Disposition) -> tuple[Any, ...]:
    return one._replace(
        refund_on_proof=int(one.refund_on_proof),  # type: ignore[arg-type]  # as the database has it
        evidence=_ENCODE(one.evidence).decode(),  # type: ignore[arg-type]
    )


_PUT: Final = (
    f"INSERT INTO dispositions ({', '.join(Disposition._fields)}) "  # noqa: S608  # our own names
    f"VALUES ({','.join('?' * len(Disposition._fields))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in Disposition._fields[1:])}"
)


def _after(stream: str, entry: Entry, before: Disposition | None) -> Disposition | None:
    """Say what is to become of the goods after an event; nobody knows where none was asked for before."""
    event = entry.event
    if isinstance(event, DispositionRequested):
        return _requested(stream, entry.position, event)
    if before is None:
        return None
    one = before._replace(position=entry.position)
    match event:
        case DispositionOverdue():
            return one._replace(state="overdue")
        case DispositionProven():
            proven = _ended(one, event, "proven")
            return proven._replace(parcel_id=event.parcel_id, seen=event.seen, evidence=[*event.evidence])
        case DispositionCancelled():
            return _ended(one, event, "cancelled")
        case _:
            return before


def _requested(stream: str, position: int, one: DispositionRequested) -> Disposition:
    return Disposition(
        id=stream,
        position=position,
        incident=one.incident,
        order_id=one.order_id,
        sku=one.sku,
        quantity=one.quantity,
        action=one.action,
        state="open",
        until=one.until,
        refund_on_proof=one.refund_on_proof,
        requested_by=one.by,
        requested_at=one.at,
        why=one.why,
        parcel_id=None,
        seen=None,
        evidence=[],
        ended_by=None,
        ended_at=None,
        ended_why=None,
    )


def _ended(one: Disposition, event: DispositionProven | DispositionCancelled, state: str) -> Disposition:
    return one._replace(state=state, ended_by=event.by, ended_at=event.at, ended_why=event.why)
