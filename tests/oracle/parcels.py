"""What goes wrong with parcels under way, by brute force: stalled, lost, failed, never handed over."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, zip_longest

from tests.oracle.hours import worked
from tests.oracle.late_shipment import NEVER, Fact
from tests.oracle.waiting import alive
from tests.oracle.world import NO_POSSESSION, Finding, Parcel, World, duration

HOLDS = frozenset({"on_hold", "customs_hold"})
REPEATED = HOLDS | {"delivery_delayed"}
TERMINAL = frozenset({"delivered", "refused", "return_to_sender", "returned", "lost"})
SETTLED = frozenset({"delivered", "returned", "lost"})
ATTEMPTS = {"delivery_failed": "attempt", "refused": "refused"}


def status(scan: Fact) -> str:
    """Return what a scan says."""
    return str(scan.data["status"])


def place(scan: Fact) -> tuple[str | None, str | None]:
    """Say where a scan was made."""
    return scan.data.get("facility_id"), scan.data.get("region")


def movements(parcel: Parcel) -> list[Fact]:
    """List the scans that are more than talk."""
    moved: list[Fact] = []
    for scan in (scan for scan in parcel.scans if status(scan) not in NO_POSSESSION):
        again = moved and (status(scan), place(scan)) == (status(moved[-1]), place(moved[-1]))
        if not (again and status(scan) in REPEATED):
            moved.append(scan)
    return moved


def lane(world: World, parcel: Parcel) -> timedelta:
    """Return how long a parcel of its lane may stand still."""
    rules = world.policy.get("stalled_parcel", {})
    order = world.orders.get(min(parcel.orders))
    start = parcel.taken.data.get("region") if parcel.taken else None
    goal = order.placed.data.get("destination") if order and order.placed else None
    own = rules.get("lanes", {}).get(f"{parcel.carrier}:{start}-{goal}", {})
    return duration(own.get("after") or rules.get("after", "72h"))


def stillness(
    world: World, kind: str, parcel: Parcel, due_after: Callable[[datetime], datetime]
) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Yield (since, due, ended) for each time a parcel could have stood still for too long."""
    instants = [[*scans] for _, scans in groupby(movements(parcel), key=lambda scan: scan.at)]
    stop = min(parcel.void, world.cancelled(parcel.orders))
    for scans, following in zip_longest(instants, instants[1:]):
        if TERMINAL & {status(scan) for scan in scans}:
            return
        since, due = scans[0].at, due_after(scans[0].at)
        if status(scans[-1]) not in HOLDS and alive(world, kind, parcel.carrier, parcel.scanned[-1], due):
            yield since, due, min(stop, following[0].at if following else NEVER)


def stalled(world: World, parcel: Parcel) -> Iterator[Finding]:
    """Yield each stall."""
    kind, after = "stalled_parcel", lane(world, parcel)
    for since, due, ended in stillness(world, kind, parcel, lambda at: worked(world.policy, parcel.carrier, at, after)):
        yield from world.found(kind, parcel.id, due, ended, parcel.orders, since=since)


def lost(world: World, parcel: Parcel) -> Iterator[Finding]:
    """Yield each time a parcel had to be given up, or was."""
    kind, orders = "presumed_lost", parcel.orders
    window = world.setting(kind, "after", "15d")
    for _, due, ended in stillness(world, kind, parcel, lambda at: at + window):
        yield from world.found(kind, parcel.id, due, ended, orders, rule="window")
    moved = movements(parcel)
    for at in sorted({scan.at for scan in moved if status(scan) == "lost"}):
        ended = next((scan.at for scan in moved if scan.at > at), NEVER)
        yield from world.found(kind, parcel.id, at, min(ended, parcel.void), orders, rule="status")


def unconfirmed(world: World, parcel: Parcel) -> Iterator[Finding]:
    """Yield the label that no hand-over followed."""
    kind = "unconfirmed_handover"
    for label in parcel.labels[:1]:
        due = worked(world.policy, parcel.carrier, label.at, world.setting(kind, "after", "24h"))
        taken = parcel.taken.at if parcel.taken else NEVER
        ended = min(taken, parcel.void, world.cancelled(parcel.orders))
        if alive(world, kind, parcel.carrier, [*parcel.labels, *parcel.scanned][-1], due):
            yield from world.found(kind, parcel.id, due, ended, parcel.orders)


def waited(parcel: Parcel, wait: timedelta) -> Iterator[datetime]:
    """Yield when each stay at a pick-up point became too long."""
    instants = [[*scans][-1] for _, scans in groupby(movements(parcel), key=lambda scan: scan.at)]
    for ready, stay in groupby(instants, key=lambda scan: status(scan) == "ready_for_pickup"):
        first, *_ = stay
        after = (scan.at for scan in instants if scan > first and status(scan) != "ready_for_pickup")
        if ready and next(after, NEVER) > first.at + wait:
            yield first.at + wait


def failed(world: World, parcel: Parcel) -> Iterator[Finding]:
    """Yield the first failure to deliver."""
    kind = "delivery_failed"
    failures = [(scan.at, ATTEMPTS[status(scan)]) for scan in parcel.scans if status(scan) in ATTEMPTS]
    failures += [(due, "pickup_wait") for due in waited(parcel, world.setting(kind, "pickup_wait", "3d"))]
    over = next((scan.at for scan in parcel.scans if status(scan) in SETTLED), NEVER)
    for due, rule in sorted(failures, key=lambda failure: failure[0])[:1]:
        yield from world.found(kind, parcel.id, due, min(over, parcel.void), parcel.orders, rule=rule)


def damaged(world: World, parcel: Parcel) -> Iterator[Finding]:
    """Yield the damage that the carrier owned up to, unless the parcel had come back or been given up before."""
    for scan in [scan for scan in parcel.scans if status(scan) == "damaged"][:1]:
        over = next((scan.at for scan in parcel.scans if status(scan) in {"returned", "lost"}), NEVER)
        yield from world.found("damaged_parcel", parcel.id, scan.at, min(over, parcel.void), parcel.orders)


def findings(world: World) -> Iterator[Finding]:
    """Yield what went wrong with every parcel of which an order is known."""
    for parcel in (parcel for parcel in world.parcels.values() if parcel.orders):
        for wrong in (stalled, lost, unconfirmed, failed, damaged):
            yield from wrong(world, parcel)
