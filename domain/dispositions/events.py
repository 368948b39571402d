"""Disposition events: what was asked of goods that a customer has and should not keep, and what proved it."""

from typing import ClassVar, Literal

from domain.events import Event
from domain.instant import Instant

Action = Literal["return", "destroy"]


class _Said(Event, frozen=True, kw_only=True):
    at: Instant
    by: str
    why: str = ""
    command_id: str = ""
    digest: str = ""


class DispositionRequested(_Said, frozen=True, kw_only=True):
    """Goods are to come back or to be destroyed until a time."""

    TOPIC: ClassVar[str] = "disposition.requested.v1"
    incident: str
    order_id: str
    sku: str
    action: Action
    until: Instant
    quantity: int = 1
    refund_on_proof: bool = False
    """No refund to this order before."""


class DispositionOverdue(_Said, frozen=True, kw_only=True):
    """The time has come and there is no proof."""

    TOPIC: ClassVar[str] = "disposition.overdue.v1"


class DispositionProven(_Said, frozen=True, kw_only=True):
    """The goods are back or destroyed."""

    TOPIC: ClassVar[str] = "disposition.proven.v1"
    parcel_id: str | None = None
    """The parcel in which they came back."""
    seen: str | None = None
    """The carrier's last word on that parcel."""
    evidence: tuple[str, ...] = ()


class DispositionCancelled(_Said, frozen=True, kw_only=True):
    """The customer may keep them after all."""

    TOPIC: ClassVar[str] = "disposition.cancelled.v1"


DispositionEvent = DispositionRequested | DispositionOverdue | DispositionProven | DispositionCancelled
EVENTS = DispositionEvent.__args__
