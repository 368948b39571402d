"""Events that must not change what is late, except that time goes on: heartbeats, other families, other types."""

from collections.abc import Sequence

from tests.generator.orders import Ordered
from tests.generator.world import LOGISTICS, World

FOREIGN: tuple[tuple[str, object], ...] = (
    ("weather.changed", {"order_id": "O0", "ship_by": "soon"}),
    ("com.example.cart.updated", ["not", "an", "object"]),
    ("orders.exported", "not an object either"),
)


def tell_end(world: World) -> None:
    """Let time go on after all the rest, so that deadlines pass; seldom only a foreign event says so, or nothing."""
    end = world.pick(("heartbeat",) * 10 + ("foreign",) * 5 + ("nothing",) * 5)
    tell_heartbeat(world, (14, 16) if end == "heartbeat" else (5, 8), LOGISTICS)
    if end == "foreign":
        tell_foreign(world, 14, 16)
    for feed in dict.fromkeys(LOGISTICS):
        if world.chance(55):
            tell_heartbeat(world, (13, 16) if end == "heartbeat" else (3, 9), (feed,))


def tell_heartbeat(world: World, when: tuple[int, int], by: Sequence[str]) -> None:
    """Say that a feed is alive."""
    event = world.tell("feed.heartbeat", world.hour(*when), {}, "feed", by)
    if world.chance(50):
        del event["data"]


def tell_foreign(world: World, first: int, last: int) -> None:
    """Tell something of a family that only shares the topic."""
    kind, data = world.pick(FOREIGN)
    world.tell(kind, world.hour(first, last), {}, "elsewhere")["data"] = data


def tell_other(world: World, orders: Sequence[Ordered]) -> None:
    """Tell something well known that has no bearing on what is found."""
    sku = world.pick(world.pick(orders).lines)["sku"]
    if world.chance(50):
        price = {"sku": sku, "price": "9.90", "currency": "CNY"}
        world.tell("price.changed", world.hour(1, 9), price, "price")
    else:
        bound = {"listing_sku": sku, "warehouse_sku": "X1", "version": "2", "warehouse_id": "W"}
        world.tell("sku.binding_changed", world.hour(1, 9), bound, "binding", LOGISTICS)


def tell_items(world: World, order: Ordered) -> None:
    """Tell what pickers found on the shelf for one order: mostly nothing at first."""
    lines = [{"sku": "SZ"}, {"sku": "SZ"}] if world.chance(5) else order.lines
    sku, key = world.pick(lines)["sku"], "ghost" if world.chance(9) else order.id
    item = {"order_id": key, "sku": sku} | ({"warehouse_id": "W", "quantity": 1} if world.chance(50) else {})
    for kinds in (("out_of_stock",) * 5 + ("picked",), *[("picked", "out_of_stock", "restocked", "picked")] * 4):
        if world.chance(65):
            world.tell(f"item.{world.pick(kinds)}", world.hour(1, 9), item, key, LOGISTICS)
