"""Escalation: plans, in an incident's own stream, when it goes to somebody with more say; time then does it by itself.

Told from the log like groups, and only while a policy names steps. The plan is made by the policy that judged when the
finding was told of, and made anew when the finding gets graver, ends, begins again, or staff open it again; news counts
only what was due by then, so that an end and a new beginning may be told together. What was due before we went live,
what is handled with another complaint, and what is being mended is left in peace.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.calendars.calendar import add_working
from domain.detection import FINDING_EVENTS, Finding
from domain.groups.backlog import BacklogMemberChanged
from domain.incidents.events import TRACKER, IncidentReopened
from domain.incidents.incident import Incident
from domain.incidents.urgency import IncidentEscalationPlanned, IncidentMuted, PlannedStep
from domain.instant import Instant
from domain.judging.adoption import in_force
from domain.policies.policy import Policy
from domain.policies.staffing import Escalation
from domain.severity import GRADES
from domain.telling import speaking
from domain.telling.telling import Heard, Telling
from domain.telling.unrest import unrest_of

KIND: Final = "escalation"
"""Stands for it among the kinds of groups that are told of the log."""
TOPICS: Final = (*(event.TOPIC for event in FINDING_EVENTS), IncidentReopened.TOPIC, BacklogMemberChanged.TOPIC)


class _News(NamedTuple):
    """Something that may change a plan."""

    incident: str
    stream: str
    """The subject's, which holds the finding."""
    at: Instant
    finding: Finding | None = None
    """As it was then, which may have been less grave; none where staff opened the incident again."""


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
                yield _News(finding.incident, name, event.known_up_to, finding)
        elif isinstance(event, IncidentReopened) and event.subject:
            yield _News(name, event.subject, event.at)


def _plan(telling: Telling, news: _News) -> None:
    """Say when which step is due, unless that is known."""
    state: Incident = telling.work.state(news.incident)
    # What is told late changes no plan that was made for a later time, nor when staff opened it again.
    at = max(news.at, news.at if state.plan is None else state.plan.at, state.reopened_at or news.at)
    own = [one for one in _own(telling, news) if one.due_at <= at]
    holding = [one for one in own if one.ended_at is None and _counts(telling, one)]
    policy = in_force(telling.adoptions, at)
    planned = () if state.plan is None else state.plan.steps
    known = {_key(one): one for one in (planned if _goes_on(state.plan, holding) else ())}
    start = _start(telling, holding, own, at)
    steps = [known.get(_key(one)) or _planned(one, start, policy) for one in _wanted(policy, holding)]
    if planned and not known:
        # What held before is over: what begins now goes up from the bottom again.
        _write(telling, news, at, ())
    if {_key(one) for one in steps} != set(known):
        _write(telling, news, at, sorted(steps, key=lambda one: (one.at, one.level)))


def _write(telling: Telling, news: _News, at: Instant, steps: Iterable[PlannedStep]) -> None:
    said = IncidentEscalationPlanned(at=at, by=TRACKER, subject=news.stream, steps=tuple(steps))
    telling.intake.hear(news.incident, [said])


def _goes_on(plan: IncidentEscalationPlanned | None, holding: Sequence[Finding]) -> bool:
    """Say whether something still holds that a plan was made for."""
    return plan is not None and any(one.due_at <= plan.at for one in holding)


def _wanted(policy: Policy, holding: Sequence[Finding]) -> list[Escalation]:
    """List the steps for what holds; of two that are told apart by nothing but their time, the sooner."""
    grade = max((GRADES.index(one.severity) for one in holding), default=-1)
    named = [one for one in policy.incidents.escalation if grade >= GRADES.index(one.severity)]
    mine = (one for one in named if _concerns(one, holding[0].kind))
    latest_first = sorted(mine, key=lambda one: one.after, reverse=True)
    return [*{_key(one): one for one in latest_first}.values()]


def _own(telling: Telling, news: _News) -> list[Finding]:
    found: Any = telling.work.state(news.stream).findings
    mine = (one.finding for one in found.values() if one.finding.incident == news.incident and not one.retracted)
    shown = (_as_told(one, news.finding) for one in mine if one.reported)
    return sorted(shown, key=lambda one: one.due_at)


def _as_told(finding: Finding, told: Finding | None) -> Finding:
    """Give a finding with the weight that it had when it was told of."""
    if told is None or told.key != finding.key:
        return finding
    return msgspec.structs.replace(finding, severity=told.severity)


def _counts(telling: Telling, finding: Finding) -> bool:
    """Say whether anybody is to be told of a finding by itself."""
    live = telling.live_since
    return (live is None or finding.due_at >= live) and finding.detail.get("merged_into") is None


def _start(telling: Telling, holding: Sequence[Finding], own: Sequence[Finding], at: Instant) -> Instant:
    """Say from when on the steps count: what is being mended, and what does not stand still, is waited for."""
    policy = in_force(telling.adoptions, at)
    mended = (policy.maintenance_of(one.due_at, warehouse=one.warehouse_id, carrier=one.carrier) for one in holding)
    flapping = unrest_of(((one.due_at, one.ended_at) for one in own), telling.adoptions, at)
    later = [window.until for window in mended if window is not None]
    return max(at, *later, at if flapping is None else flapping.stable_at)


def _planned(step: Escalation, start: Instant, policy: Policy) -> PlannedStep:
    at = add_working(start, step.after, policy.calendar("staff"))
    return PlannedStep(at=at, to=step.to, level=step.level, unless=step.unless, severity=step.severity)


def _concerns(step: Escalation, kind: str) -> bool:
    return not step.kinds or kind in step.kinds


def _key(step: Escalation | PlannedStep) -> tuple[str, int, str, str]:
    return step.to, step.level, step.unless, step.severity


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
