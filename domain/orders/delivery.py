"""Delivery: how much of an order has come to its customer, or need not come any more.

Readings of the rule where it leaves room: docs/adr/0010.
"""

from collections.abc import Iterator

from domain.events import Stamp
from domain.instant import FOREVER, Instant
from domain.orders.fulfillment import Need, allot, fulfillments
from domain.orders.order import Order, OrderCancelled, OrderParcelChanged, OrderPlaced

_LAST = "\U0010ffff"
"""Sorts behind every source and every id."""
_ANY = ""
"""Stands for whichever fulfilment a line is shipped by."""


class Delivery:
    """What is left to deliver of one placed order, line by line, whoever was asked to ship it."""

    def __init__(self, order: Order, placed: OrderPlaced) -> None:
        """Prepare to answer for a placed order."""
        self._placed = placed
        self._cancellations = order.facts.of(OrderCancelled)
        requested = {one.id: one.quantities for one in fulfillments(order, placed)}
        self._requested = requested or {_ANY: self._all}
        arrivals = ((_settled(parcel), parcel) for parcel in order.parcels.values())
        self._arrivals = [(at, parcel) for at, parcel in arrivals if at is not None]
        self._arrivals.sort(key=lambda one: (_possessed(one[1]), one[1].parcel_id))

    @classmethod
    def of(cls, order: Order, placed: OrderPlaced) -> "Delivery":
        """Give it for an order as it stands, worked out once until the next event."""
        found: Delivery | None = order.derived.get("delivery")
        if found is None:
            found = order.derived["delivery"] = cls(order, placed)
        return found

    def complete(self, at: Instant) -> bool:
        """Say whether nothing is left to deliver once all events of an instant have happened."""
        return self._complete_after(Stamp(at, _LAST, _LAST))

    def completed_by(self, after: Instant) -> Stamp | None:
        """Name the first event after an instant by which nothing is left to deliver."""
        turns = {at for at, _ in self._arrivals} | {cancelled.stamp for cancelled in self._cancellations}
        return next((turn for turn in sorted(turns) if turn.at > after and self._complete_after(turn)), None)

    def _complete_after(self, turn: Stamp) -> bool:
        left: dict[Need, int] = {(_ANY, line_id): quantity for line_id, quantity in self._ordered(turn).items()}
        here = [parcel for at, parcel in self._arrivals if at <= turn]
        for name in {name for parcel in here if parcel.contents is None for name in self._names(parcel)}:
            for line_id, quantity in self._requested.get(name, {}).items():
                left[_ANY, line_id] = max(0, left.get((_ANY, line_id), 0) - quantity)
        for parcel in here:
            for content in parcel.contents or ():
                allot(self._placed, content, (_ANY,), left)
        return not any(left.values())

    def _names(self, parcel: OrderParcelChanged) -> Iterator[str]:
        """Name the fulfilments that a parcel without a packing record carries."""
        yield from parcel.fulfillment_ids or self._requested

    @property
    def _all(self) -> dict[str, int]:
        ordered: dict[str, int] = {}
        for line in self._placed.lines:
            ordered[line.line_id] = ordered.get(line.line_id, 0) + line.quantity
        return ordered

    def _ordered(self, turn: Stamp) -> dict[str, int]:
        ordered = self._all
        for cancelled in self._cancellations:
            if cancelled.stamp <= turn:
                for line_id in cancelled.line_ids or tuple(ordered):
                    ordered.pop(line_id, None)
        return ordered


def _settled(parcel: OrderParcelChanged) -> Stamp | None:
    """Give when a parcel was settled; a void that comes later does not take back what was delivered."""
    at = parcel.settled
    return None if at is None or (parcel.voided_at is not None and parcel.voided_at <= at.at) else at


def _possessed(parcel: OrderParcelChanged) -> Stamp:
    return parcel.possessed or Stamp(FOREVER, "", "")
