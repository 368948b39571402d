"""Escalation: plans, in an incident's own stream, when it goes to somebody with more say; time then does it by itself.

Told from the log like groups, and only while a policy names steps. The plan is made by the policy that judged when the
finding was told of, and made anew when the finding gets graver, ends, begins again, or staff open it again. What was
due before we went live, what is handled with another complaint, and what is being mended is left in peace.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from domain import speaking
from domain.adoption import in_force
from domain.backlog import BacklogMemberChanged
from domain.calendar import add_working
from domain.detection import FINDING_EVENTS, Finding
from domain.incident import Incident
from domain.incident_events import TRACKER, IncidentReopened
from domain.incident_urgency import IncidentEscalationPlanned, IncidentMuted, PlannedStep
from domain.instant import Instant
from domain.policy import Policy
from domain.severity import GRADES
from domain.staffing import Escalation
from domain.telling import Heard, Telling
from domain.unrest import unrest

KIND: Final = "escalation"
"""Stands for it among the kinds of groups that are told of the log."""
TOPICS: Final = (*(event.TOPIC for event in FINDING_EVENTS), IncidentReopened.TOPIC, BacklogMemberChanged.TOPIC)


class _News(NamedTuple):
    """Something that may change a plan."""

    incident: str
    stream: str
    """The subject's, which holds the finding."""
    at: Instant


def tell(telling: Telling, found: Sequence[Heard]) -> None:
    """Plan anew what these events of the log concern, and hear again whom others no longer speak for."""
    news = list(_news(telling, found))
    telling.work.load(name for one in news for name in (one.incident, one.stream))
    for one in news:
        _plan(telling, one)
    _unmute(telling, found)


def _news(telling: Telling, found: Iterable[Heard]) -> Iterator[_News]:
    for _, name, event in found:
        if isinstance(event, FINDING_EVENTS):
            finding, policy = event.finding, in_force(telling.adoptions, event.known_up_to)
            if finding.reported and any(_concerns(one, finding.kind) for one in policy.incidents.escalation):
                yield _News(finding.incident, name, event.known_up_to)
        elif isinstance(event, IncidentReopened) and event.subject:
            yield _News(name, event.subject, event.at)


def _plan(telling: Telling, news: _News) -> None:
    """Say when which step is due, unless that is known."""
    policy = in_force(telling.adoptions, news.at)
    state: Incident = telling.work.state(news.incident)
    own = _own(telling, news)
    holding = [one for one in own if one.ended_at is None and _counts(telling, one)]
    grade = max((GRADES.index(one.severity) for one in holding), default=-1)
    named = [one for one in policy.incidents.escalation if grade >= GRADES.index(one.severity)]
    wanted = [one for one in named if _concerns(one, own[0].kind)]
    known = {_key(one): one for one in ([] if state.plan is None else state.plan.steps)}
    fresh = [one for one in wanted if _key(one) not in known]
    steps = [known[_key(one)] for one in wanted if _key(one) in known]
    if fresh:
        start = _start(holding, own, policy, news.at)
        steps += [_planned(one, start, policy) for one in fresh]
    if {_key(one) for one in steps} != set(known):
        planned = IncidentEscalationPlanned(
            at=news.at, by=TRACKER, subject=news.stream, steps=tuple(sorted(steps, key=lambda one: (one.at, one.level)))
        )
        telling.intake.hear(news.incident, [planned])


def _own(telling: Telling, news: _News) -> list[Finding]:
    found: Any = telling.work.state(news.stream).findings
    mine = (one.finding for one in found.values() if one.finding.incident == news.incident and not one.retracted)
    return sorted((one for one in mine if one.reported), key=lambda one: one.due_at)


def _counts(telling: Telling, finding: Finding) -> bool:
    """Say whether anybody is to be told of a finding by itself."""
    live = telling.live_since
    return (live is None or finding.due_at >= live) and finding.detail.get("merged_into") is None


def _start(holding: Sequence[Finding], own: Sequence[Finding], policy: Policy, at: Instant) -> Instant:
    """Say from when on the steps count: what is being mended, and what does not stand still, is waited for."""
    mended = (policy.maintenance_of(one.due_at, warehouse=one.warehouse_id, carrier=one.carrier) for one in holding)
    flapping = unrest(((one.due_at, one.ended_at) for one in own), policy.incidents.flapping)
    later = [window.until for window in mended if window is not None]
    return max(at, *later, at if flapping is None else flapping.stable_at)


def _planned(step: Escalation, start: Instant, policy: Policy) -> PlannedStep:
    at = add_working(start, step.after, policy.calendar("staff"))
    return PlannedStep(at=at, to=step.to, level=step.level, unless=step.unless)


def _concerns(step: Escalation, kind: str) -> bool:
    return not step.kinds or kind in step.kinds


def _key(step: Escalation | PlannedStep) -> tuple[str, int, str]:
    return step.to, step.level, step.unless


def _unmute(telling: Telling, found: Sequence[Heard]) -> None:
    """Let incidents speak for themselves again once what spoke for them is over."""
    changed = {one.event.finding.incident for one in found if isinstance(one.event, FINDING_EVENTS)}
    names = {each for some in telling.related(map(speaking.mutes, sorted(changed))).values() for each in some}
    for one in found:
        if isinstance(one.event, BacklogMemberChanged):
            names.update(speaking.children(one.stream, one.event))
    telling.work.load(sorted(names))
    for name in sorted(names):
        state: Incident = telling.work.state(name)
        if state.muted_by is None or (by := speaking.speaker(telling.work, name, state)) == state.muted_by:
            continue
        at = max(telling.until, state.changed_at or telling.until)
        telling.intake.hear(name, [IncidentMuted(at=at, by=TRACKER, speaker=by)])
        if by is not None:
            telling.relate(speaking.mutes(by), name)
