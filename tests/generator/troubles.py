"""What goes wrong in the made-up marketplace after and beside shipping: ways of parcels, shelves, boxes, complaints."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.generator.marketplace import Market

Line = Mapping[str, Any]
REGIONS = ("R1", "R2", "R3", "R4")
SMOOTH = ("arrived_facility", "departed_facility", "out_for_delivery", "delivered")
WAYS = (
    *(SMOOTH,) * 12,
    ("arrived_facility", "on_hold", "on_hold", "in_transit", "delivered"),
    ("customs_hold", "customs_hold", "arrived_facility", "delivered"),
    ("delivery_delayed", "delivery_delayed", "out_for_delivery", "delivered"),
    ("out_for_delivery", "delivery_failed", "delivery_failed", "delivered"),
    ("out_for_delivery", "delivery_failed", "return_to_sender", "in_transit", "returned"),
    ("ready_for_pickup", "ready_for_pickup", "delivered"),
    ("ready_for_pickup", "return_to_sender", "returned"),
    ("refused", "return_to_sender", "returned"),
    ("arrived_facility", "lost"),
    ("lost", "arrived_facility", "delivered"),
    ("in_transit", "damaged", "returned"),
    ("delivered", "in_transit"),
)
CATEGORIES = ("late", "not_received", "wrong_item", "missing_item", "extra_item", "damaged", "defective", "other")
CHANNELS = ("chat", "phone", "review")
DESK = "/desk"


def tell_way(market: "Market", carrier: str, said: Mapping[str, object], taken: datetime) -> None:
    """Scan a parcel until it has arrived, or until nobody hears of it any more; some clocks are wrong."""
    at, place = (
        taken,
        {"facility_id": f"{carrier}-HUB{market.dice.randrange(5)}", "region": market.dice.choice(REGIONS)},
    )
    way = market.dice.choice(WAYS)
    for number, status in enumerate(way):
        if market.chance(4):
            return
        slow = market.chance(6)
        at = market.after(at, 3, 9) if slow else market.after(at, 0.1, 1.8)
        again = number > 0 and way[number - 1] == status and market.chance(70)
        if not again:
            place = {"facility_id": f"{carrier}-HUB{market.dice.randrange(5)}", "region": market.dice.choice(REGIONS)}
        claimed = {0: timedelta(hours=20), 1: -market.dice.randrange(1, 72) * timedelta(hours=1)}
        wrong = claimed.get(market.dice.randrange(60), timedelta(0))
        scan = {**said, **place, "status": status}
        market.tell("parcel.scanned", at + wrong, f"/carriers/{carrier}", scan, sent=at)


def pack(market: "Market", of: Mapping[str, object], contents: Sequence[Line], at: datetime, feed: str) -> None:
    """Record what was put into a parcel, which is not always what belongs there; some are put right."""
    data: dict[str, Any] = {**of, "contents": contents}
    if market.chance(25):
        data["expected"] = contents
    if market.chance(8):
        data["last"] = True
    if not market.chance(6):
        market.tell("parcel.packed", at, feed, data)
        return
    market.tell("parcel.packed", at, feed, data | {"contents": mistaken(market, contents)})
    if market.chance(40):
        market.tell("parcel.packed", market.after(at, 0.05, 0.5), feed, data)


def mistaken(market: "Market", contents: Sequence[Line]) -> list[Line]:
    """Put in something else, one too many, or one too few."""
    first, *rest = contents
    how = market.dice.choice(("other", "more", "fewer"))
    if how == "fewer" and rest:
        return rest
    quantity = first["quantity"]
    return [{**first, "quantity": quantity + 1} if how == "more" else {**other(first), "quantity": quantity}, *rest]


def other(line: Line) -> dict[str, Any]:
    """Take another thing from the shelf."""
    return {"order_id": line["order_id"], "sku": f"{line['sku']}X"}


def tell_shelf(market: "Market", order: str, lines: Sequence[Line], placed: datetime, feed: str) -> None:
    """Find a shelf empty now and then."""
    if not market.chance(6):
        return
    item = {"order_id": order, "sku": market.dice.choice(lines)["sku"], "warehouse_id": "H-1"}
    at = market.after(placed, 0.1, 2)
    market.tell("item.out_of_stock", at, feed, item)
    for kind in market.dice.choice(
        (("restocked", "picked"), ("picked",), (), ("picked", "out_of_stock"), ("restocked",))
    ):
        at = market.after(at, 0.1, 4)
        market.tell(f"item.{kind}", at, feed, item)


def tell_complaints(market: "Market", order: str, placed: datetime) -> None:
    """Complain of an order, seldom over two channels, and let staff deal with it."""
    if not market.chance(10):
        return
    category, opened = market.dice.choice(CATEGORIES), market.after(placed, 0.5, 20)
    channels = market.dice.sample(CHANNELS, 2 if market.chance(15) else 1)
    for number, channel in enumerate(channels):
        complaint = {"complaint_id": f"K{order}-{number}"}
        at = market.after(opened, 0, 2) if number else opened
        about = {"order_id": order} if market.chance(95) else {}
        weight = {"complexity": "complex"} if market.chance(15) else {}
        said = {**complaint, **about, **weight, "channel": channel, "category": category}
        market.tell("complaint.opened", at, DESK, said)
        deal_with(market, complaint, at)


def deal_with(market: "Market", complaint: Mapping[str, object], opened: datetime) -> None:
    """Answer, wait, move on, resolve and reopen, not always in time."""
    at = market.after(opened, -0.2 if market.chance(2) else 0.01, 2)
    for kind, percent, data in (
        ("answered", 85, {"by": "staff-1"}),
        ("categorised", 10, {"category": "damaged"}),
        ("waiting", 15, {"on": market.dice.choice(("customer", "staff", "carrier"))}),
        ("waiting", 8, {"on": "staff"}),
        ("escalated", 6, {}),
        ("resolved", 75, {}),
        ("reopened", 10, {}),
        ("resolved", 50, {}),
    ):
        if market.chance(percent):
            market.tell(f"complaint.{kind}", at, DESK, {**complaint, **data})
            at = market.after(at, 0.01, 2)
