"""What happens to one order before anything is packed: placing, approval, requests, promises, holds, cancellations."""

from dataclasses import dataclass, field
from typing import Any

from tests.generator.world import PLACES, World

REASONS = ("payment", "payment", "fraud", "address", "customer_request", "stock")
AGREED_BY = ("customer", "merchant", "platform", "merchant")


@dataclass
class Ordered:
    """What the parcels of a season may carry: an order, and what each of its fulfilments asks for."""

    id: str
    lines: list[dict[str, Any]]
    fulfilments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def tell_order(world: World, number: int) -> Ordered:
    """Tell an order's whole life up to packing."""
    order = Ordered(f"O{number}", draw_lines(world))
    own_date = world.chance(55)
    tell_placing(world, order, own_date=own_date)
    requests = world.pick((1, 1, 2, 0, 1, 2, 3)) if own_date else world.pick((1, 1, 2, 3))
    for index in range(requests):
        tell_request(world, order, f"{order.id}-{index + 1}")
    if not requests:
        order.fulfilments[order.id] = order.lines
    tell_approval(world, order)
    for _ in range(world.pick((0, 0, 0, 0, 1, 1, 2, 3))):
        tell_promise(world, order)
    for _ in range(world.pick((0, 0, 0, 0, 0, 1, 1, 2, 3))):
        tell_hold(world, order)
    for _ in range(world.pick((0, 0, 0, 0, 0, 1, 2))):
        tell_cancellation(world, order)
    return order


def draw_lines(world: World) -> list[dict[str, Any]]:
    """Draw one to three lines; one SKU may stand on several."""
    count = world.pick((1, 1, 2, 2, 3))
    lines: list[dict[str, Any]] = [
        {"line_id": str(k + 1), "sku": f"S{world.pick('AAB')}", "quantity": world.pick((1, 1, 2, 3))}
        for k in range(count)
    ]
    if world.chance(8):
        world.pick(lines)["gift"] = True
    return lines


def draw_date(world: World) -> str:
    """Draw a ship_by in the midst of things, seldom after all of them."""
    return world.date(11, 13) if world.chance(20) else world.date(3, 6)


def draw_arrival(world: World) -> str:
    """Draw a deliver_by: an instant, or a date only."""
    return world.midnight(2, 12) if world.chance(40) else world.date(4, 11)


def tell_placing(world: World, order: Ordered, *, own_date: bool) -> None:
    """Place the order; seldom never, twice, or long after its own date."""
    if world.chance(4):
        return
    late = world.chance(4)
    data: dict[str, object] = {"order_id": order.id, "lines": order.lines}
    if own_date:
        data["ship_by"] = draw_date(world)
    if world.chance(45):
        data["deliver_by"] = draw_arrival(world)
    if world.chance(50):
        data["destination"] = world.pick(PLACES[1:])
    world.tell("order.placed", world.hour(5, 8) if late else world.hour(0, 1), data, order.id)
    if world.chance(4):
        edited = [line | {"quantity": line["quantity"] + 1} for line in order.lines]
        world.tell("order.placed", world.hour(0, 4), data | {"lines": edited, "ship_by": world.date(2, 9)}, order.id)


def tell_request(world: World, order: Ordered, fulfilment: str) -> None:
    """Ask a warehouse for all or some lines; seldom ask again, in other words."""
    data: dict[str, Any] = {"fulfillment_id": fulfilment, "order_id": order.id, "warehouse_id": world.pick("WV")}
    if world.chance(70):
        data["ship_by"] = draw_date(world)
    if world.chance(9):
        data["starts_at"] = world.date(2, 8)
    lines = world.pick(("unsaid", "unsaid", "some", "some", "some", "none", "unknown too"))
    if lines != "unsaid":
        data["lines"] = [] if lines == "none" else [ask(world, line) for line in order.lines if world.chance(65)]
    if lines == "unknown too":
        data["lines"].append({"line_id": "99"} | ({"quantity": 1} if world.chance(30) else {}))
    world.tell("fulfillment.requested", world.hour(4, 8) if world.chance(5) else world.hour(0, 1), data, fulfilment)
    asked = data.get("lines") or order.lines
    known = {line["line_id"]: line for line in order.lines}
    order.fulfilments[fulfilment] = [known.get(a["line_id"], {"sku": "SX", "quantity": 1}) | a for a in asked]
    if world.chance(6):
        other = data | {"warehouse_id": "U", "ship_by": world.date(2, 9), "lines": []}
        world.tell("fulfillment.requested", world.hour(0, 4), other, fulfilment)


def ask(world: World, line: dict[str, Any]) -> dict[str, Any]:
    """Ask for a line: all of it, or so many pieces."""
    return {"line_id": line["line_id"]} | ({"quantity": world.pick((1, 2))} if world.chance(30) else {})


def tell_approval(world: World, order: Ordered) -> None:
    """Approve it in time, late, twice, or not at all."""
    spans = world.pick((((0, 2),), ((0, 2),), (), ((6, 10),), (), ((6, 10), (0, 9))))
    for first, last in spans:
        world.tell("order.approved", world.hour(first, last), {"order_id": order.id}, order.id)


def at_some_level(world: World, order: Ordered, percent: int) -> dict[str, str]:
    """Speak of the whole order, or of one fulfilment in so many of a hundred cases."""
    one = bool(order.fulfilments) and world.chance(percent)
    return {"order_id": order.id} | ({"fulfillment_id": world.pick(list(order.fulfilments))} if one else {})


def tell_promise(world: World, order: Ordered) -> None:
    """Move a promise: agreed or not, in time or not, to any date; of shipping, of delivery, or both."""
    data = at_some_level(world, order, 40) | {"agreed_by": world.pick(AGREED_BY)}
    which = world.pick(("ship_by",) * 6 + ("deliver_by",) * 3 + ("both",))
    if which != "deliver_by":
        data["ship_by"] = world.date(1, 10)
    if which != "ship_by":
        data["deliver_by"] = draw_arrival(world)
    world.tell("order.promise_changed", world.hour(1, 9), data, order.id)


def tell_hold(world: World, order: Ordered) -> None:
    """Hold it for a while, or for good; seldom release something else than was held."""
    data = at_some_level(world, order, 30) | {"reason": world.pick(REASONS)}
    begin = world.number(8)
    world.tell("order.held", world.hour(begin, begin), data, order.id)
    if world.chance(80):
        other = {"reason": "fraud"} if world.chance(6) else {}
        world.tell("order.released", world.hour(begin, min(begin + 3, 10)), data | other, order.id)


def tell_cancellation(world: World, order: Ordered) -> None:
    """Cancel the order or some of its lines, before, at or after the deadline."""
    data: dict[str, object] = {"order_id": order.id}
    scope = world.pick(("order", "order", "line", "line", "line", "line", "empty list"))
    if scope != "order":
        data["line_ids"] = [world.pick(order.lines)["line_id"]] if scope == "line" else []
    world.tell("order.cancelled", world.hour(1, 9), data, order.id)
