"""Promises to ship: which date is in force when, and how holds move it.

Readings of the rule where it leaves room: docs/adr/0003.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.events import Stamp
from domain.fulfillment import Fulfillment
from domain.instant import FOREVER, Instant
from domain.order import Order, OrderHeld, OrderReleased, PromiseChanged
from domain.policy import Policy


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


def promises(order: Order, fulfillment: Fulfillment, policy: Policy) -> list[Promise]:
    """List the promises of a fulfilment in the order in which they counted."""
    dated = _dated(order, fulfillment, policy)
    if not dated:
        return []
    stretches = holds(order, fulfillment.id)
    starts_at = fulfillment.request.starts_at if fulfillment.request is not None else None
    found = []
    for place, (ship_by, since, change) in enumerate(dated):
        following = dated[place + 1] if place + 1 < len(dated) else None
        # A date that had passed when it was agreed on is due at once, not before.
        deadline, moved_by = _deadline(ship_by if change is None else max(ship_by, since), since, stretches)
        if starts_at is not None and starts_at > ship_by:
            deadline = None
        found.append(
            Promise(
                deadline=deadline,
                since=since,
                until=FOREVER if following is None else following[1],
                change=change,
                ended_by=None if following is None or following[2] is None else following[2].stamp,
                proof=moved_by if change is None else (change.stamp, *moved_by),
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


def _dated(
    order: Order, fulfillment: Fulfillment, policy: Policy
) -> list[tuple[Instant, Instant, PromiseChanged | None]]:
    """List (ship_by, in force from, by which change); the original first."""
    found: list[tuple[Instant, Instant, PromiseChanged | None]] = []
    if fulfillment.ship_by is not None:
        found.append((fulfillment.ship_by, fulfillment.promised_at, None))
    for change in order.facts.of(PromiseChanged):
        concerns = change.fulfillment_id in (None, fulfillment.id)
        if change.ship_by is not None and concerns and (not found or _moves(change, policy)):
            found.append((change.ship_by, change.at, change))
    return found


def _moves(change: PromiseChanged, policy: Policy) -> bool:
    counting = policy.late_shipment.promise
    return counting == "latest" or (counting == "agreed" and change.agreed_by != "merchant")


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
