"""Guards: what every step of an incident asks before it is made, and what it says of the command behind it."""

from typing import Any

from domain.errors import IllegalStep
from domain.incidents.commands import Command, Situation
from domain.incidents.incident import Incident, status
from domain.instant import Instant


def is_done(incident: Incident, command: Command) -> bool:
    """Say whether a command came before under its id.

    Raises:
        IllegalStep: another command came under this id.
    """
    known = incident.commands.get(command.command_id) if command.command_id else None
    if known is not None and known != command.digest:
        raise IllegalStep("command_id_reused", "Another command was carried out under this id; give each its own.")
    return known is not None


def stamp(command: Command, now: Situation) -> dict[str, Any]:
    """Say what every event says of the command behind it."""
    return {
        "at": now.at,
        "by": command.by,
        "why": command.why,
        "command_id": command.command_id,
        "digest": command.digest,
        "position": now.position,
    }


def must_be_open(incident: Incident) -> None:
    """Refuse what is settled, dismissed or part of another one.

    Raises:
        IllegalStep: it is.
    """
    if incident.merged_into is not None:
        raise IllegalStep("merged", f"This incident is part of {incident.merged_into}; act on that one, or split it.")
    if incident.closed is not None:
        how = status(incident)
        raise IllegalStep(f"already_{how}", f"{incident.closed.by} has {how} this incident; reopen it first.")


def must_have_no_loose_ends(incident: Incident) -> None:
    """Refuse to close what a customer or a colleague still waits for.

    Raises:
        IllegalStep: a phone agreement lacks its written confirmation, or a payment its approval.
    """
    if incident.unconfirmed:
        names = ", ".join(incident.unconfirmed)
        raise IllegalStep("awaits_confirmation", f"Agreed by phone and not yet confirmed in writing: {names}.")
    if incident.unapproved:
        raise IllegalStep(
            "awaits_approval", f"Payments await approval or withdrawal: {', '.join(incident.unapproved)}."
        )


def must_lie_ahead(at: Instant | None, now: Situation, what: str) -> None:
    """Refuse a time that has passed.

    Raises:
        IllegalStep: it has.
    """
    if at is not None and at <= now.at:
        raise IllegalStep("in_the_past", f"{what} must lie in the future.")
