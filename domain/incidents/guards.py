"""Guards: what every step of an incident asks before it is made, and what it says of the command behind it."""

from collections.abc import Iterable
from typing import Any, Final

from domain.errors import IllegalStep
from domain.events import Event
from domain.incidents.commands import Command, Situation
from domain.incidents.events import (
    CLOCK,
    TRACKER,
    IncidentAssigned,
    IncidentLiabilitySet,
    IncidentPriceAnswered,
    IncidentSnoozed,
)
from domain.incidents.incident import Incident, status
from domain.incidents.urgency import IncidentEscalated
from domain.instant import Instant

_LAST_WORD: Final = (
    IncidentAssigned,
    IncidentSnoozed,
    IncidentLiabilitySet,
    IncidentPriceAnswered,
    IncidentEscalated,
)
"""Of these the last one counts, and those before it no longer do."""


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


def must_overrule_nothing_unread(new: Iterable[Event], unread: Iterable[Event]) -> None:
    """Refuse what would take the place of another person's decision that whoever decides has not read.

    Raises:
        IllegalStep: it would.
    """
    for one in new:
        for other in unread:
            if isinstance(one, _LAST_WORD) and type(other) is type(one) and other.by not in {one.by, CLOCK, TRACKER}:
                raise IllegalStep("decided_meanwhile", f"{other.by} has decided this otherwise meanwhile; look again.")


def must_add_nothing(incident: Incident, command: Command, done: type[Event]) -> None:
    """Refuse to give another reason for what is done already: it would be lost without a word.

    Raises:
        IllegalStep: it is not the reason that the step gave.
    """
    if command.why not in {"", incident.reasons.get(done, "")}:
        raise IllegalStep("already_so", "It is so already, and the reason you give would be lost; write it in a note.")


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
