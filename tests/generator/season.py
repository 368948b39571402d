"""Hypothesis strategies for seasons: the events of a few orders, and the orders in which they can arrive."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import event as label
from hypothesis import strategies as st

from tests.generator.complaints import tell_complaints
from tests.generator.labels import features
from tests.generator.noise import tell_end, tell_foreign, tell_items, tell_other
from tests.generator.orders import tell_order
from tests.generator.parcels import tell_parcels
from tests.generator.world import STEPS, Event, World

SIX_HOURS = timedelta(hours=6)
DELAYS, RANKS, ONE_IN = 12, 8, 50


class Arrival(NamedTuple):
    """Messages in the order in which they arrive, repeats included, and how many come with each poll."""

    messages: list[Event]
    batches: list[int]


@st.composite
def seasons(draw: st.DrawFn) -> list[Event]:
    """Draw the events of one to six orders, each event once, in no particular order."""
    world = World(draw)
    world.step = world.pick(STEPS)
    orders = [tell_order(world, number) for number in range(world.pick((1, 1, 2, 2, 3, 3, 4, 5, 6)))]
    tell_parcels(world, orders)
    for order in orders:
        if world.chance(15):
            tell_items(world, order)
    tell_complaints(world, [order.id for order in orders])
    tell_end(world)
    if world.chance(10):
        tell_foreign(world, 3, 9)
    for _ in range(world.pick((0, 0, 0, 1, 2))):
        tell_other(world, orders)
    if world.chance(15):
        world.tell_again(world.pick(world.events))
    for feature in sorted(features(world.events)):
        label(feature)
    return world.events


@st.composite
def arrivals(draw: st.DrawFn, season: Sequence[Event], lateness: timedelta = SIX_HOURS) -> Arrival:
    """Draw when each event comes, never later than the lateness allows, one in fifty again, and the polls."""
    world = World(draw)
    coming: list[tuple[datetime, int, int, Event]] = []
    for number, event in enumerate(season):
        again = True
        while again:
            cell, once_more = divmod(world.number(ONE_IN * RANKS * (DELAYS + 1)), ONE_IN)
            delay, rank = divmod(cell, RANKS)
            again = once_more == ONE_IN - 1
            at = datetime.fromisoformat(event["time"]) + delay * lateness / DELAYS
            coming.append((at, rank, number, event))
    messages = [event for *_, event in sorted(coming, key=lambda one: one[:3])]
    batches: list[int] = []
    while (left := len(messages) - sum(batches)) > 0:
        batches.append(min(left, world.pick((1, 1, 2, 3, 5, 8, 13, 500))))
    return Arrival(messages, batches)
