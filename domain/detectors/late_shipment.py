"""A promised shipping time has passed and the carrier does not have all of it.

Definition: the kind's row of the detection rules; readings in docs/adr/0003.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain.detection import Finding, Key, Look, found_after
from domain.events import refs
from domain.feeds.feed import mapped
from domain.instant import Instant, iso
from domain.orders.fulfillment import Coverage, Fulfillment, coverage
from domain.orders.order import Order, OrderApproved, OrderParcelChanged, OrderPlaced
from domain.orders.promise import Promise, promises
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "fulfilment id"
DUE_AT = "the shipping time in force, moved by the time it was held"
CLEARED_BY = "a carrier's possession scan of all that is missing, its cancellation, or a new agreed date"


class _Episode(NamedTuple):
    fulfillment: Fulfillment
    promise: Promise
    due_at: Instant


class LateShipment:
    """Watches every fulfilment of an order against its shipping promise."""

    kind = "late_shipment"

    def look(self, state: Order, until: Instant, policy: Policy) -> Look:
        """Find every broken shipping promise due before ``until``; see ``findings`` and ``look_again``."""
        placed = state.placed
        if placed is None or (policy.late_shipment.approval == "required" and not state.facts.of(OrderApproved)):
            return Look((), None)
        covered = coverage(state, placed)
        episodes = [(_found_after(state, one), one) for one in _episodes(state, covered, policy)]
        return Look(
            findings=tuple(_finding(state, placed, covered, one, policy) for at, one in episodes if at < until),
            again=min((at for at, _ in episodes if at >= until), default=None),
        )

    def told_by(self, state: Order, finding: Finding, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds of its warehouse and of the carriers that its parcels wait for, where policy says so."""
        waiting = (one for one in state.parcels.values() if _is_waiting(one, finding))
        places = (finding.warehouse_id, *(one.carrier for one in waiting))
        return mapped(places, policy)


DETECTOR = LateShipment()


def findings(order: Order, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every episode whose promise passed before ``until``, past ones included.

    >>> from domain.instant import HOUR
    >>> from domain.orders.order import Line, evolve
    >>> from domain.policies.policy import DEFAULT
    >>> tea = (Line("1", "TEA", 2),)
    >>> placed = OrderPlaced(at=0, source="/shop", id="1", order_id="A", ship_by=48 * HOUR, lines=tea)
    >>> order = evolve(Order("A"), placed)
    >>> findings(order, 48 * HOUR, DEFAULT)
    ()
    >>> [late.subject for late in findings(order, 48 * HOUR + 1, DEFAULT)]
    ['A']
    """
    return DETECTOR.look(order, until, policy).findings


def look_again(order: Order, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(order, until, policy).again


def _episodes(order: Order, covered: Coverage, policy: Policy) -> Iterator[_Episode]:
    for fulfillment in covered.fulfillments:
        for promise in promises(order, fulfillment, policy):
            due_at = promise.deadline
            if due_at is None or due_at >= promise.until or covered.complete(fulfillment, due_at):
                continue
            yield _Episode(fulfillment, promise, due_at)


def _found_after(order: Order, episode: _Episode) -> Instant:
    key = Key(LateShipment.kind, episode.fulfillment.id, episode.due_at)
    return found_after(key, episode.due_at, _knowable_at(order), order.findings)


def _knowable_at(order: Order) -> Instant:
    """Give the instant before which nobody could know that anything is owed: the approval, without one the placing."""
    approvals = order.facts.of(OrderApproved)
    return approvals[0].at if approvals else order.facts.of(OrderPlaced)[0].at


def _is_waiting(parcel: OrderParcelChanged, late: Finding) -> bool:
    """Say whether a parcel lay ready when a fulfilment was due, so that its carrier may have picked it up."""
    named = parcel.fulfillment_ids or parcel.named
    labelled = parcel.labelled_at is not None and parcel.labelled_at <= late.due_at
    taken = parcel.possessed is not None and parcel.possessed.at <= late.due_at
    voided = parcel.voided_at is not None and parcel.voided_at <= late.due_at
    concerns = parcel.contents != () and (not named or late.subject in named)
    return concerns and labelled and not taken and not voided


def _finding(order: Order, placed: OrderPlaced, covered: Coverage, episode: _Episode, policy: Policy) -> Finding:
    fulfillment, promise = episode.fulfillment, episode.promise
    ended_by = covered.completed_by(fulfillment, episode.due_at, promise.ended_by)
    approvals = order.facts.of(OrderApproved)
    approved = approvals[0] if approvals else None
    knowable_at = _knowable_at(order)
    proof = {placed.stamp, *promise.proof}
    proof |= {fact.stamp for fact in (fulfillment.request, approved) if fact is not None}
    severity, parts = weigh(placed.stake, policy, clock=1)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    if knowable_at > episode.due_at:
        detail["knowable_at"] = iso(knowable_at)
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
    return Finding(
        kind=LateShipment.kind,
        subject=fulfillment.id,
        since=episode.due_at,
        due_at=episode.due_at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=(order.id,),
        warehouse_id=fulfillment.warehouse_id,
        severity=severity,
        rule="ship_by",
        policy=policy.hash,
        proof=refs(proof),
        detail=detail,
    )
