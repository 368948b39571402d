"""Who complains of what goes wrong every day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from deploy.demo.catalogue import DELIVERY
from deploy.demo.service import complain
from deploy.demo.twists import cancel
from deploy.demo.world import Order, Parcel, World, hours

if TYPE_CHECKING:
    from random import Random

_ASKS_WHEN_IT_SHIPS: Final = 0.06
_MISSES_ITS_PARCEL: Final = 0.6
_NOTICES_A_MISTAKE: Final = 0.8
_ASKS_ANYTHING: Final = 0.012
# Goods that break on the way now and then; of each one piece a season, so that none looks like a bad batch.
_FRAGILE: Final = ("MUG-350-BLUE", "LAMP-DESK-W", "UMBRELLA-XL", "BOTTLE-750")
_SAYS_SO_ALONE: Final = 90
_WINDOW: Final = timedelta(days=15)


def customers_notice_mistakes(world: World) -> None:
    """Let most of those who were sent a wrong box say so."""
    for parcel in world.parcels:
        dice = world.dice(f"notices {parcel.parcel_id}")
        if parcel.mistake and parcel.delivered_at is not None and dice.random() < _NOTICES_A_MISTAKE:
            at = parcel.delivered_at + hours(dice, 1, 30)
            one, line = parcel.contents[0]
            complain(world, one.order, parcel.mistake, at, sku=line.good.sku)


def customers_miss_their_parcels(world: World) -> None:
    """Let customers ask for parcels that never came, and give them their money back once nobody has hope."""
    for parcel in world.parcels:
        order = parcel.contents[0][0].order
        last = parcel.scans[-1]
        if last.status == "lost":
            given_up_at = last.at + hours(world.dice(f"refund {parcel.parcel_id}"), 20, 60)
        elif last.status == "in_transit":
            given_up_at = last.at + _WINDOW + hours(world.dice(f"refund {parcel.parcel_id}"), 10, 50)
        else:
            continue
        dice = world.dice(f"misses {parcel.parcel_id}")
        if dice.random() < _MISSES_ITS_PARCEL:
            complain(world, order, "not_received", order.placed_at + DELIVERY + hours(dice, 4, 60))
        if _is_all_of(parcel, order):
            cancel(world, order, given_up_at, "lost")


def customers_ask_when_it_ships(world: World) -> None:
    """Let some customers complain that nothing ships, most of them while that is true."""
    for order in world.orders:
        dice = world.dice(f"asks {order.order_id}")
        deadline = world.ledger.deadline(order.fulfilments[0].fulfilment_id)
        waits = deadline is not None and _shipped_at(world, order) > deadline + timedelta(hours=8)
        if deadline is not None and waits and dice.random() < _ASKS_WHEN_IT_SHIPS:
            complain(world, order, "late", deadline + hours(dice, 1, 20))


def customers_ask_anything(world: World) -> None:
    """Let customers ask for invoices, report what broke on the way, and what only they say was wrong."""
    broken = set(_FRAGILE)
    delivered = [parcel for parcel in world.parcels if parcel.delivered_at is not None]
    for number, parcel in enumerate(sorted(delivered, key=_delivered)):
        order, dice = parcel.contents[0][0].order, world.dice(f"asks of {parcel.parcel_id}")
        at = _delivered(parcel) + hours(dice, 1, 40)
        skus = [line.good.sku for _, line in parcel.contents]
        sku = next((one for one in skus if one in broken), None)
        if sku is not None and number > len(_FRAGILE) * _SAYS_SO_ALONE and dice.random() < _ASKS_ANYTHING:
            broken.discard(sku)
            complain(world, order, "damaged", at, sku=sku)
        elif number % _SAYS_SO_ALONE == _SAYS_SO_ALONE // 2:
            _say_alone(world, parcel, at, dice)
        elif dice.random() < _ASKS_ANYTHING:
            complain(world, order, "other", at)


def _say_alone(world: World, parcel: Parcel, at: datetime, dice: Random) -> None:
    """Let a customer report a mistake of which no packing record knows."""
    one, line = parcel.contents[0]
    # A warehouse that keeps a table of bindings is not accused by chance: its mistakes are the story's.
    watched = world.binding(parcel.warehouse, world.end) is not None
    if len(one.order.fulfilments) == 1 and not parcel.mistake and not watched:
        complain(world, one.order, dice.choice(("wrong_item", "missing_item")), at, sku=line.good.sku)


def _delivered(parcel: Parcel) -> datetime:
    return parcel.delivered_at or parcel.labelled_at


def _shipped_at(world: World, order: Order) -> datetime:
    first = order.fulfilments[0].fulfilment_id
    here = [
        one.possession_at for one in world.parcels_of(order) if first in {of.fulfilment_id for of, _ in one.contents}
    ]
    never = world.end if order.cancelled_at is None else order.cancelled_at
    return max(here, default=never)


def _is_all_of(parcel: Parcel, order: Order) -> bool:
    """Say whether an order is just what this parcel carried."""
    held = sorted((line.line_id, line.quantity) for one, line in parcel.contents if one.order is order)
    wanted = sorted((line.line_id, line.quantity) for line in order.lines)
    return held == wanted and len(held) == len(parcel.contents)
