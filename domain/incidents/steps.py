"""Steps: what a command makes of an incident, or why nothing; the table stands in ``domain.incidents.incident``."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from domain.detection import FindingEvent, FindingOpened, FindingRetracted
from domain.errors import IllegalStep
from domain.incidents.commands import (
    Acknowledge,
    AnswerPrice,
    Approve,
    Assign,
    Command,
    Compensate,
    Confirm,
    Contact,
    Dismiss,
    Escalate,
    GiveBack,
    Merge,
    Note,
    Reopen,
    Resolve,
    SetLiability,
    Situation,
    Snooze,
    Split,
    Terms,
    Wake,
    Withdraw,
)
from domain.incidents.contacts import confirm, contact
from domain.incidents.events import (
    TRACKER,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentDismissed,
    IncidentEvent,
    IncidentLiabilitySet,
    IncidentNoted,
    IncidentPriceAnswered,
    IncidentReopened,
    IncidentResolved,
    IncidentReturned,
    IncidentSnoozed,
    IncidentWoken,
)
from domain.incidents.guards import (
    is_done,
    must_add_nothing,
    must_be_open,
    must_have_no_loose_ends,
    must_lie_ahead,
    stamp,
)
from domain.incidents.incident import Incident, status
from domain.incidents.payments import approve, compensate, withdraw
from domain.incidents.urgency import IncidentEscalated, IncidentNewsHeld
from domain.instant import Instant

Events = tuple[IncidentEvent, ...]
_ABOUT_PRICES: Final = "incident-price_difference-"


def decide(incident: Incident, command: Command, now: Situation) -> Events:
    """Say what a command does; nothing where it is already so by the same person, or was done under its id.

    Raises:
        IllegalStep: the state of the incident does not allow it.
    """
    if is_done(incident, command):
        return ()
    return _STEPS[type(command)](incident, command, now)


class News(NamedTuple):
    """Something that was found, or found to be over."""

    event: FindingEvent
    position: int | None = None
    """Where it stands in the log; what staff already knew when they decided is no news."""
    stream: str = ""
    """The subject's."""
    stable_at: Instant | None = None
    """Until when the finding has begun and ended too often for that to be news."""


def react(incident: Incident, news: News, at: Instant, terms: Terms) -> Events:
    """Say what news of the finding does to what staff made of it: it wakes, reopens, or begins anew.

    While the finding flaps, it does so only once that stands still.
    """
    if news.position is not None and news.position <= incident.position:
        return ()
    said: dict[str, Any] = {"at": at, "by": TRACKER, "position": news.position or 0}
    if news.stable_at is not None and at < news.stable_at:
        return _hold(incident, news, news.stable_at, said)
    if incident.snoozed is not None and incident.snoozed.next_event and status(incident) == "snoozed":
        return (IncidentWoken(**said, cause="event"),)
    if incident.closed is None or incident.merged_into is not None or not isinstance(news.event, FindingOpened):
        return ()
    soon = news.event.finding.due_at - incident.closed.at <= terms.reopen_within
    return (IncidentReopened(**said, cause="recurrence" if soon else "anew", subject=news.stream),)


def _hold(incident: Incident, news: News, until: Instant, said: dict[str, Any]) -> Events:
    """Keep news for later where it would have woken somebody, or may do so once it stands still."""
    asleep = incident.snoozed is not None and incident.snoozed.next_event
    holds = not isinstance(news.event, FindingRetracted) and news.event.finding.ended_at is None
    if incident.merged_into is not None or (incident.closed is None and not asleep):
        return ()
    if incident.held is not None and (incident.held.until, incident.held.holds) == (until, holds):
        return ()
    return (IncidentNewsHeld(**said, until=until, holds=holds, subject=news.stream),)


def _acknowledge(incident: Incident, command: Acknowledge, now: Situation) -> Events:
    must_be_open(incident)
    must_lie_ahead(command.until, now, "The end of the acknowledgement")
    held = incident.acknowledged
    if held is not None and held.by != command.by:
        raise IllegalStep("acknowledged_by_other", f"{held.by} has taken this incident on.")
    longer = held is None or (command.until is not None and command.until > held.until)
    if held is not None and not longer and incident.snoozed is None:
        must_add_nothing(incident, command, IncidentAcknowledged)
        return ()
    until = now.at + now.terms.acknowledge_timeout if command.until is None else command.until
    return (IncidentAcknowledged(**stamp(command, now), until=until),)


def _give_back(incident: Incident, command: GiveBack, now: Situation) -> Events:
    must_be_open(incident)
    if incident.acknowledged is None:
        raise IllegalStep("not_acknowledged", "Nobody has taken this incident on.")
    return (IncidentReturned(**stamp(command, now), was=incident.acknowledged.by),)


def _assign(incident: Incident, command: Assign, now: Situation) -> Events:
    must_be_open(incident)
    if (incident.person, incident.team) == (command.person, command.team):
        must_add_nothing(incident, command, IncidentAssigned)
        return ()
    return (IncidentAssigned(**stamp(command, now), person=command.person, team=command.team),)


def _snooze(incident: Incident, command: Snooze, now: Situation) -> Events:
    must_be_open(incident)
    must_lie_ahead(command.until, now, "The end of the snooze")
    if command.until is None and not command.next_event:
        raise IllegalStep("endless_snooze", "Say until when, or that the next event ends it.")
    held = incident.snoozed
    if held is not None and (held.until, held.next_event, held.by) == (command.until, command.next_event, command.by):
        must_add_nothing(incident, command, IncidentSnoozed)
        return ()
    return (IncidentSnoozed(**stamp(command, now), until=command.until, next_event=command.next_event),)


def _wake(incident: Incident, command: Wake, now: Situation) -> Events:
    must_be_open(incident)
    if incident.snoozed is None:
        raise IllegalStep("not_snoozed", "This incident is not put aside.")
    return (IncidentWoken(**stamp(command, now), cause="staff"),)


def _note(_: Incident, command: Note, now: Situation) -> Events:
    return (IncidentNoted(**stamp(command, now), text=command.text),)


def _liability(incident: Incident, command: SetLiability, now: Situation) -> Events:
    if incident.merged_into is not None:
        must_be_open(incident)
    if incident.liable == command.party:
        must_add_nothing(incident, command, IncidentLiabilitySet)
        return ()
    return (IncidentLiabilitySet(**stamp(command, now), party=command.party, rule=command.rule),)


def _answer_price(incident: Incident, command: AnswerPrice, now: Situation) -> Events:
    must_be_open(incident)
    if not incident.id.startswith(_ABOUT_PRICES):
        raise IllegalStep("no_question", "Only of a price difference it is asked whether the new price is meant.")
    if not command.why.strip():
        raise IllegalStep("reason_missing", "Say how you know; what buyers are owed follows from it.")
    if incident.price_answer is not None and incident.price_answer.mistake == command.mistake:
        must_add_nothing(incident, command, IncidentPriceAnswered)
        return ()
    return (IncidentPriceAnswered(**stamp(command, now), mistake=command.mistake),)


def _escalate(incident: Incident, command: Escalate, now: Situation) -> Events:
    must_be_open(incident)
    if incident.escalated_to == command.to:
        must_add_nothing(incident, command, IncidentEscalated)
        return ()
    level = incident.level + 1
    return (IncidentEscalated(**stamp(command, now), to=command.to, level=level, subject=now.subject),)


def _resolve(incident: Incident, command: Resolve, now: Situation) -> Events:
    closed = incident.closed if isinstance(incident.closed, IncidentResolved) and not incident.merged_into else None
    if closed is not None and (closed.by, closed.outcome, closed.why) == (command.by, command.outcome, command.why):
        return ()
    must_be_open(incident)
    must_have_no_loose_ends(incident)
    return (IncidentResolved(**stamp(command, now), outcome=command.outcome),)


def _reopen(incident: Incident, command: Reopen, now: Situation) -> Events:
    if incident.merged_into is not None:
        must_be_open(incident)
    if incident.closed is None:
        raise IllegalStep("not_closed", "This incident is open.")
    resolved_at = incident.closed.at if isinstance(incident.closed, IncidentResolved) else None
    said = stamp(command, now)
    return (IncidentReopened(**said, cause="staff", resolved_at=resolved_at, subject=now.subject),)


def _dismiss(incident: Incident, command: Dismiss, now: Situation) -> Events:
    closed = incident.closed
    if isinstance(closed, IncidentDismissed) and (closed.by, closed.why) == (command.by, command.why):
        return ()
    must_be_open(incident)
    must_have_no_loose_ends(incident)
    if not command.why.strip():
        raise IllegalStep("reason_missing", "Say why the finding is wrong; it counts as a false alarm of its rule.")
    return (IncidentDismissed(**stamp(command, now), rule=now.rule, policy=now.policy),)


_STEPS: Final[dict[type[Command], Callable[[Incident, Any, Situation], Events]]] = {
    Acknowledge: _acknowledge,
    GiveBack: _give_back,
    Assign: _assign,
    Snooze: _snooze,
    Wake: _wake,
    Note: _note,
    SetLiability: _liability,
    AnswerPrice: _answer_price,
    Escalate: _escalate,
    Contact: contact,
    Confirm: confirm,
    Compensate: compensate,
    Approve: approve,
    Withdraw: withdraw,
    Resolve: _resolve,
    Reopen: _reopen,
    Dismiss: _dismiss,
}
COMMANDS: Final = (*_STEPS, Merge, Split)
"""Every command; the last two concern two incidents: see ``domain.incidents.grouping``."""
