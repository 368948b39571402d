"""Late deliveries by brute force: one per order at most, asked again at every instant that could matter."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.late_shipment import NEVER, instant
from tests.oracle.waiting import heard, with_carriers
from tests.oracle.world import Finding, Order, Parcel, World, end_of

SETTLING = frozenset({"delivered", "refused", "return_to_sender", "returned", "damaged"})


def settled(parcel: Parcel) -> datetime:
    """Say when a parcel came to its customer, or was given back; never if it was voided by then."""
    at = next((scan.at for scan in parcel.scans if scan.data["status"] in SETTLING), NEVER)
    return at if at < parcel.void else NEVER


def undelivered(world: World, order: Order, at: datetime) -> bool:
    """Say whether at an instant any piece that is not cancelled has not been settled."""
    mine = [x for x in world.holding[order.id] if order.id in x.orders and settled(x) <= at]
    lacks: list[list[Any]] = [["", line, count] for line, count in order.ordered(at).items()]
    whole = set[str]()
    for parcel in mine:
        if not parcel.packings:
            whole |= parcel.fulfilments or set(order.asked)
    for name in whole & order.asked.keys():
        for line, count in order.carried(name):
            for need in (need for need in lacks if need[1] == line):
                need[2] = max(0, need[2] - count)
    for parcel in sorted(mine, key=lambda parcel: (parcel.taken or end_of(NEVER), parcel.id)):
        for packing in parcel.packings[-1:]:
            order.fill(lacks, packing, {""})
    return any(need[2] for need in lacks)


def promises(world: World, order: Order) -> Iterator[tuple[datetime, datetime]]:
    """Yield (due, in force since) of every promise that counts, in order."""
    rules = world.policy.get("late_delivery", {})
    zone = ZoneInfo(world.policy.get("timezone", "Asia/Shanghai"))
    agreed = {
        "original": set[str](),
        "agreed": {"customer", "platform"},
        "latest": {"customer", "platform", "merchant"},
    }
    first = True
    for fact in (order.placed, *(fact for fact in order.facts if fact.type == "order.promise_changed.v1")):
        if fact is None or not fact.data.get("deliver_by"):
            continue
        if not first and fact.data["agreed_by"] not in agreed[rules.get("promise", "agreed")]:
            continue
        due, first = instant(fact.data["deliver_by"]), False
        local = due.astimezone(zone)
        if rules.get("date_promises") == "end_of_day" and local.time() == time.min:
            due = datetime.combine(local.date() + timedelta(days=1), time.min, zone).astimezone(due.tzinfo)
        yield due if fact is order.placed else max(due, fact.at), fact.at


def findings(world: World) -> Iterator[Finding]:
    """Yield, for every placed order, the first promise that passed with something undelivered."""
    for order in (order for order in world.orders.values() if order.placed):
        chain = [*promises(world, order)]
        for (due, _), (_, moved) in zip_longest(chain, chain[1:], fillvalue=(NEVER, NEVER)):
            if due < moved and undelivered(world, order, due):
                could = {settled(parcel) for parcel in world.holding[order.id]} - {NEVER}
                could |= {fact.at for fact in order.cancellations}
                ends = (at for at in sorted(could) if at > due and not undelivered(world, order, at))
                placed = order.placed.at if order.placed else NEVER
                if not heard(world, "late_delivery", with_carriers(world, order.id, due), due):
                    break
                yield from world.found("late_delivery", order.id, due, next(ends, NEVER), [order.id], knowable=placed)
                break
