"""Fulfilments of an order: what each must ship, and when a carrier holds all of it.

Readings of the rule where it leaves room: docs/adr/0003.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import Stamp
from domain.instant import FOREVER, Instant
from domain.orders.order import (
    Content,
    FulfillmentRequested,
    Order,
    OrderCancelled,
    OrderParcelChanged,
    OrderPlaced,
)

Need = tuple[str, str]
"""Fulfilment id and line id."""
_LAST = "\U0010ffff"
"""Sorts behind every source and every id."""
_END = Stamp(FOREVER, _LAST, _LAST)


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """One clock's worth of an order; ``request`` is null for the implicit one."""

    id: str
    request: FulfillmentRequested | None
    warehouse_id: str | None
    quantities: dict[str, int]
    """Line id to pieces, before any cancellation."""
    ship_by: Instant | None
    """The original promise."""
    promised_at: Instant
    """When the original promise was made."""


def fulfillments(order: Order, placed: OrderPlaced) -> tuple[Fulfillment, ...]:
    """List the fulfilments of a placed order; the one due first is filled first."""
    found: tuple[Fulfillment, ...] | None = order.from_facts.get("fulfillments")
    if found is None:
        found = order.from_facts["fulfillments"] = _fulfillments(order, placed)
    return found


def _fulfillments(order: Order, placed: OrderPlaced) -> tuple[Fulfillment, ...]:
    ordered = _ordered(placed)
    requests: dict[str, list[FulfillmentRequested]] = {}
    for request in order.facts.of(FulfillmentRequested):
        requests.setdefault(request.fulfillment_id, []).append(request)
    if not requests and placed.ship_by is not None:
        return (Fulfillment(order.id, None, None, ordered, placed.ship_by, placed.at),)
    found = [
        Fulfillment(
            id=identity,
            request=first,
            warehouse_id=several[-1].warehouse_id,
            quantities=_requested(first, ordered),
            ship_by=placed.ship_by if first.ship_by is None else first.ship_by,
            promised_at=placed.at if first.ship_by is None else first.at,
        )
        for identity, several in requests.items()
        for first in several[:1]
    ]
    return tuple(sorted(found, key=lambda one: (FOREVER if one.ship_by is None else one.ship_by, one.id)))


def _ordered(placed: OrderPlaced) -> dict[str, int]:
    quantities: dict[str, int] = {}
    for line in placed.lines:
        quantities[line.line_id] = quantities.get(line.line_id, 0) + line.quantity
    return quantities


def _requested(request: FulfillmentRequested, ordered: dict[str, int]) -> dict[str, int]:
    if not request.lines:
        return ordered
    quantities: dict[str, int] = {}
    for line in request.lines:
        wanted = ordered.get(line.line_id, 0) if line.quantity is None else line.quantity
        quantities[line.line_id] = quantities.get(line.line_id, 0) + wanted
    return quantities


class Coverage:
    """Which fulfilments of one order are wholly in a carrier's hands at an instant."""

    def __init__(self, order: Order, placed: OrderPlaced) -> None:
        """Prepare to answer for the fulfilments of a placed order."""
        self._placed = placed
        self.fulfillments = fulfillments(order, placed)
        self._own = {one.id for one in self.fulfillments}
        self._cancellations = order.facts.of(OrderCancelled)
        self._known_parcels = order.parcels.values()
        held = [(parcel.possessed.at, parcel.parcel_id, parcel) for parcel in self._known_parcels if parcel.possessed]
        # No two parcels of an order have one id, so that none is compared with another.
        self._parcels = [parcel for _, _, parcel in (sorted(held) if len(held) > 1 else held)]
        self._known: dict[Stamp, frozenset[str]] = {}
        self._by_parcels: dict[tuple[str, ...], frozenset[str]] = {}

    def complete(self, fulfillment: Fulfillment, at: Instant) -> bool:
        """Say whether nothing that is needed at that instant is missing, once all of its events have happened."""
        if not self._parcels and not self._cancellations:
            return not any(fulfillment.quantities.values())
        return self._complete_after(fulfillment, Stamp(at, _LAST, _LAST))

    def completed_by(self, fulfillment: Fulfillment, after: Instant, otherwise: Stamp | None) -> Stamp | None:
        """Name the first event after an instant by which nothing is missing any more, or ``otherwise`` if sooner.

        Events of one instant happen one by one, by source and id.
        """
        turns: set[Stamp] = {parcel.possessed for parcel in self._parcels if parcel.possessed is not None}
        turns.update(cancelled.stamp for cancelled in self._cancellations)
        if otherwise is not None:
            turns.add(otherwise)
        return next(
            (
                turn
                for turn in sorted(turns)
                if turn.at > after and (turn == otherwise or self._complete_after(fulfillment, turn))
            ),
            None,
        )

    def packed(self, fulfillment: Fulfillment) -> bool:
        """Say whether everything needed is at least packed or labelled, by what is known now."""
        ready = [parcel for parcel in self._known_parcels if parcel.voided_at is None and _ready(parcel)]
        ready.sort(key=lambda parcel: parcel.parcel_id)
        return fulfillment.id in self._complete_with(ready, _END)

    def missing(self, fulfillment: Fulfillment) -> int:
        """Count the pieces that no carrier holds, by what is known now."""
        left = self._missing_with(self._holding(_END), _END)
        return sum(quantity for (identity, _), quantity in left.items() if identity == fulfillment.id)

    def _complete_after(self, fulfillment: Fulfillment, turn: Stamp) -> bool:
        known = self._known.get(turn)
        if known is None:
            known = self._known[turn] = self._complete_holding(self._holding(turn), turn)
        return fulfillment.id in known

    def _complete_holding(self, parcels: list[OrderParcelChanged], turn: Stamp) -> frozenset[str]:
        """Work it out once for the same parcels; which lines are cancelled depends on the event as well."""
        if self._cancellations:
            return self._complete_with(parcels, turn)
        names = tuple([parcel.parcel_id for parcel in parcels])
        known = self._by_parcels.get(names)
        if known is None:
            known = self._by_parcels[names] = self._complete_with(parcels, turn)
        return known

    def _holding(self, turn: Stamp) -> list[OrderParcelChanged]:
        return [
            parcel
            for parcel in self._parcels
            if parcel.possessed is not None
            and parcel.possessed <= turn
            and (parcel.voided_at is None or turn.at < parcel.voided_at)
        ]

    def _complete_with(self, parcels: list[OrderParcelChanged], turn: Stamp) -> frozenset[str]:
        missing = self._missing_with(parcels, turn)
        lacking = {identity for (identity, _), quantity in missing.items() if quantity > 0}
        return frozenset(self._own - lacking)

    def _missing_with(self, parcels: list[OrderParcelChanged], turn: Stamp) -> dict[Need, int]:
        missing = self._needed(turn)
        for parcel in parcels:
            self._take(parcel, missing)
        return missing

    def _needed(self, turn: Stamp) -> dict[Need, int]:
        gone: set[str] = set()
        for cancelled in self._cancellations:
            if cancelled.stamp <= turn:
                gone.update(cancelled.line_ids)
                if not cancelled.line_ids:
                    return {}
        return {
            (one.id, line): quantity
            for one in self.fulfillments
            for line, quantity in one.quantities.items()
            if line not in gone
        }

    def _take(self, parcel: OrderParcelChanged, missing: dict[Need, int]) -> None:
        """Take what a parcel carries out of what is missing."""
        named = self._own.intersection(parcel.fulfillment_ids)
        if parcel.contents is None:
            takers = named if parcel.fulfillment_ids else self._own
            missing.update((need, 0) for need in missing if need[0] in takers)
            return
        takers = named or self._own
        names = [one.id for one in self.fulfillments if one.id in takers]
        for content in parcel.contents:
            allot(self._placed, content, names, missing)


def allot(placed: OrderPlaced, content: Content, names: Sequence[str], missing: dict[Need, int]) -> None:
    """Take what lies in a parcel out of what fulfilments miss: of its line, else of any line of its SKU."""
    lines = [line.line_id for line in placed.lines if line.line_id == content.line_id]
    if not lines:
        lines = [line.line_id for line in placed.lines if line.sku == content.sku]
    left = content.quantity
    for name in names:
        for line_id in dict.fromkeys(lines):
            part = min(left, missing.get((name, line_id), 0))
            if part > 0:
                missing[name, line_id] -= part
                left -= part


def coverage(order: Order, placed: OrderPlaced) -> Coverage:
    """Give the coverage of an order as it stands, worked out once until the next event."""
    found: Coverage | None = order.derived.get("coverage")
    if found is None:
        found = order.derived["coverage"] = Coverage(order, placed)
    return found


def _ready(parcel: OrderParcelChanged) -> bool:
    return parcel.packed is not None or parcel.labelled_at is not None or parcel.possessed is not None
