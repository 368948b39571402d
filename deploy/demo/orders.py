"""The life of an order in its shop: placed, approved, handed to warehouses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import DELIVERY, PROMISE, WAREHOUSES, Warehouse
from deploy.demo.journal import local_time
from deploy.demo.twists import choose_twist, late_approval
from deploy.demo.world import Fulfilment, Job, Line, Order, World, minutes

if TYPE_CHECKING:
    from random import Random

_SPLIT: Final = 0.12
_WORKSHOP: Final = 0.08
_PROMISED_AT_ONCE: Final = 0.10
_ALL_LINES_NAMED: Final = 0.5
_WITH_CUSTOMER: Final = 0.05
_TIERS: Final = ("standard", "standard", "standard", "silver", "gold")


def take_orders(world: World, drafts: list[Order]) -> list[Job]:
    """Report every order and what happens to it before packing, and say what there is to pack."""
    for number, order in enumerate(drafts, 1):
        order.order_id = f"{order.shop.prefix}{world.mark}-{number:05d}"
        _take(world, order, world.dice(f"order {number}"))
    world.orders = drafts
    return _jobs(drafts)


def _jobs(orders: list[Order]) -> list[Job]:
    """Make a job of each fulfilment, and one of both where a customer ordered twice."""
    seconds = {order.companion.order_id for order in orders if order.companion is not None}
    jobs = []
    for order in (one for one in orders if one.order_id not in seconds):
        together = order.companion.fulfilments if order.companion is not None else []
        if together:
            jobs.append(Job([*order.fulfilments, *together]))
        else:
            jobs += [Job([one]) for one in order.fulfilments]
    return jobs


def _take(world: World, order: Order, dice: Random) -> None:
    wanted = [(line.line_id, line.good.sku, line.quantity) for line in order.lines]
    world.counters.sell(order.order_id, order.warehouse.name, order.placed_at + DELIVERY, wanted)
    if order.shop.prefix == "OW" and not (order.plain or order.slip) and dice.random() < _WORKSHOP:
        _take_for_workshop(world, order, dice)
        return
    twist = None if order.plain or order.slip else choose_twist(order, dice)
    base = order.placed_at if twist is late_approval else _approve(world, order, dice)
    at_once = dice.random() < _PROMISED_AT_ONCE
    ship_by = (order.placed_at if at_once else base) + PROMISE
    _place(world, order, dice, ship_by if at_once else None)
    for number, (warehouse, lines) in enumerate(_split(order, dice), 1):
        requested_at = base + minutes(dice, 1, 15)
        one = Fulfilment(f"{order.order_id}-{number}", order, warehouse, lines, requested_at, requested_at)
        order.fulfilments.append(one)
        _request(world, one, dice, None if at_once else ship_by)
        _promise(world, one, order.placed_at if at_once else requested_at, ship_by)
        one.ready_at = requested_at + minutes(dice, 20, 180) + order.slip
    if twist is not None:
        twist(world, order, dice)


def _take_for_workshop(world: World, order: Order, dice: Random) -> None:
    """Sell something that the shop itself sends: no request, no packing record, the order is the fulfilment."""
    ship_by = order.placed_at + PROMISE
    _place(world, order, dice, ship_by)
    ready_at = order.placed_at + minutes(dice, 120, 600)
    only = Fulfilment(
        order.order_id, order, order.warehouse, list(order.lines), order.placed_at, ready_at, implicit=True
    )
    order.fulfilments.append(only)
    _promise(world, only, order.placed_at, ship_by)


def _place(world: World, order: Order, dice: Random, ship_by: datetime | None) -> None:
    region, postal_area = order.destination
    data: dict[str, Any] = {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "customer_tier": _TIERS[int(order.customer_id[2:]) % len(_TIERS)],
        "sales_channel": order.shop.channel,
        "currency": "CNY",
        "destination": f"{region} {postal_area}",
        "deliver_by": local_time(order.placed_at + DELIVERY),
        "lines": [_line(world, order, one) for one in order.lines],
    }
    if ship_by is not None:
        data["ship_by"] = local_time(ship_by)
    if dice.random() < _WITH_CUSTOMER:
        data["customer"] = _customer(order.customer_id)
    world.journal.tell(order.placed_at, order.shop.source, "order.placed.v1", order.order_id, data)


def _line(world: World, order: Order, line: Line) -> dict[str, Any]:
    return {
        "line_id": line.line_id,
        "sku": line.good.sku,
        "name": line.good.name,
        "quantity": line.quantity,
        "unit_price": world.price(line.good, order.shop.channel, order.placed_at),
    }


def _customer(customer_id: str) -> dict[str, str]:
    """Invent personal data that a tidy shop would never send; the tracker has to drop it."""
    number = customer_id[2:]
    return {
        "name": f"Nobody Invented-{number}",
        "phone": f"+86 000 000 {number}",
        "email": f"nobody.{number}@example.invalid",
    }


def _approve(world: World, order: Order, dice: Random) -> datetime:
    """Clear the payment, and return from when on the promise runs; some shops never say that they did."""
    if not order.slip and dice.random() >= order.shop.approves:
        return order.placed_at
    approved_at = order.placed_at + minutes(dice, 1, 9)
    data = {"order_id": order.order_id}
    world.journal.tell(approved_at, order.shop.source, "order.approved.v1", order.order_id, data)
    return approved_at


def _split(order: Order, dice: Random) -> list[tuple[Warehouse, list[Line]]]:
    """Say which warehouse sends what: usually one all, sometimes two by lines or by pieces."""
    whole = [(order.warehouse, list(order.lines))]
    if order.plain or order.slip or dice.random() >= _SPLIT:
        return whole
    other = dice.choice([one for one in WAREHOUSES.values() if one is not order.warehouse])
    if len(order.lines) > 1:
        return [(order.warehouse, order.lines[::2]), (other, order.lines[1::2])]
    only = order.lines[0]
    if only.quantity == 1:
        return whole
    here, there = replace(only, quantity=1), replace(only, quantity=only.quantity - 1)
    return [(order.warehouse, [here]), (other, [there])]


def _request(world: World, one: Fulfilment, dice: Random, ship_by: datetime | None) -> None:
    order = one.order
    data: dict[str, Any] = {
        "fulfillment_id": one.fulfilment_id,
        "order_id": order.order_id,
        "warehouse_id": one.warehouse.name,
    }
    if ship_by is not None:
        data["ship_by"] = local_time(ship_by)
    if one.lines != order.lines or dice.random() < _ALL_LINES_NAMED:
        data["lines"] = [{"line_id": line.line_id, "quantity": line.quantity} for line in one.lines]
    world.journal.tell(one.requested_at, order.shop.source, "fulfillment.requested.v1", order.order_id, data)


def _promise(world: World, one: Fulfilment, made_at: datetime, ship_by: datetime) -> None:
    owed = Counter({line.line_id: line.quantity for line in one.lines})
    world.ledger.promise(
        one.fulfilment_id,
        one.order.order_id,
        one.warehouse.name,
        made_at=made_at,
        ship_by=ship_by,
        owed=owed,
        requested=not one.implicit,
    )
