"""What becomes of parcels that do not simply arrive, each at its own interval of parcels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from deploy.demo.scan import Scan
from deploy.demo.world import Parcel, World, hours

if TYPE_CHECKING:
    from random import Random

Route = tuple[Scan, ...]
Fate = Callable[[Route, "Random"], Route]

_ON_THE_WAY: Final = 4
_AT_THE_TARGET: Final = 5
_COMES_AFTER_ALL: Final = 0.5
_DELIVERED_ALL_THE_SAME: Final = 0.3


def fate(world: World, parcel: Parcel, route: Route, dice: Random) -> Route:
    """Return what really happens to a parcel that should have gone this way."""
    number = int(parcel.parcel_id[-6:])
    shared = len({one.order.order_id for one, _ in parcel.contents}) > 1
    for happens, interval in FATES.items():
        offset = world.dice(f"fate {happens.__name__}").randrange(interval)
        if number % interval == offset and not (shared and happens in (vanish, lose)):
            return happens(route, dice)
    return route


def vanish(route: Route, _dice: Random) -> Route:
    """Let nobody ever hear of it again once it has left."""
    return route[:_ON_THE_WAY]


def lose(route: Route, dice: Random) -> Route:
    """Let the carrier search for days, then say that it is lost."""
    last = route[_ON_THE_WAY - 1]
    return (*route[:_ON_THE_WAY], replace(last, at=last.at + hours(dice, 90, 190), status="lost"))


def refuse(route: Route, dice: Random) -> Route:
    """Let the customer refuse it, and send it back."""
    out = route[_AT_THE_TARGET]
    refused = replace(out, at=out.at + hours(dice, 1, 8), status="refused")
    back = replace(out, at=refused.at + hours(dice, 1, 20), status="return_to_sender")
    returned = replace(route[0], at=back.at + hours(dice, 40, 70), status="returned")
    return (*route[: _AT_THE_TARGET + 1], refused, back, returned)


def forget_in_locker(route: Route, dice: Random) -> Route:
    """Let it lie in a locker for days until the customer comes, or until it is sent back."""
    out = route[_AT_THE_TARGET]
    stored = replace(out, at=out.at + hours(dice, 1, 8), status="ready_for_pickup")
    begun = (*route[: _AT_THE_TARGET + 1], stored)
    if dice.random() < _COMES_AFTER_ALL:
        return (*begun, replace(out, at=stored.at + hours(dice, 76, 140), status="delivered"))
    back = replace(out, at=stored.at + hours(dice, 166, 180), status="return_to_sender")
    return (*begun, back, replace(route[0], at=back.at + hours(dice, 40, 70), status="returned"))


def misplace(route: Route, dice: Random) -> Route:
    """Let it lie at the target for days before somebody finds it."""
    later = timedelta(days=dice.choice((3, 4, 5)))
    return (*route[:_AT_THE_TARGET], *(replace(scan, at=scan.at + later) for scan in route[_AT_THE_TARGET:]))


def spoil(route: Route, dice: Random) -> Route:
    """Let it be damaged at the target; it goes back to the sender, or to the customer all the same."""
    damaged = replace(route[_AT_THE_TARGET - 1], at=route[_AT_THE_TARGET - 1].at + hours(dice, 1, 3), status="damaged")
    if dice.random() < _DELIVERED_ALL_THE_SAME:
        return (*route[:_AT_THE_TARGET], damaged, *route[_AT_THE_TARGET:])
    back = replace(damaged, at=damaged.at + hours(dice, 4, 20), status="return_to_sender")
    return (
        *route[:_AT_THE_TARGET],
        damaged,
        back,
        replace(route[0], at=back.at + hours(dice, 40, 70), status="returned"),
    )


# One in so many parcels; of two fates of one parcel the first counts.
FATES: Final[dict[Fate, int]] = {vanish: 110, lose: 125, refuse: 105, forget_in_locker: 95, misplace: 45, spoil: 90}
