"""Ways that parcels take: what carriers scan one after the other, until something goes wrong."""

from collections.abc import Callable, Mapping, Sequence

from tests.generator.world import PLACES, Event, World

WAYS = (
    ("picked_up", "arrived_facility", "departed_facility", "out_for_delivery", "delivered"),
    ("picked_up", "arrived_facility", "on_hold", "on_hold", "in_transit"),
    ("picked_up", "customs_hold", "customs_hold", "arrived_facility", "delivered"),
    ("in_transit", "delivery_delayed", "delivery_delayed", "delivery_delayed", "delivered"),
    ("picked_up", "out_for_delivery", "delivery_failed", "delivery_failed", "delivered"),
    ("picked_up", "delivery_failed", "return_to_sender", "in_transit", "returned"),
    ("arrived_facility", "ready_for_pickup", "ready_for_pickup", "delivered"),
    ("picked_up", "ready_for_pickup", "on_hold", "ready_for_pickup", "return_to_sender"),
    ("picked_up", "refused", "return_to_sender", "returned"),
    ("picked_up", "lost", "arrived_facility", "delivered"),
    ("in_transit", "damaged", "returned"),
    ("delivered", "in_transit", "picked_up", "delivery_failed"),
    ("label_created", "picked_up", "cancelled", "unknown", "in_transit"),
)
FEEDS = {"sf": ("/carriers/sf",), "yto": ("/carriers/yto",)}
Scan = Callable[[str, int, Mapping[str, object], Sequence[str]], Event]


def tell_way(world: World, carrier: str, scan: Scan) -> None:
    """Scan a parcel on its way, mostly by its carrier's own feed, until the way or the season ends."""
    way, step = world.pick(WAYS), 1 + world.number(5)
    way = way[: len(way) - world.pick((0, 0, 1, 2))]
    place = draw_place(world)
    feed = FEEDS[carrier] if world.chance(70) else tuple(name for names in FEEDS.values() for name in names)
    for number, status in enumerate(way):
        again = number > 0 and status == way[number - 1]
        place = place if again and world.chance(70) else draw_place(world)
        named = {"carrier": carrier} if world.chance(30) else {}
        scan(status, step, {**place, **named}, feed)
        step = min(step + world.pick((1, 1, 2, 0, 3, 5)), 13)


def draw_place(world: World) -> dict[str, str]:
    """Draw where a scan was made, if it says so."""
    if world.chance(30):
        return {}
    hub, region = world.pick(("HUB1", "HUB2")), world.pick(PLACES)
    return world.pick(({"facility_id": hub, "region": region}, {"region": region}, {"facility_id": hub}))
