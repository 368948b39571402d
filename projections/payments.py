"""Payments: what every order was paid, by which incident, and how much that comes to."""

from collections import defaultdict
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from domain.incidents.account import AccountPaid
from domain.instant import Instant
from projections.subjects import Subjects
from projections.view import Rows, Streams

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Payments:
    """Keeps every payment, once."""

    name = "payments"
    version = 1
    tables = ("payments",)
    schema = (
        """CREATE TABLE IF NOT EXISTS payments (
            position INTEGER PRIMARY KEY, order_id TEXT NOT NULL, incident TEXT NOT NULL, member TEXT NOT NULL,
            amount TEXT NOT NULL, currency TEXT NOT NULL, form TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
            batch TEXT NOT NULL, override TEXT NOT NULL, approvals TEXT NOT NULL)""",
        # What an order got, in its order.
        "CREATE INDEX IF NOT EXISTS payments_order ON payments (order_id, position)",
        # What was paid in a window, for the summary.
        "CREATE INDEX IF NOT EXISTS payments_at ON payments (at)",
    )
    topics = frozenset({AccountPaid.TOPIC})

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002
        """Add one row for each payment."""
        rows.executemany(
            "INSERT INTO payments VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                _row(entry.position, entry.event)
                for entry in chain.from_iterable(streams.values())
                if isinstance(entry.event, AccountPaid)
            ],
        )


VIEW = Payments()


class Payment(NamedTuple):
    """Money that an order was paid."""

    position: int
    order_id: str
    incident: str
    member: str
    amount: str
    currency: str
    form: str
    at: Instant
    by: str
    batch: str
    override: str
    approvals: list[str]


def of_order(rows: Rows, order_id: str, limit: int, *, after: int = 0) -> list[Payment]:
    """List what an order was paid, in the order of the log."""
    found = rows.execute(
        "SELECT * FROM payments WHERE order_id = ? AND position > ? ORDER BY position LIMIT ?", (order_id, after, limit)
    )
    return [Payment._make((*row[:11], _DECODE(row[11]))) for row in map(tuple, found)]


def paid(rows: Rows, since: Instant, until: Instant) -> dict[str, Decimal]:
    """Add up by currency what was paid from one instant to before another."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in rows.execute(
        "SELECT currency, amount FROM payments WHERE at >= ? AND at < ? ORDER BY currency", (since, until)
    ):
        totals[currency] += Decimal(amount)
    return dict(totals)


def _row(position: int, one: AccountPaid) -> tuple[Any, ...]:
    return (
        position,
        one.order_id,
        one.incident,
        one.member,
        one.amount,
        one.currency,
        one.form,
        one.at,
        one.by,
        one.batch,
        one.override,
        _ENCODE(one.approvals).decode(),
    )
