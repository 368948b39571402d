"""What happens to parcels: packing, labels, scans, voids; several orders in one, one order in several."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.generator.histories import FEEDS, tell_way
from tests.generator.orders import Ordered
from tests.generator.world import DAWN, LOGISTICS, Event, World

Target = tuple[Ordered, str]  # an order, and the fulfilment of it that a parcel is made for
STATUSES = ("picked_up",) * 6 + ("in_transit", "in_transit", "delivered", "delivered", "label_created", "label_created")
RARE = ("customs_hold", "delivery_failed", "refused", "returned", "lost", "damaged", "cancelled", "unknown")
NINETEEN_SEVENTY = datetime.fromisoformat("1970-01-01T00:00:00Z")


def tell_parcels(world: World, orders: Sequence[Ordered]) -> None:
    """Send most fulfilments on their way, some of them together, some twice, some in pieces."""
    targets = [(order, fulfilment) for order in orders for fulfilment in order.fulfilments]
    number = 0
    for target in targets:
        for _ in range(world.pick((1, 1, 1, 1, 0, 2))):
            together = [world.pick(targets)] if world.chance(25) else []
            number += 1
            tell_parcel(world, f"P{number}", [target, *(other for other in together if other != target)])
    if world.chance(6):
        tell_scan(world, {"parcel_id": "PX"}, {"order_ids": ["ghost"]})


def tell_parcel(world: World, parcel: str, targets: Sequence[Target]) -> None:
    """Tell one parcel's life, and that of the one made in its place, if any."""
    names = draw_names(world, targets)
    if world.chance(50):
        tell_packing(world, parcel, targets)
    label = tell_label(world, parcel, names) if world.chance(55) else None
    if world.chance(35):
        tell_history(world, parcel, label, names)
    else:
        tell_scans(world, parcel, label, names)
    if world.chance(12):
        tell_void(world, parcel, targets, names)


def tell_void(world: World, parcel: str, targets: Sequence[Target], names: Mapping[str, object]) -> None:
    """Void a parcel, and mostly make another one in its place."""
    replacement = f"{parcel}R" if world.chance(60) else None
    data = {"parcel_id": parcel} | ({"replaced_by": replacement} if replacement else {})
    world.tell("parcel.voided", world.hour(2, 9), data, parcel, LOGISTICS)
    if replacement:
        if world.chance(40):
            tell_packing(world, replacement, targets)
        tell_scans(world, replacement, None, names)


def draw_names(world: World, targets: Sequence[Target]) -> dict[str, list[str]]:
    """Draw what label and scans say they carry: fulfilments, orders, both, or an empty list."""
    orders = {"order_ids": sorted({order.id for order, _ in targets})}
    fulfilments = {"fulfillment_ids": sorted({fulfilment for _, fulfilment in targets})}
    ways = (fulfilments, fulfilments, fulfilments, orders, orders | fulfilments, orders | {"fulfillment_ids": []})
    return world.pick(ways)


def tell_packing(world: World, parcel: str, targets: Sequence[Target]) -> None:
    """Record the contents: mostly what was asked for, sometimes fewer or more; seldom recorded again."""
    contents = [item for target in targets for item in draw_contents(world, target)]
    if not contents:
        return  # a packing record without contents breaks the contract
    data: dict[str, Any] = {"parcel_id": parcel, "warehouse_id": "W", "contents": contents}
    if world.chance(40):
        data["fulfillment_ids"] = [fulfilment for _, fulfilment in targets]
    asked = [item_of(order, line) for order, fulfilment in targets for line in order.fulfilments[fulfilment]]
    if world.chance(25):
        data["expected"] = asked
        if world.chance(15):
            gift = {"order_id": targets[0][0].id, "sku": "GIFT", "quantity": 1}
            data |= {"contents": [*contents, gift], "expected": [*asked, gift]}
    if world.chance(20):
        data["last"] = world.chance(90)
    # Records of one parcel come apart in time: which of two of one instant holds is no question of packing.
    world.tell("parcel.packed", world.hour(1, 3), data, parcel, LOGISTICS)
    again = world.pick(("once",) * 15 + ("corrected",) * 4 + ("fewer",))
    if again == "corrected" and asked:
        world.tell("parcel.packed", world.hour(4, 6), data | {"contents": asked}, parcel, LOGISTICS)
        if world.chance(40):
            world.tell("parcel.packed", world.hour(7, 9), data, parcel, LOGISTICS)
    elif contents[1:] and again == "fewer":
        world.tell("parcel.packed", world.hour(4, 9), data | {"contents": contents[1:]}, parcel, LOGISTICS)


def item_of(order: Ordered, line: Mapping[str, Any]) -> dict[str, Any]:
    """Say what should lie in a parcel for a line."""
    return {"order_id": order.id, "sku": line["sku"], "quantity": line["quantity"]}


def draw_contents(world: World, target: Target) -> list[dict[str, Any]]:
    """Draw what was really put in for one fulfilment."""
    order, fulfilment = target
    items = []
    for line in order.fulfilments[fulfilment]:
        put = world.pick(("all", "all", "all", "all", "all", "one", "none", "one more", "other"))
        if put == "none":
            continue
        quantity = {"one": 1, "one more": line["quantity"] + 1}.get(put, line["quantity"])
        sku = "SZ" if put == "other" else line["sku"]
        items.append({"order_id": order.id, "sku": sku, "quantity": quantity})
        if put != "other" and world.chance(50):
            items[-1]["line_id"] = line["line_id"]
    return items


def tell_label(world: World, parcel: str, names: Mapping[str, object]) -> dict[str, str]:
    """Label it with a number of its own, or one that is used again and again."""
    number = f"N{world.pick((0, 0, 1))}" if world.chance(60) else f"N-{parcel}"
    label = {"carrier": world.pick(("sf", "sf", "yto")), "tracking_number": number}
    said = names if world.chance(75) else {}
    world.tell("parcel.labelled", world.hour(1, 7), {"parcel_id": parcel, **label, **said}, parcel, LOGISTICS)
    return label


def tell_history(world: World, parcel: str, label: dict[str, str] | None, names: Mapping[str, object]) -> None:
    """Scan it all along its way; the names of what it carries may be said once only."""
    by_number = label is not None and world.chance(25)
    of = label if label and by_number else {"parcel_id": parcel}
    once = world.chance(50)

    def scan(status: str, step: int, more: Mapping[str, object], by: Sequence[str]) -> Event:
        nonlocal names
        said, names = names, {} if once else names
        data = {"status": status, **more, **of, **said}
        return world.tell("parcel.scanned", world.hour(step, step), data, next(iter(of.values())), by)

    tell_way(world, label["carrier"] if label else world.pick(list(FEEDS)), scan)


def tell_scans(world: World, parcel: str, label: dict[str, str] | None, names: Mapping[str, object]) -> None:
    """Scan it up to three times, by its id or by its number."""
    for _ in range(world.pick((1, 1, 1, 2, 2, 3, 0))):
        by_number = label is not None and world.chance(45)
        of = label if label and by_number else {"parcel_id": parcel}
        tell_scan(world, of, names if label is None or world.chance(40) else {})


def tell_scan(world: World, of: Mapping[str, str], names: Mapping[str, object]) -> None:
    """Tell one scan; seldom with a code only, in 1970, in the future, or twice under another id."""
    how = world.pick(
        ("plain",) * 23 + ("rare", "rare", "rare", "code only", "code too", "1970", "again", "again", "ahead")
    )
    status = {"status": world.pick(RARE if how == "rare" else STATUSES)}
    code = {"raw_code": "50", "carrier": "sf"}
    said = {"code only": code, "code too": status | code}.get(how, status)
    at = world.hour(17, 30) if how == "ahead" else world.hour(2, 9)
    at = NINETEEN_SEVENTY + (at - DAWN) if how == "1970" else at
    scan = world.tell("parcel.scanned", at, {**said, **of, **names}, next(iter(of.values())), LOGISTICS)
    if how == "again":
        world.tell_again(scan)
