"""The books of the service desk: who complained of what, and whom it kept waiting for too long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deploy.demo.wrong import Wrong, earliest

_TO_ANSWER: Final = timedelta(hours=1)
_TO_SETTLE: Final = timedelta(hours=24)
_ONE_CASE: Final = timedelta(hours=72)
_Run = tuple[datetime, datetime]
"""From when to when a case wanted something."""
MISTAKES: Final = frozenset({"wrong_item", "missing_item", "extra_item"})
_SAME_TROUBLE: Final = {
    "late": "late",
    "not_received": "late",
    **dict.fromkeys(MISTAKES, "mistake"),
    "damaged": "defect",
    "defective": "defect",
    "price_difference": "price",
}


@dataclass(slots=True, eq=False)
class Complaint:
    """A complaint with everything that will be done about it; `named_at` is when staff said what it is about."""

    complaint_id: str
    order_id: str
    customer_id: str
    hub: str
    category: str
    opened_at: datetime
    answered_at: datetime
    resolved_at: datetime
    sku: str | None = None
    received: str | None = None
    named_at: datetime | None = None
    waited: tuple[datetime, datetime] | None = None
    waits_on: str = "customer"
    reopened: tuple[datetime, datetime] | None = None

    @property
    def settled_at(self) -> datetime:
        """Return when it was resolved for good."""
        return self.resolved_at if self.reopened is None else self.reopened[1]


@dataclass(slots=True)
class ComplaintBook:
    """Keeps every complaint; what would be done later than `end` is not known."""

    end: datetime
    complaints: list[Complaint] = field(default_factory=list)

    def enter(self, complaint: Complaint) -> None:
        """Enter a complaint, if anybody will hear of it."""
        if complaint.opened_at <= self.end:
            self.complaints.append(complaint)

    def settled(self, complaint: Complaint) -> datetime | None:
        """Return when it was resolved, unless it was reopened since or that is later than the end."""
        if complaint.reopened is not None and complaint.reopened[0] <= self.end:
            return self._known(complaint.reopened[1])
        return self._known(complaint.resolved_at)

    def category(self, complaint: Complaint) -> str:
        """Say what it is about, as far as that is known."""
        return complaint.category if complaint.named_at is None or complaint.named_at <= self.end else "other"

    def mistakes(self) -> dict[str, list[Complaint]]:
        """List by order the complaints that report something else in the box."""
        found: defaultdict[str, list[Complaint]] = defaultdict(list)
        for one in self.complaints:
            if self.category(one) in MISTAKES:
                found[one.order_id].append(one)
        return found

    def wrongs(self) -> list[Wrong]:
        """List every time that ran out before the desk was done."""
        began = self._cases()
        return [
            wrong
            for one in self.complaints
            for wrong in self._overdue(one, *began[one.complaint_id])
            if max(wrong.due_at, one.opened_at) < self.end
        ]

    def _cases(self) -> dict[str, tuple[datetime, datetime]]:
        """Say for every complaint since when its case, which may have several, wants an answer and a solution."""
        alike: defaultdict[tuple[str, str], list[Complaint]] = defaultdict(list)
        for one in sorted(self.complaints, key=lambda each: each.opened_at):
            trouble = _SAME_TROUBLE.get(self.category(one), one.complaint_id)
            alike[one.order_id, trouble].append(one)
        began: dict[str, tuple[datetime, datetime]] = {}
        for several in alike.values():
            first, unanswered, unsettled = several[0].opened_at, list[_Run](), list[_Run]()
            for one in several:
                if one.opened_at - first > _ONE_CASE:
                    first, unanswered, unsettled = one.opened_at, [], []
                since, still = _since(one, unanswered), _since(one, unsettled)
                began[one.complaint_id] = since, still
                unanswered.append((since, min(one.answered_at, one.resolved_at)))
                unsettled += [(still, one.resolved_at), *([one.reopened] if one.reopened else [])]
        return began

    def _overdue(self, one: Complaint, unanswered: datetime, unsettled: datetime) -> Iterator[Wrong]:
        answered, resolved = self._known(one.answered_at), self._known(one.resolved_at)
        clocks = [("first_response", unanswered + _TO_ANSWER, earliest(answered, resolved))]
        clocks += [("resolution", due, resolved) for due in self._to_settle(one, unsettled + _TO_SETTLE)]
        if one.reopened is not None and one.reopened[0] <= self.end:
            clocks.append(("resolution", one.reopened[0] + _TO_SETTLE, self._known(one.reopened[1])))
        for rule, due, done in clocks:
            if done is None or done > due:
                yield Wrong("complaint_overdue", one.complaint_id, due, done, one.order_id, one.hub, {"rule": rule})

    def _to_settle(self, one: Complaint, due: datetime) -> Iterator[datetime]:
        """Give the end of the time to settle it, which stands still while it is the customer's turn."""
        if one.waited is None or one.waits_on != "customer" or one.waited[0] > min(due, self.end):
            yield due
        elif one.waited[1] <= self.end:
            yield due + (one.waited[1] - one.waited[0])

    def _known(self, at: datetime) -> datetime | None:
        return at if at <= self.end else None


def _since(one: Complaint, runs: list[_Run]) -> datetime:
    """Return since when that which a complaint wants has been wanted, if it still was when it was opened."""
    return min([begun for begun, done in runs if begun <= one.opened_at < done], default=one.opened_at)
