"""The books of the packing tables: which boxes hold something else than they should."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from deploy.demo.complaints import ComplaintBook
from deploy.demo.wrong import Wrong


@dataclass(frozen=True, slots=True)
class _Box:
    parcel_id: str
    order_id: str
    hub: str
    packed_at: datetime


@dataclass(slots=True)
class Boxes:
    """Keeps the boxes that were packed wrong; none later than `end`."""

    end: datetime
    _wrong: list[_Box] = field(default_factory=list)

    def enter(self, parcel_id: str, order_id: str, hub: str, packed_at: datetime) -> None:
        """Enter a box with the wrong things in it."""
        if packed_at < self.end:
            self._wrong.append(_Box(parcel_id, order_id, hub, packed_at))

    def wrongs(self, book: ComplaintBook) -> list[Wrong]:
        """List wrong boxes until somebody made it up to the customer, and what only customers say of their boxes."""
        reports = book.mistakes()
        found = []
        for box in self._wrong:
            made_up = [book.settled(one) for one in reports.pop(box.order_id, [])]
            over = min((at for at in made_up if at is not None and at > box.packed_at), default=None)
            found.append(Wrong("mis_shipment", box.parcel_id, box.packed_at, over, box.order_id, box.hub))
        for several in reports.values():
            for one in several:
                if one.opened_at < self.end:
                    over = book.settled(one)
                    found.append(Wrong("mis_shipment", one.complaint_id, one.opened_at, over, one.order_id, one.hub))
        return found
