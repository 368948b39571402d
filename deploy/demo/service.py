"""The service desk: how complaints are answered, waited for, settled and opened again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import DESK, LOCAL
from deploy.demo.complaints import Complaint
from deploy.demo.world import Order, World, hours, minutes

if TYPE_CHECKING:
    from random import Random

_CHANNELS: Final = ("app", "app", "app", "phone", "chat", "chat", "email", "platform")
_BY: Final = ("agent-01", "agent-02", "agent-03", "agent-04")
_MORNING: Final = 8
_NIGHT: Final = 22
_SLOW_ANSWER: Final = 0.08
_SLOW_ANSWER_AT_NIGHT: Final = 0.35
_SLOW: Final = 0.12
_WAITS: Final = 0.20
_REOPENED: Final = 0.10
_SLOW_AGAIN: Final = 0.4
# The golden ratio spreads what befalls complaints evenly over them, so that a season has some of everything.
_EVENLY: Final = 0.6180339887
_TOLD_TWICE: Final = 0.15
_FORGOTTEN: Final = 0.4
_COMPLEX: Final = 0.15
_UNNAMED: Final = 0.10
_TEXT: Final = {
    "late": "怎么还没发货？",
    "not_received": "一直没有收到快递。",
    "wrong_item": "收到的商品不对。",
    "missing_item": "少发了一件。",
    "extra_item": "多发了一件，需要退回吗？",
    "damaged": "收到时已经破损。",
    "defective": "用了几天就坏了。",
    "price_difference": "刚买就降价了，请退差价。",
    "other": "可以开发票吗？",
}


def complain(
    world: World,
    order: Order,
    category: str,
    at: datetime,
    *,
    sku: str | None = None,
    received: str | None = None,
) -> Complaint | None:
    """Let a customer complain, once an order, and plan what the desk does about it; None where it did before."""
    if order.complained or at > world.end:
        return None
    order.complained = True
    dice = world.dice(f"complaint {order.order_id}")
    one = _plan(world, order, category, at, dice)
    one.sku, one.received = sku, received
    _tell(world, one, dice)
    simple = one.waited is None and one.reopened is None and _in_time(one)
    if simple and category != "other" and dice.random() < _TOLD_TWICE:
        _tell(world, _twin(world, one, dice), dice)
    return one


def _plan(world: World, order: Order, category: str, at: datetime, dice: Random) -> Complaint:
    """Decide how the desk does; of what it may get wrong, a complaint meets one thing at most."""
    slow_answer = _SLOW_ANSWER if _MORNING <= at.astimezone(LOCAL).hour < _NIGHT else _SLOW_ANSWER_AT_NIGHT
    is_slow = dice.random() < slow_answer
    answered_at = at + (minutes(dice, 65, 300) if is_slow else minutes(dice, 2, 45))
    one = Complaint(
        complaint_id=_complaint_id(world),
        order_id=order.order_id,
        customer_id=order.customer_id,
        hub=order.warehouse.name,
        category=category,
        opened_at=at,
        answered_at=answered_at,
        resolved_at=answered_at + hours(dice, 2, 16),
    )
    if not is_slow and dice.random() < _UNNAMED:
        one.named_at = answered_at + minutes(dice, 1, 20)
    roll = 1.0 if is_slow else world.numbers["complaint"] * _EVENLY % 1
    if roll < _SLOW:
        one.resolved_at = at + hours(dice, 26, 60)
    elif roll < _SLOW + _WAITS:
        _let_wait(one, dice)
    elif roll < _SLOW + _WAITS + _REOPENED:
        again_at = one.resolved_at + hours(dice, 2, 30)
        one.reopened = (
            again_at,
            again_at + (hours(dice, 26, 40) if dice.random() < _SLOW_AGAIN else hours(dice, 2, 20)),
        )
    return one


def _let_wait(one: Complaint, dice: Random) -> None:
    """Wait for somebody: for the customer as long as it takes, for the carrier no longer than the clock allows."""
    one.waits_on = "carrier" if one.category == "not_received" else "customer"
    begun = one.answered_at + minutes(dice, 25, 60)
    over = begun + (hours(dice, 2, 12) if one.waits_on == "carrier" else hours(dice, 3, 40))
    one.waited = (begun, over)
    one.resolved_at = over + hours(dice, 1, 8)


def _in_time(one: Complaint) -> bool:
    answered, resolved = one.answered_at - one.opened_at, one.resolved_at - one.opened_at
    return answered <= timedelta(hours=1) and resolved <= timedelta(hours=20)


def _twin(world: World, one: Complaint, dice: Random) -> Complaint:
    """Let the customer say the same on another channel while the first word is not settled, and forget it at times."""
    at = one.opened_at + minutes(dice, 10, 110)
    settled_at = max(one.resolved_at, at + minutes(dice, 15, 30)) + minutes(dice, 1, 9)
    return Complaint(
        complaint_id=_complaint_id(world),
        order_id=one.order_id,
        customer_id=one.customer_id,
        hub=one.hub,
        category=one.category,
        opened_at=at,
        answered_at=at + minutes(dice, 2, 12),
        resolved_at=at + hours(dice, 26, 40) if dice.random() < _FORGOTTEN else settled_at,
        sku=one.sku,
        received=one.received,
    )


def _tell(world: World, one: Complaint, dice: Random) -> None:
    """Report what happens to a complaint, and enter it into the book."""
    world.complaints.enter(one)
    _say(world, one, one.opened_at, "opened", _opening(one, dice))
    by = {"by": dice.choice(_BY)}
    _say(world, one, one.answered_at, "answered", by | {"channel": dice.choice(_CHANNELS)})
    if one.named_at is not None:
        _say(world, one, one.named_at, "categorised", {"category": one.category} | by)
    if one.waited is not None:
        begun, over = one.waited
        _say(world, one, begun, "waiting", {"on": one.waits_on})
        _say(world, one, over, "waiting", {"on": "staff"})
    if one.resolved_at - one.opened_at > timedelta(hours=25) and one.waited is None:
        escalated = {"to": "team-lead", "reason": "not settled within a day"}
        _say(world, one, one.opened_at + timedelta(hours=25), "escalated", escalated)
    _say(world, one, one.resolved_at, "resolved", {"reason": "settled"})
    if one.reopened is not None:
        again_at, done_at = one.reopened
        _say(world, one, again_at, "reopened", {"reason": "customer not satisfied"})
        _say(world, one, done_at, "resolved", {"reason": "settled"})


def _opening(one: Complaint, dice: Random) -> dict[str, Any]:
    data: dict[str, Any] = {
        "order_id": one.order_id,
        "customer_id": one.customer_id,
        "channel": dice.choice(_CHANNELS),
        "complexity": "complex" if dice.random() < _COMPLEX else "general",
        "text": _TEXT[one.category],
        "language": "zh",
    }
    data["category"] = one.category if one.named_at is None else "other"
    if one.sku is not None:
        received = {} if one.received is None else {"received_sku": one.received}
        data["items"] = [{"sku": one.sku, "quantity": 1} | received]
    return data


def _say(world: World, one: Complaint, at: datetime, what: str, data: dict[str, Any]) -> None:
    said = {"complaint_id": one.complaint_id} | data
    world.journal.tell(at, DESK, f"complaint.{what}.v1", one.complaint_id, said)


def _complaint_id(world: World) -> str:
    world.numbers["complaint"] += 1
    return f"S{world.mark}-{world.numbers['complaint']:05d}"
