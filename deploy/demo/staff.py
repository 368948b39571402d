"""Who calls customers before they ask, and promises more than a warehouse keeps now and then."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from deploy.demo.calls import Call
from deploy.demo.catalogue import LOCAL
from deploy.demo.world import hours

if TYPE_CHECKING:
    from deploy.demo.world import World

_STAFF: Final = ("li.na", "wang.fang", "zhou.jie")
_CALLED: Final = 0.25


def staff_promise_to_ship(world: World) -> None:
    """Let staff call some of those whose order is late, and name a time until which it is handed over."""
    known = {one.fulfilments[0].fulfilment_id: one for one in world.orders if len(one.fulfilments) == 1}
    for late in world.ledger.wrongs():
        dice = world.dice(f"calls {late.key}")
        at = late.due_at + hours(dice, 1, 4)
        over = late.ended_at is not None and late.ended_at <= at
        if late.key in known and not over and dice.random() < _CALLED:
            until = (at + hours(dice, 4, 20)).replace(minute=0, second=0)
            call = Call(
                contact_id=f"call-{late.key}",
                at=at,
                fulfilment=late.key,
                order_id=known[late.key].order_id,
                by=dice.choice(_STAFF),
                until=until,
                said=f"ships before {_clock(until)}",
            )
            world.calls.enter(call, world.ledger.settled_at(late.key))


def _clock(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%m-%d %H:%M")
