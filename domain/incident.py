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
set liability: refused by a merged one only
note, confirm: never refused for the status
time passes    new           new           as before     resolved  dismissed  merged
=============  ============  ============  ============  ========  =========  ======

Resolving, dismissing and merging are refused while a phone agreement lacks its written confirmation or a payment
awaits its second approval. Time gives an acknowledged one back, wakes a snoozed one and calls for the next attempt.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Literal, assert_never

from domain.events import Event
from domain.incident_events import (
    CLOCK,
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
    IncidentEscalated,
    IncidentEvent,
    IncidentGrouping,
    IncidentLiabilitySet,
    IncidentMerged,
    IncidentNoted,
    IncidentPayment,
    IncidentProgress,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    IncidentReturned,
    IncidentSnoozed,
    IncidentSplit,
    IncidentWoken,
    Party,
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
    level: int = 0
    """How often it was escalated."""
    escalated_to: str | None = None
    reopened: int = 0
    false_alarms: int = 0
    changed_at: Instant | None = None
    position: int = 0
    """How far the log had come at the last decision: earlier news is not news."""
    commands: dict[str, str] = field(default_factory=dict)
    """Digest of every command that had an effect, by its id."""

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


def due(incident: Incident) -> Instant | None:
    """Give the next instant at which time itself changes something; it may lie in the past."""
    return min((at for at, _ in _timers(incident)), default=None)


def pass_time(incident: Incident, until: Instant) -> tuple[IncidentEvent, ...]:
    """Tell what time alone did before ``until``, in order, each at its own time."""
    passed: list[IncidentEvent] = []
    # A shallow copy will do: what time does touches no list and no dict.
    later = copy(incident)
    while (first := min(_timers(later), default=None)) is not None and first[0] < until:
        passed.append(_passed(later, *first))
        evolve(later, passed[-1])
    return tuple(passed)


def evolve(incident: Incident, event: Event) -> Incident:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, IncidentProgress):
        _progress(incident, event)
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
    if event.command_id:
        incident.commands[event.command_id] = event.digest
    return incident


_Timer = Literal["returned", "woken", "contact_due"]


def _timers(incident: Incident) -> Iterator[tuple[Instant, _Timer]]:
    """List what time will do to an incident that staff still have to work on."""
    if status(incident) in {"resolved", "dismissed", "merged"}:
        return
    if incident.snoozed is not None:
        if incident.snoozed.until is not None:
            yield incident.snoozed.until, "woken"
    elif incident.acknowledged is not None:
        # Whoever put it aside keeps it until it wakes.
        yield incident.acknowledged.until, "returned"
    if incident.next_attempt is not None:
        yield incident.next_attempt, "contact_due"


def _passed(incident: Incident, due_at: Instant, timer: _Timer) -> IncidentEvent:
    at = due_at if incident.changed_at is None else max(due_at, incident.changed_at)
    match timer:
        case "woken":
            return IncidentWoken(at=at, by=CLOCK, cause="time")
        case "contact_due":
            return IncidentContactDue(at=at, by=CLOCK, contact_id=next(reversed(incident.contacts)))
        case "returned":
            assert incident.acknowledged is not None
            return IncidentReturned(at=at, by=CLOCK, was=incident.acknowledged.by)
        case _:
            assert_never(timer)


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
            incident.snoozed = None
        case IncidentNoted():
            incident.notes.append(event)
        case IncidentLiabilitySet():
            incident.liable = event.party
        case IncidentEscalated():
            incident.level, incident.escalated_to = event.level, event.to
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
    incident.acknowledged = incident.snoozed = incident.next_attempt = None
    incident.attempt_due = False
    match event:
        case IncidentReopened():
            incident.closed = None
            incident.reopened += 1
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
