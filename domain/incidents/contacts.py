"""Contacts: attempts to reach the customer, what was said and agreed, and its confirmation in writing."""

from domain.errors import IllegalStep
from domain.incidents.commands import Confirm, Contact, Situation
from domain.incidents.events import IncidentConfirmed, IncidentContacted, IncidentEvent
from domain.incidents.guards import must_be_open, must_lie_ahead, stamp
from domain.incidents.incident import Incident


def contact(incident: Incident, command: Contact, now: Situation) -> tuple[IncidentEvent, ...]:
    """Record an attempt.

    Raises:
        IllegalStep: the incident is closed, the id is taken, or what is said to come lies in the past.
    """
    name = command.contact_id or f"{incident.id}:{len(incident.contacts) + 1}"
    must_be_open(incident)
    if name in incident.contacts:
        raise IllegalStep("contact_known", "This contact is recorded already.")
    must_lie_ahead(command.next_attempt, now, "The next attempt")
    must_lie_ahead(None if command.promise is None else command.promise.until, now, "What is promised")
    if command.true_at > now.position:
        raise IllegalStep("position_unknown", "The statements are said to be true at a position not yet written.")
    return (
        IncidentContacted(
            **stamp(command, now),
            contact_id=name,
            channel=command.channel,
            outcome=command.outcome,
            statements=command.statements,
            true_at=command.true_at or now.position,
            next_attempt=command.next_attempt,
            promise=command.promise,
            agreement=command.agreement,
            corrects=command.corrects,
            customer_id=command.customer_id,
            cleared=not now.holds,
        ),
    )


def confirm(incident: Incident, command: Confirm, now: Situation) -> tuple[IncidentEvent, ...]:
    """Record the written confirmation of a phone agreement.

    Raises:
        IllegalStep: there is no such agreement, it is confirmed already, or this is not in writing.
    """
    known = incident.contacts.get(command.contact_id)
    if known is None or not known.agreement or known.channel != "phone":
        raise IllegalStep("nothing_to_confirm", "No agreement was made by phone in this contact.")
    if command.channel == "phone":
        raise IllegalStep("not_in_writing", "A phone agreement is confirmed in writing, not by phone.")
    before = incident.confirmed.get(command.contact_id)
    if before is not None:
        # Who leaves out what was said the first time says nothing that would be lost.
        same = (before.by, before.channel) == (command.by, command.channel)
        if not same or command.evidence not in {"", before.evidence} or command.why not in {"", before.why}:
            raise IllegalStep("already_confirmed", f"{before.by} has confirmed it.")
        return ()
    return (
        IncidentConfirmed(
            **stamp(command, now), contact_id=command.contact_id, channel=command.channel, evidence=command.evidence
        ),
    )
