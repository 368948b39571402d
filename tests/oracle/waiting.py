"""What waits for feeds, by brute force: which kinds, which feeds, and whether these were heard of after a deadline."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tests.oracle.late_shipment import Fact, instant
from tests.oracle.world import Finding, Parcel, World

DEFAULT = ("stalled_parcel", "unconfirmed_handover", "presumed_lost", "warehouse_backlog", "carrier_backlog")
SETTLING = frozenset({"delivered", "refused", "return_to_sender", "returned", "damaged"})


def waits(world: World, kind: str) -> bool:
    """Say whether a kind opens only once its feeds were heard of after the deadline."""
    return kind in world.policy.get("feed_silence", {}).get("waits", DEFAULT)


def alive(world: World, kind: str, carrier: str | None, spoke: Fact, due: datetime) -> bool:
    """Say whether every feed of a carrier was heard of after an instant; unmapped, the one that spoke stands for it."""
    mapped = world.policy.get("feeds", {}).get(carrier or "") or [spoke.source]
    return not waits(world, kind) or all(world.alive[source] > due for source in mapped)


def heard(world: World, kind: str, places: Iterable[str | None], due: datetime) -> bool:
    """Say whether every feed that policy names for some places was heard of after an instant, if the kind waits."""
    feeds = world.policy.get("feeds", {})
    sources = {source for place in places if place for source in feeds.get(place, ())}
    return not waits(world, kind) or all(world.alive[source] > due for source in sources)


def carrying(world: World, order: str) -> Iterator[Parcel]:
    """Yield the parcels that have anything of an order in them."""
    for parcel in (parcel for parcel in world.holding[order] if order in parcel.orders):
        inside = [item for packing in parcel.packings[-1:] for item in packing.data["contents"]]
        if not parcel.packings or any(item["order_id"] == order for item in inside):
            yield parcel


def with_carriers(world: World, order: str, due: datetime) -> Iterator[str | None]:
    """Yield who had, or was to have, something of an order at an instant without having brought or lost it."""
    for parcel in carrying(world, order):
        begun = [fact.at for fact in (*parcel.labels[:1], *([parcel.taken] if parcel.taken else []))]
        over = min([parcel.void, *(scan.at for scan in parcel.scans if scan.data["status"] in SETTLING)])
        if any(at <= due for at in begun) and over > due:
            yield parcel.carrier


def known(world: World, late: Finding) -> bool:
    """Say whether a late shipment is known by now: its warehouse's feeds, and those of whom its parcels wait for."""
    due, places = instant(late["due_at"]), [late["warehouse_id"]]
    for parcel in carrying(world, late["order_ids"][0]):
        listed = next((packing.data.get("fulfillment_ids") for packing in parcel.packings[-1:]), None)
        named = listed or parcel.fulfilments
        gone = parcel.void <= due or (parcel.taken is not None and parcel.taken.at <= due)
        if any(label.at <= due for label in parcel.labels) and not gone and (not named or late["subject"] in named):
            places.append(parcel.carrier)
    return heard(world, "late_shipment", places, due)
