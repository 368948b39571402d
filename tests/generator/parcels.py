"""What happens to parcels: packing, labels, scans, voids; several orders in one, one order in several."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.generator.orders import Ordered
from tests.generator.world import DAWN, LOGISTICS, World

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
    packed = world.chance(50)
    if packed:
        tell_packing(world, parcel, targets)
    label = tell_label(world, parcel, names) if world.chance(55) else None
    tell_scans(world, parcel, label, names)
    if world.chance(12):
        replacement = f"{parcel}R" if world.chance(50) else None
        data = {"parcel_id": parcel} | ({"replaced_by": replacement} if replacement else {})
        world.tell("parcel.voided", world.hour(2, 9), data, parcel, LOGISTICS)
        if replacement:
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
    if world.chance(20):
        asked = [(order.id, line) for order, fulfilment in targets for line in order.fulfilments[fulfilment]]
        data["expected"] = [{"order_id": key, "sku": x["sku"], "quantity": x["quantity"]} for key, x in asked]
    world.tell("parcel.packed", world.hour(1, 6), data, parcel, LOGISTICS)
    if contents[1:] and world.chance(6):
        again = data | {"contents": contents[1:]}
        world.tell("parcel.packed", world.hour(1, 9), again, parcel, LOGISTICS)


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


def tell_scans(world: World, parcel: str, label: dict[str, str] | None, names: Mapping[str, object]) -> None:
    """Scan it up to three times, by its id or by its number."""
    for _ in range(world.pick((1, 1, 1, 2, 2, 3, 0))):
        by_number = label is not None and world.chance(45)
        of = label if label and by_number else {"parcel_id": parcel}
        tell_scan(world, of, names if label is None or world.chance(40) else {})


def tell_scan(world: World, of: Mapping[str, str], names: Mapping[str, object]) -> None:
    """Tell one scan; seldom with a code only, in 1970, or twice under another id."""
    how = world.pick(("plain",) * 24 + ("rare", "rare", "code only", "code too", "1970", "again", "again"))
    status = {"status": world.pick(RARE if how == "rare" else STATUSES)}
    code = {"raw_code": "50", "carrier": "sf"}
    said = {"code only": code, "code too": status | code}.get(how, status)
    at = NINETEEN_SEVENTY + (world.hour(2, 9) - DAWN) if how == "1970" else world.hour(2, 9)
    scan = world.tell("parcel.scanned", at, {**said, **of, **names}, next(iter(of.values())), LOGISTICS)
    if how == "again":
        world.tell_again(scan)
