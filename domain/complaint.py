"""Complaint facts: what customers said, and what staff answered."""

from typing import ClassVar, Literal

import msgspec

from domain.events import Fact

Category = Literal[
    "late",
    "not_received",
    "wrong_item",
    "missing_item",
    "extra_item",
    "damaged",
    "defective",
    "price_difference",
    "other",
]
Complexity = Literal["general", "complex"]


class ComplainedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was wrong with one item."""

    sku: str
    received_sku: str | None = None
    quantity: int | None = None


class ComplaintOpened(Fact, frozen=True, kw_only=True):
    """A customer complained."""

    TOPIC: ClassVar[str] = "complaint.opened.v1"
    complaint_id: str
    channel: str
    order_id: str | None = None
    customer_id: str | None = None
    category: Category | None = None
    complexity: Complexity | None = None
    items: tuple[ComplainedItem, ...] = ()
    text: str | None = None
    language: str | None = None
    evidence: tuple[str, ...] = ()


class ComplaintAnswered(Fact, frozen=True, kw_only=True):
    """Somebody answered; the first answer stops the first-response clock."""

    TOPIC: ClassVar[str] = "complaint.answered.v1"
    complaint_id: str
    by: str | None = None
    channel: str | None = None


class ComplaintCategorised(Fact, frozen=True, kw_only=True):
    """Somebody said what it is about."""

    TOPIC: ClassVar[str] = "complaint.categorised.v1"
    complaint_id: str
    category: Category
    by: str | None = None


class ComplaintEscalated(Fact, frozen=True, kw_only=True):
    """It went to somebody with more say."""

    TOPIC: ClassVar[str] = "complaint.escalated.v1"
    complaint_id: str
    to: str | None = None
    reason: str | None = None


class ComplaintResolved(Fact, frozen=True, kw_only=True):
    """It was settled."""

    TOPIC: ClassVar[str] = "complaint.resolved.v1"
    complaint_id: str
    reason: str | None = None


class ComplaintReopened(Fact, frozen=True, kw_only=True):
    """It was not settled after all; its clock starts again."""

    TOPIC: ClassVar[str] = "complaint.reopened.v1"
    complaint_id: str
    reason: str | None = None


class ComplaintWaiting(Fact, frozen=True, kw_only=True):
    """It waits on somebody; only waiting on the customer pauses the resolution clock."""

    TOPIC: ClassVar[str] = "complaint.waiting.v1"
    complaint_id: str
    on: Literal["customer", "carrier", "staff"]


ComplaintFact = (
    ComplaintOpened
    | ComplaintAnswered
    | ComplaintCategorised
    | ComplaintEscalated
    | ComplaintResolved
    | ComplaintReopened
    | ComplaintWaiting
)
EVENTS = ComplaintFact.__args__
