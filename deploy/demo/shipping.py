"""From the packing table into a carrier's van: picking, packing, labels, remakes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import CARRIERS, DELIVERY, Carrier, Warehouse
from deploy.demo.journey import scans, tell_scans
from deploy.demo.mistakes import left_out, mistake, with_mistake
from deploy.demo.packing import opening
from deploy.demo.waybills import Waybill
from deploy.demo.world import Fulfilment, Job, Line, Packing, Parcel, World, hours, minutes

if TYPE_CHECKING:
    from random import Random

# What of which fulfilment lies in a parcel.
Contents = list[tuple[Fulfilment, Line]]

_REMADE: Final = 0.03
# A piece that was left out follows once the customer has missed it.
_FOLLOWS: Final = (110, 150)
_IN_TWO: Final = 0.08
_WITH_HOUSE_CARRIER: Final = 0.45
_LINES_UNNAMED: Final = 0.10
_FULFILMENTS_UNNAMED: Final = 0.30


@dataclass(frozen=True, slots=True)
class _Box:
    """A parcel before it has a label: what is in it, what its record says, when it was closed."""

    contents: Contents
    record: dict[str, Any]
    packed_at: datetime
    mistake: str = ""

    @property
    def first(self) -> Fulfilment:
        return self.contents[0][0]


def ship(world: World, packing: Packing) -> None:
    """Pack a job into its parcels, label them, and follow each to the customer's door."""
    dice = world.dice(f"job {packing.job.name}")
    wrong = mistake(world, packing)
    if wrong is not None:
        _ship_wrong(world, packing, wrong, dice)
        return
    parts = _parts(packing.job, dice)
    packed_at = packing.packed_at
    for number, part in enumerate(parts, 1):
        _send(world, _Box(part, _record(part, dice, last=number == len(parts)), packed_at), dice)
        packed_at = opening(packed_at + hours(dice, 1, 8))


def _ship_wrong(world: World, packing: Packing, kind: str, dice: Random) -> None:
    """Send a box with something else in it than there should be; what was left out follows days later."""
    one = packing.job.fulfilments[0]
    contents = [(one, line) for line in one.lines]
    record = _record(contents, dice, last=True, named=True)
    short = left_out(contents) if kind == "missing_item" else None
    if short is None:
        seen = "wrong_item" if kind == "missing_item" else kind
        record["contents"] = with_mistake(record["contents"], seen, dice)
        _send(world, _Box(contents, record, packing.packed_at, seen), dice)
        return
    rest, piece = short
    record["contents"] = [_item(of, line, named=True) for of, line in rest]
    _send(world, _Box(rest, record, packing.packed_at, kind), dice)
    follows_at = opening(packing.packed_at + hours(dice, *_FOLLOWS))
    missed = [(one, piece)]
    _send(world, _Box(missed, _record(missed, dice, last=True, named=True), follows_at), dice)


def _parts(job: Job, dice: Random) -> list[Contents]:
    """Put everything into one parcel, or now and then part of it into a second one."""
    contents = [(one, line) for one in job.fulfilments for line in one.lines]
    one, line = contents[0]
    alone = len(job.fulfilments) == 1 and not one.implicit
    if not alone or dice.random() >= _IN_TWO:
        return [contents]
    if len(contents) > 1:
        return [contents[:1], contents[1:]]
    if line.quantity > 1:
        return [[(one, replace(line, quantity=1))], [(one, replace(line, quantity=line.quantity - 1))]]
    return [contents]


def _send(world: World, box: _Box, dice: Random) -> None:
    parcel_id = _parcel_id(world)
    if not box.first.implicit:
        _pick(world, box, dice)
        if dice.random() < _REMADE and not box.mistake:
            parcel_id, box = _spoil(world, box, parcel_id, dice)
    parcel = _make(world, box, parcel_id, dice)
    parcel = replace(parcel, scans=scans(world, parcel, dice), mistake=box.mistake, binding=_binding(world, box))
    world.parcels.append(parcel)
    tell_scans(world, parcel, dice)
    _enter(world, parcel, box)


def _binding(world: World, box: _Box) -> str | None:
    return None if box.first.implicit else world.binding(box.first.warehouse, box.packed_at)


def _enter(world: World, parcel: Parcel, box: _Box) -> None:
    """Enter into the books what became of a parcel."""
    if box.mistake:
        order_id = box.first.order.order_id
        world.boxes.enter(parcel.parcel_id, order_id, parcel.warehouse.name, box.packed_at)
    paper = world.waybills.follow(parcel.parcel_id, parcel.scans)
    for one, line in box.contents:
        world.ledger.hand_over(one.fulfilment_id, line.line_id, line.quantity, parcel.possession_at)
        if paper is not None:
            world.counters.bring(one.order.order_id, line.line_id, line.quantity, paper.arrived_at)


def _pick(world: World, box: _Box, dice: Random) -> None:
    for one, line in box.contents:
        data = {
            "order_id": one.order.order_id,
            "sku": line.good.sku,
            "quantity": line.quantity,
            "warehouse_id": one.warehouse.name,
        }
        at = box.packed_at - minutes(dice, 2, 14)
        world.journal.tell(at, one.warehouse.source, "item.picked.v1", one.order.order_id, data)
        world.counters.pick(one.order.order_id, line.good.sku, at)


def _spoil(world: World, box: _Box, parcel_id: str, dice: Random) -> tuple[str, _Box]:
    """Make a parcel whose label turns out wrong, and void it for another one."""
    spoiled = _make(world, box, parcel_id, dice)
    voided_at, successor = spoiled.labelled_at + minutes(dice, 1, 8), _parcel_id(world)
    data = {"parcel_id": parcel_id, "replaced_by": successor}
    world.journal.tell(voided_at, box.first.warehouse.source, "parcel.voided.v1", parcel_id, data)
    world.waybills.void(parcel_id, voided_at)
    return successor, replace(box, packed_at=voided_at + minutes(dice, 2, 20))


def _make(world: World, box: _Box, parcel_id: str, dice: Random) -> Parcel:
    """Report a parcel as packed and labelled; a workshop only labels."""
    warehouse = box.first.warehouse
    carrier = _carrier(warehouse, dice)
    tracking = f"{carrier.prefix}{int(world.mark, 16):07d}{int(parcel_id[-6:]):06d}"
    labelled_at = box.packed_at + minutes(dice, 1, 9)
    label: dict[str, Any] = {
        "parcel_id": parcel_id,
        "carrier": carrier.name,
        "tracking_number": tracking,
        "order_ids": sorted({one.order.order_id for one, _ in box.contents}),
    }
    if not box.first.implicit:
        packed = {"parcel_id": parcel_id, "warehouse_id": warehouse.name} | box.record
        if (version := _binding(world, box)) is not None:
            packed["binding_version"] = version
        world.journal.tell(box.packed_at, warehouse.source, "parcel.packed.v1", parcel_id, packed)
        label["fulfillment_ids"] = _fulfilment_ids(box.contents)
    world.journal.tell(labelled_at, warehouse.source, "parcel.labelled.v1", parcel_id, label)
    orders = {one.order.order_id: one.order for one, _ in box.contents}
    promised = {name: order.placed_at + DELIVERY for name, order in orders.items()}
    world.waybills.label(Waybill(parcel_id, carrier.name, tuple(sorted(orders)), labelled_at, promised=promised))
    return Parcel(parcel_id, warehouse, carrier, tracking, tuple(box.contents), labelled_at)


def _record(contents: Contents, dice: Random, *, last: bool, named: bool = False) -> dict[str, Any]:
    """Write the packing record: what is in it, what should be, and what for."""
    named = dice.random() >= _LINES_UNNAMED or named
    items = [_item(one, line, named=named) for one, line in contents]
    record: dict[str, Any] = {
        "contents": items,
        "expected": [dict(item) for item in items],
        "weight_g": sum(line.quantity for _, line in contents) * 400 + dice.randrange(60, 300),
    }
    # Naming no fulfilment is only unambiguous for orders that have a single one.
    ambiguous = any(len(one.order.fulfilments) > 1 for one, _ in contents)
    if ambiguous or dice.random() >= _FULFILMENTS_UNNAMED:
        record["fulfillment_ids"] = _fulfilment_ids(contents)
    if last:
        record["last"] = True
    return record


def _item(one: Fulfilment, line: Line, *, named: bool) -> dict[str, Any]:
    item = {"order_id": one.order.order_id, "sku": line.good.sku, "quantity": line.quantity}
    return item | {"line_id": line.line_id} if named else item


def _fulfilment_ids(contents: Contents) -> list[str]:
    return sorted({one.fulfilment_id for one, _ in contents})


def _carrier(warehouse: Warehouse, dice: Random) -> Carrier:
    """Choose a carrier: by its share, but every second parcel goes with the house's own one."""
    if dice.random() < _WITH_HOUSE_CARRIER:
        return CARRIERS[warehouse.house_carrier]
    return dice.choices(list(CARRIERS.values()), [one.share for one in CARRIERS.values()])[0]


def _parcel_id(world: World) -> str:
    world.numbers["parcel"] += 1
    return f"P{world.mark}-{world.numbers['parcel']:06d}"
