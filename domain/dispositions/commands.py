"""Disposition commands: what people want done with goods that a customer has and should not keep."""

from domain.dispositions.events import Action
from domain.incidents.commands import Command
from domain.instant import Instant


class RequestDisposition(Command, frozen=True, kw_only=True):
    """Have goods sent back or destroyed."""

    order_id: str
    sku: str
    action: Action
    until: Instant
    quantity: int = 1
    refund_on_proof: bool = False


class ProveDisposition(Command, frozen=True, kw_only=True):
    """Say how it is known that the goods are back or destroyed."""

    parcel_id: str | None = None
    evidence: tuple[str, ...] = ()


class CancelDisposition(Command, frozen=True, kw_only=True):
    """Let the customer keep them, because of ``why``."""
