"""What stories are written with: events as producers send them, hours after dawn, in the order of the world."""

from collections.abc import Iterable
from typing import Any, Final

from domain.instant import iso
from tests.story import at

Event = dict[str, Any]
SHOP: Final = "/shops/tmall"
WAREHOUSE: Final = "/warehouses/W"
CARRIER: Final = "/carriers/sf"
DESK: Final = "/desk"


def event(kind: str, when: float, source: str, key: str, **data: Any) -> Event:
    """Write what happened; ``kind`` is its type without the version."""
    body = {name: value for name, value in data.items() if value is not None}
    stamped = {"specversion": "1.0", "id": f"{kind}:{key}", "source": source, "time": iso(at(when))}
    return {**stamped, "type": f"{kind}.v1", "data": body}


def placed(when: float, order_id: str, sku: str, price: str = "100.00", **more: Any) -> Event:
    """Buy one piece."""
    line = {"line_id": "1", "sku": sku, "quantity": 1, "unit_price": price}
    known = {"customer_id": f"C-{order_id}", "currency": "CNY", "sales_channel": "tmall"} | more
    return event("order.placed", when, SHOP, order_id, order_id=order_id, lines=[line], **known)


def requested(when: float, order_id: str, warehouse_id: str, ship_by: float) -> Event:
    """Ask a warehouse to ship an order until then."""
    named = {"fulfillment_id": f"F-{order_id}", "warehouse_id": warehouse_id, "ship_by": iso(at(ship_by))}
    return event("fulfillment.requested", when, SHOP, order_id, order_id=order_id, **named)


def packed(when: float, order_id: str, sku: str, version: str, warehouse_id: str = "W") -> Event:
    """Close the parcel of an order, picked by a version of the SKU's binding."""
    contents = [{"order_id": order_id, "sku": sku, "quantity": 1, "line_id": "1"}]
    named = {"parcel_id": f"P-{order_id}", "warehouse_id": warehouse_id, "binding_version": version}
    return event("parcel.packed", when, WAREHOUSE, f"{order_id}@{when:g}", contents=contents, **named)


def scanned(when: float, order_id: str, status: str) -> Event:
    """Let the carrier see the parcel of an order."""
    named = {"parcel_id": f"P-{order_id}", "carrier": "SF", "status": status, "order_ids": [order_id]}
    return event("parcel.scanned", when, CARRIER, f"{order_id}:{status}", **named)


def handed_over(when: float, order_id: str) -> Event:
    """Let the carrier pick up what was asked for of an order."""
    named = {"parcel_id": f"P-{order_id}", "carrier": "SF", "status": "picked_up", "fulfillment_ids": [f"F-{order_id}"]}
    return event("parcel.scanned", when, CARRIER, f"{order_id}:picked_up", **named)


def at_facility(when: float, order_id: str, status: str, facility_id: str) -> Event:
    """Let the parcel of an order come to a facility of the carrier, or leave it."""
    seen = scanned(when, order_id, status)
    seen["data"]["facility_id"] = facility_id
    return seen


def complained(when: float, order_id: str, category: str, sku: str | None = None, **more: Any) -> Event:
    """Let the customer of an order complain."""
    items = None if sku is None else [{"sku": sku} | more.pop("item", {})]
    said = {"complaint_id": f"K-{order_id}", "order_id": order_id, "channel": "chat"} | more
    return event("complaint.opened", when, DESK, said["complaint_id"], category=category, items=items, **said)


def answered(when: float, order_id: str) -> Event:
    """Let the desk answer that customer."""
    return event("complaint.answered", when, DESK, order_id, complaint_id=f"K-{order_id}", channel="chat")


def resolved(when: float, order_id: str) -> Event:
    """Let the desk settle what that customer complained of."""
    return event("complaint.resolved", when, DESK, order_id, complaint_id=f"K-{order_id}")


def bound(when: float, sku: str, version: str, warehouse_sku: str) -> Event:
    """Pick a listing by another warehouse SKU from now on."""
    said = {"listing_sku": sku, "warehouse_sku": warehouse_sku, "version": version, "warehouse_id": "W"}
    return event("sku.binding_changed", when, WAREHOUSE, f"{sku}:{version}", **said)


def priced(when: float, sku: str, price: str, **more: Any) -> Event:
    """Give a listing another price."""
    return event("price.changed", when, SHOP, f"{sku}@{when:g}", sku=sku, price=price, currency="CNY", **more)


def between(since: float, until: float, events: Iterable[Event]) -> list[Event]:
    """Give what happened between two hours, the first one included, in the order of the world."""
    begin, end = iso(at(since)), iso(at(until))
    return [one for one in in_order(events) if begin <= one["time"] < end]


def in_order(events: Iterable[Event]) -> list[Event]:
    """Put events in the order of the world."""
    return sorted(events, key=lambda one: (one["time"], one["source"], one["id"]))
