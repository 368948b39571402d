"""What is packed by mistake: something else, too little, or too much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import GOODS

if TYPE_CHECKING:
    from random import Random

    from deploy.demo.world import Fulfilment, Line, Packing, World

_ONE_IN: Final = 55
# Hangzhou checks its boxes by the table of bindings, so what is wrong there is the table.
_CARELESS: Final = ("W-CHENGDU", "W-SHENYANG")
KINDS: Final = ("wrong_item", "missing_item", "extra_item")


def mistake(world: World, packing: Packing) -> str | None:
    """Say what goes wrong at the packing table, if anything; only with whole orders, and only when somebody looks."""
    job, order = packing.job, packing.job.fulfilments[0].order
    simple = len(job.fulfilments) == len(order.fulfilments) == 1 and not job.fulfilments[0].implicit
    if not simple or job.warehouse.name not in _CARELESS or packing.packed_at <= world.start:
        return None
    world.numbers["boxes"] += 1
    number = world.numbers["boxes"] + world.dice("mistakes").randrange(_ONE_IN)
    return KINDS[number // _ONE_IN % len(KINDS)] if number % _ONE_IN == 0 else None


def left_out(contents: list[tuple[Fulfilment, Line]]) -> tuple[list[tuple[Fulfilment, Line]], Line] | None:
    """Take one piece out of a box that has several, and say which; None where it has only one."""
    one, line = contents[0]
    rest = contents[1:]
    if line.quantity > 1:
        rest = [(one, replace(line, quantity=line.quantity - 1)), *rest]
    return (rest, replace(line, quantity=1)) if rest else None


def with_mistake(items: list[dict[str, Any]], kind: str, dice: Random) -> list[dict[str, Any]]:
    """Write into a packing record something that nobody ordered, instead of the first item or besides."""
    other = dice.choice([good.sku for good in GOODS if good.sku not in {item["sku"] for item in items}])
    if kind == "extra_item":
        return [*items, {"order_id": items[0]["order_id"], "sku": other, "quantity": 1}]
    return [items[0] | {"sku": other}, *items[1:]]
