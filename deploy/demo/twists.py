"""What happens to an order between its request and its packing, at most one thing each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.journal import local_time
from deploy.demo.packing import opening
from deploy.demo.world import Fulfilment, Order, World, hours, minutes

if TYPE_CHECKING:
    from random import Random

Twist = Callable[[World, Order, "Random"], None]

_HOLD_REASONS: Final = ("payment", "fraud", "address", "customer_request", "stock")
_HOPELESS: Final = 0.12
_NEVER_RESTOCKED: Final = 0.25


def choose_twist(order: Order, dice: Random) -> Twist | None:
    """Pick what happens to this order; nothing at all to most."""
    twist = dice.choices([None, *TWISTS], [1 - sum(TWISTS.values()), *TWISTS.values()])[0]
    return None if twist is cancel_line and len(order.lines) == 1 else twist


def hold(world: World, order: Order, dice: Random) -> None:
    """Stop the shipping clock for some hours; now and then the order is cancelled instead of released."""
    held, scope = _scope(order, dice)
    reason = dice.choice(_HOLD_REASONS)
    since = _latest_request(order) + minutes(dice, 2, 18)
    until = since + hours(dice, 3, 40)
    hopeless = len(order.fulfilments) == 1 and dice.random() < _HOPELESS
    _tell(world, order, since, "order.held.v1", scope | {"reason": reason})
    if not hopeless:
        _tell(world, order, until, "order.released.v1", scope | {"reason": reason})
    for one in held:
        world.ledger.pause(one.fulfilment_id, since, None if hopeless else until)
        one.ready_at = max(one.ready_at, until + minutes(dice, 20, 90))
    if hopeless:
        cancel(world, order, until, reason)


def late_approval(world: World, order: Order, dice: Random) -> None:
    """Clear the payment hours or days late: the promise runs from the order, the warehouse has to wait."""
    approved_at = order.placed_at + hours(dice, 6, 70)
    _tell(world, order, approved_at, "order.approved.v1", {})
    for one in order.fulfilments:
        world.ledger.approve(one.fulfilment_id, approved_at)
        one.ready_at = max(one.ready_at, approved_at + minutes(dice, 20, 180))


def cancel_order(world: World, order: Order, dice: Random) -> None:
    """Let the customer think better of it before anything is packed."""
    cancel(world, order, _latest_request(order) + minutes(dice, 1, 15), "changed_mind")


def cancel_line(world: World, order: Order, dice: Random) -> None:
    """Let the customer drop one line before anything is packed."""
    at = _latest_request(order) + minutes(dice, 1, 15)
    line = dice.choice(order.lines)
    data = {"line_ids": [line.line_id], "reason": "changed_mind"}
    _tell(world, order, at, "order.cancelled.v1", data)
    _drop(world, order, {line.line_id}, at)


def customer_moves(world: World, order: Order, dice: Random) -> None:
    """Let the customer ask for a later date; that date counts."""
    _move(world, order, dice, "customer", "on_holiday")


def platform_moves(world: World, order: Order, dice: Random) -> None:
    """Let the platform give everybody a day more; that date counts."""
    _move(world, order, dice, "platform", "weather")


def merchant_moves(world: World, order: Order, dice: Random) -> None:
    """Let the merchant alone write a later date; the old one keeps counting."""
    _move(world, order, dice, "merchant", "short_of_staff")


def mislay(_world: World, order: Order, dice: Random) -> None:
    """Let the warehouse find it days later, or just in time."""
    for one in order.fulfilments:
        one.ready_at += hours(dice, 30, 62)


def out_of_stock(world: World, order: Order, dice: Random) -> None:
    """Let the picker find an empty shelf; it is filled again a day or two later, or the item is cancelled."""
    one = order.fulfilments[0]
    line = one.lines[0]
    at = opening(one.ready_at) + minutes(dice, 3, 40)
    if at <= world.start:
        return
    what = {"order_id": order.order_id, "sku": line.good.sku, "warehouse_id": one.warehouse.name}
    source = one.warehouse.source
    empty = what | {"quantity": line.quantity}
    world.journal.tell(at, source, "item.out_of_stock.v1", order.order_id, empty)
    world.counters.find_empty(order.order_id, line.good.sku, one.warehouse.name, at)
    again_at = at + hours(dice, 8, 46)
    one.ready_at = again_at + minutes(dice, 10, 60)
    if dice.random() >= _NEVER_RESTOCKED:
        world.journal.tell(again_at, source, "item.restocked.v1", order.order_id, what)
    elif len(order.lines) == 1:
        cancel(world, order, again_at, "out_of_stock")
    else:
        data = {"line_ids": [line.line_id], "reason": "out_of_stock"}
        _tell(world, order, again_at, "order.cancelled.v1", data)
        _drop(world, order, {line.line_id}, again_at)


# Each with its share of all orders.
TWISTS: Final[dict[Twist, float]] = {
    hold: 0.05,
    cancel_order: 0.03,
    cancel_line: 0.05,
    late_approval: 0.03,
    customer_moves: 0.03,
    platform_moves: 0.015,
    merchant_moves: 0.02,
    mislay: 0.018,
    out_of_stock: 0.018,
}


def cancel(world: World, order: Order, at: datetime, reason: str) -> None:
    """Cancel a whole order; what is on its way already is waited for no more."""
    _tell(world, order, at, "order.cancelled.v1", {"reason": reason})
    order.cancelled_at = at
    world.waybills.cancel(order.order_id, at)
    _drop(world, order, {line.line_id for line in order.lines}, at)


def agree(world: World, order: Order, at: datetime, ship_by: datetime, *, by: str, reason: str) -> None:
    """Report a new date for the whole order; it binds unless the merchant alone wrote it."""
    data = {"ship_by": local_time(ship_by), "agreed_by": by, "reason": reason}
    _tell(world, order, at, "order.promise_changed.v1", data)
    if by != "merchant":
        for one in order.fulfilments:
            world.ledger.agree(one.fulfilment_id, at, ship_by)


def _move(world: World, order: Order, dice: Random, by: str, reason: str) -> None:
    at = _latest_request(order) + minutes(dice, 2, 18)
    later = hours(dice, 20, 60)
    deadlines = [world.ledger.deadline(one.fulfilment_id) for one in order.fulfilments]
    ship_by = max(one for one in deadlines if one is not None) + later
    agree(world, order, at, ship_by, by=by, reason=reason)
    for one in order.fulfilments:
        one.ready_at = max(one.ready_at + later - timedelta(hours=dice.randrange(20)), at)


def _drop(world: World, order: Order, lines: set[str], at: datetime) -> None:
    for one in order.fulfilments:
        one.lines = [line for line in one.lines if line.line_id not in lines]
        for line in sorted(lines):
            world.ledger.drop(one.fulfilment_id, line, at)
    for line in sorted(lines):
        world.counters.drop(order.order_id, line, at)


def _scope(order: Order, dice: Random) -> tuple[list[Fulfilment], dict[str, Any]]:
    """Say whether the whole order is meant or one of its fulfilments."""
    if len(order.fulfilments) == 1 or dice.random() < 0.5:  # noqa: PLR2004 - even odds
        return order.fulfilments, {}
    one = dice.choice(order.fulfilments)
    return [one], {"fulfillment_id": one.fulfilment_id}


def _latest_request(order: Order) -> datetime:
    return max(one.requested_at for one in order.fulfilments)


def _tell(world: World, order: Order, at: datetime, kind: str, data: dict[str, Any]) -> None:
    world.journal.tell(at, order.shop.source, kind, order.order_id, {"order_id": order.order_id} | data)
