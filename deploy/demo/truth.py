"""What went wrong in a season, all kinds, from the books alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.batches import PriceChange, Purchase
from deploy.demo.midnights import Stay, backlogs
from deploy.demo.wrong import Wrong

if TYPE_CHECKING:
    from deploy.demo.world import World

_MAY_BE_SILENT: Final = timedelta(hours=2)


def truth(world: World) -> list[dict[str, Any]]:
    """Return a line for everything that went wrong, in the order in which it became due."""
    found = [
        *world.ledger.wrongs(),
        *world.counters.wrongs(),
        *world.waybills.wrongs(),
        *world.complaints.wrongs(),
        *world.boxes.wrongs(world.complaints),
        *world.calls.wrongs(),
        *world.batches.wrongs(list(_purchases(world)), _names(world)),
        *_silences(world),
        *_backlogs(world),
    ]
    lines = [one.line() for one in found]
    return sorted(lines, key=lambda one: (str(one["due_at"]), str(one["incident"]), str(one["key"])))


def _silences(world: World) -> Iterator[Wrong]:
    for source, last, following in world.journal.silences(_MAY_BE_SILENT):
        yield Wrong("feed_silent", source, last + _MAY_BE_SILENT, following, hub=source.rsplit("/", 1)[-1])


def _backlogs(world: World) -> Iterator[Wrong]:
    late: defaultdict[str, list[Stay]] = defaultdict(list)
    for hub, stay in world.ledger.stays():
        late[hub].append(stay)
    for hub, stays in late.items():
        yield from backlogs("warehouse_backlog", hub, stays, world.end)
    for hub, stays in world.waybills.stays().items():
        yield from backlogs("carrier_backlog", hub, stays, world.end)


def _purchases(world: World) -> Iterator[Purchase]:
    for order in world.orders:
        for line in order.lines:
            price = world.price(line.good, order.shop.channel, order.placed_at)
            dropped_at = world.counters.dropped_at(order.order_id, line.line_id)
            yield Purchase(order.placed_at, line.good.sku, order.shop.channel, price, dropped_at)


def _names(world: World) -> dict[PriceChange, str]:
    """Say under which event id each price change was told."""
    told = {(at, source, subject): name for at, source, subject, name in world.journal.names()}
    prices = [one for one in world.batches.prices if one.at <= world.end]
    return {one: told[one.at, one.source, one.sku] for one in prices}
