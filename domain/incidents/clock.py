"""Clock: what time alone does to an incident, each at its own time and once.

It gives back what was only taken on, wakes what was put aside, calls for the next attempt to reach a customer, brings
what nobody ends to somebody with more say, and lets news through that was held back while the finding flapped.
"""

from collections.abc import Iterator
from copy import copy
from typing import Literal, assert_never

from domain.incidents.events import (
    CLOCK,
    IncidentContactDue,
    IncidentEvent,
    IncidentReopened,
    IncidentReturned,
    IncidentWoken,
)
from domain.incidents.incident import Incident, evolve, status
from domain.incidents.urgency import IncidentEscalated, PlannedStep
from domain.instant import Instant

_Timer = Literal["returned", "woken", "contact_due", "escalated", "stable"]


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


def next_step(incident: Incident) -> PlannedStep | None:
    """Give the step up that comes next, if nothing keeps it; its time may lie in the past.

    What somebody has put aside, and what another incident speaks for, waits; what came due meanwhile happens then.
    """
    plan = incident.plan
    if plan is None or incident.snoozed is not None or incident.muted_by is not None:
        return None
    taken = incident.acknowledged is not None
    ready = (one for one in plan.steps if one.level > incident.reached and not (taken and one.unless == "acknowledged"))
    return min(ready, key=lambda one: (one.at, one.level), default=None)


def _timers(incident: Incident) -> Iterator[tuple[Instant, _Timer]]:
    """List what time will do to an incident that staff still have to work on, or may have to again."""
    if status(incident) in {"resolved", "dismissed", "merged"}:
        if incident.held is not None and incident.held.holds and incident.merged_into is None:
            yield incident.held.until, "stable"
        return
    if incident.snoozed is not None:
        if incident.snoozed.until is not None:
            yield incident.snoozed.until, "woken"
        if incident.held is not None:
            yield incident.held.until, "stable"
    elif incident.acknowledged is not None:
        # Whoever put it aside keeps it until it wakes.
        yield incident.acknowledged.until, "returned"
    if incident.next_attempt is not None:
        yield incident.next_attempt, "contact_due"
    step = next_step(incident)
    if step is not None:
        yield step.at, "escalated"


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
        case "escalated":
            return _escalated(incident, at)
        case "stable":
            assert incident.held is not None
            if incident.closed is None:
                return IncidentWoken(at=at, by=CLOCK, cause="event")
            return IncidentReopened(at=at, by=CLOCK, cause="recurrence", subject=incident.held.subject)
        case _:
            assert_never(timer)


def _escalated(incident: Incident, at: Instant) -> IncidentEscalated:
    step = next_step(incident)
    assert step is not None
    assert incident.plan is not None
    return IncidentEscalated(
        at=at,
        by=CLOCK,
        why=f"not {step.unless} in time",
        to=step.to,
        level=max(step.level, incident.level),
        step=step.level,
        subject=incident.plan.subject,
    )
