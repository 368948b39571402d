"""Disposition: what is to become of goods that a customer has and should not keep, tracked until there is proof of it.

One stream an order and SKU. Goods are to be sent back or destroyed until a time; proof is a parcel that the tracker saw
come back, or evidence that staff name. Once it is proven or called off, another one may be asked for.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from domain.dispositions.commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.dispositions.events import (
    DispositionCancelled,
    DispositionEvent,
    DispositionOverdue,
    DispositionProven,
    DispositionRequested,
)
from domain.errors import IllegalStep
from domain.incidents.commands import Command
from domain.incidents.events import CLOCK
from domain.instant import Instant

Status = Literal["none", "open", "overdue", "proven", "cancelled"]


@dataclass(slots=True)
class Disposition:
    """What has become of the goods so far. Owned by whoever loaded it; ``evolve`` changes it in place."""

    id: str = ""
    requested: DispositionRequested | None = None
    overdue: bool = False
    ended: DispositionProven | DispositionCancelled | None = None
    commands: dict[str, str] = field(default_factory=dict)
    """Digest of every command that had an effect, by its id."""

    @property
    def status(self) -> Status:
        """Say where it stands."""
        if self.ended is not None:
            return "proven" if isinstance(self.ended, DispositionProven) else "cancelled"
        if self.requested is None:
            return "none"
        return "overdue" if self.overdue else "open"


def due(disposition: Disposition) -> Instant | None:
    """Give the instant from which on it is overdue; none where it is so already, or has ended."""
    asked = disposition.requested
    return asked.until if asked is not None and disposition.status == "open" else None


def pass_time(disposition: Disposition, until: Instant) -> tuple[DispositionOverdue, ...]:
    """Tell whether time alone made it overdue before ``until``, at its own time."""
    at = due(disposition)
    return () if at is None or at >= until else (DispositionOverdue(at=at, by=CLOCK),)


def request(
    disposition: Disposition, command: RequestDisposition, incident: str, at: Instant
) -> tuple[DispositionRequested, ...]:
    """Ask for it; nothing where just this was asked for before.

    Raises:
        IllegalStep: something else is asked of these goods already, or the time has passed.
    """
    if is_done(disposition, command):
        return ()
    if command.until <= at:
        raise IllegalStep("in_the_past", "The time until which there must be proof must lie in the future.")
    wanted = DispositionRequested(
        **_stamp(command, at),
        incident=incident,
        order_id=command.order_id,
        sku=command.sku,
        action=command.action,
        until=command.until,
        quantity=command.quantity,
        refund_on_proof=command.refund_on_proof,
    )
    known = disposition.requested
    if known is not None and disposition.ended is None:
        raise IllegalStep("already_requested", f"{known.by} has asked to {known.action} these goods; settle that.")
    return (wanted,)


def prove(
    disposition: Disposition, command: ProveDisposition, seen: str | None, at: Instant
) -> tuple[DispositionProven, ...]:
    """Record the proof; ``seen`` is the carrier's word that the goods came back in the parcel.

    Raises:
        IllegalStep: there is nothing to prove, or this is no proof of it.
    """
    if is_done(disposition, command):
        return ()
    asked = _open(disposition)
    if asked.action == "destroy" and not command.evidence:
        raise IllegalStep("evidence_missing", "That goods are destroyed needs evidence, such as a link to a photo.")
    if command.parcel_id is None and not command.evidence:
        raise IllegalStep("evidence_missing", "Name the parcel in which the goods came back, or the evidence.")
    if command.parcel_id is not None and seen is None:
        raise IllegalStep(
            "parcel_not_returned", "No carrier has said that these goods came back in this parcel; name the evidence."
        )
    return (
        DispositionProven(**_stamp(command, at), parcel_id=command.parcel_id, seen=seen, evidence=command.evidence),
    )


def cancel(disposition: Disposition, command: CancelDisposition, at: Instant) -> tuple[DispositionCancelled, ...]:
    """Call it off.

    Raises:
        IllegalStep: there is nothing to call off, or no reason is given.
    """
    if is_done(disposition, command):
        return ()
    _open(disposition)
    if not command.why.strip():
        raise IllegalStep("reason_missing", "Say why the goods need not come back nor be destroyed.")
    return (DispositionCancelled(**_stamp(command, at)),)


def evolve(disposition: Disposition, event: DispositionEvent) -> Disposition:
    """Apply one event. Refuses nothing and reads no clock."""
    match event:
        case DispositionRequested():
            disposition.requested, disposition.overdue, disposition.ended = event, False, None
        case DispositionOverdue():
            disposition.overdue = True
        case DispositionProven() | DispositionCancelled():
            disposition.ended = event
    if event.command_id:
        disposition.commands[event.command_id] = event.digest
    return disposition


def is_done(disposition: Disposition, command: Command) -> bool:
    """Say whether a command came before under its id.

    Raises:
        IllegalStep: another command came under this id.
    """
    known = disposition.commands.get(command.command_id) if command.command_id else None
    if known is not None and known != command.digest:
        raise IllegalStep("command_id_reused", "Another command was carried out under this id; give each its own.")
    return known is not None


def _open(disposition: Disposition) -> DispositionRequested:
    if disposition.requested is None:
        raise IllegalStep("nothing_requested", "Nobody has asked for these goods.")
    if disposition.ended is not None:
        raise IllegalStep(f"already_{disposition.status}", f"{disposition.ended.by} has settled this already.")
    return disposition.requested


def _stamp(command: Command, at: Instant) -> dict[str, Any]:
    return {
        "at": at,
        "by": command.by,
        "why": command.why,
        "command_id": command.command_id,
        "digest": command.digest,
    }
