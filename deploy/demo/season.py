"""A seeded season of an online shop, with the truth about it; imports nothing of the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.demo.calls import Call
from deploy.demo.demand import demand
from deploy.demo.journal import COMPLAINTS, LOGISTICS, ORDERS, SeasonEvent
from deploy.demo.orders import take_orders
from deploy.demo.packing import pack
from deploy.demo.shipping import ship
from deploy.demo.story import AFTERMATH, REACTIONS, SETTING
from deploy.demo.truth import truth
from deploy.demo.world import World

__all__ = ["COMPLAINTS", "LOGISTICS", "ORDERS", "Season", "SeasonEvent", "season"]


@dataclass(frozen=True, slots=True)
class Season:
    """What is sent, in the order of arrival, whom staff call, and what goes wrong; at last, time stands at `end`."""

    start: datetime
    end: datetime
    events: list[SeasonEvent]
    calls: list[Call]
    truth: list[dict[str, Any]]


def season(seed: int, start: datetime, days: int = 28) -> Season:
    """Tell the season that belongs to this seed and start; the same ones tell the same season."""
    if start.tzinfo is None:
        raise ValueError("a season starts at a time with an offset")
    world = World(seed, start, days)
    for element in SETTING:
        element(world)
    packings = pack(world, take_orders(world, demand(world)))
    for reaction in REACTIONS:
        packings = reaction(world, packings)
    for packing in packings:
        ship(world, packing)
    for element in AFTERMATH:
        element(world)
    world.journal.tell_heartbeats(world.earliest + timedelta(hours=1), world.is_down)
    return Season(world.start, world.end, world.journal.published(), world.calls.made(), truth(world))
