"""Payouts: every batch of payments, how far it has come, and what became of each of its members."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from domain.events import Event
from domain.instant import Instant
from domain.payouts.events import EVENTS, PayoutApproved, PayoutDrafted, PayoutListed, PayoutPaid, PayoutWithdrawn
from projections.subjects import Subjects
from projections.view import Rows, Streams, among, among_pairs

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Payouts:
    """Keeps one row a batch, and one for each of its members."""

    name = "payouts"
    version = 1
    tables = ("payouts", "payout_members")
    schema = (
        """CREATE TABLE IF NOT EXISTS payouts (
            id TEXT PRIMARY KEY, position INTEGER NOT NULL, incident TEXT NOT NULL, state TEXT NOT NULL,
            drafted_at INTEGER NOT NULL, drafted_by TEXT NOT NULL, approved_by TEXT, form TEXT NOT NULL,
            currency TEXT NOT NULL, members INTEGER NOT NULL, paid INTEGER NOT NULL, skipped INTEGER NOT NULL,
            total TEXT NOT NULL, paid_total TEXT NOT NULL, second INTEGER NOT NULL, why TEXT NOT NULL,
            evidence TEXT NOT NULL) WITHOUT ROWID""",
        # Pages, the latest first: of all, of an incident, of a state.
        "CREATE INDEX IF NOT EXISTS payouts_drafted ON payouts (drafted_at, id)",
        "CREATE INDEX IF NOT EXISTS payouts_incident ON payouts (incident, drafted_at, id)",
        "CREATE INDEX IF NOT EXISTS payouts_state ON payouts (state, drafted_at, id)",
        """CREATE TABLE IF NOT EXISTS payout_members (
            id TEXT NOT NULL, place INTEGER NOT NULL, member TEXT NOT NULL, order_id TEXT NOT NULL,
            amount TEXT NOT NULL, state TEXT NOT NULL, code TEXT, reason TEXT, at INTEGER,
            PRIMARY KEY (id, place)) WITHOUT ROWID""",
        # The member that a payment is for; none is in a batch twice.
        "CREATE UNIQUE INDEX IF NOT EXISTS payout_members_name ON payout_members (id, member)",
    )
    topics = frozenset(event.TOPIC for event in EVENTS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002
        """Bring batches on by what happened to them."""
        read = among(rows, "SELECT * FROM payouts WHERE id IN ({among})", [*streams])
        known = {one.id: one for one in map(_payout, read)}
        members = _members(rows, streams)
        withdrawn: list[tuple[str]] = []
        for stream, entries in streams.items():
            for entry in entries:
                event = entry.event
                if isinstance(event, PayoutDrafted):
                    known[stream] = _drafted(stream, entry.position, event)
                    continue
                if isinstance(event, PayoutPaid):
                    members |= _told(stream, event, members)
                elif isinstance(event, PayoutWithdrawn):
                    withdrawn.append((stream,))
                known[stream] = _after(known[stream]._replace(position=entry.position), event, members)
        rows.executemany(_PUT, [_stored(one) for one in known.values()])
        rows.executemany(_PUT_MEMBER, [(stream, *one) for (stream, _), one in members.items()])
        rows.executemany("UPDATE payout_members SET state = 'withdrawn' WHERE id = ? AND state = 'waiting'", withdrawn)


VIEW = Payouts()


class Payout(NamedTuple):
    """A batch as it is listed."""

    id: str
    position: int
    incident: str
    state: str
    drafted_at: Instant
    drafted_by: str
    approved_by: str | None
    form: str
    currency: str
    members: int
    paid: int
    skipped: int
    total: str
    paid_total: str
    second: bool
    why: str
    evidence: list[str]

    @property
    def approvals(self) -> list[str]:
        """Name everybody who agreed to it."""
        return [] if self.approved_by is None else list(dict.fromkeys((self.drafted_by, self.approved_by)))


class Member(NamedTuple):
    """One member of a batch, and what became of it."""

    place: int
    member: str
    order_id: str
    amount: str
    state: str
    """``waiting``, ``paid``, ``skipped`` or ``withdrawn``."""
    code: str | None
    reason: str | None
    at: Instant | None


def listed(
    rows: Rows,
    limit: int,
    *,
    incident: str | None = None,
    state: str | None = None,
    after: tuple[int, str] | None = None,
) -> list[Payout]:
    """List batches, the latest draft first."""
    wanted = [("incident = ?", (incident,)), ("state = ?", (state,)), ("(drafted_at, id) < (?, ?)", after or (None,))]
    kept = [(text, values) for text, values in wanted if values[0] is not None]
    where = " AND ".join(text for text, _ in kept) or "TRUE"
    values = [value for _, some in kept for value in some]
    found = rows.execute(
        f"SELECT * FROM payouts WHERE {where} ORDER BY drafted_at DESC, id DESC LIMIT ?",  # noqa: S608  # our own words
        (*values, limit),
    )
    return [_payout(row) for row in found]


def one(rows: Rows, identity: str) -> Payout | None:
    """Give one batch."""
    row = rows.execute("SELECT * FROM payouts WHERE id = ?", (identity,)).fetchone()
    return None if row is None else _payout(row)


def members(rows: Rows, identity: str, limit: int, *, after: int = -1) -> list[Member]:
    """List the members of a batch as they were drafted."""
    found = rows.execute(
        "SELECT place, member, order_id, amount, state, code, reason, at FROM payout_members "
        "WHERE id = ? AND place > ? ORDER BY place LIMIT ?",
        (identity, after, limit),
    )
    return [Member._make(tuple(row)) for row in found]


def unfinished(rows: Rows) -> list[str]:
    """Name the batches that are approved and not paid to their end."""
    return [row[0] for row in rows.execute("SELECT id FROM payouts WHERE state = 'approved' ORDER BY drafted_at, id")]


def _payout(row: Any) -> Payout:
    values = tuple(row)
    return Payout._make((*values[:14], bool(values[14]), values[15], _DECODE(values[16])))


def _stored(one: Payout) -> tuple[Any, ...]:
    return (*one[:14], int(one.second), one.why, _ENCODE(one.evidence).decode())


_PUT: Final = (
    f"INSERT INTO payouts VALUES ({','.join('?' * len(Payout._fields))}) "  # noqa: S608  # our own names
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in Payout._fields[1:])}"
)
_PUT_MEMBER: Final = (
    "INSERT INTO payout_members VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id, place) DO UPDATE SET "
    "state = excluded.state, code = excluded.code, reason = excluded.reason, at = excluded.at"
)
_NAMED: Final = (
    "SELECT id, place, member, order_id, amount, state, code, reason, at FROM {among} CROSS JOIN payout_members "
    "WHERE id = column1 AND member = column2"
)
_Members = dict[tuple[str, str], Member]
"""By batch and name."""


def _members(rows: Rows, streams: Streams) -> _Members:
    """Give the members that these events list, and those of which they say what became of them."""
    each = [(stream, entry.event) for stream, entries in streams.items() for entry in entries]
    paid = [(stream, name) for stream, event in each if isinstance(event, PayoutPaid) for name in _names(event)]
    found = {(row[0], row[2]): Member._make(tuple(row)[1:]) for row in among_pairs(rows, _NAMED, paid)}
    some = [(stream, event) for stream, event in each if isinstance(event, PayoutListed)]
    count = "SELECT id, COUNT(*) FROM payout_members WHERE id IN ({among}) GROUP BY id"
    places = Counter({row[0]: row[1] for row in among(rows, count, [*dict(some)])})
    for stream, event in some:
        for place, one in enumerate(event.members, places[stream]):
            found[stream, one.member] = Member(place, one.member, one.order_id, one.amount, "waiting", None, None, None)
        places[stream] += len(event.members)
    return found


def _names(event: PayoutPaid) -> tuple[str, ...]:
    return (*event.paid, *(each.member for each in event.skipped))


def _told(stream: str, event: PayoutPaid, members: _Members) -> _Members:
    """Say what became of the members of a slice."""
    now: _Members = {}
    for name in event.paid:
        now[stream, name] = members[stream, name]._replace(state="paid", code=None, reason=None, at=event.at)
    for each in event.skipped:
        now[stream, each.member] = members[stream, each.member]._replace(
            state="skipped", code=each.code, reason=each.reason, at=event.at
        )
    return now


def _after(before: Payout, event: Event, members: _Members) -> Payout:
    """Say how far a batch has come by an event."""
    match event:
        case PayoutApproved():
            return before._replace(approved_by=event.by, state="approved")
        case PayoutWithdrawn():
            return before._replace(state="withdrawn")
        case PayoutPaid():
            paid, skipped = before.paid + len(event.paid), before.skipped + len(event.skipped)
            total = sum((Decimal(members[before.id, name].amount) for name in event.paid), Decimal(before.paid_total))
            state = "paid" if paid + skipped == before.members else before.state
            return before._replace(paid=paid, skipped=skipped, paid_total=f"{total:f}", state=state)
        case _:
            return before


def _drafted(stream: str, position: int, one: PayoutDrafted) -> Payout:
    return Payout(
        id=stream,
        position=position,
        incident=one.incident,
        state="drafted",
        drafted_at=one.at,
        drafted_by=one.by,
        approved_by=None,
        form=one.form,
        currency=one.currency,
        members=one.members,
        paid=0,
        skipped=0,
        total=one.total,
        paid_total="0",
        second=one.second,
        why=one.why,
        evidence=[*one.evidence],
    )
