"""Complaints as they are known once facts have been heard: C, about order O, opened at dawn unless said otherwise."""

from collections.abc import Iterable
from typing import Any, Final

from domain.complaints.complaint import (
    Complaint,
    ComplaintAnswered,
    ComplaintCategorised,
    ComplaintChange,
    ComplaintEscalated,
    ComplaintOpened,
    ComplaintOrderChanged,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWaiting,
    Sibling,
    decide,
    evolve,
)
from domain.detection import Finding
from domain.detectors import complaint_overdue
from domain.events import Stamp
from domain.policies.policy import DEFAULT, Policy
from tests.story import at, complained, fact, hours


def opened(when: float = 0, category: str | None = None, of: str = "O", **more: Any) -> ComplaintOpened:
    """Open complaint C about order O."""
    return complained(when, order_id=of, category=category, **more)


def answered(when: float, **more: Any) -> ComplaintAnswered:
    """Answer it."""
    return fact(ComplaintAnswered, when, complaint_id="C", **more)


def categorised(when: float, category: str, **more: Any) -> ComplaintCategorised:
    """Say what it is about."""
    return fact(ComplaintCategorised, when, complaint_id="C", category=category, **more)


def escalated(when: float) -> ComplaintEscalated:
    """Give it to somebody with more say."""
    return fact(ComplaintEscalated, when, complaint_id="C")


def resolved(when: float, **more: Any) -> ComplaintResolved:
    """Settle it."""
    return fact(ComplaintResolved, when, complaint_id="C", **more)


def reopened(when: float, **more: Any) -> ComplaintReopened:
    """Find that it was not settled."""
    return fact(ComplaintReopened, when, complaint_id="C", **more)


def waiting(when: float, on: str = "customer", **more: Any) -> ComplaintWaiting:
    """Wait on somebody."""
    return fact(ComplaintWaiting, when, complaint_id="C", on=on, **more)


def sibling(
    when: float,
    name: str = "C0",
    category: str | None = "late",
    answer: float | None = None,
    spells: Iterable[tuple[float, float | None]] = (),
) -> Sibling:
    """Describe another complaint of the order, when it was answered and from when to when it was unresolved."""
    stretches = tuple((_by(name, start), None if stop is None else _by(name, stop)) for start, stop in spells)
    answered_by = None if answer is None else _by(name, answer)
    return Sibling(name, category, _by(name, when), answered_by, stretches)


def _by(name: str, when: float) -> Stamp:
    return complained(when, name, key=name).stamp


def told(*siblings: Sibling, version: int = 1, of: str = "O", **more: Any) -> ComplaintOrderChanged:
    """Let the order say what it knows."""
    return ComplaintOrderChanged(order_id=of, version=version, siblings=siblings, **more)


def given(*heard: ComplaintChange, identity: str = "C") -> Complaint:
    """Hear all this, in this order."""
    complaint = Complaint(identity)
    for one in heard:
        for event in decide(complaint, one):
            complaint = evolve(complaint, event)
    return complaint


def overdue(
    *heard: ComplaintChange, now: float = 999, policy: Policy = DEFAULT
) -> list[tuple[str, float | None, float | None, float | None]]:
    """Say (rule, since, due, ended) of every clock that ran out."""
    return shown(complaint_overdue.findings(given(*heard), at(now), policy))


def shown(found: Iterable[Finding]) -> list[tuple[str, float | None, float | None, float | None]]:
    """Say (rule, since, due, ended) of findings."""
    return [(one.rule, hours(one.since), hours(one.due_at), hours(one.ended_at)) for one in found]


QUICK: Final = answered(0.5)
"""So that only the time to resolve is judged."""
FIRST: Final = ("first_response", 0, 1, None)
"""The time to respond of a complaint that nobody answers."""


def found(*heard: ComplaintChange, now: float = 999, policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Find what is overdue, and by what proof."""
    return complaint_overdue.findings(given(*heard), at(now), policy)


def resolution(
    *heard: ComplaintChange, now: float = 999, policy: Policy = DEFAULT
) -> list[tuple[float | None, float | None, float | None]]:
    """Say (since, due, ended) of the times to resolve that ran out, of what was answered at once."""
    return [one[1:] for one in overdue(opened(), QUICK, *heard, now=now, policy=policy) if one[0] == "resolution"]
