"""A shelf was empty when an open order's item was to be picked.

Definition: the kind's row of the detection rules; readings in docs/adr/0010.
"""

from collections.abc import Iterator
from itertools import groupby

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import FOREVER, Instant
from domain.orders.order import ItemOutOfStock, ItemPicked, Order
from domain.policies.policy import Policy
from domain.severity import Stake, weigh
from domain.shares import cancellation

SUBJECT = "order id and SKU"
DUE_AT = "when the shelf was found empty"
CLEARED_BY = "the item is picked, or cancelled; that it is back on the shelf does not help this order yet"


class StockOut:
    """Watches the items of an order that a warehouse looked for in vain."""

    kind = "stock_out"

    def look(self, state: Order, until: Instant, policy: Policy) -> Look:
        """Find every stock-out from before ``until``; see ``findings`` and ``look_again``."""
        found = tuple(_episodes(state, policy)) if state.facts.of(ItemOutOfStock) else ()
        return Look(
            tuple(one for one in found if one.due_at < until),
            min((one.due_at for one in found if one.due_at >= until), default=None),
        )


DETECTOR = StockOut()


def findings(order: Order, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every episode in which an item of the order was out of stock.

    >>> from domain.orders.order import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> empty = ItemOutOfStock(at=5, source="/wms", id="1", order_id="A", sku="TEA")
    >>> [out.subject for out in findings(evolve(Order("A"), empty), 6, DEFAULT)]
    ['A:TEA']
    """
    return DETECTOR.look(order, until, policy).findings


def look_again(order: Order, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which something heard of already comes to be."""
    return DETECTOR.look(order, until, policy).again


def _episodes(order: Order, policy: Policy) -> Iterator[Finding]:
    heard = sorted(order.facts.of(ItemOutOfStock), key=lambda one: (one.sku, one.stamp))
    for sku, several in groupby(heard, key=lambda one: one.sku):
        ends = sorted(_ends(order, sku))
        gone = cancellation(order, sku)
        closed: Stamp | None = None
        for empty in several:
            if (closed is None or closed < empty.stamp) and (gone is None or empty.stamp < gone):
                ended_by = next((end for end in ends if end > empty.stamp), None)
                # Whatever else is heard of this shelf until then is the same trouble.
                closed = Stamp(FOREVER, "", "") if ended_by is None else ended_by
                if ended_by is None or ended_by.at > empty.at:
                    yield _finding(order, empty, ended_by, policy)


def _ends(order: Order, sku: str) -> Iterator[Stamp]:
    yield from (picked.stamp for picked in order.facts.of(ItemPicked) if picked.sku == sku)
    gone = cancellation(order, sku)
    if gone is not None:
        yield gone


def _finding(order: Order, empty: ItemOutOfStock, ended_by: Stamp | None, policy: Policy) -> Finding:
    placed = order.placed
    severity, parts = weigh(Stake() if placed is None else placed.stake, policy)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    if empty.quantity is not None:
        detail["quantity"] = empty.quantity
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
        picked = next((one.quantity for one in order.facts.of(ItemPicked) if one.stamp == ended_by), None)
        if picked is not None:
            detail["picked"] = picked
    return Finding(
        kind=StockOut.kind,
        subject=f"{order.id}:{empty.sku}",
        since=empty.at,
        due_at=empty.at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=(order.id,),
        warehouse_id=empty.warehouse_id,
        sku=empty.sku,
        severity=severity,
        rule="out_of_stock",
        policy=policy.hash,
        proof=refs((empty.stamp,)),
        detail=detail,
    )
