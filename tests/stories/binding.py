"""A wrong SKU binding: 500 orders are packed by it, 12 customers complain, and 300 boxes can still be stopped."""

from collections.abc import Iterator
from typing import Final

from tests.stories.pen import Event, answered, bound, complained, event, in_order, packed, placed, resolved, scanned

LISTING: Final = "TEA-GREEN"
ORDERS: Final = 500
COMPLAIN: Final = 12
DELIVERED: Final = 200
IN_TRANSIT: Final = 150
CHANGED: Final = 9.0
"""Hour of the wrong binding."""
POLICY: Final = {"kinds": {"enabled": ["mis_shipment_cluster"]}}
KEY: Final = f"{LISTING}:W:2"


def names() -> list[str]:
    """Name the orders that were packed by the wrong binding, those that were delivered first."""
    return [f"T{number:03}" for number in range(ORDERS)]


def _weeks_before() -> Iterator[Event]:
    """Let 400 orders be packed rightly over the weeks before; two complain all the same."""
    yield bound(-700, LISTING, "1", "W-GREEN")
    for number in range(400):
        name, when = f"B{number:03}", -600 + number * 1.4
        yield placed(when - 2, name, LISTING if number % 4 == 0 else "CUP")
        yield packed(when, name, LISTING if number % 4 == 0 else "CUP", "1")
    for when, name, category, sku in ((-300, "B100", "wrong_item", LISTING), (-200, "B201", "missing_item", "CUP")):
        yield complained(when, name, category, sku)
        yield answered(when + 0.5, name)
        yield resolved(when + 6, name)


def _wrong_binding() -> Iterator[Event]:
    yield bound(CHANGED, LISTING, "2", "W-BLACK")
    for number, name in enumerate(names()):
        when = 10 + number * 0.02
        yield placed(when - 1, name, LISTING)
        yield packed(when, name, LISTING, "2")
        if number < DELIVERED + IN_TRANSIT:
            yield scanned(24, name, "picked_up")
        if number < DELIVERED:
            yield scanned(40 + number * 0.01, name, "delivered")


def _complaints() -> Iterator[Event]:
    for number, name in enumerate(names()[:COMPLAIN]):
        yield complained(44 + number, name, "wrong_item", LISTING, item={"received_sku": "TEA-BLACK"})
        yield answered(44.5 + number, name)


def wrong_binding() -> list[Event]:
    """Tell it until the last of the 12 complaints, and an hour on."""
    end = event("feed.heartbeat", 57, "/warehouses/W", "end")
    return in_order((*_weeks_before(), *_wrong_binding(), *_complaints(), end))


def stopped() -> list[Event]:
    """Tell how it goes on: the binding is put right, and the 300 boxes that were not delivered are intercepted."""
    again = [bound(58, LISTING, "3", "W-GREEN")]
    parcels = [event("parcel.voided", 60, "/warehouses/W", name, parcel_id=f"P-{name}") for name in names()[DELIVERED:]]
    return in_order((*again, *parcels, event("feed.heartbeat", 61, "/warehouses/W", "later")))


def recalled() -> list[Event]:
    """Tell how it ends: everybody whose box had come has sent it back, and the order was cancelled."""
    orders = [event("order.cancelled", 90, "/shops/tmall", name, order_id=name) for name in names()[:DELIVERED]]
    return in_order((*orders, event("feed.heartbeat", 91, "/warehouses/W", "last")))
