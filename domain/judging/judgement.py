"""Judgement: every rule over one subject, each finding by the policy in force when it came due."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Final, NamedTuple

import msgspec

from domain.complaints import complaint
from domain.detection import Finding, ended_by_staff, reconcile
from domain.detectors import DETECTORS
from domain.dispositions import disposition
from domain.events import Event
from domain.feeds import feed
from domain.history.log import Armed, Beside
from domain.history.suspicion import Failure, HandlerFailed
from domain.incidents import clock as incident_clock
from domain.incidents import incident
from domain.instant import FOREVER, Instant
from domain.intake.intake import Intake
from domain.judging import standing
from domain.judging.adoption import Adopted
from domain.judging.sight import NOTHING, Heard, Read, Sight, in_terms, known_after
from domain.judging.terms import Term

_IS_OPEN: Final[dict[str, Callable[[Any], bool]]] = {
    "order": standing.order_is_open,
    "parcel": standing.parcel_is_open,
    "complaint": complaint.unfinished,
    "backlog": standing.backlog_is_open,
    "cluster": standing.cluster_is_open,
    "price_cut": standing.price_cut_is_open,
    "feed": feed.is_open,
}


class Verdict(msgspec.Struct, frozen=True):
    """What to record about a subject, and when to look at it again."""

    events: tuple[Event, ...]
    again: Instant | None
    open: bool
    """Whether the subject is unfinished, so that another policy may see it otherwise."""
    waits: tuple[tuple[str, Instant], ...] = ()
    """Feeds that say too little yet, and the instant of which each must have been heard more."""


class Judgement:
    """Looks at subjects by all policies that have been in force."""

    def __init__(self, policies: Sequence[Adopted]) -> None:
        """Judge by these, earliest first; each from its ``since`` until the next one's."""
        ends = [one.since for one in policies[1:]] + [FOREVER]
        terms = [Term(one.since, end, one.policy) for one, end in zip(policies, ends, strict=True)]
        self._rules = {kind: [*in_terms(terms, detectors)] for kind, detectors in DETECTORS.items()}

    def of(self, name: str, state: Any, until: Instant, heard: Heard) -> Verdict:
        """Find what holds up to ``until`` at the subject of a stream, and what the log does not say yet.

        ``heard`` is the largest event time of every source: what a rule misses on a feed that has not been heard
        that far is unknown, not late.
        """
        kind = name.partition("-")[0]
        rules = self._rules.get(kind)
        if rules is None:
            return _pass_time(state, until)
        if not rules:
            return Verdict((), None, _IS_OPEN[kind](state))
        # What has once been read stays read: a writer whose idea of time is behind retracts nothing.
        read: Read = {}
        for stored in state.findings.values():
            finding = stored.finding
            rule = (finding.kind, finding.rule)
            read[rule] = max(read.get(rule, NOTHING), known_after(finding))
        sight = Sight(kind, state, max((until, *read.values())), heard, read)
        found = [one for rule in rules for one in sight.findings(rule)]
        is_clean = not found and not state.findings
        return Verdict(
            () if is_clean else reconcile(state.findings, (_said_wrong(state, one) for one in found), sight.until),
            min(sight.instants, default=None),
            _IS_OPEN[kind](state),
            tuple(sorted(sight.waits.items())),
        )


def _pass_time(state: Any, until: Instant) -> Verdict:
    """Say what time does to what staff did; no rule looks at that."""
    if isinstance(state, incident.Incident):
        return Verdict(incident_clock.pass_time(state, until), _after(state, until), open=False)
    if isinstance(state, disposition.Disposition):
        passed = disposition.pass_time(state, until)
        return Verdict(passed, None if passed else disposition.due(state), open=False)
    raise LookupError(f"no rule looks at {type(state).__name__}")


def _after(staff: incident.Incident, until: Instant) -> Instant | None:
    """Say when time changes something of what staff did, once it has done what it does before ``until``."""
    passed = copy(staff)
    for event in incident_clock.pass_time(staff, until):
        passed = incident.evolve(passed, event)
    return incident_clock.due(passed)


def _said_wrong(state: Any, finding: Finding) -> Finding:
    stored = state.findings.get(finding.key)
    against = None if stored is None else stored.dismissed
    return finding if against is None else ended_by_staff(finding, against)


class Now(NamedTuple):
    """What is known when subjects are looked at."""

    until: Instant
    """Everything up to here has been read."""
    heard: Heard
    mark: str
    """Of the policies that judge; see ``domain.judging.adoption.mark``."""


def judge(intake: Intake, judgement: Judgement, now: Now, beside: Beside) -> dict[str, str]:
    """Judge what was touched, record what changed, and arm or disarm deadlines; returns whom it cannot judge.

    Raises:
        HandlerFailed: messages of this batch touched subjects that cannot be judged; it names all of them.
    """
    failed: dict[str, str] = {}
    intake.tell()
    verdicts: dict[str, Verdict] = {}
    while intake.touched:
        name, messages = intake.touched.popitem(last=False)
        state = intake.work.state(name)
        before = getattr(state, "meaning", None)
        try:
            verdicts[name] = judgement.of(name, state, now.until, now.heard)
        except Exception as error:  # noqa: BLE001  # told of the messages, or with the tick
            if messages:
                intake.failures.append(Failure(name, frozenset(messages), error))
                continue
            # What is stored cannot be judged by this version: say so, and let everybody else's deadlines fire.
            failed[name] = repr(error)
            verdicts[name] = Verdict((), None, open=True)
        if verdicts[name].events:
            intake.work.because(name)
            intake.work.record(name, verdicts[name].events)
            intake.judged(name, messages, before)
    if intake.failures:
        raise HandlerFailed(intake.failures)
    # Always written: another process may have moved the row without writing the stream.
    for name, verdict in verdicts.items():
        ahead = verdict.again is not None or verdict.waits or verdict.open
        beside.deadlines[name] = Armed(name, verdict.again, now.mark, verdict.waits) if ahead else None
    return failed
