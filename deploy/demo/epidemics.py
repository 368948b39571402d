"""What goes wrong for many customers at once: a wrong binding, a faulty batch, prices that fall."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from deploy.demo.batches import PriceChange
from deploy.demo.catalogue import LOCAL
from deploy.demo.service import complain
from deploy.demo.world import Binding, Order, Surge, World, hours, minutes

_LAMP: Final = "LAMP-DESK-W"
_UMBRELLA: Final = "UMBRELLA-XL"
_KETTLE: Final = "KETTLE-1L7"
_LONGJING: Final = "TEA-LONGJING-250"
_QUILT: Final = "QUILT-200-230"
_TABLE: Final = 17
_NOTICE: Final = 9
# So many customers must notice close together; fewer might be chance, of which the books could not be sure.
_ENOUGH: Final = 6
_TOGETHER: Final = timedelta(hours=60)
_COMPLAIN_OF_THE_PRICE: Final = 6


def hangzhou_binds_the_wrong_lamp(world: World) -> None:
    """Promote a lamp, and let Hangzhou pick umbrellas for it, by a new table that is mended two days later."""
    began = world.start + timedelta(days=12) + hours(world.dice("lamp"), 0, 6)
    mended = began + timedelta(hours=58)
    _bind(world, Binding(world.earliest + timedelta(hours=3), "W-HANGZHOU", f"{_TABLE}", _LAMP, _LAMP))
    if world.end > began + timedelta(days=10):
        world.surges.append(Surge(began + timedelta(hours=1), began + timedelta(hours=30), "W-HANGZHOU", _LAMP, 34))
        _bind(world, Binding(began, "W-HANGZHOU", f"{_TABLE + 1}", _LAMP, _UMBRELLA))
        _bind(world, Binding(mended, "W-HANGZHOU", f"{_TABLE + 2}", _LAMP, _LAMP))


def prices_change(world: World) -> None:
    """Sell quilts for a tenth by mistake for an hour, and cut the price of a tea for good."""
    evening = (world.start + timedelta(days=5)).astimezone(LOCAL).date()
    mistyped = datetime.combine(evening, time(21), LOCAL) + minutes(world.dice("quilt"), 0, 40)
    cut = world.start + timedelta(days=10) + hours(world.dice("tea"), 1, 9)
    for change in (
        PriceChange(world.earliest + timedelta(hours=3), _QUILT, "jd", "499.00", "/shops/jd"),
        PriceChange(mistyped, _QUILT, "jd", "49.90", "/shops/jd"),
        PriceChange(mistyped + timedelta(minutes=52), _QUILT, "jd", "499.00", "/shops/jd", mistaken=True),
        PriceChange(cut, _LONGJING, "tmall", "99.00", "/shops/tmall"),
    ):
        world.batches.prices.append(change)
        data = {"sku": change.sku, "price": change.price, "currency": "CNY", "sales_channel": change.channel}
        said = data | ({"mistaken": True} if change.mistaken else {})
        world.journal.tell(change.at, change.source, "price.changed.v1", change.sku, said)


def lamp_buyers_open_their_boxes(world: World) -> None:
    """Let some of those who got an umbrella for a lamp complain; the others do not know yet or say nothing."""
    wrong = f"{_TABLE + 1}"
    unboxed = []
    for parcel in world.parcels:
        version = parcel.binding
        lamps = [one.order for one, line in parcel.contents if line.good.sku == _LAMP]
        if version == wrong and parcel.delivered_at is not None and lamps:
            dice = world.dice(f"lamp {parcel.parcel_id}")
            unboxed.append((parcel.delivered_at + hours(dice, 1, 9), lamps[0]))
    noticed = _complaints(world, unboxed, "wrong_item", _LAMP, received=_UMBRELLA)
    if noticed is not None:
        world.batches.enter("mis_shipment_cluster", f"{_LAMP}:W-HANGZHOU:{wrong}", noticed, "W-HANGZHOU")


def kettles_break(world: World) -> None:
    """Let the kettles of one batch, sold within five days, break after a week."""
    since, broken = world.start + timedelta(days=4), world.start + timedelta(days=14)
    if world.end < broken + timedelta(days=5):
        return
    dice = world.dice("kettles")
    owners = [
        order
        for order in world.orders
        if since <= order.placed_at < since + timedelta(days=5)
        and any(line.good.sku == _KETTLE for line in order.lines)
        and (had_at := world.delivered_at(order)) is not None
        and had_at < broken
    ]
    dice.shuffle(owners)
    found = [(broken + timedelta(hours=5 * number) + minutes(dice, 0, 240), one) for number, one in enumerate(owners)]
    noticed = _complaints(world, found, "defective", _KETTLE)
    if noticed is not None:
        world.batches.enter("product_defect", _KETTLE, noticed)


def tea_buyers_want_the_difference(world: World) -> None:
    """Let some of those who had just bought tea ask for the difference."""
    cut = next(one for one in world.batches.prices if one.sku == _LONGJING)
    buyers = [
        order
        for order in world.orders
        if order.shop.channel == cut.channel
        and timedelta() < cut.at - order.placed_at < timedelta(days=12)
        and order.cancelled_at is None
        and any(line.good.sku == _LONGJING for line in order.lines)
    ]
    dice = world.dice("difference")
    for order in dice.sample(buyers, min(len(buyers), _COMPLAIN_OF_THE_PRICE)):
        complain(world, order, "price_difference", cut.at + hours(dice, 1, 70), sku=_LONGJING)


def _bind(world: World, binding: Binding) -> None:
    world.bindings.append(binding)
    data = {
        "listing_sku": binding.listing,
        "warehouse_sku": binding.shelf,
        "version": binding.version,
        "warehouse_id": binding.warehouse,
    }
    source = f"/warehouses/{binding.warehouse}"
    world.journal.tell(binding.since, source, "sku.binding_changed.v1", binding.listing, data)


def _complaints(
    world: World, candidates: list[tuple[datetime, Order]], category: str, sku: str, received: str | None = None
) -> datetime | None:
    """Let the first of these complain, one a customer, all of them close together; return when it began.

    Where fewer than it takes to be no chance would notice, nobody says anything.
    """
    chosen: dict[str, tuple[datetime, Order]] = {}
    for at, order in sorted(candidates, key=lambda one: (one[0], one[1].order_id)):
        began = next(iter(chosen.values()), (at,))[0]
        if not order.complained and at <= min(began + _TOGETHER, world.end) and len(chosen) < _NOTICE:
            chosen.setdefault(order.customer_id, (at, order))
    if len(chosen) < _ENOUGH:
        return None
    for at, order in chosen.values():
        complain(world, order, category, at, sku=sku, received=received)
    return next(iter(chosen.values()))[0]
