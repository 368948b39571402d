"""An order as people read it: its fulfilments with their clocks, and what its parcels carry."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from domain.detectors import late_delivery, late_shipment
from domain.instant import FOREVER, Instant, iso
from domain.judging.adoption import Adopted
from domain.orders.fulfillment import Coverage, Fulfillment, coverage
from domain.orders.order import Order, OrderApproved, OrderCancelled, OrderParcelChanged, PromiseChanged
from domain.orders.promise import Hold, holds, promises
from domain.policies.policy import DEFAULT, Policy

_LATE: Final = late_shipment.DETECTOR.kind


class Clock(NamedTuple):
    """Where the shipping clock of one fulfilment stands."""

    fulfillment: Fulfillment
    state: str
    """``open``, ``held``, ``packed``, ``handed_over`` or ``cancelled``."""
    deadline: Instant | None
    """The effective one; null where there is none, or where it cannot be known yet."""
    warn_at: Instant | None
    """From when on it is at risk; null where it is not, or no longer."""
    completed_at: Instant | None
    holds: tuple[Hold, ...]


def clocks(order: Order, policies: Sequence[Adopted]) -> list[Clock]:
    """Read the clocks of an order's fulfilments, worked out once for the same policies until its next event."""
    if order.placed is None:
        return []
    late = frozenset(key.subject for key, one in order.findings.items() if key.kind == _LATE and one.state == "open")
    known = order.derived.get("clocks")
    if known is None or known[0] is not policies or known[1] != late:
        covered = coverage(order, order.placed)
        found = [_clock_of(order, one, covered, policies) for one in covered.fulfillments]
        # Findings alone let stand what else is derived.
        known = order.derived["clocks"] = policies, late, found
    return list(known[2])


def _clock_of(order: Order, fulfillment: Fulfillment, coverage: Coverage, policies: Sequence[Adopted]) -> Clock:
    """Read the clock by the policy in whose time its deadline lies, the last such; without a deadline, by the last."""
    latest, end = None, FOREVER
    for since, policy in reversed(policies):
        found = _clock(order, fulfillment, coverage, policy)
        if found.deadline is not None and since <= found.deadline < end:
            return found
        latest, end = latest or found, since
    return latest or _clock(order, fulfillment, coverage, DEFAULT)


def _clock(order: Order, fulfillment: Fulfillment, coverage: Coverage, policy: Policy) -> Clock:
    dated = promises(order, fulfillment, policy)
    deadline = dated[-1].deadline if dated else None
    stretches = tuple(holds(order, fulfillment.id))
    state = _state(order, fulfillment, coverage, stretches)
    completed_at = None
    if state in {"handed_over", "cancelled"}:
        turn = coverage.completed_by(fulfillment, -FOREVER, None)
        completed_at = None if turn is None else turn.at
    watched = state == "open" and deadline is not None and _counts(order, fulfillment, policy)
    warn_at = deadline - policy.late_shipment.warn_before if watched and deadline is not None else None
    return Clock(fulfillment, state, deadline, warn_at, completed_at, stretches)


class Due(NamedTuple):
    """Until when an order is to be delivered, and from when on that is at risk."""

    deadline: Instant
    warn_at: Instant


def due_delivery(order: Order, policies: Sequence[Adopted]) -> Due | None:
    """Read the delivery clock by the policy in whose time it ends, the last such; null where none runs any more."""
    end, latest = FOREVER, None
    for since, policy in reversed(policies or [Adopted(-FOREVER, DEFAULT)]):
        deadline = _undelivered(order, policy)
        if deadline is not None:
            found = Due(deadline, deadline - policy.late_delivery.warn_before)
            if since <= deadline < end:
                return found
            latest = latest or found
        end = since
    return latest


def _undelivered(order: Order, policy: Policy) -> Instant | None:
    kind = late_delivery.DETECTOR.kind
    late = any(key.kind == kind and stored.state == "open" for key, stored in order.findings.items())
    return None if late or kind not in policy.kinds.enabled else late_delivery.deadline(order, policy)


def document(order: Order, clocks: list[Clock]) -> dict[str, Any]:
    """Write an order with everything but its scans."""
    placed = order.placed
    gone, gone_at = _cancelled(order)
    approvals = order.facts.of(OrderApproved)
    head: dict[str, Any] = {"order_id": order.id, "partial": placed is None, "cancelled_at": _iso(gone_at)}
    if placed is not None:
        head |= {
            "placed_at": iso(placed.at),
            "approved_at": iso(approvals[0].at) if approvals else None,
            "customer_id": placed.customer_id,
            "customer_tier": placed.customer_tier,
            "sales_channel": placed.sales_channel,
            "destination": placed.destination,
            "currency": placed.currency,
            "deliver_by": _iso(placed.deliver_by),
            "lines": [
                {
                    "line_id": line.line_id,
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "name": line.name,
                    "unit_price": line.unit_price,
                    "gift": line.gift,
                    "cancelled": gone_at is not None or line.line_id in gone,
                }
                for line in placed.lines
            ],
        }
    return {
        **head,
        "fulfillments": [_fulfillment(order, one) for one in clocks],
        "parcels": [_parcel(one) for _, one in sorted(order.parcels.items())],
    }


def _state(order: Order, fulfillment: Fulfillment, coverage: Coverage, stretches: tuple[Hold, ...]) -> str:
    if coverage.complete(fulfillment, FOREVER):
        gone, gone_at = _cancelled(order)
        return "cancelled" if gone_at is not None or gone.issuperset(fulfillment.quantities) else "handed_over"
    if stretches and stretches[-1].over == FOREVER:
        return "held"
    return "packed" if coverage.packed(fulfillment) else "open"


def _counts(order: Order, fulfillment: Fulfillment, policy: Policy) -> bool:
    """Say whether it may still become late: the rule is on, the clock runs, and it has not happened."""
    approved = policy.late_shipment.approval != "required" or bool(order.facts.of(OrderApproved))
    late = any(
        key.kind == _LATE and key.subject == fulfillment.id and stored.state == "open"
        for key, stored in order.findings.items()
    )
    return _LATE in policy.kinds.enabled and approved and not late


def _cancelled(order: Order) -> tuple[set[str], Instant | None]:
    """Give the lines that were cancelled, and since when the whole order is."""
    cancellations = order.facts.of(OrderCancelled)
    whole = next((one.at for one in cancellations if not one.line_ids), None)
    return {line for one in cancellations for line in one.line_ids}, whole


def _fulfillment(order: Order, one: Clock) -> dict[str, Any]:
    fulfillment = one.fulfillment
    changes = [
        change
        for change in order.facts.of(PromiseChanged)
        if change.ship_by is not None and change.fulfillment_id in (None, fulfillment.id)
    ]
    return {
        "fulfillment_id": fulfillment.id,
        "implicit": fulfillment.request is None,
        "warehouse_id": fulfillment.warehouse_id,
        "quantities": fulfillment.quantities,
        "state": one.state,
        "ship_by": _iso(fulfillment.ship_by),
        "deadline": _iso(one.deadline),
        "warn_at": _iso(one.warn_at),
        "completed_at": _iso(one.completed_at),
        "promise_changes": [
            {"at": iso(change.at), "ship_by": _iso(change.ship_by), "agreed_by": change.agreed_by} for change in changes
        ],
        "holds": [
            {"since": iso(hold.begun), "until": None if hold.over == FOREVER else iso(hold.over)} for hold in one.holds
        ],
    }


def _parcel(one: OrderParcelChanged) -> dict[str, Any]:
    return {
        "parcel_id": one.parcel_id,
        "carrier": one.carrier,
        "packed_at": None if one.packed is None else iso(one.packed.at),
        "labelled_at": _iso(one.labelled_at),
        "possessed_at": None if one.possessed is None else iso(one.possessed.at),
        "voided_at": _iso(one.voided_at),
        "contents": None
        if one.contents is None
        else [{"sku": each.sku, "quantity": each.quantity, "line_id": each.line_id} for each in one.contents],
    }


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
