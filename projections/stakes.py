"""Stakes: whose an order is, what it is worth, how far its goods are, and who is to call about hard cases."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from domain.history.batch import PolicyAdopted
from domain.instant import FOREVER, Instant
from domain.orders.delivery import Delivery
from domain.orders.fulfillment import coverage
from domain.orders.order import CHANGES, Order, OrderParcelChanged, PromiseChanged
from projections.subjects import Subjects
from projections.view import Rows, Streams

STAGES: Final = ("not_handed_over", "in_transit", "past")
"""Where the goods are; the earlier, the more can be saved."""
_NOT_HANDED_OVER, _IN_TRANSIT, PAST = range(len(STAGES))
_ENCODE = msgspec.json.Encoder().encode


class Stakes:
    """Keeps what the worklist shows of every order, and the rules of routing."""

    name = "stakes"
    version = 2
    tables = ("stakes", "routing")
    schema = (
        """CREATE TABLE IF NOT EXISTS stakes (
            order_id TEXT PRIMARY KEY, task TEXT NOT NULL, customer TEXT, tier TEXT, sales_channel TEXT,
            value TEXT, amount REAL NOT NULL, currency TEXT, deliver_by INTEGER,
            stage INTEGER NOT NULL) WITHOUT ROWID""",
        # The orders of a task.
        "CREATE INDEX IF NOT EXISTS stakes_task ON stakes (task)",
        """CREATE TABLE IF NOT EXISTS routing (
            since INTEGER PRIMARY KEY, body BLOB NOT NULL)""",
    )
    topics = frozenset(event.TOPIC for event in (*CHANGES, PolicyAdopted))

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write the orders anew, and the rules of all policies."""
        if "policy" in streams:
            _write_routing(rows, subjects)
        _write([subjects.get(name) for name in streams if name != "policy"], rows)


VIEW = Stakes()


class Stake(NamedTuple):
    """Whose an order is, what it is worth and how far it is."""

    order_id: str
    task: str
    customer: str | None
    tier: str | None
    sales_channel: str | None
    value: str | None
    amount: float
    currency: str | None
    deliver_by: Instant | None
    stage: int


def task_of(order_id: str, customer: str | None) -> str:
    """Name the task that an order belongs to: its customer's, or its own where nobody knows the customer."""
    return f"order-{order_id}" if customer is None else f"customer-{customer}"


def stake(order: Order) -> Stake:
    """Say what an order is by now, worked out once until its next event."""
    found: Stake | None = order.derived.get("stake")
    if found is None:
        found = order.derived["stake"] = _stake(order)
    return found


def stage_of(order: Order) -> int:
    """Say how far all of an order's goods are, the last of them counting."""
    placed, live = order.placed, [one for one in order.parcels.values() if _counts(one)]
    if placed is None:
        return min((stage_of_parcel(one) for one in live), default=_NOT_HANDED_OVER)
    if Delivery.of(order, placed).complete(FOREVER):
        return PAST
    covered = coverage(order, placed)
    if not covered.fulfillments:
        return min((*(stage_of_parcel(one) for one in live), _IN_TRANSIT)) if live else _NOT_HANDED_OVER
    handed_over = all(covered.complete(one, FOREVER) for one in covered.fulfillments)
    return _IN_TRANSIT if handed_over else _NOT_HANDED_OVER


def stage_of_parcel(parcel: OrderParcelChanged) -> int:
    """Say how far the goods in a parcel are."""
    if parcel.settled is not None or parcel.undone is not None or parcel.voided_at is not None:
        return PAST
    return _NOT_HANDED_OVER if parcel.possessed is None else _IN_TRANSIT


def _stake(order: Order) -> Stake:
    placed = order.placed
    complained = (one.customer_id for one in order.complaints.values() if one.customer_id is not None)
    customer = next(complained, None) if placed is None or placed.customer_id is None else placed.customer_id
    value = None if placed is None else placed.stake.value
    return Stake(
        order.id,
        task_of(order.id, customer),
        customer,
        None if placed is None else placed.customer_tier,
        None if placed is None else placed.sales_channel,
        value,
        0.0 if value is None else float(value),
        None if placed is None else placed.currency,
        _deliver_by(order),
        stage_of(order),
    )


def _write(orders: Sequence[Order], rows: Rows) -> None:
    rows.executemany(
        "INSERT INTO stakes VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (order_id) DO UPDATE SET "
        "task = excluded.task, customer = excluded.customer, tier = excluded.tier, "
        "sales_channel = excluded.sales_channel, value = excluded.value, amount = excluded.amount, "
        "currency = excluded.currency, deliver_by = excluded.deliver_by, stage = excluded.stage",
        [stake(one) for one in orders],
    )


def _write_routing(rows: Rows, subjects: Subjects) -> None:
    rows.execute("DELETE FROM routing")
    for since, policy in subjects.policies():
        rows.execute("INSERT INTO routing VALUES (?,?)", (since, _ENCODE(policy.routing)))


def _counts(parcel: OrderParcelChanged) -> bool:
    return parcel.voided_at is None and parcel.contents != ()


def _deliver_by(order: Order) -> Instant | None:
    """Give the last delivery date that customer or platform agreed to, else the first promise."""
    agreed = [
        one.deliver_by for one in order.facts.of(PromiseChanged) if one.agreed_by != "merchant" and one.deliver_by
    ]
    return agreed[-1] if agreed else None if order.placed is None else order.placed.deliver_by
