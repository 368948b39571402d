"""Promises to ship: which date is in force when, and how holds move it.

Readings of the rule where it leaves room: docs/adr/0003.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from domain.calendars.calendar import end_of_day, is_midnight
from domain.events import Stamp
from domain.instant import FOREVER, Instant
from domain.orders.fulfillment import Fulfillment
from domain.orders.order import AgreedBy, Order, OrderApproved, OrderHeld, OrderReleased, PromiseChanged
from domain.policies.policy import Policy

Counting = Literal["agreed", "original", "latest"]
"""Which date counts: one that customer or platform agreed to, the first one, or whoever moved it last."""


class Hold(NamedTuple):
    """A stretch during which the shipping clock stood for one reason, and the events that began and ended it."""

    begun: Instant
    over: Instant
    """``FOREVER`` while it lasts."""
    proof: tuple[Stamp, ...]


class Promise(NamedTuple):
    """One date and the stretch of time in which it counts."""

    deadline: Instant | None
    """With holds; null where it cannot be known yet."""
    since: Instant
    until: Instant
    """When the next promise was agreed, else ``FOREVER``."""
    change: PromiseChanged | None
    """Null for the original."""
    ended_by: Stamp | None
    """The event of the next promise."""
    proof: tuple[Stamp, ...]
    """What made and moved it."""


def promises(order: Order, fulfillment: Fulfillment, policy: Policy) -> Sequence[Promise]:
    """List the promises of a fulfilment in the order in which they counted; parcels change none of them."""
    known: dict[tuple[str, int], tuple[Policy, Sequence[Promise]]] = order.from_facts.setdefault("promises", {})
    key = (fulfillment.id, id(policy))
    found = known.get(key)
    if found is None:
        # The policy is kept with them, so that no other one takes its id.
        found = known[key] = policy, _promises(order, fulfillment, policy)
    return found[1]


def _promises(order: Order, fulfillment: Fulfillment, policy: Policy) -> list[Promise]:
    dated = _dated(order, fulfillment, policy)
    if not dated:
        return []
    stretches = holds(order, fulfillment.id)
    starts_at = fulfillment.request.starts_at if fulfillment.request is not None else None
    found = []
    for place, (ship_by, since, change, made_by) in enumerate(dated):
        following = dated[place + 1] if place + 1 < len(dated) else None
        # A date that had passed when it was agreed on is due at once, not before.
        deadline, moved_by = _deadline(ship_by if change is None else max(ship_by, since), since, stretches)
        if starts_at is not None and starts_at > ship_by:
            deadline = None
        found.append(
            Promise(
                deadline=deadline,
                since=since,
                until=FOREVER if following is None else following.since,
                change=change,
                ended_by=None if following is None or following.change is None else following.change.stamp,
                proof=(*made_by, *moved_by),
            )
        )
    return found


def holds(order: Order, fulfillment_id: str) -> list[Hold]:
    """List the stretches of every hold that concerns this fulfilment, earliest first; several may overlap."""
    heard: list[OrderHeld | OrderReleased] = [*order.facts.of(OrderHeld), *order.facts.of(OrderReleased)]
    if not heard:
        return []
    stretches: list[Hold] = []
    on: dict[tuple[str | None, str], Stamp] = {}
    for event in sorted(heard, key=lambda switch: switch.stamp):
        reason = (event.fulfillment_id, event.reason)
        if event.fulfillment_id not in (None, fulfillment_id):
            continue
        if isinstance(event, OrderHeld):
            on.setdefault(reason, event.stamp)
        elif (begun := on.pop(reason, None)) is not None and begun.at < event.at:
            stretches.append(Hold(begun.at, event.at, (begun, event.stamp)))
    stretches.extend(Hold(begun.at, FOREVER, (begun,)) for begun in on.values())
    return sorted(stretches)


class _Dated(NamedTuple):
    """A date as it was given, before any hold."""

    ship_by: Instant
    since: Instant
    change: PromiseChanged | None
    made_by: tuple[Stamp, ...]


def _dated(order: Order, fulfillment: Fulfillment, policy: Policy) -> list[_Dated]:
    """List the dates of a fulfilment; the original, or what the rules want where there is none, first."""
    if fulfillment.ship_by is None:
        found = _by_rule(order, fulfillment, policy)
    else:
        found = [_Dated(fulfillment.ship_by, fulfillment.promised_at, None, ())]
    for change in order.facts.of(PromiseChanged):
        concerns = change.fulfillment_id in (None, fulfillment.id)
        if (
            change.ship_by is not None
            and concerns
            and (not found or counts(change.agreed_by, policy.late_shipment.promise))
        ):
            found.append(_Dated(change.ship_by, change.at, change, (change.stamp,)))
    return found


def _by_rule(order: Order, fulfillment: Fulfillment, policy: Policy) -> list[_Dated]:
    """Give the date that policy wants where nobody promised one, once its clock has started."""
    request = fulfillment.request
    approvals = order.facts.of(OrderApproved)[:1]
    if request is None or (policy.late_shipment.approval == "required" and not approvals):
        return []
    started = max(request.at, request.starts_at or request.at, *(one.at for one in approvals))
    ship_by = policy.dispatch_deadline(started, request.warehouse_id)
    made_by = (request.stamp, *(one.stamp for one in approvals))
    return [] if ship_by is None else [_Dated(ship_by, started, None, made_by)]


def counts(agreed_by: AgreedBy, counting: Counting) -> bool:
    """Say whether a date that somebody moved counts, by whose word counts."""
    return counting == "latest" or (counting == "agreed" and agreed_by != "merchant")


def due(deliver_by: Instant, policy: Policy, zone: str) -> Instant:
    """Give the instant until which a delivery date holds: itself, or where policy says so the end of its day."""
    whole_day = policy.late_delivery.date_promises == "end_of_day" and is_midnight(deliver_by, zone)
    return end_of_day(deliver_by, zone) if whole_day else deliver_by


def _deadline(ship_by: Instant, since: Instant, stretches: Sequence[Hold]) -> tuple[Instant | None, tuple[Stamp, ...]]:
    """Move a date by the time held before it was reached, each instant once, counted from the promise on."""
    deadline = ship_by
    since = counted = min(since, ship_by)
    proof: list[Stamp] = []
    for hold in stretches:
        if hold.begun > deadline:
            break
        if hold.over == FOREVER:
            return None, ()
        deadline += max(0, hold.over - max(hold.begun, counted))
        counted = max(counted, hold.over)
        if hold.over > since:
            proof.extend(hold.proof)
    return deadline, tuple(proof)
