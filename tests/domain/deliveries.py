"""Deliveries of order O: what arrives, what is promised, and what late_delivery makes of it."""

from typing import Any, Final

from domain.detection import Finding
from domain.detectors.late_delivery import findings
from domain.events import Fact
from domain.orders.order import PromiseChanged
from domain.policies.policy import DEFAULT, Policy
from tests.story import Given, at, fact, hours, placed, scanned

PROMISED: Final = placed(0, deliver_by=10)
Late = list[tuple[float | None, float | None]]


def arrived(when: float, name: str = "P", status: str = "delivered", **more: Any) -> Fact:
    """Bring a parcel of order O to its customer."""
    return scanned(when, name, status, **({"order_ids": ("O",)} | more))


def redated(when: float, deliver_by: float, agreed_by: str = "customer", **more: Any) -> PromiseChanged:
    """Move the delivery date of order O."""
    members: dict[str, Any] = {"order_id": "O", "agreed_by": agreed_by, "deliver_by": deliver_by} | more
    return fact(PromiseChanged, when, **members)


def found(*facts: Fact, now: float = 999, policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Look at order O."""
    return findings(Given(*facts).order(), at(now), policy)


def late(*facts: Fact, now: float = 999, policy: Policy = DEFAULT) -> Late:
    """Say (due, ended) of the broken promise of order O, if it is broken."""
    return [(hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, policy=policy)]
