"""Stock-outs by brute force: an item reported missing from an open order until it is picked or cancelled."""

from collections import defaultdict
from collections.abc import Iterator

from tests.oracle.late_shipment import NEVER, Fact
from tests.oracle.world import Finding, Order, World, end_of


def findings(world: World) -> Iterator[Finding]:
    """Yield every episode of every order and SKU."""
    items = defaultdict[tuple[str, str], list[Fact]](list)
    for fact in world.facts:
        if fact.type in {"item.out_of_stock.v1", "item.picked.v1"}:
            items[fact.data["order_id"], fact.data["sku"]].append(fact)
    for (key, sku), facts in items.items():
        order = world.orders.get(key, Order(key, []))
        cancelled, out = min(order.gone(), order.gone(sku)), None
        for fact in [*facts, end_of(NEVER)]:
            if fact.type == "item.out_of_stock.v1":
                out = fact if out is None and fact.at < cancelled else out
            elif out:
                yield from world.found("stock_out", f"{key}:{sku}", out.at, min(cancelled, fact.at), [key])
                out = None
