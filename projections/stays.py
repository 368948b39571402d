"""Stays: from when to when something lay with a warehouse, with a carrier or at a facility, and what it was owed to.

Readings of the row on backlogs of the detection rules are in docs/adr/0014.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from domain.detectors import overdue_parcel
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted
from domain.orders.fulfillment import Coverage, Fulfillment, coverage
from domain.orders.order import Order, OrderApproved
from domain.parcels.events import TERMINAL, ParcelScanned
from domain.parcels.movement import movements, stop
from domain.parcels.parcel import Parcel
from domain.policies.policy import DEFAULT, Policy
from projections.order_document import Clock, clocks

OPEN: Final = "open"
HELD: Final = "held"
AWAITED: Final = "awaited"
"""Not approved yet, where policy asks for that."""
LEFT: Final = "left"
_DEPARTED: Final = frozenset({"departed_facility", "out_for_delivery"})


class Stay(NamedTuple):
    """One stretch during which one thing lay at one place."""

    what: str
    """``warehouse``, ``carrier`` or ``facility``."""
    place: str
    thing: str
    """The fulfilment or parcel."""
    turn: int = 0
    """Counts the stays of one thing at one place."""
    standing: str = LEFT
    at: Instant = 0
    """When it left; while it has not, since when it lies there."""
    promise: Instant | None = None
    """Until when it was to go on or to arrive."""
    pieces: int = 0
    order_ids: tuple[str, ...] = ()


def of_order(order: Order, policies: Sequence[Adopted]) -> list[Stay]:
    """List what warehouses have, or had, to hand over of an order; what was cancelled left nothing."""
    placed = order.placed
    if placed is None:
        return []
    covered = coverage(order, placed)
    found = (_at_warehouse(order, clock, covered, policies) for clock in clocks(order, policies))
    return [one for one in found if one is not None]


def of_parcel(parcel: Parcel, policies: Sequence[Adopted]) -> list[Stay]:
    """List where a parcel lies, or lay, once a carrier has it; one that nobody waits for lies nowhere."""
    possessed = parcel.meaning.possessed
    if possessed is None:
        return []
    scans = parcel.facts.of(ParcelScanned)
    arrived, stopped = next((scan.stamp for scan in scans if scan.status in TERMINAL), None), stop(parcel)
    dropped = stopped is not None and (arrived is None or stopped < arrived)
    found = [*_at_facilities(parcel, None if arrived is None else arrived.at)]
    carrier = parcel.meaning.carrier
    if carrier is not None and not (dropped and arrived is None):
        lies = Stay("carrier", carrier, parcel.id, standing=OPEN, at=possessed.at)
        found.append(lies if arrived is None else lies._replace(standing=LEFT, at=arrived.at))
    if dropped:
        found = [one for one in found if one.standing == LEFT]
    if not any(one.standing == OPEN for one in found):
        return found
    promise = dated(policies, lambda policy: overdue_parcel.promised(parcel, None, policy))
    orders = parcel.meaning.order_ids
    return [one._replace(promise=promise, order_ids=orders) if one.standing == OPEN else one for one in found]


def dated(policies: Sequence[Adopted], read: Callable[[Policy], Instant | None]) -> Instant | None:
    """Read a date by the policy in whose time it lies, the last such."""
    end = FOREVER
    for since, policy in reversed(policies):
        found = read(policy)
        if found is not None and since <= found < end:
            return found
        end = since
    return read(policies[-1].policy if policies else DEFAULT)


def _at_warehouse(order: Order, clock: Clock, covered: Coverage, policies: Sequence[Adopted]) -> Stay | None:
    fulfillment = clock.fulfillment
    place = fulfillment.warehouse_id
    if place is None or clock.state == "cancelled":
        return None
    stay = Stay("warehouse", place, fulfillment.id)
    if clock.state == "handed_over":
        return stay._replace(at=clock.completed_at or 0)
    standing = HELD if clock.state == "held" else OPEN if _may_ship(order, policies) else AWAITED
    return stay._replace(
        standing=standing,
        at=_workable(order, fulfillment),
        promise=clock.deadline,
        pieces=covered.missing(fulfillment),
        order_ids=(order.id,),
    )


def _may_ship(order: Order, policies: Sequence[Adopted]) -> bool:
    policy = policies[-1].policy if policies else DEFAULT
    return policy.late_shipment.approval != "required" or bool(order.facts.of(OrderApproved))


def _workable(order: Order, fulfillment: Fulfillment) -> Instant:
    """Say since when the warehouse could have shipped it: it was ordered, approved, asked for and to be begun."""
    request, placed = fulfillment.request, order.placed
    approvals = order.facts.of(OrderApproved)
    found = [0 if placed is None else placed.at, *(one.at for one in approvals[:1])]
    if request is not None:
        found += [request.at, request.starts_at or request.at]
    return max(found)


def _at_facilities(parcel: Parcel, arrived_at: Instant | None) -> Iterator[Stay]:
    """Walk the places that movements name; what is on the road between two of them is at neither."""
    here: Stay | None = None
    turns: dict[str, int] = {}
    for one in movements(parcel.facts.of(ParcelScanned)):
        place = one.last.facility_id
        over = arrived_at is not None and one.at >= arrived_at
        if here is not None and (over or place != here.place):
            yield here._replace(standing=LEFT, at=one.at)
            here = None
        if over:
            return
        if place is not None and here is None:
            turns[place] = turns.get(place, -1) + 1
            here = Stay("facility", place, parcel.id, turns[place], OPEN, one.at)
        if here is not None and one.status in _DEPARTED:
            yield here._replace(standing=LEFT, at=one.at)
            here = None
    if here is not None:
        yield here
