"""Incident: what staff have made of a finding; the finding itself stays with its subject.

The stream begins with the first thing that staff do. What each status becomes, and what is refused (-):

=============  ============  ============  ============  ========  =========  ======
step           new           acknowledged  snoozed       resolved  dismissed  merged
=============  ============  ============  ============  ========  =========  ======
acknowledge    acknowledged  same person   acknowledged  -         -          -
give back      -             new           as before     -         -          -
snooze         snoozed       snoozed       snoozed       -         -          -
wake           -             -             as before     -         -          -
resolve        resolved      resolved      resolved      -         -          -
dismiss        dismissed     dismissed     dismissed     -         -          -
merge          merged        merged        merged        -         -          -
reopen         -             -             -             new       new        -
split          -             -             -             -         -          as before
assign, escalate, contact, compensate: an open one stays what it is; closed and merged ones refuse
answer price: an open one stays what it is; closed and merged ones refuse, and so does every other kind
set liability: refused by a merged one only
note, confirm: never refused for the status
time passes    new           new           as before     resolved  dismissed  merged
=============  ============  ============  ============  ========  =========  ======

Resolving, dismissing and merging are refused while a phone agreement lacks its written confirmation or a payment
awaits its second approval. What time does stands in ``domain.incidents.clock``.
"""

from dataclasses import dataclass, field
from typing import Literal, assert_never

from domain.events import Event
from domain.incidents.events import (
    IncidentAbsorbed,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosing,
    IncidentCompensated,
    IncidentCompensationProposed,
    IncidentCompensationWithdrawn,
    IncidentConfirmed,
    IncidentContactDue,
    IncidentContacted,
    IncidentDealing,
    IncidentDismissed,
    IncidentGrouping,
    IncidentLiabilitySet,
    IncidentMerged,
    IncidentNoted,
    IncidentPayment,
    IncidentPriceAnswered,
    IncidentProgress,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    IncidentReturned,
    IncidentSnoozed,
    IncidentSplit,
    IncidentUrgency,
    IncidentWoken,
    Party,
)
from domain.incidents.urgency import (
    IncidentEscalated,
    IncidentEscalationPlanned,
    IncidentMuted,
    IncidentNewsHeld,
)
from domain.instant import Instant

Status = Literal["new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"]
Payment = IncidentCompensationProposed | IncidentCompensated


@dataclass(slots=True)
class Incident:
    """What staff have done so far. Owned by whoever loaded it; ``evolve`` changes it in place."""

    id: str = ""
    acknowledged: IncidentAcknowledged | None = None
    snoozed: IncidentSnoozed | None = None
    closed: IncidentResolved | IncidentDismissed | None = None
    person: str | None = None
    team: str | None = None
    merged_into: str | None = None
    parts: list[str] = field(default_factory=list)
    """The incidents that are handled as part of this one."""
    notes: list[IncidentNoted] = field(default_factory=list)
    contacts: dict[str, IncidentContacted] = field(default_factory=dict)
    """By contact id, in the order they were made."""
    confirmed: dict[str, IncidentConfirmed] = field(default_factory=dict)
    next_attempt: Instant | None = None
    attempt_due: bool = False
    """The time of the next attempt has come and nobody has made it."""
    payments: dict[str, Payment] = field(default_factory=dict)
    """By member: proposed, or paid."""
    liable: Party | None = None
    price_answer: IncidentPriceAnswered | None = None
    """What staff said to the question whether a lower price is a mistake."""
    level: int = 0
    """How high it was escalated."""
    escalated_to: str | None = None
    plan: IncidentEscalationPlanned | None = None
    """When time escalates it by itself."""
    reached: int = 0
    """How high it came since it was found, or opened again."""
    muted_by: str | None = None
    """The incident that spoke for it when it was about to be escalated."""
    held: IncidentNewsHeld | None = None
    """News that waits until the finding stands still."""
    reopened: int = 0
    reopened_at: Instant | None = None
    """When it was opened again last: what is planned counts from then at the earliest."""
    false_alarms: int = 0
    changed_at: Instant | None = None
    position: int = 0
    """How far the log had come at the last decision: earlier news is not news."""
    commands: dict[str, str] = field(default_factory=dict)
    """Digest of every command that had an effect, by its id."""
    reasons: dict[type[Event], str] = field(default_factory=dict)
    """Why a step of each kind was taken last."""

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """List the phone agreements that lack their written confirmation."""
        return tuple(
            name
            for name, one in self.contacts.items()
            if one.channel == "phone" and one.agreement and name not in self.confirmed
        )

    @property
    def unapproved(self) -> tuple[str, ...]:
        """List the members whose payment awaits a second approval."""
        return tuple(member for member, one in self.payments.items() if isinstance(one, IncidentCompensationProposed))

    @property
    def assignee(self) -> str | None:
        """Name whose business it is: the person, else the team."""
        return self.person or self.team


def status(incident: Incident) -> Status:
    """Say where it stands in the work of staff."""
    if incident.merged_into is not None:
        return "merged"
    if incident.closed is not None:
        return "resolved" if isinstance(incident.closed, IncidentResolved) else "dismissed"
    if incident.snoozed is not None:
        return "snoozed"
    return "new" if incident.acknowledged is None else "acknowledged"


def evolve(incident: Incident, event: Event) -> Incident:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, IncidentProgress):
        _progress(incident, event)
    elif isinstance(event, IncidentUrgency):
        _urge(incident, event)
    elif isinstance(event, IncidentGrouping):
        _group(incident, event)
    elif isinstance(event, IncidentDealing):
        _deal(incident, event)
    elif isinstance(event, IncidentPayment):
        _pay(incident, event)
    elif isinstance(event, IncidentClosing):
        _close(incident, event)
    else:
        raise TypeError(f"{type(event).__name__} does not belong to an incident")
    incident.changed_at = event.at if incident.changed_at is None else max(event.at, incident.changed_at)
    incident.position = max(event.position, incident.position)
    incident.reasons = {**incident.reasons, type(event): event.why}
    if event.command_id:
        incident.commands[event.command_id] = event.digest
    return incident


def _progress(incident: Incident, event: IncidentProgress) -> None:
    match event:
        case IncidentAcknowledged():
            incident.acknowledged, incident.snoozed = event, None
        case IncidentReturned():
            incident.acknowledged = None
        case IncidentAssigned():
            incident.person, incident.team = event.person, event.team
        case IncidentSnoozed():
            incident.snoozed = event
        case IncidentWoken():
            incident.snoozed = incident.held = None
        case IncidentNoted():
            incident.notes.append(event)
        case IncidentLiabilitySet():
            incident.liable = event.party
        case IncidentPriceAnswered():
            incident.price_answer = event
        case _:
            assert_never(event)


def _urge(incident: Incident, event: IncidentUrgency) -> None:
    match event:
        case IncidentEscalationPlanned():
            incident.plan = event
            if not event.steps:
                # What begins after this goes up from the bottom again.
                incident.reached = 0
        case IncidentEscalated():
            incident.level, incident.escalated_to = event.level, event.to
            incident.reached = event.step or event.level
        case IncidentMuted():
            incident.muted_by = event.speaker
        case IncidentNewsHeld():
            incident.held = event
        case _:
            assert_never(event)


def _group(incident: Incident, event: IncidentGrouping) -> None:
    match event:
        case IncidentMerged():
            incident.merged_into = event.into
        case IncidentSplit():
            incident.merged_into = None
        case IncidentAbsorbed():
            incident.parts.append(event.part)
        case IncidentReleased():
            incident.parts.remove(event.part)
        case _:
            assert_never(event)


def _deal(incident: Incident, event: IncidentDealing) -> None:
    match event:
        case IncidentContacted():
            incident.contacts[event.contact_id] = event
            incident.next_attempt, incident.attempt_due = event.next_attempt, False
        case IncidentContactDue():
            incident.next_attempt, incident.attempt_due = None, True
        case IncidentConfirmed():
            incident.confirmed[event.contact_id] = event
        case _:
            assert_never(event)


def _pay(incident: Incident, event: IncidentPayment) -> None:
    if isinstance(event, IncidentCompensationWithdrawn):
        del incident.payments[event.member]
    else:
        incident.payments[event.member] = event


def _close(incident: Incident, event: IncidentClosing) -> None:
    incident.acknowledged = incident.snoozed = incident.next_attempt = incident.held = None
    incident.attempt_due = False
    match event:
        case IncidentReopened():
            # Whoever opens it again has it planned anew: the times of before are over.
            incident.closed = incident.plan = incident.muted_by = None
            incident.reached = 0
            incident.reopened += 1
            incident.reopened_at = event.at
            if event.cause == "anew":
                incident.person = incident.team = incident.liable = incident.escalated_to = None
                incident.level = 0
        case IncidentResolved():
            incident.closed = event
        case IncidentDismissed():
            incident.closed = event
            incident.false_alarms += 1
        case _:
            assert_never(event)
