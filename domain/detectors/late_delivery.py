"""A promised delivery date has passed and the customer does not have everything.

Definition: the kind's row of the detection rules; readings in docs/adr/0010.
"""

from typing import NamedTuple

from domain.detection import Finding, Key, Look, found_after
from domain.events import refs
from domain.feeds.feed import mapped
from domain.instant import FOREVER, Instant, iso
from domain.orders.delivery import Delivery
from domain.orders.order import Order, OrderParcelChanged, OrderPlaced, PromiseChanged
from domain.orders.promise import counts, due
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "order id"
DUE_AT = "the delivery time in force"
CLEARED_BY = "a scan that all of it was delivered, refused or returned, or its cancellation"


class _Promise(NamedTuple):
    deadline: Instant
    changes: tuple[PromiseChanged, ...]
    """What moved it, the last one being the one in force."""


class LateDelivery:
    """Watches every order against its delivery promise."""

    kind = "late_delivery"

    def look(self, state: Order, until: Instant, policy: Policy) -> Look:
        """Find the broken delivery promise due before ``until``; see ``findings`` and ``look_again``."""
        placed = state.placed
        delivered = None if placed is None else Delivery.of(state, placed)
        promise = None if placed is None or delivered is None else _promise(state, placed, delivered, policy)
        if placed is None or delivered is None or promise is None or delivered.complete(promise.deadline):
            return Look((), None)
        key = Key(self.kind, state.id, promise.deadline)
        at = found_after(key, promise.deadline, placed.at, state.findings)
        if at >= until:
            return Look((), at)
        return Look((_finding(state, placed, promise, delivered, policy),), None)

    def told_by(self, state: Order, finding: Finding, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds of the carriers that have not brought their parcels, where policy says so."""
        return mapped((one.carrier for one in state.parcels.values() if _is_under_way(one, finding)), policy)


DETECTOR = LateDelivery()


def findings(order: Order, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find the broken promise of an order, if its date passed before ``until``; an order has one at most.

    >>> from domain.instant import DAY
    >>> from domain.orders.order import Line, evolve
    >>> from domain.policies.policy import DEFAULT
    >>> tea = (Line("1", "TEA", 2),)
    >>> placed = OrderPlaced(at=0, source="/shop", id="1", order_id="A", deliver_by=5 * DAY, lines=tea)
    >>> order = evolve(Order("A"), placed)
    >>> [late.subject for late in findings(order, 5 * DAY + 1, DEFAULT)]
    ['A']
    """
    return DETECTOR.look(order, until, policy).findings


def look_again(order: Order, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(order, until, policy).again


def deadline(order: Order, policy: Policy) -> Instant | None:
    """Return the delivery time in force of an order that is not wholly delivered; null where nothing is owed."""
    placed = order.placed
    delivered = None if placed is None else Delivery.of(order, placed)
    if placed is None or delivered is None or delivered.complete(FOREVER):
        return None
    promise = _promise(order, placed, delivered, policy)
    return None if promise is None else max(promise.deadline, placed.at)


def _promise(order: Order, placed: OrderPlaced, delivered: Delivery, policy: Policy) -> _Promise | None:
    zone = policy.zone(placed.destination)
    found = None if placed.deliver_by is None else _Promise(due(placed.deliver_by, policy, zone), ())
    for change in order.facts.of(PromiseChanged):
        if change.deliver_by is None or not (found is None or counts(change.agreed_by, policy.late_delivery.promise)):
            continue
        if found is not None and found.deadline < change.at and not delivered.complete(found.deadline):
            break
        # A date that had passed when it was agreed on is due at once, not before.
        moved = max(due(change.deliver_by, policy, zone), change.at)
        found = _Promise(moved, (*(() if found is None else found.changes), change))
    return found


def _is_under_way(parcel: OrderParcelChanged, late: Finding) -> bool:
    """Say whether a parcel was with its carrier or waited for it when the order was due."""
    begun = (parcel.labelled_at, None if parcel.possessed is None else parcel.possessed.at)
    settled = parcel.settled is not None and parcel.settled.at <= late.due_at
    voided = parcel.voided_at is not None and parcel.voided_at <= late.due_at
    has_begun = any(at is not None and at <= late.due_at for at in begun)
    return parcel.contents != () and has_begun and not settled and not voided


def _finding(order: Order, placed: OrderPlaced, promise: _Promise, delivered: Delivery, policy: Policy) -> Finding:
    ended_by = delivered.completed_by(promise.deadline)
    severity, parts = weigh(placed.stake, policy, clock=1)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    first = [date for date in (placed.deliver_by, *(one.deliver_by for one in promise.changes)) if date is not None]
    if len(first) > 1:
        detail["promised_first"] = iso(first[0])
    if placed.at > promise.deadline:
        detail["knowable_at"] = iso(placed.at)
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
    return Finding(
        kind=LateDelivery.kind,
        subject=order.id,
        since=promise.deadline,
        due_at=promise.deadline,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=(order.id,),
        severity=severity,
        rule="deliver_by",
        policy=policy.hash,
        proof=refs((placed.stamp, *(change.stamp for change in promise.changes[-1:]))),
        detail=detail,
    )
