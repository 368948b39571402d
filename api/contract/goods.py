"""What is sent and answered about goods that customers are to send back or have destroyed."""

from typing import Annotated, Literal

from pydantic import Field

from api.contract.desk import Asked, Name, Time
from api.contract.incidents import AsOf, Told
from api.contract.money import Evidence
from domain.dispositions.events import Action

DispositionState = Literal["open", "overdue", "proven", "cancelled"]


class RequestDisposition(Asked):
    """Have the customer send goods back, or have them destroyed, until a time."""

    order_id: Name
    sku: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    action: Action
    until: Time
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    refund_on_proof: bool = False
    """No refund to this order before."""


class ProveDisposition(Asked):
    """Say how it is known: by a parcel that a carrier says came back, or by evidence."""

    parcel_id: Name | None = None
    evidence: Evidence = ()


class CancelDisposition(Asked):
    """Let the customer keep the goods, and say why."""

    why: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class Disposition(Told):
    """What is to become of goods, and what is known of it."""

    id: str
    incident: str
    order_id: str
    sku: str
    quantity: int
    action: str
    state: DispositionState
    until: str
    refund_on_proof: bool
    requested_by: str
    requested_at: str
    why: str
    parcel_id: str | None
    seen: str | None
    """The carrier's word that the parcel came back."""
    evidence: list[str]
    came_back: list[str]
    """Parcels of the order that came back since, as a carrier says: any of them is proof of a return."""
    ended_by: str | None
    ended_at: str | None
    ended_why: str | None
    position: str
    """Token: ask the views with ``min_position`` to see this."""


class DispositionPage(Told):
    """Goods by the time until which there must be proof."""

    dispositions: list[Disposition]
    next: str | None
    as_of: AsOf
