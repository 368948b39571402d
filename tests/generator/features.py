"""What a season holds, read off its events: the labels that say whether a clause was exercised at all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Event = Mapping[str, Any]
NO_POSSESSION = {"label_created", "cancelled", "unknown"}
FAMILIES = {"order", "fulfillment", "item", "parcel", "sku", "price", "feed", "complaint"}
IRRELEVANT = {"sku", "price"}


def instant(text: str) -> datetime:
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Sorted:
    """The events of a season, each with its instant, by type and in sorted order."""

    def __init__(self, season: Iterable[Event]) -> None:
        """Sort them by (time, source, id)."""
        self.at = {(event["source"], event["id"]): instant(event["time"]) for event in season}
        self.all = sorted(season, key=lambda event: (self.when(event), event["source"], event["id"]))
        self.by_type = defaultdict[str, list[Event]](list)
        for event in self.all:
            self.by_type[event["type"].removesuffix(".v1")].append(event)

    def when(self, event: Event) -> datetime:
        """Return the instant of an event."""
        return self.at[event["source"], event["id"]]

    def of(self, kind: str) -> list[tuple[datetime, Mapping[str, Any]]]:
        """Return the instants and payloads of one type."""
        return [(self.when(event), event["data"]) for event in self.by_type[kind]]


def features(season: Sequence[Event]) -> set[str]:
    """Name everything that happens in a season."""
    world = Sorted(season)
    parts = (
        *(of_types, of_clocks, of_orders, of_requests, of_promises, of_holds, of_cancellations),
        *(of_voids, of_packing, of_names, of_scans, of_numbers),
    )
    return {name for part in parts for name in part(world)}


def dates(world: Sorted) -> dict[str, set[datetime]]:
    """Return every original ship_by of each order, its own and its fulfilments'."""
    found = defaultdict[str, set[datetime]](set)
    for kind in ("order.placed", "fulfillment.requested"):
        for _, data in world.of(kind):
            found[data["order_id"]] |= {instant(data["ship_by"])} if "ship_by" in data else set()
    return found


def beside(at: datetime, dates: Iterable[datetime]) -> set[str]:
    """Say where an instant lies: before, at or after some of the dates."""
    return {"before" if at < date else "after" if at > date else "at" for date in dates}


def of_types(world: Sorted) -> Iterator[str]:
    """Name what concerns families and payloads at large."""
    for event in world.all:
        family = event["type"].partition(".")[0]
        if family == "feed":
            yield "heartbeat"
        if family in IRRELEVANT:
            yield "known type that must not matter"
        if family not in FAMILIES:
            yield "foreign family"
        elif [] in event.get("data", {}).values():
            yield "empty list"


def of_clocks(world: Sorted) -> Iterator[str]:
    """Name what concerns times, sources and repeats."""
    sources = defaultdict[datetime, list[str]](list)
    told = Counter((event["type"], event["time"], str(event.get("data"))) for event in world.all)
    for event in world.all:
        sources[world.when(event)].append(event["source"])
        if not event["time"].endswith("Z"):
            yield "another offset"
        if world.when(event).microsecond:
            yield "fraction of a second"
    if any(len(told_at) > 1 for told_at in sources.values()):
        yield "equal times"
    if any(len(set(told_at)) > 1 for told_at in sources.values()):
        yield "several sources at one instant"
    if any(times > 1 for (kind, *_), times in told.items() if kind != "feed.heartbeat.v1"):
        yield "told again under another id"


def of_orders(world: Sorted) -> Iterator[str]:
    """Name what concerns placing and approval."""
    placed = Counter(data["order_id"] for _, data in world.of("order.placed"))
    requested = {data["order_id"] for _, data in world.of("fulfillment.requested")}
    approved = {data["order_id"]: at for at, data in reversed(world.of("order.approved"))}
    ship_by = dates(world)
    for at, data in world.of("order.placed"):
        key = data["order_id"]
        if "ship_by" in data and key not in requested:
            yield "implicit fulfilment"
        if ship_by[key] and at > min(ship_by[key]):
            yield "ship_by before placing"
        if key not in approved:
            yield "never approved"
        elif "after" in beside(approved[key], ship_by[key]):
            yield "approved after ship_by"
    if any(times > 1 for times in placed.values()):
        yield "placed twice"
    if requested - placed.keys():
        yield "never placed"


def of_requests(world: Sorted) -> Iterator[str]:
    """Name what concerns fulfilments and their lines."""
    requests = defaultdict[str, list[Mapping[str, Any]]](list)
    for _, data in world.of("fulfillment.requested"):
        requests[data["order_id"]].append(data)
        if {"starts_at", "ship_by"} <= data.keys():
            late = instant(data["starts_at"]) > instant(data["ship_by"])
            yield f"starts {'after' if late else 'by'} ship_by"
        if any(line["line_id"] == "99" for line in data.get("lines", ())):
            yield "request for an unknown line"
    for asked in requests.values():
        names = Counter(data["fulfillment_id"] for data in asked)
        if max(names.values()) > 1:
            yield "requested twice"
        if len(names) > 1:
            yield "several fulfilments"
        if len({data["fulfillment_id"] for data in asked if not data.get("lines")}) > 1:
            yield "overlapping fulfilments"


def of_promises(world: Sorted) -> Iterator[str]:
    """Name what concerns promise changes."""
    ship_by = dates(world)
    for at, data in world.of("order.promise_changed"):
        yield f"promise moved by {data['agreed_by']}"
        yield f"promise moved for the {'fulfilment' if 'fulfillment_id' in data else 'order'}"
        if "ship_by" in data and instant(data["ship_by"]) < at:
            yield "promise moved to a date that had passed"
        for where in beside(at, ship_by[data["order_id"]]):
            yield f"promise moved {where} ship_by"
        if not ship_by[data["order_id"]]:
            yield "first promise by a promise change"


def of_holds(world: Sorted) -> Iterator[str]:
    """Name what concerns holds."""
    ship_by, reasons = dates(world), defaultdict[str, set[str]](set)
    switched = Counter[tuple[str, ...]]()
    for at, data in world.of("order.held"):
        yield f"hold of the {'fulfilment' if 'fulfillment_id' in data else 'order'}"
        reasons[data["order_id"]].add(data["reason"])
        switched[data["order_id"], data["reason"], data.get("fulfillment_id", "")] += 1
        if at in ship_by[data["order_id"]]:
            yield "held at the deadline"
    for at, data in world.of("order.released"):
        switched[data["order_id"], data["reason"], data.get("fulfillment_id", "")] -= 1
        if at in ship_by[data["order_id"]]:
            yield "released at the deadline"
    if any(on > 0 for on in switched.values()):
        yield "hold without end"
    if any(on < 0 for on in switched.values()):
        yield "release of what was not held"
    if any(len(of_one) > 1 for of_one in reasons.values()):
        yield "holds for several reasons"


def of_cancellations(world: Sorted) -> Iterator[str]:
    """Name what concerns cancellations."""
    ship_by = dates(world)
    for at, data in world.of("order.cancelled"):
        yield "line cancelled" if data.get("line_ids") else "order cancelled"
        for where in beside(at, ship_by[data["order_id"]]):
            yield f"cancelled {where} ship_by"


def possessions(world: Sorted) -> dict[str, datetime]:
    """Return when each parcel that is scanned by its own id came into a carrier's hands."""
    taken: dict[str, datetime] = {}
    for at, data in world.of("parcel.scanned"):
        if "parcel_id" in data and data.get("status", "unknown") not in NO_POSSESSION:
            taken.setdefault(data["parcel_id"], at)
    return taken


def of_voids(world: Sorted) -> Iterator[str]:
    """Name what concerns voided parcels."""
    taken = possessions(world)
    for at, data in world.of("parcel.voided"):
        if "replaced_by" in data:
            yield "replaced parcel"
        if data["parcel_id"] in taken:
            yield f"voided {'after' if at > taken[data['parcel_id']] else 'by'} possession"


def of_packing(world: Sorted) -> Iterator[str]:
    """Name what concerns packing records."""
    records, parcels_of = Counter[str](), defaultdict[str, set[str]](set)
    for _, data in world.of("parcel.packed"):
        records[data["parcel_id"]] += 1
        packed_for = {item["order_id"] for item in data["contents"]}
        for order in packed_for:
            parcels_of[order].add(data["parcel_id"])
        if len(packed_for) > 1:
            yield "packed for several orders"
        if "expected" in data:
            yield "expected contents"
    if any(times > 1 for times in records.values()):
        yield "packed twice"
    if any(len(parcels) > 1 for parcels in parcels_of.values()):
        yield "order in several parcels"


def of_names(world: Sorted) -> Iterator[str]:
    """Name what labels and scans say that they carry."""
    for _, data in (*world.of("parcel.labelled"), *world.of("parcel.scanned")):
        if len(data.get("order_ids", ())) > 1:
            yield "names several orders"
        if len(data.get("fulfillment_ids", ())) > 1:
            yield "names several fulfilments"


def of_scans(world: Sorted) -> Iterator[str]:
    """Name what concerns scans."""
    first = dict[str, str]()
    begun = {data["order_id"]: at for at, data in reversed(world.of("order.placed"))}
    for at, data in world.of("parcel.scanned"):
        status = data.get("status")
        if status == "label_created":
            yield "label echo"
        if status is None:
            yield "raw code only"
        if at.year < 2000:
            yield "scan in 1970"
        if any(begun.get(order, at) > at for order in data.get("order_ids", ())):
            yield "scan before its order"
        if "ghost" in data.get("order_ids", ()):
            yield "parcel of an unknown order"
        before = first.setdefault(data["parcel_id"], status or "") if "parcel_id" in data else None
        if (before, status) == ("delivered", "picked_up"):
            yield "delivered before picked up"


def of_numbers(world: Sorted) -> Iterator[str]:
    """Name what concerns tracking numbers."""
    labels = defaultdict[tuple[str, str], list[tuple[datetime, str]]](list)
    for at, data in world.of("parcel.labelled"):
        labels[data["carrier"], data["tracking_number"]].append((at, data["parcel_id"]))
    if any(len({parcel for _, parcel in same}) > 1 for same in labels.values()):
        yield "recycled number"
    for at, data in world.of("parcel.scanned"):
        if "parcel_id" not in data:
            earliest = labels[data["carrier"], data["tracking_number"]][0][0]
            yield "scan by number before its label" if at < earliest else "scan by number after its label"
