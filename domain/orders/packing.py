"""Packing: what an order lacked as its parcels were packed, where no packing list says what should be in each.

Readings of the rule where it leaves room: docs/adr/0010.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from domain.events import Stamp
from domain.instant import Instant
from domain.orders.fulfillment import Need, allot, fulfillments
from domain.orders.order import Order, OrderCancelled, OrderParcelChanged, OrderPlaced, Packed
from domain.orders.shortage import Lacking, Missing, Span, Supply

Items = tuple[tuple[str, int], ...]
"""SKU and quantity, sorted."""
WHOLE = ""
"""Stands for the one fulfilment of an order for which none was asked; no fulfilment has an empty id."""


class _Record(NamedTuple):
    """One packing record, and the parcel that it is of."""

    packed: Packed
    parcel: OrderParcelChanged

    def stands(self, at: Instant) -> bool:
        """Say whether the parcel has not been voided by an instant."""
        return self.parcel.voided_at is None or self.parcel.voided_at > at

    def counts(self, at: Instant) -> bool:
        """Say whether what was packed has not been voided, lost or sent back by an instant."""
        return self.stands(at) and (self.parcel.undone is None or self.parcel.undone.at > at)


class Packing:
    """The packing records of one order in the order of the world."""

    def __init__(self, order: Order, placed: OrderPlaced) -> None:
        """Prepare to answer for a placed order."""
        self._placed = placed
        self._lines = {line.line_id: line for line in placed.lines}
        requested = fulfillments(order, placed)
        self._requests = {one.id: one.request.stamp for one in requested if one.request is not None}
        asked = {one.id: one.quantities for one in requested}
        self._asked = asked or {WHOLE: _quantities(placed)}
        self._cancellations = order.facts.of(OrderCancelled)
        parcels = order.parcels.values()
        self._of_parcel = {one.parcel_id: [_Record(packed, one) for packed in one.packings] for one in parcels}
        self._records = sorted(chain.from_iterable(self._of_parcel.values()), key=lambda one: one.packed.stamp)
        self._unpacked = [one for one in parcels if one.packed is None]

    @classmethod
    def of(cls, order: Order, placed: OrderPlaced) -> "Packing":
        """Give it for an order as it stands, worked out once until the next event."""
        found: Packing | None = order.derived.get("packing")
        if found is None:
            found = order.derived["packing"] = cls(order, placed)
        return found

    def lacking(self, parcel: OrderParcelChanged) -> tuple[Lacking, ...]:
        """Say what the order lacked just before each packing of a parcel that has no list."""
        return tuple(self._lacking(one) for one in self._unlisted(parcel))

    def missing(self, parcel: OrderParcelChanged) -> tuple[Missing, ...]:
        """Say what each fulfilment of a parcel still lacked once that was packed, and what became of it."""
        return self._missing((one, name) for one in self._unlisted(parcel) for name in sorted(self._asked))

    def missing_before(self, missing: Sequence[Missing]) -> tuple[Missing, ...]:
        """Say the same of the parcels of these fulfilments that were packed before."""
        last = {one.fulfillment_id: one.packed for one in missing}
        told = {one.packed for one in missing}
        unlisted = [one for one in self._records if not one.packed.listed and one.packed.stamp not in told]
        return self._missing((one, name) for name in sorted(last) for one in unlisted if one.packed.stamp < last[name])

    def _unlisted(self, parcel: OrderParcelChanged) -> Iterator[_Record]:
        return (one for one in self._of_parcel[parcel.parcel_id] if not one.packed.listed)

    def _missing(self, records: Iterable[tuple[_Record, str]]) -> tuple[Missing, ...]:
        found = (self._short_after(one, name) for one, name in records if self._is_for(one.packed, name))
        return tuple(one for one in found if one is not None)

    def _lacking(self, packed: _Record) -> Lacking:
        others = self._others(packed)
        spent = sorted(self._spent(packed, others))
        return Lacking(packed.packed.stamp, self._left(packed, others), (("", self._placed.stamp), *spent))

    def _left(self, packed: _Record, others: Sequence[_Record]) -> tuple[tuple[str, str, int], ...]:
        """List what the others have left of the order, line by line, when one is packed."""
        gone, lines = self._gone(packed.packed.stamp), self._lines
        lacks: dict[Need, int] = {(WHOLE, name): 0 if name in gone else one.quantity for name, one in lines.items()}
        for record in others:
            for content in record.packed.contents:
                allot(self._placed, content, (WHOLE,), lacks)
        return tuple((name, lines[name].sku, quantity) for (_, name), quantity in lacks.items() if quantity)

    def _others(self, packed: _Record) -> list[_Record]:
        """List the records of other parcels that count when one is packed; what was lost is wanted again."""
        at, parcel = packed.packed.stamp, packed.parcel
        others = (one for one in self._records_at(at) if one.parcel is not parcel and one.counts(at.at))
        return [one for one in others if one.parcel.replaced_by != parcel.parcel_id]

    def _spent(self, packed: _Record, others: Sequence[_Record]) -> set[tuple[str, Stamp]]:
        """Name the cancellations and packings after which less was lacking of the SKUs in a box."""
        cancelled = [one for one in self._cancellations if one.stamp <= packed.packed.stamp]
        found = set[tuple[str, Stamp]]()
        for content in packed.packed.contents if cancelled or others else ():
            sku, lines = content.sku, self._placed.lines
            names = {line.line_id for line in lines if line.sku == sku or line.line_id == content.line_id}
            found.update((sku, one.stamp) for one in cancelled if not one.line_ids or names.intersection(one.line_ids))
            for other in others:
                if any(one.sku == sku or one.line_id in names for one in other.packed.contents):
                    found.add((sku, other.packed.stamp))
        return found

    def _short_after(self, record: _Record, name: str) -> Missing | None:
        stamp = record.packed.stamp
        items = self._short(name, stamp)
        if not items:
            return None
        mine = self._of(name)
        further = [one for one in mine if one.packed.stamp > stamp]
        handed = (one.parcel.possessed for one in mine if one.parcel.possessed and one.stands(one.parcel.possessed.at))
        followed = [Span(one.packed.stamp.at, one.parcel.voided_at) for one in further]
        return Missing(
            packed=stamp,
            fulfillment_id=name,
            items=items,
            by=(self._placed.stamp, *(asked for asked in (self._requests.get(name),) if asked is not None)),
            last=record.packed.last,
            handed_over=min(handed, default=None),
            followed=(*followed, *(Span(at) for at in self._taken_whole(name))),
            voided_at=record.parcel.voided_at,
            supplied=tuple(self._supplied(name, stamp, further)),
        )

    def _of(self, name: str) -> list[_Record]:
        return [one for one in self._records if self._is_for(one.packed, name)]

    def _supplied(self, name: str, after: Stamp, further: Sequence[_Record]) -> Iterator[Supply]:
        packed = {one.packed.stamp: one.parcel.parcel_id for one in further}
        gone = (Stamp(at, "", "") for one in further if (at := one.parcel.voided_at) is not None)
        taken = (Stamp(at, "", "") for at in self._taken_whole(name))
        others = (one for one in (*gone, *taken, *(one.stamp for one in self._cancellations)) if one > after)
        complete: Stamp | None = None
        for turn in sorted({*packed, *others}):
            short = bool(self._short(name, turn))
            if complete is None and not short:
                complete = turn
            elif complete is not None and short:
                yield Supply(complete, packed.get(complete), turn.at)
                complete = None
        if complete is not None:
            yield Supply(complete, packed.get(complete))

    def _short(self, name: str, upto: Stamp) -> Items:
        """List what a fulfilment lacks, gifts aside, once everything up to an event has happened."""
        if any(at <= upto.at for at in self._taken_whole(name)):
            return ()
        gone = self._gone(upto)
        asked = self._asked.items()
        lacks: dict[Need, int] = {
            (one, line): 0 if line in gone else quantity for one, lines in asked for line, quantity in lines.items()
        }
        # What was lost or came back was packed: no other box is to blame for it.
        for record in (one for one in self._records_at(upto) if one.stands(upto.at)):
            for content in record.packed.contents:
                allot(self._placed, content, self._named(record.packed), lacks)
        short: dict[str, int] = {}
        for (one, line_id), quantity in lacks.items():
            line = self._lines.get(line_id) if one == name and quantity > 0 else None
            if line is not None and not line.gift:
                short[line.sku] = short.get(line.sku, 0) + quantity
        return tuple(sorted(short.items()))

    def _records_at(self, upto: Stamp) -> Iterable[_Record]:
        """Give the packing records there are after an event: of each parcel the last one."""
        # In the order in which they were packed: what came first takes the line.
        return {one.parcel.parcel_id: one for one in self._records if one.packed.stamp <= upto}.values()

    def _taken_whole(self, name: str) -> Iterator[Instant]:
        """Give when parcels without a packing record, which carry all of their fulfilments, were first heard of."""
        for one in self._unpacked:
            if one.voided_at is None and (name in one.fulfillment_ids or not one.fulfillment_ids):
                heard = [one.labelled_at, None if one.possessed is None else one.possessed.at]
                yield from sorted(at for at in heard if at is not None)[:1]

    def _named(self, packed: Packed) -> list[str]:
        return sorted(self._asked.keys() & packed.fulfillment_ids or self._asked)

    def _is_for(self, packed: Packed, name: str) -> bool:
        """Say whether a parcel is one of a fulfilment: as it says itself, else as what lies in it says."""
        if not self._asked.keys().isdisjoint(packed.fulfillment_ids):
            return name in packed.fulfillment_ids
        held = {content.line_id for content in packed.contents} | {content.sku for content in packed.contents}
        lines = {line.line_id for line in self._placed.lines if line.line_id in held or line.sku in held}
        return bool(lines & self._asked[name].keys())

    def _gone(self, upto: Stamp) -> frozenset[str]:
        heard = [one for one in self._cancellations if one.stamp <= upto]
        if not heard:
            return frozenset()
        if any(not one.line_ids for one in heard):
            return frozenset(line.line_id for line in self._placed.lines)
        return frozenset(line for one in heard for line in one.line_ids)


def has_unlisted(parcel: OrderParcelChanged) -> bool:
    """Say whether any packing record of a parcel leaves it to the order to say what should be in the box."""
    return parcel.packed is not None and not (parcel.listed and all(one.listed for one in parcel.earlier))


def _quantities(placed: OrderPlaced) -> dict[str, int]:
    return {line.line_id: line.quantity for line in placed.lines}
