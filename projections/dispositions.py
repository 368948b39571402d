"""Dispositions: which goods are to come back or to be destroyed, until when, and which of it is proven."""

from collections.abc import Sequence
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
from projections.view import Entry, Rows, Streams

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
        """Bring it on by what happened to the goods."""
        for stream, entries in streams.items():
            _apply(stream, entries, rows)


VIEW = Dispositions()


def _apply(stream: str, entries: Sequence[Entry], rows: Rows) -> None:
    for entry in entries:
        match entry.event:
            case DispositionRequested() as event:
                rows.execute("DELETE FROM dispositions WHERE id = ?", (stream,))
                rows.execute(
                    f"INSERT INTO dispositions VALUES ({_MARKS})",  # noqa: S608  # question marks
                    _requested(stream, entry.position, event),
                )
            case DispositionOverdue():
                rows.execute("UPDATE dispositions SET state = 'overdue' WHERE id = ?", (stream,))
            case DispositionProven() as event:
                _end(rows, stream, event, "proven")
                rows.execute(
                    "UPDATE dispositions SET parcel_id = ?, seen = ?, evidence = ? WHERE id = ?",
                    (event.parcel_id, event.seen, _ENCODE(event.evidence).decode(), stream),
                )
            case DispositionCancelled() as event:
                _end(rows, stream, event, "cancelled")
            case _:
                continue
        rows.execute("UPDATE dispositions SET position = ? WHERE id = ?", (entry.position, stream))


_MARKS: Final = ",".join("?" * 19)


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


def _requested(stream: str, position: int, one: DispositionRequested) -> tuple[Any, ...]:
    goods = (one.order_id, one.sku, one.quantity, one.action, "open", one.until, int(one.refund_on_proof))
    return (stream, position, one.incident, *goods, one.by, one.at, one.why, None, None, "[]", None, None, None)


def _end(rows: Rows, stream: str, event: DispositionProven | DispositionCancelled, state: str) -> None:
    rows.execute(
        "UPDATE dispositions SET state = ?, ended_by = ?, ended_at = ?, ended_why = ? WHERE id = ?",
        (state, event.by, event.at, event.why, stream),
    )
