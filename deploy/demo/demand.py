"""Who orders what and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from deploy.demo.catalogue import GOODS, HOURLY_ORDERS, LOCAL, REGIONS, SHOPS, WAREHOUSES
from deploy.demo.world import Line, Order, Surge, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_FEWEST_A_DAY: Final = 40
_MOST_A_DAY: Final = 75
_CUSTOMERS: Final = 900
_HOUR: Final = timedelta(hours=1)
_COMPANIONS: Final = 0.05


def demand(world: World) -> list[Order]:
    """Draft every order of the season: the daily curve, promotions, and what the story put there by hand."""
    drafts = [*world.orders, *_daily(world)]
    for surge in world.surges:
        drafts += _surge(world, surge)
    drafts = sorted((one for one in drafts if one.placed_at <= world.end), key=lambda one: one.placed_at)
    dice = world.dice("companions")
    return [order for draft in drafts for order in _with_companion(draft, dice)]


def draft(dice: Random, placed_at: datetime) -> Order:
    """Draft an order of an ordinary customer."""
    return Order(
        placed_at=placed_at,
        shop=dice.choices(SHOPS, [one.share for one in SHOPS])[0],
        customer_id=f"C-{dice.randrange(_CUSTOMERS):05d}",
        lines=_basket(dice),
        warehouse=dice.choices(list(WAREHOUSES.values()), [one.share for one in WAREHOUSES.values()])[0],
        destination=dice.choice(REGIONS),
    )


def _daily(world: World) -> Iterator[Order]:
    dice = world.dice("demand")
    hour, a_day = world.opening, dice.randint(_FEWEST_A_DAY, _MOST_A_DAY)
    while hour <= world.end:
        local = hour.astimezone(LOCAL).hour
        if local == 0:
            a_day = dice.randint(_FEWEST_A_DAY, _MOST_A_DAY)
        expected = a_day * HOURLY_ORDERS[local] / sum(HOURLY_ORDERS)
        for _ in range(int(expected + dice.random())):
            yield draft(dice, hour + timedelta(seconds=dice.randrange(3_600)))
        hour += _HOUR


def _surge(world: World, surge: Surge) -> Iterator[Order]:
    dice = world.dice(f"surge {surge.warehouse} {surge.since}")
    good = next(one for one in GOODS if one.sku == surge.sku)
    length = int((surge.until - surge.since).total_seconds())
    for _ in range(surge.orders):
        # People come in the evening: of two rolls by the clock, the one at the busier hour wins.
        rolled = [surge.since + timedelta(seconds=dice.randrange(length)) for _ in range(2)]
        order = draft(dice, max(rolled, key=lambda at: HOURLY_ORDERS[at.astimezone(LOCAL).hour]))
        order.warehouse = WAREHOUSES[surge.warehouse]
        order.lines = [Line("1", good, dice.choice((1, 1, 2)))]
        yield order


def _basket(dice: Random) -> list[Line]:
    size = dice.choices((1, 2, 3, 4), (0.52, 0.27, 0.14, 0.07))[0]
    goods = dice.sample(GOODS, size)
    return [
        Line(str(number), good, dice.choices((1, 2, 3), (0.75, 0.18, 0.07))[0]) for number, good in enumerate(goods, 1)
    ]


def _with_companion(order: Order, dice: Random) -> list[Order]:
    """Let some customers order again before the first order is packed; both go into one parcel."""
    if dice.random() >= _COMPANIONS or order.slip:
        return [order]
    second = draft(dice, order.placed_at + timedelta(minutes=dice.randrange(4, 50)))
    second.shop, second.customer_id = order.shop, order.customer_id
    second.warehouse, second.destination = order.warehouse, order.destination
    order.plain = second.plain = True
    order.companion = second
    return [order, second]
