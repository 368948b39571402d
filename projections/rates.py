"""Rates: of what was due to be shipped, how much was late, and of what was labelled, how much a carrier has scanned.

Whole hours of a window are counted rows; only what lies in the hours that it cuts is counted one by one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from domain.detection import FINDING_EVENTS, FindingDismissed
from domain.detectors import late_shipment
from domain.instant import HOUR, Instant
from domain.judging.adoption import Adopted, in_force
from domain.orders.fulfillment import Fulfillment, coverage
from domain.orders.order import (
    FulfillmentRequested,
    Order,
    OrderApproved,
    OrderCancelled,
    OrderHeld,
    OrderParcelChanged,
    OrderPlaced,
    OrderReleased,
    PromiseChanged,
)
from domain.policies.policy import Policy
from projections.order_document import clocks
from projections.subjects import Subjects
from projections.view import Rows, Streams, among

_LATE: Final = late_shipment.DETECTOR.kind
What = Literal["shipment", "parcel"]
By = Literal["all", "seller", "warehouse"]
_HELD: Final = (
    *(OrderPlaced, OrderApproved, FulfillmentRequested, PromiseChanged, OrderHeld, OrderReleased, OrderCancelled),
    *(OrderParcelChanged, *FINDING_EVENTS, FindingDismissed),
)


class Rated(NamedTuple):
    """One fulfilment by when it was due, or one parcel by when it was labelled."""

    what: What
    id: str
    order_id: str
    at: Instant
    seller: str
    """Empty where nobody says whose it is, or it is of several."""
    warehouse: str
    hit: bool
    """Whether the fulfilment was late, or a carrier has scanned the parcel."""


class Share(NamedTuple):
    """How many of some there are, and how many of these were hit."""

    by: By
    name: str
    """Of the seller or warehouse; empty for all."""
    counted: int
    hits: int


class RatesView:
    """Keeps what the platform's rates are made of, by hour, seller and warehouse."""

    name = "rates"
    version = 1
    tables = ("rated", "rated_hours")
    schema = (
        """CREATE TABLE IF NOT EXISTS rated (
            what TEXT NOT NULL, id TEXT NOT NULL, order_id TEXT NOT NULL, at INTEGER NOT NULL, seller TEXT NOT NULL,
            warehouse TEXT NOT NULL, hit INTEGER NOT NULL, PRIMARY KEY (order_id, what, id)) WITHOUT ROWID""",
        # The two ends of a window that are no whole hours, without a look at the rows themselves.
        "CREATE INDEX IF NOT EXISTS rated_at ON rated (what, at, seller, warehouse, hit)",
        """CREATE TABLE IF NOT EXISTS rated_hours (
            what TEXT NOT NULL, hour INTEGER NOT NULL, seller TEXT NOT NULL, warehouse TEXT NOT NULL,
            counted INTEGER NOT NULL, hits INTEGER NOT NULL,
            PRIMARY KEY (what, hour, seller, warehouse)) WITHOUT ROWID""",
    )
    topics = frozenset(event.TOPIC for event in _HELD)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Count the fulfilments and parcels of orders anew."""
        found: set[Rated] = set()
        touched: list[str] = []
        for stream, entries in streams.items():
            if stream.startswith("order-"):
                order: Order = subjects.get(stream)
                touched.append(order.id)
                # What is due is read by the policy that was in force then, as far as it was known.
                found.update(_shipments(order, subjects.policies(entries[-1].position)), _parcels(order))
        known = among(rows, "SELECT * FROM rated WHERE order_id IN ({among})", touched)
        before = {Rated._make((*row[:6], bool(row[6]))) for row in known}
        gone, come = sorted(before - found), sorted(found - before)
        rows.executemany(
            "DELETE FROM rated WHERE order_id = ? AND what = ? AND id = ?",
            [(one.order_id, one.what, one.id) for one in gone],
        )
        rows.executemany("INSERT INTO rated VALUES (?,?,?,?,?,?,?)", come)
        _count(rows, gone, come)


VIEW = RatesView()


_WITHIN: Final = """
    SELECT {key} AS name, SUM(counted), SUM(hits) FROM (
        SELECT seller, warehouse, counted, hits FROM rated_hours WHERE what = ?1 AND hour >= ?2 AND hour < ?3
        UNION ALL SELECT seller, warehouse, 1, hit FROM rated WHERE what = ?1 AND at >= ?4 AND at < ?5
        UNION ALL SELECT seller, warehouse, 1, hit FROM rated WHERE what = ?1 AND at >= ?6 AND at < ?7) AS parts
    GROUP BY name ORDER BY name"""
_KEYS: Final[dict[By, str]] = {"all": "''", "seller": "seller", "warehouse": "warehouse"}


def shares(rows: Rows, what: What, since: Instant, until: Instant) -> list[Share]:
    """Count what lies from one instant to before another: all of it, then by seller and by warehouse."""
    first, last = -(-since // HOUR), until // HOUR
    edges = (since, until, 0, 0) if last <= first else (since, first * HOUR, last * HOUR, until)
    return [
        Share(by, *row)
        for by, key in _KEYS.items()
        for row in rows.execute(_WITHIN.format(key=key), (what, first, last, *edges))
    ]


def _shipments(order: Order, policies: Sequence[Adopted]) -> Iterator[Rated]:
    """Give every fulfilment that was, or will be, due; a late one by when it was first late."""
    placed = order.placed
    if placed is None or not policies:
        return
    for clock in clocks(order, policies):
        one = clock.fulfillment
        late = [
            stored.finding.due_at
            for key, stored in order.findings.items()
            if key[:2] == (_LATE, one.id) and not stored.retracted and stored.dismissed is None
        ]
        due_at = min(late, default=None if clock.state == "cancelled" else clock.deadline)
        if due_at is not None and (late or _runs(order, in_force(policies, due_at))):
            yield Rated("shipment", one.id, order.id, due_at, _seller(placed, one), one.warehouse_id or "", bool(late))


def _runs(order: Order, policy: Policy) -> bool:
    return policy.late_shipment.approval != "required" or bool(order.facts.of(OrderApproved))


def _parcels(order: Order) -> Iterator[Rated]:
    """Give every labelled parcel of the order, unless its label was voided before anybody scanned it."""
    placed = order.placed
    known = {} if placed is None else {one.id: one for one in coverage(order, placed).fulfillments}
    for one in order.parcels.values():
        gone = one.contents == () or (one.voided_at is not None and one.possessed is None)
        if one.labelled_at is None or gone:
            continue
        named = [known[name] for name in (*one.fulfillment_ids, *one.named) if name in known] or [*known.values()]
        sellers = {"" if placed is None else _seller(placed, each) for each in named}
        warehouses = {each.warehouse_id or "" for each in named}
        whose, where = (some.pop() if len(some) == 1 else "" for some in (sellers, warehouses))
        yield Rated("parcel", one.parcel_id, order.id, one.labelled_at, whose, where, one.possessed is not None)


def _seller(placed: OrderPlaced, fulfillment: Fulfillment) -> str:
    """Name who sells what a fulfilment ships, where that is one alone."""
    if fulfillment.request is not None and fulfillment.request.seller_id is not None:
        return fulfillment.request.seller_id
    sellers = {line.seller_id or "" for line in placed.lines if line.line_id in fulfillment.quantities}
    return sellers.pop() if len(sellers) == 1 else ""


def _count(rows: Rows, gone: Iterable[Rated], come: Iterable[Rated]) -> None:
    """Add what has come to its hours, and take away what is gone."""
    counted: Counter[tuple[str, int, str, str]] = Counter()
    hits: Counter[tuple[str, int, str, str]] = Counter()
    for some, by in ((gone, -1), (come, 1)):
        for one in some:
            key = (one.what, one.at // HOUR, one.seller, one.warehouse)
            counted[key] += by
            hits[key] += by * one.hit
    changed = sorted(key for key in counted if counted[key] or hits[key])
    rows.executemany(
        "INSERT INTO rated_hours VALUES (?,?,?,?,?,?) ON CONFLICT (what, hour, seller, warehouse) "
        "DO UPDATE SET counted = rated_hours.counted + excluded.counted, hits = rated_hours.hits + excluded.hits",
        [(*key, counted[key], hits[key]) for key in changed],
    )
    rows.executemany(
        "DELETE FROM rated_hours WHERE what = ? AND hour = ? AND seller = ? AND warehouse = ? AND counted = 0",
        [key for key in changed if counted[key] < 0],
    )
