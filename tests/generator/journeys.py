"""What a season holds of promised deliveries, of parcels under way, of shelves and of complaints."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.generator.features import Sorted, instant

HOLDS = frozenset({"on_hold", "customs_hold"})
TOLD = frozenset({*HOLDS, "lost", "damaged", "refused", "returned", "return_to_sender", "ready_for_pickup"})
TERMINAL = frozenset({"delivered", "refused", "return_to_sender", "returned", "lost"})
LONG = timedelta(days=5)
AHEAD = timedelta(hours=2)
Said = list[tuple[datetime, Mapping[str, Any]]]


def of_deliveries(world: Sorted) -> Iterator[str]:
    """Name what concerns promises of delivery."""
    first = dict[str, datetime]()
    for _, data in world.of("order.placed"):
        if "deliver_by" in data:
            yield "delivery promised"
            yield (
                "delivery promised as a date" if "T00:00:00" in data["deliver_by"] else "delivery promised to the hour"
            )
            first.setdefault(data["order_id"], instant(data["deliver_by"]))
        if any(line.get("gift") for line in data["lines"]):
            yield "gift line"
    for at, data in world.of("order.promise_changed"):
        if "deliver_by" in data:
            yield f"delivery promise moved by {data['agreed_by']}"
            before = first.get(data["order_id"])
            where = "given late" if before is None else "moved in time" if at < before else "moved afterwards"
            yield f"delivery promise {where}"
            if "ship_by" in data:
                yield "both promises moved at once"


def scans_by_parcel(world: Sorted) -> dict[str, Said]:
    """Return what was scanned of each parcel under its own id, and had a status."""
    scans = defaultdict[str, Said](list)
    for at, data in world.of("parcel.scanned"):
        if "status" in data and "parcel_id" in data:
            scans[data["parcel_id"]].append((at, data))
    return scans


def of_ways(world: Sorted) -> Iterator[str]:
    """Name what concerns the way of a parcel."""
    sources = defaultdict[str, set[str]](set)
    for event in world.by_type["parcel.scanned"]:
        sources[event["data"].get("parcel_id", "")].add(event["source"])
    if any(len(told) > 1 for parcel, told in sources.items() if parcel):
        yield "scanned by several feeds"
    *before, latest = world.all
    if before and latest["type"] == "parcel.scanned.v1" and world.when(latest) > world.when(before[-1]) + AHEAD:
        yield "scan ahead of all else"
    for scans in scans_by_parcel(world).values():
        told = [data["status"] for _, data in scans]
        yield from (f"scan: {status}" for status in TOLD & set(told))
        yield from of_repeats(scans)
        if told.count("delivery_failed") > 1:
            yield "several attempts failed"
        if "lost" in told and told[-1] not in {"lost", "unknown"}:
            yield "lost and found again"
        if TERMINAL & set(told[:-1]):
            yield "scanned after its end"


def of_repeats(scans: Said) -> Iterator[str]:
    """Name what a carrier says again of one parcel."""
    for (_, before), (_, data) in pairwise(scans):
        if before["status"] == data["status"] and data["status"] in HOLDS | {"delivery_delayed"}:
            same = all(before.get(name) == data.get(name) for name in ("facility_id", "region"))
            what = "hold" if data["status"] in HOLDS else "delay"
            yield f"{what} said again {'at the same place' if same else 'elsewhere'}"


def of_feeds(world: Sorted) -> Iterator[str]:
    """Name what concerns the life of feeds, and how long it all takes."""
    last = {event["source"]: world.when(event) for event in world.all}
    beats = {event["source"] for event in world.by_type["feed.heartbeat"]}
    scanners = {event["source"] for event in world.by_type["parcel.scanned"]}
    yield f"{'several feeds' if len(beats) > 1 else 'one feed'} with heartbeats"
    if scanners - beats:
        yield "scans of a feed without heartbeats"
    if scanners and any(last[feed] < max(last.values()) - timedelta(hours=6) for feed in scanners):
        yield "feed that falls silent"
    if max(last.values()) - min(at for at in map(world.when, world.all) if at.year > 2000) > LONG:
        yield "season of many days"
    placed = max((at for at, _ in world.of("order.placed")), default=max(last.values()))
    if any(at > placed + timedelta(hours=32) for at, _ in world.of("parcel.scanned")):
        yield "scan long afterwards"


def of_shelves(world: Sorted) -> Iterator[str]:
    """Name what pickers said."""
    known = {data["order_id"] for _, data in world.of("order.placed")}
    told = defaultdict[tuple[str, str], list[tuple[datetime, str]]](list)
    for kind in ("picked", "out_of_stock", "restocked"):
        for at, data in world.of(f"item.{kind}"):
            told[data["order_id"], data["sku"]].append((at, kind))
    for (order, _), facts in told.items():
        kinds = [kind for _, kind in sorted(facts)]
        yield from (f"item {kind}" for kind in set(kinds))
        if "out_of_stock" in kinds and "picked" in kinds[kinds.index("out_of_stock") :]:
            yield "picked after all"
        if "picked" in kinds and "out_of_stock" in kinds[kinds.index("picked") :]:
            yield "out of stock after a pick"
        if "out_of_stock" in kinds and order not in known:
            yield "out of stock for an unknown order"
        if kinds.count("out_of_stock") > 1:
            yield "out of stock said again"


def of_boxes(world: Sorted) -> Iterator[str]:
    """Name what concerns right and wrong contents."""
    records = defaultdict[str, list[Mapping[str, Any]]](list)
    replaced = {data["replaced_by"] for _, data in world.of("parcel.voided") if "replaced_by" in data}
    for _, data in world.of("parcel.packed"):
        records[data["parcel_id"]].append(data)
        if "last" in data:
            yield "last parcel" if data["last"] else "not the last parcel"
        if "expected" in data:
            yield f"contents {'as' if pieces(data, 'contents') == pieces(data, 'expected') else 'not as'} expected"
            if any(item["sku"] == "GIFT" for item in data["expected"]):
                yield "planned gift"
    for parcel, told in records.items():
        if parcel in replaced:
            yield "replacement packed"
        if len(told) > 1 and pieces(told[0], "contents") != pieces(told[-1], "contents"):
            yield "repacked otherwise"


def pieces(data: Mapping[str, Any], member: str) -> Counter[tuple[str, str]]:
    """Count pieces by order and SKU."""
    count = Counter[tuple[str, str]]()
    for item in data[member]:
        count[item["order_id"], item["sku"]] += item["quantity"]
    return count


def of_complaints(world: Sorted) -> Iterator[str]:
    """Name what concerns complaints."""
    opened = defaultdict[str, Said](list)
    about = defaultdict[str, list[Mapping[str, Any]]](list)
    for at, data in world.of("complaint.opened"):
        opened[data["complaint_id"]].append((at, data))
        about[data.get("order_id", "")].append(data)
        yield f"complaint: {data.get('category', 'no category')}"
        if data.get("complexity") == "complex":
            yield "complex complaint"
    if any(len(times) > 1 for times in opened.values()):
        yield "complaint opened twice"
    if about.pop("", None):
        yield "complaint of no order"
    for told in about.values():
        if len({data["complaint_id"] for data in told}) > 1:
            yield "several complaints of one order"
            if len({data["channel"] for data in told}) > 1 and len({data.get("category") for data in told}) == 1:
                yield "one trouble over several channels"
    yield from of_cases(world, opened)


def of_cases(world: Sorted, opened: Mapping[str, Said]) -> Iterator[str]:
    """Name what staff did about complaints."""
    told = defaultdict[str, list[tuple[datetime, str]]](list)
    for kind in ("answered", "categorised", "escalated", "resolved", "reopened", "waiting"):
        for at, data in world.of(f"complaint.{kind}"):
            told[data["complaint_id"]].append((at, kind))
            yield f"complaint {kind}" + (f" on {data['on']}" if kind == "waiting" else "")
            if data["complaint_id"] not in opened:
                yield "complaint never opened"
            elif at < opened[data["complaint_id"]][0][0]:
                yield "complaint told of before it was opened"
    for facts in told.values():
        kinds = [kind for _, kind in sorted(facts)]
        if kinds.count("resolved") > 1 and "reopened" in kinds:
            yield "resolved again"
        if len({at for at, _ in facts}) < len(facts):
            yield "several steps of a complaint at one instant"


PARTS = (of_deliveries, of_ways, of_feeds, of_shelves, of_boxes, of_complaints)
