"""Payouts: every batch of payments, how far it has come, and what became of each of its members."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from domain.instant import Instant
from domain.payouts.events import EVENTS, PayoutApproved, PayoutDrafted, PayoutListed, PayoutPaid, PayoutWithdrawn
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams, among_pairs

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
        """Bring a batch on by what happened to it."""
        for stream, entries in streams.items():
            _apply(stream, entries, rows)


VIEW = Payouts()


def _apply(stream: str, entries: Sequence[Entry], rows: Rows) -> None:
    for entry in entries:
        match entry.event:
            case PayoutDrafted() as event:
                rows.execute(f"INSERT INTO payouts VALUES ({_MARKS})", _drafted(stream, entry.position, event))  # noqa: S608
            case PayoutListed() as event:
                _list(rows, stream, event)
            case PayoutApproved() as event:
                rows.execute("UPDATE payouts SET approved_by = ?, state = 'approved' WHERE id = ?", (event.by, stream))
            case PayoutPaid() as event:
                _pay(rows, stream, event)
            case PayoutWithdrawn():
                _withdraw(rows, stream)
            case _:
                continue
        rows.execute("UPDATE payouts SET position = ? WHERE id = ?", (entry.position, stream))


_MARKS: Final = ",".join("?" * 17)


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


def _drafted(stream: str, position: int, one: PayoutDrafted) -> tuple[Any, ...]:
    what = (one.form, one.currency, one.members, 0, 0, one.total, "0", int(one.second), one.why)
    who = (stream, position, one.incident, "drafted", one.at, one.by, None)
    return (*who, *what, _ENCODE(one.evidence).decode())


def _list(rows: Rows, stream: str, event: PayoutListed) -> None:
    first = rows.execute("SELECT COUNT(*) FROM payout_members WHERE id = ?", (stream,)).fetchone()[0]
    rows.executemany(
        "INSERT INTO payout_members VALUES (?,?,?,?,?,'waiting',NULL,NULL,NULL)",
        [(stream, place, each.member, each.order_id, each.amount) for place, each in enumerate(event.members, first)],
    )


def _pay(rows: Rows, stream: str, event: PayoutPaid) -> None:
    told: list[tuple[Any, ...]] = [("paid", None, None, event.at, stream, name) for name in event.paid]
    told += [("skipped", each.code, each.reason, event.at, stream, each.member) for each in event.skipped]
    rows.executemany(
        "UPDATE payout_members SET state = ?, code = ?, reason = ?, at = ? WHERE id = ? AND member = ?", told
    )
    before = one(rows, stream)
    assert before is not None
    paid, skipped = before.paid + len(event.paid), before.skipped + len(event.skipped)
    total = Decimal(before.paid_total) + sum(_amounts(rows, stream, event.paid), Decimal(0))
    state = "paid" if paid + skipped == before.members else before.state
    rows.execute(
        "UPDATE payouts SET paid = ?, skipped = ?, paid_total = ?, state = ? WHERE id = ?",
        (paid, skipped, f"{total:f}", state, stream),
    )


def _amounts(rows: Rows, stream: str, names: Sequence[str]) -> Iterator[Decimal]:
    read = "SELECT amount FROM {among} CROSS JOIN payout_members WHERE id = column1 AND member = column2"
    return (Decimal(row[0]) for row in among_pairs(rows, read, [(stream, name) for name in names]))


def _withdraw(rows: Rows, stream: str) -> None:
    rows.execute("UPDATE payouts SET state = 'withdrawn' WHERE id = ?", (stream,))
    rows.execute("UPDATE payout_members SET state = 'withdrawn' WHERE id = ? AND state = 'waiting'", (stream,))
