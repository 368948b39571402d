"""Wrong contents by brute force: every packing record held against what was expected, or still lacking."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.oracle.complaints import WRONG_CONTENTS, category, order_of, resolved
from tests.oracle.late_shipment import NEVER, Fact
from tests.oracle.world import Finding, Order, Parcel, World, end_of

UNDONE = frozenset({"refused", "return_to_sender", "returned", "lost"})
Stretch = tuple[datetime, datetime, datetime]  # due, ended, knowable


def pieces(items: Sequence[Mapping[str, Any]], *members: str) -> Counter[tuple[str, ...]]:
    """Count pieces by some members."""
    count = Counter[tuple[str, ...]]()
    for item in items:
        count[tuple(item[member] for member in members)] += item["quantity"]
    return count


def still_lacks(world: World, order: Order, parcel: Parcel, packing: Fact) -> list[list[Any]]:
    """List [order, line, quantity] that an order lacks just before a parcel is packed."""
    lacks: list[list[Any]] = [["", line, count] for line, count in order.ordered(packing).items()]
    earlier = [(other.packed(packing), other) for other in world.holding[order.id] if other is not parcel]
    for record, other in sorted(((x, y) for x, y in earlier if x), key=lambda pair: pair[0]):
        if min(other.void, undone(other)) > packing.at and other.replaced_by != parcel.id:
            order.fill(lacks, record, {""})
    return [[order.id, line, count] for _, line, count in lacks]


def undone(parcel: Parcel) -> datetime:
    """Say when a parcel was refused, turned back or lost: what was in it is wanted again."""
    return next((scan.at for scan in parcel.scans if scan.data["status"] in UNDONE), NEVER)


def whole(world: World, order: Order, fulfilment: str) -> list[datetime]:
    """Say since when parcels without a packing record are known that carry all of a fulfilment."""
    mine = [x for x in world.holding[order.id] if not x.packings and x.void == NEVER and order.id in x.orders]
    mine = [parcel for parcel in mine if fulfilment in (parcel.fulfilments or {fulfilment})]
    first = [[*(x.at for x in p.labels[:1]), *([p.taken.at] if p.taken else [])] for p in mine]
    return sorted(min(heard) for heard in first if heard)


def wrong(world: World, parcel: Parcel, packing: Fact) -> bool:
    """Say whether a packing record itself shows something that should not be so."""
    contents, expected = packing.data["contents"], packing.data.get("expected")
    if expected:
        return pieces(contents, "order_id", "sku") != pieces(expected, "order_id", "sku")
    orders = [world.orders[key] for key in parcel.orders if key in world.orders]
    if len(orders) < len(parcel.orders) or not all(order.placed for order in orders):
        return False
    sku = {(order.id, line["line_id"]): line["sku"] for order in orders for line in order.lines}
    lacks = [need for order in orders for need in still_lacks(world, order, parcel, packing)]
    left: list[tuple[str, int]] = []
    for item in contents:  # by line, then whatever is left by SKU, for whichever order
        none: list[Any] = ["", "", 0]
        need = next((x for x in lacks if x[:2] == [item["order_id"], item.get("line_id")]), none)
        used = min(need[2], item["quantity"])
        need[2] -= used
        left.append((item["sku"], item["quantity"] - used))
    for name, count in left:
        for need in (need for need in lacks if sku[need[0], need[1]] == name):
            used = min(need[2], count)
            need[2], count = need[2] - used, count - used  # noqa: PLW2901  # what is left of it
        if count:
            return True
    return False


def lacking(world: World, order: Order, fulfilment: str, upto: Fact) -> bool:
    """Say whether a fulfilment lacks a piece that was ordered, gifts aside, after all that was packed up to a fact."""
    if any(at <= upto.at for at in whole(world, order, fulfilment)):
        return False
    alive = order.ordered(upto)
    lacks = [[f, line, n if alive.get(line, 1) else 0] for f in sorted(order.asked) for line, n in order.carried(f)]
    records = [(parcel.packed(upto), parcel) for parcel in world.holding[order.id] if parcel.void > upto.at]
    for record, parcel in sorted(((x, y) for x, y in records if x), key=lambda pair: pair[0]):
        order.fill(lacks, record, parcel.of(order, record))
    wanted = {line["line_id"] for line in order.lines if not line.get("gift")}
    return any(count and name == fulfilment and line in wanted for name, line, count in lacks)


def packings_of(world: World, order: Order, fulfilment: str) -> list[tuple[Fact, Parcel]]:
    """List every packing record that is for a fulfilment, sorted."""
    records = [(record, parcel) for parcel in world.holding[order.id] for record in parcel.packings]
    return sorted((x for x in records if fulfilment in x[1].filling(order, x[0])), key=lambda pair: pair[0])


def incomplete(world: World, order: Order, fulfilment: str) -> dict[Fact, datetime]:
    """Say for each packing record that leaves a fulfilment lacking, with no further parcel, when that is known."""
    records, after = packings_of(world, order, fulfilment), world.setting("mis_shipment", "missing_after", "48h")
    handed = min((p.taken.at for _, p in records if p.taken and p.taken.at < p.void), default=NEVER)
    found: dict[Fact, tuple[datetime, Parcel]] = {}
    for record, parcel in records:
        known = record.at if record.data.get("last") or handed == NEVER else max(record.at, handed + after)
        others = [(later.at, other.void) for later, other in records if record < later]
        others += [(at, NEVER) for at in whole(world, order, fulfilment)]
        # A further parcel counts while it is not voided: after that the time is over as if there had been none.
        voids = sorted({other.void for _, other in records if other.void > known})
        for void in [known, *voids]:
            known, further = void, any(a <= void < b for a, b in others) and not record.data.get("last")
            if not further and lacking(world, order, fulfilment, end_of(known)):
                break
        else:
            known = NEVER
        # What a parcel before it is blamed for already is not this one's fault too, unless it says that it is the last.
        blamed = any(since <= record.at < other.void for since, other in found.values())
        could = record.data.get("last") or (handed < NEVER and known < NEVER and not blamed)
        lacks = lacking(world, order, fulfilment, record)
        if could and known < parcel.void and lacks and not record.data.get("expected"):
            found[record] = known, parcel
    return {record: known for record, (known, _) in found.items()}


def supplied(world: World, order: Order, fulfilment: str, after: Fact) -> datetime:
    """Say when a fulfilment that lacks something after a fact no longer does."""
    could = [record for record, _ in packings_of(world, order, fulfilment)] + order.cancellations
    could += [end_of(at) for at in whole(world, order, fulfilment)]
    ends = (fact for fact in sorted(could) if fact > after and not lacking(world, order, fulfilment, fact))
    return next((fact.at for fact in ends), NEVER)


def settlement(world: World, orders: set[str], due: datetime) -> datetime:
    """Say when the first complaint about the contents of some orders was resolved for good after an instant."""
    told = [facts for order in orders for facts in world.about[order] if order_of(facts) == order]
    about = (facts for facts in told if category(facts) in WRONG_CONTENTS)
    return min((at for at in map(resolved, about) if at > due), default=NEVER)


def stretches(world: World, parcel: Parcel) -> Iterator[Stretch]:
    """Yield each stretch in which one packing record of a parcel was, or left something, wrong."""
    records = [record for record in parcel.packings if record.at < parcel.void]
    orders = [world.orders[key] for key in sorted(parcel.orders) if key in world.orders]
    known = len(orders) == len(parcel.orders) and all(order.placed for order in orders)
    for number, record in enumerate(records):
        stop = min(parcel.void, settlement(world, concerned(parcel), record.at))
        if wrong(world, parcel, record):
            agree = (later.at for later in records[number + 1 :] if not wrong(world, parcel, later))
            yield record.at, min(stop, next(agree, NEVER)), record.at
        for order in orders if known else ():
            for fulfilment in parcel.filling(order, record):
                at = incomplete(world, order, fulfilment).get(record, NEVER)
                if at < world.end:
                    yield record.at, min(stop, supplied(world, order, fulfilment, end_of(at))), at


def concerned(parcel: Parcel) -> set[str]:
    """Name the orders of a parcel, those included whose goods it should have held."""
    expected = [item for record in parcel.packings for item in record.data.get("expected") or ()]
    return parcel.orders | {item["order_id"] for item in expected}


def findings(world: World) -> Iterator[Finding]:
    """Yield the mis-shipments that packing shows; stretches of one parcel that overlap are one."""
    for parcel in world.parcels.values():
        merged: list[Stretch] = []
        for due, ended, known in sorted(x for x in stretches(world, parcel) if x[0] < x[1]):
            if merged and due < merged[-1][1]:
                start, end, since = merged.pop()
                merged.append((start, max(end, ended), min(since, known)))
            else:
                merged.append((due, ended, known))
        for due, ended, known in merged:
            yield from world.found("mis_shipment", parcel.id, due, ended, concerned(parcel), knowable=known)
