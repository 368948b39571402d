"""Every kind that is worked out by brute force: the oracle's, and the backlogs that its findings make up."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.generator.policies import KINDS
from tests.oracle import backlog, deliveries, whole
from tests.oracle.backlog import Late
from tests.oracle.late_shipment import NEVER, instant, written
from tests.oracle.parcels import TERMINAL, movements
from tests.oracle.waiting import alive, waits
from tests.oracle.world import Finding, Parcel, World

Stretch = tuple[datetime, datetime]
FORGOTTEN = timedelta(days=100)
DEFAULTS = {"minimum": 12, "factor": 2.0}


def expected(events: Sequence[Mapping[str, Any]], policy: Mapping[str, Any]) -> list[Finding]:
    """Return what these well-formed events hold under a policy; time stands at the last of them."""
    if not any(event.get("time") for event in events):
        return []
    world = World(events, policy)
    found = whole.oracle(events, {**policy, "kinds": {"enabled": KINDS}})
    found = [*found, *backlogs(world, "warehouse_backlog", in_warehouses(found))]
    crowds = {**with_carriers(world, found), **at_facilities(world, found)}
    found = [*found, *backlogs(world, "carrier_backlog", crowds)]
    enabled = policy.get("kinds", {}).get("enabled", KINDS)
    return [one for one in found if one["kind"] in enabled]


Crowds = dict[str, list[tuple[Late, Sequence[str]]]]  # place -> what is late there, and of which orders


def in_warehouses(found: Sequence[Finding]) -> Crowds:
    """Gather late shipments by the warehouse that was asked last."""
    crowds: Crowds = defaultdict(list)
    for one in found:
        if one["kind"] == "late_shipment" and one["warehouse_id"]:
            due, ended = instant(one["due_at"]), instant(one["ended_at"]) if one["ended_at"] else None
            known = instant(one["knowable_at"]) if one["knowable_at"] else None
            late = Late(f"{one['subject']}@{one['due_at']}", due, ended, known)
            crowds[one["warehouse_id"]].append((late, one["order_ids"]))
    return crowds


def with_carriers(world: World, found: Sequence[Finding]) -> Crowds:
    """Gather, by carrier and by facility, the parcels that stand still or, by carrier, are under way past a promise."""
    crowds: Crowds = defaultdict(list)
    stalls = defaultdict[str, list[tuple[datetime, Stretch]]](list)
    for one in found:
        if one["kind"] == "stalled_parcel":
            ended = instant(one["ended_at"]) if one["ended_at"] else NEVER
            stalls[one["subject"]].append((instant(one["since"]), (instant(one["due_at"]), ended)))
    for parcel in (parcel for parcel in world.parcels.values() if parcel.orders):
        places: dict[str, list[Stretch]] = defaultdict(list)
        for since, stretch in stalls[parcel.id]:
            places[lay_at(parcel, since)].append(stretch)
        places.pop("", None)
        if parcel.carrier:
            places[str(parcel.carrier)] = [*(one for _, one in stalls[parcel.id]), *overdue(world, parcel)]
        for place, stretches in places.items():
            for since, until in united(sorted(stretches)):
                late = Late(f"{parcel.id}@{since}", since, None if until == NEVER else until)
                crowds[place].append((late, sorted(parcel.orders)))
    return crowds


def at_facilities(world: World, found: Sequence[Finding]) -> Crowds:
    """Gather stalled parcels by where they were scanned last before."""
    crowds: Crowds = defaultdict(list)
    for one in found:
        if one["kind"] == "stalled_parcel":
            since, due = instant(one["since"]), instant(one["due_at"])
            ended = instant(one["ended_at"]) if one["ended_at"] else None
            place = lay_at(world.parcels[one["subject"]], since)
            if place:
                crowds[place].append((Late(f"{one['subject']}@{since}", due, ended), one["order_ids"]))
    return crowds


def lay_at(parcel: Parcel, since: datetime) -> str:
    """Name where the movement after which a parcel lay was: the last of its instant; empty where it names no place."""
    return [scan.data.get("facility_id") or "" for scan in movements(parcel) if scan.at == since][-1]


def overdue(world: World, parcel: Parcel) -> Iterator[Stretch]:
    """Yield the stretch in which a carrier had a parcel past the earliest promise of its orders."""
    if parcel.taken is None:
        return
    ends = [parcel.void, world.cancelled(parcel.orders)]
    ends += [scan.at for scan in parcel.scans if scan.data["status"] in TERMINAL]
    over = min(ends)
    dates = [world.orders[key] for key in parcel.orders if key in world.orders and world.orders[key].placed]
    promised = [date for order in dates for date in broken(world, order, over) if order.gone() > date]
    if promised:
        due = max(parcel.taken.at, min(promised))
        if due < over and due < world.end and alive(world, "carrier_backlog", parcel.carrier, parcel.scanned[-1], due):
            yield due, over


def broken(world: World, order: Any, over: datetime) -> list[datetime]:
    """Return the first promise of an order that passed while a parcel was under way, else the last one."""
    chain = [*deliveries.promises(world, order)]
    for (due, _), (_, moved) in pairwise([*chain, (NEVER, NEVER)]):
        if due < moved and due < over:
            return [due]
    return [chain[-1][0]] if chain else []


def united(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Join stretches that touch."""
    joined: list[Stretch] = []
    for since, until in stretches:
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    yield from joined


def backlogs(world: World, kind: str, crowds: Crowds) -> Iterator[Finding]:
    """Yield the backlogs of every place, as far as its feeds were heard of."""
    rules = DEFAULTS | world.policy.get(kind, {})
    zone = world.policy.get("timezone", "Asia/Shanghai")
    for place, crowd in crowds.items():
        sources = world.policy.get("feeds", {}).get(place, []) if waits(world, kind) else []
        now = min([world.end, *(world.alive[source] for source in sources)])
        orders = {late.name: of for late, of in crowd}
        for some in apart([late for late, _ in crowd]):
            upto = min(now, some[-1].since + FORGOTTEN)
            for one in backlog.oracle(some, zone, rules["minimum"], rules["factor"], upto):
                yield written_as(kind, place, one, {order for name in one["names"] for order in orders[name]})


def apart(things: Sequence[Late]) -> Iterator[list[Late]]:
    """Part what is so far apart that neither the count nor what is usual remembers it: one scan is from 1970."""
    some: list[Late] = []
    for late in sorted(things, key=lambda one: one.since):
        if some and late.since > some[-1].since + FORGOTTEN:
            yield some
            some = []
        some.append(late)
    yield from [some] if some else []


def written_as(kind: str, place: str, one: Mapping[str, Any], orders: set[str]) -> Finding:
    """Write a backlog the way the contract does."""
    since, ended = written(one["since"]), written(one["ended_at"]) if one["ended_at"] else None
    finding: Finding = {"kind": kind, "subject": place, "since": since, "due_at": since, "ended_at": ended}
    finding |= {"state": "ended" if ended else "open", "order_ids": sorted(orders), "rule": None}
    return finding | {"knowable_at": written(one["held"][1]), "peak": one["peak"]}
