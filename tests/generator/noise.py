"""Events that must not change what is late, except that time goes on: heartbeats, other families, other types."""

from collections.abc import Sequence

from tests.generator.orders import Ordered
from tests.generator.world import LOGISTICS, World

COMPLAINTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("opened", {"channel": "phone", "category": "late"}),
    ("answered", {"by": "staff-1"}),
    ("categorised", {"category": "not_received"}),
    ("escalated", {"to": "lead"}),
    ("waiting", {"on": "customer"}),
    ("resolved", {"reason": "sent again"}),
    ("reopened", {}),
)
FOREIGN: tuple[tuple[str, object], ...] = (
    ("weather.changed", {"order_id": "O0", "ship_by": "soon"}),
    ("com.example.cart.updated", ["not", "an", "object"]),
    ("orders.exported", "not an object either"),
)


def tell_end(world: World) -> None:
    """Let time go on after all the rest, so that deadlines pass; seldom only a foreign event says so, or nothing."""
    end = world.pick(("heartbeat",) * 10 + ("foreign",) * 5 + ("nothing",) * 5)
    event = world.tell(
        "feed.heartbeat",
        world.hour(*((14, 16) if end == "heartbeat" else (5, 8))),
        {},
        "feed",
        LOGISTICS,
    )
    if world.chance(50):
        del event["data"]
    if end == "foreign":
        tell_foreign(world, 14, 16)


def tell_foreign(world: World, first: int, last: int) -> None:
    """Tell something of a family that only shares the topic."""
    kind, data = world.pick(FOREIGN)
    world.tell(kind, world.hour(first, last), {}, "elsewhere")["data"] = data


def tell_other(world: World, orders: Sequence[Ordered]) -> None:
    """Tell something well known that has no bearing on hand-over."""
    order = world.pick(orders)
    kind = world.pick(("item", "price", "binding", "complaint", "complaint"))
    at, item = (
        world.hour(1, 9),
        {"order_id": order.id, "sku": order.lines[0]["sku"], "warehouse_id": "W", "quantity": 1},
    )
    if kind == "item":
        world.tell(f"item.{world.pick(('picked', 'out_of_stock', 'restocked'))}", at, item, order.id, LOGISTICS)
    elif kind == "price":
        world.tell("price.changed", at, {"sku": item["sku"], "price": "9.90", "currency": "CNY"}, "price")
    elif kind == "binding":
        bound = {"listing_sku": item["sku"], "warehouse_sku": "X1", "version": "2", "warehouse_id": "W"}
        world.tell("sku.binding_changed", at, bound, "binding", LOGISTICS)
    else:
        name, data = world.pick(COMPLAINTS)
        said = data | ({"order_id": order.id} if name == "opened" else {})
        world.tell(f"complaint.{name}", at, {"complaint_id": "C1"} | said, "C1", ("/desk",))
