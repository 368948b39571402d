"""The story of the season: one function per thing that goes wrong.

`SETTING` comes before anything is ordered and bends the world; `REACTIONS` come when the warehouses have their plans
and may take packings out of them; `AFTERMATH` comes when every parcel has been followed to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from deploy.demo.catalogue import CARRIERS, LOCAL, PROMISE, PROMOTED, WAREHOUSES
from deploy.demo.demand import draft
from deploy.demo.epidemics import (
    hangzhou_binds_the_wrong_lamp,
    kettles_break,
    lamp_buyers_open_their_boxes,
    prices_change,
    tea_buyers_want_the_difference,
)
from deploy.demo.grievances import (
    customers_ask_anything,
    customers_ask_when_it_ships,
    customers_miss_their_parcels,
    customers_notice_mistakes,
)
from deploy.demo.journey import facility
from deploy.demo.staff import staff_promise_to_ship
from deploy.demo.twists import agree, cancel
from deploy.demo.world import Jam, Order, Outage, Pace, Packing, Parcel, Stall, Surge, World, hours

if TYPE_CHECKING:
    from random import Random

Element = Callable[[World], None]
Reaction = Callable[[World, list[Packing]], list[Packing]]

# Hours after the start at which the mislaid orders of the backlog become late: the page must not stay empty.
_FIRST_LATE: Final = (1.0, 2.5, 4.0, 7.0, 11.0, 16.0)
_GIVES_UP: Final = 0.08
_ACCEPTS: Final = 0.18


def first_hours(world: World) -> None:
    """Mislay a few orders of the backlog, so that the first shipments are late within hours of the start."""
    dice = world.dice("first hours")
    for after in _FIRST_LATE:
        order = draft(dice, world.start + timedelta(hours=after) - PROMISE)
        order.slip = PROMISE + hours(dice, 1, 8)
        world.orders.append(order)


def promotion_overruns_chengdu(world: World) -> None:
    """Sell quilts by the dozen for a day; Chengdu falls behind for days, then catches up with extra shifts."""
    began = world.start + hours(world.dice("promotion"), 16, 20)
    slow_until, normal_from = began + timedelta(days=4), began + timedelta(days=8)
    world.surges.append(Surge(began, began + timedelta(hours=26), "W-CHENGDU", PROMOTED, 85))
    world.paces.append(Pace(began + timedelta(hours=4), slow_until, "W-CHENGDU", 0.36))
    world.paces.append(Pace(slow_until, normal_from, "W-CHENGDU", 1.7))


def yto_stays_away_from_hangzhou(world: World) -> None:
    """Keep the vans of yto away from Hangzhou for two days."""
    began = world.start + timedelta(days=2) + hours(world.dice("yto"), 0, 12)
    world.stalls.append(Stall(began, began + timedelta(hours=54), "yto", "W-HANGZHOU"))


def snow_in_shenyang(world: World) -> None:
    """Let a snowstorm leave Shenyang with an eighth of its staff in the third week, and keep zto away for two days."""
    began = world.start + timedelta(days=15) + hours(world.dice("snow"), 0, 24)
    world.paces.append(Pace(began, began + timedelta(days=3), "W-SHENYANG", 0.12))
    world.paces.append(Pace(began + timedelta(days=3), began + timedelta(days=6), "W-SHENYANG", 1.6))
    world.stalls.append(Stall(began, began + timedelta(hours=48), "zto", "W-SHENYANG"))


def hangzhou_is_short_of_staff(world: World) -> None:
    """Leave the season in the middle of trouble, so that a page left open has work on it when it ends."""
    began = world.end - timedelta(days=6)
    if began > world.start + timedelta(days=9):
        world.paces.append(Pace(began, world.end, "W-HANGZHOU", 0.20))


def yto_is_jammed_in_hangzhou(world: World) -> None:
    """Break the sorting line of yto's depot in Hangzhou for five days; vans go on bringing parcels."""
    began = world.start + timedelta(days=7) + hours(world.dice("jam"), 0, 8)
    depot = facility("yto", WAREHOUSES["W-HANGZHOU"].region, 1)
    world.jams.append(Jam(began, began + timedelta(hours=126), depot))


def carriers_fall_silent(world: World) -> None:
    """Take down the system of jd for twelve hours of a working day, and that of zto for a night."""
    day = (world.start + timedelta(days=18)).astimezone(LOCAL).date()
    working = datetime.combine(day, time(6, 20), LOCAL)
    world.outages.append(Outage(working, working + timedelta(hours=12), CARRIERS["jd"].source))
    night = working - timedelta(days=12, hours=5)
    world.outages.append(Outage(night, night + timedelta(hours=6), CARRIERS["zto"].source))


def customers_give_up(world: World, packings: list[Packing]) -> list[Packing]:
    """Let some customers cancel what is late and not packed yet."""
    return [one for one in packings if not _gives_up(world, one, world.dice(f"patience {one.job.name}"))]


def customers_accept_new_dates(world: World) -> None:
    """Let some customers agree to a new date, shortly before or after the old one breaks."""
    last: dict[str, Parcel] = {}
    for parcel in world.parcels:
        for one, _ in parcel.contents:
            known = last.setdefault(one.order.order_id, parcel)
            last[one.order.order_id] = max(known, parcel, key=lambda some: some.possession_at)
    for order in world.orders:
        if order.order_id in last and len(order.fulfilments) == 1:
            _accept(world, order, last[order.order_id].possession_at, world.dice(f"accept {order.order_id}"))


def _gives_up(world: World, packing: Packing, dice: Random) -> bool:
    job = packing.job
    order, due = job.fulfilments[0].order, world.ledger.deadline(job.name)
    alone = len(job.fulfilments) == len(order.fulfilments) == 1
    patience = hours(dice, 1, 14)
    if not alone or due is None or due + patience >= packing.packed_at - timedelta(hours=1):
        return False
    if dice.random() >= _GIVES_UP:
        return False
    cancel(world, order, due + patience, "too_late")
    return True


def _accept(world: World, order: Order, possession_at: datetime, dice: Random) -> None:
    due = world.ledger.deadline(order.fulfilments[0].fulfilment_id)
    if due is None or possession_at < due + timedelta(hours=16) or dice.random() >= _ACCEPTS:
        return
    at = due + hours(dice, -10, 14)
    agree(world, order, at, possession_at + hours(dice, 2, 20), by="customer", reason="told_and_agreed")


SETTING: Final[tuple[Element, ...]] = (
    first_hours,
    promotion_overruns_chengdu,
    yto_stays_away_from_hangzhou,
    snow_in_shenyang,
    hangzhou_is_short_of_staff,
    yto_is_jammed_in_hangzhou,
    carriers_fall_silent,
    hangzhou_binds_the_wrong_lamp,
    prices_change,
)
REACTIONS: Final[tuple[Reaction, ...]] = (customers_give_up,)
AFTERMATH: Final[tuple[Element, ...]] = (
    customers_accept_new_dates,
    lamp_buyers_open_their_boxes,
    kettles_break,
    tea_buyers_want_the_difference,
    customers_notice_mistakes,
    customers_miss_their_parcels,
    customers_ask_when_it_ships,
    customers_ask_anything,
    staff_promise_to_ship,
)
