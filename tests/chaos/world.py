"""A small world whose truth is known to the ledger alone: orders, parcels and what goes wrong with them, seeded.

Everything is told in hours since dawn. ``heard`` is when the broker acks it; facts may be heard in any order.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from tests.chaos.topics import Sent

DAWN: Final = datetime(2026, 3, 1, tzinfo=UTC)
HOUR: Final = 3_600_000_000
FAR: Final = 90_000
"""Hours after dawn of a deadline that no run reaches."""
PROMISED: Final = 24
SHOP, SHED, CARRIER, DESK = "/shops/one", "/warehouses/W", "/carriers/sf", "/desks/one"
TOPICS: Final = {SHOP: "orders.events.v1", SHED: "logistics.events.v1", CARRIER: "logistics.events.v1"}


def micro(hours: float) -> int:
    """Give the instant so many hours after dawn in microseconds."""
    return (int(DAWN.timestamp()) * 1_000_000) + round(hours * HOUR)


def written(hours: float) -> str:
    """Write the instant so many hours after dawn."""
    return (DAWN + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


class Story:
    """One order, or a few that share parcels: everything that belongs together has its number."""

    def __init__(self, dice: Random, number: int, dawn: float) -> None:
        """Begin so many hours after dawn."""
        self.dice = dice
        self.number = number
        self.dawn = dawn
        self.sent: list[Sent] = []
        self.name = f"s-{number}"

    def tell(self, kind: str, hours: float, source: str, key: str, heard: float | None = None, **data: Any) -> None:
        """Tell something that happened so many hours into the story, and when the broker hears of it."""
        at = self.dawn + hours
        ack = self.dawn + heard if heard is not None else at + self.dice.uniform(0, 0.4)
        event = {
            "specversion": "1.0",
            "id": f"{self.name}.{len(self.sent)}",
            "source": source,
            "type": f"{kind}.v1",
            "time": written(at),
            "data": data,
        }
        topic = TOPICS.get(source, "complaints.events.v1")
        self.sent.append(Sent(micro(ack), topic, key, json.dumps(event).encode(), "event", self.number))

    def order(self, suffix: str = "", heard: float = 0.0, promised: float = PROMISED) -> str:
        """Place an order and ask the warehouse for it."""
        order = self.name + suffix
        lines = [{"line_id": "1", "sku": f"SKU-{self.number % 7}", "quantity": 1 + self.number % 3}]
        self.tell("order.placed", 0, SHOP, order, heard + self.dice.uniform(0, 0.3), order_id=order, lines=lines)
        self.request(order, f"{order}.F", heard, promised)
        return order

    def request(self, order: str, fulfilment: str, heard: float, promised: float, **more: Any) -> None:
        """Ask the warehouse for one fulfilment."""
        names: dict[str, Any] = {"fulfillment_id": fulfilment, "order_id": order, "warehouse_id": "W"}
        heard += self.dice.uniform(0, 0.5)
        self.tell(
            "fulfillment.requested", 0.1, SHOP, order, heard, ship_by=written(self.dawn + promised), **names, **more
        )

    def scan(
        self, hours: float, parcel: str, heard: float | None = None, status: str = "picked_up", **more: Any
    ) -> None:
        """Scan a parcel by its own id."""
        self.tell("parcel.scanned", hours, CARRIER, parcel, heard, parcel_id=parcel, status=status, **more)

    def around(self, hours: float) -> float:
        """Shake an instant a little."""
        return hours + self.dice.uniform(-3, 3)


def on_time(story: Story) -> None:
    """Tell of an order that goes out in time."""
    order = story.order()
    story.tell("parcel.packed", story.around(12), SHED, f"{order}.P", parcel_id=f"{order}.P", contents=_all_of(story))
    story.scan(story.around(16), f"{order}.P", order_ids=[order])
    story.scan(story.around(60), f"{order}.P", status="delivered")


def late(story: Story) -> None:
    """Tell of a parcel that leaves after the promise."""
    order = story.order()
    story.tell("order.approved", story.around(5), SHOP, order, order_id=order)
    story.scan(story.around(30), f"{order}.P", fulfillment_ids=[f"{order}.F"])


def never(story: Story) -> None:
    """Tell of an order that nobody ships."""
    story.order()


def far(story: Story) -> None:
    """Tell of a promise that is still good when the run ends."""
    story.order(promised=FAR)


def parcel_first(story: Story) -> None:
    """Tell of a parcel that is heard of before its order, which is heard after its deadline or before."""
    story.scan(story.dice.choice((14, 20, 28)), f"{story.name}.P", fulfillment_ids=[f"{story.name}.F"])
    story.order(heard=story.dice.choice((16, 22, 30)))


def by_number(story: Story) -> None:
    """Tell of scans that know the tracking number alone, before or after its label is heard."""
    order = story.order()
    number: dict[str, Any] = {"carrier": "SF", "tracking_number": f"N-{story.number}"}
    heard = story.dice.choice((12, 26, 40))
    label: dict[str, Any] = {"parcel_id": f"{order}.P", "fulfillment_ids": [f"{order}.F"], **number}
    story.tell("parcel.labelled", 10, SHED, f"{order}.P", heard, **label)
    story.tell(
        "parcel.scanned", story.dice.choice((15, 27)), CARRIER, number["tracking_number"], status="picked_up", **number
    )
    story.tell("parcel.scanned", 44, CARRIER, number["tracking_number"], status="delivered", **number)


def told_late(story: Story) -> None:
    """Tell of a scan in time that is heard after the deadline."""
    order = story.order()
    story.scan(22, f"{order}.P", story.around(31), fulfillment_ids=[f"{order}.F"])


def moved(story: Story) -> None:
    """Tell of a promise that is broken, agreed anew and broken again."""
    order = story.order()
    again: dict[str, Any] = {"order_id": order, "agreed_by": "customer", "ship_by": written(story.dawn + 40)}
    story.tell("order.promise_changed", story.around(30), SHOP, order, **again)
    story.scan(story.around(48), f"{order}.P", fulfillment_ids=[f"{order}.F"])


def moved_nearer(story: Story) -> None:
    """Tell of a promise that the customer was given for an earlier day."""
    order = story.order(promised=60)
    again: dict[str, Any] = {"order_id": order, "agreed_by": "platform", "ship_by": written(story.dawn + 30)}
    story.tell("order.promise_changed", story.around(20), SHOP, order, **again)
    if story.dice.random() < 0.5:
        story.scan(story.around(45), f"{order}.P", fulfillment_ids=[f"{order}.F"])


def cancelled(story: Story) -> None:
    """Tell of an order cancelled around its deadline."""
    order = story.order()
    story.tell("order.cancelled", story.dice.choice((18, 23, 29)), SHOP, order, order_id=order)


def held(story: Story) -> None:
    """Tell of an order whose clock stood for some hours."""
    order = story.order()
    why: dict[str, Any] = {"order_id": order, "reason": "payment"}
    story.tell("order.held", 6, SHOP, order, **why)
    story.tell("order.released", 16, SHOP, order, **why)
    story.scan(story.dice.choice((30, 38)), f"{order}.P", fulfillment_ids=[f"{order}.F"])


def shared(story: Story) -> None:
    """Tell of two orders in one parcel, one of them with more to come."""
    first, second = story.order(".a"), story.order(".b")
    contents = [*_all_of(story, first), *_all_of(story, second, 1)]
    parcel = f"{story.name}.P"
    story.tell("parcel.packed", 14, SHED, parcel, parcel_id=parcel, contents=contents)
    story.scan(story.dice.choice((20, 26)), parcel)
    story.scan(33, f"{story.name}.Q", order_ids=[second])


def split(story: Story) -> None:
    """Tell of an order from two places, one of them late."""
    order = story.order()
    story.request(order, f"{order}.G", 0, PROMISED + 6)
    story.scan(18, f"{order}.P", fulfillment_ids=[f"{order}.F"])
    story.scan(story.around(40), f"{order}.Q", fulfillment_ids=[f"{order}.G"])


def complaint(story: Story) -> None:
    """Tell of a complaint, a price and a binding, which no rule here reads."""
    name = f"{story.name}.C"
    story.tell("complaint.opened", 2, DESK, name, complaint_id=name, channel="phone", category="late")
    story.tell("complaint.answered", 3, DESK, name, complaint_id=name)
    sku = f"SKU-{story.number}"
    story.tell("price.changed", 4, SHOP, sku, sku=sku, price="9.90", currency="CNY")
    binding: dict[str, Any] = {"listing_sku": sku, "warehouse_sku": "W-1", "version": "1"}
    story.tell("sku.binding_changed", 5, SHED, sku, **binding)


def _all_of(story: Story, order: str = "", quantity: int = 0) -> list[dict[str, object]]:
    whole = 1 + story.number % 3
    return [{"order_id": order or story.name, "sku": f"SKU-{story.number % 7}", "quantity": quantity or whole}]


PLOTS: Final[tuple[Callable[[Story], None], ...]] = (
    *(on_time, late, late, never, parcel_first, by_number, told_late, moved, moved),
    *(moved_nearer, moved_nearer, cancelled, held, shared, split, complaint, far, far),
)
