"""Cases: complaints of one order that report the same trouble, on whatever channel, handled as one."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.complaints.complaint import Complaint, ComplaintOpened, Sibling
from domain.events import Stamp
from domain.instant import Duration

TROUBLES: Final = {
    "late": "late",
    "not_received": "late",
    "wrong_item": "mis_shipment",
    "missing_item": "mis_shipment",
    "extra_item": "mis_shipment",
    "damaged": "defect",
    "defective": "defect",
    "price_difference": "price",
}
"""Category to the trouble it speaks of. What is not named here says nothing that two complaints could share."""

MIS_SHIPMENTS: Final = frozenset(category for category, trouble in TROUBLES.items() if trouble == "mis_shipment")
"""Categories of complaint that report a mis-shipment."""


class Case(NamedTuple):
    """Complaints that are one trouble; a complaint that shares its trouble with none is a case by itself."""

    parts: tuple[Sibling, ...]
    """In the order in which they were opened."""

    @property
    def lead(self) -> Sibling:
        """Give the one that was opened first."""
        return self.parts[0]

    @property
    def merged(self) -> list[str]:
        """Name the others."""
        return [one.complaint_id for one in self.parts[1:]]

    def unanswered_since(self, complaint_id: str) -> Stamp:
        """Say which opening the time to answer one of them runs from."""
        return self._since(complaint_id, [((one.opened, one.answered),) for one in self.parts])

    def unresolved_since(self, complaint_id: str) -> Stamp:
        """Say which opening or reopening the time to resolve one of them runs from at first."""
        return self._since(complaint_id, [one.spells or ((one.opened, None),) for one in self.parts])

    def _since(self, complaint_id: str, clocks: Sequence[Sequence[tuple[Stamp, Stamp | None]]]) -> Stamp:
        """Give the earliest start that still ran as one of them was opened; where none did, its own opening."""
        begun: list[tuple[Stamp, Stamp | None]] = []
        for part, (first, *again) in zip(self.parts, clocks, strict=True):
            opened = part.opened
            running = (start for start, stop in begun if start <= opened and (stop is None or stop.at > opened.at))
            since = min(running, default=opened)
            if part.complaint_id == complaint_id:
                return since
            begun += ((since, first[1]), *again)
        raise ValueError(f"complaint {complaint_id} is no part of the case of {self.lead.complaint_id}")


def case(complaint: Complaint, opening: ComplaintOpened, within: Duration) -> Case:
    """Give the case of an opened complaint.

    A case takes in what was opened up to ``within`` after its first complaint; the next one begins another.
    """
    meaning = complaint.meaning
    own = Sibling(complaint.id, meaning.category, opening.stamp, meaning.answered, meaning.spells)
    parts: list[Sibling] = []
    for one in sorted((own, *_alike(own, complaint)), key=lambda part: (part.opened, part.complaint_id)):
        if parts and one.opened.at - parts[0].opened.at > within:
            if own in parts:
                break
            parts = []
        parts.append(one)
    return Case(tuple(parts))


def _alike(own: Sibling, complaint: Complaint) -> list[Sibling]:
    """List the other complaints of the order that speak of the same trouble."""
    trouble = TROUBLES.get(own.category or "")
    if trouble is None or complaint.order is None:
        return []
    others = (one for one in complaint.order.siblings if one.complaint_id != own.complaint_id)
    return [one for one in others if TROUBLES.get(one.category or "") == trouble]
