"""Judgement: every rule over one subject, each finding by the policy in force when it came due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Final, NamedTuple

import msgspec

from domain import complaint, feed, incident, standing
from domain.adoption import Adopted
from domain.detection import Detector, Finding, ended_by_staff, reconcile
from domain.detectors import DETECTORS, NEEDED_BY
from domain.events import Event
from domain.instant import FOREVER, Instant
from domain.intake import Intake
from domain.log import Armed, Beside
from domain.policy import Policy
from domain.suspicion import HandlerFailed

_NOTHING: Final = -FOREVER

_IS_OPEN: Final[dict[str, Callable[[Any], bool]]] = {
    "order": standing.order_is_open,
    "parcel": standing.parcel_is_open,
    "complaint": complaint.unfinished,
    "backlog": standing.backlog_is_open,
    "cluster": standing.cluster_is_open,
    "price_cut": standing.price_cut_is_open,
    "feed": feed.is_open,
}


class Verdict(NamedTuple):
    """What to record about a subject, and when to look at it again."""

    events: tuple[Event, ...]
    again: Instant | None
    open: bool
    """Whether the subject is unfinished, so that another policy may see it otherwise."""
    waits: tuple[tuple[str, Instant], ...] = ()
    """Feeds that say too little yet, and the instant of which each must have been heard more."""


class Heard:
    """The largest event time of every source, as far as this process knows."""

    def __init__(self, read: Callable[[], Mapping[str, Instant]]) -> None:
        """Know what is read now."""
        self._read = read
        self._known = read()

    def get(self, source: str) -> Instant:
        """Give that of one source; of one that was never heard, the beginning of time."""
        return self._known.get(source, _NOTHING)

    def refresh(self) -> None:
        """Read anew what other processes have heard."""
        self._known = self._read()


class _Horizon(NamedTuple):
    """Up to when one rule may look, and which feed keeps it from looking further."""

    until: Instant
    silent: str | None


class Judgement:
    """Looks at subjects by all policies that have been in force."""

    def __init__(self, policies: Sequence[Adopted]) -> None:
        """Judge by these, earliest first; each from its ``since`` until the next one's."""
        ends = [one.since for one in policies[1:]] + [FOREVER]
        terms = [(one.since, end, one.policy) for one, end in zip(policies, ends, strict=True)]
        self._rules = {kind: [*_rules(terms, detectors)] for kind, detectors in DETECTORS.items()}

    def of(self, name: str, state: Any, until: Instant, heard: Heard) -> Verdict:
        """Find what holds up to ``until`` at the subject of a stream, and what the log does not say yet.

        ``heard`` is the largest event time of every source: what a rule misses on a feed that has not been heard
        that far is unknown, not late.
        """
        if isinstance(state, incident.Incident):
            return Verdict(incident.pass_time(state, until), _after(state, until), open=False)
        kind = name.partition("-")[0]
        rules = self._rules[kind]
        if not rules:
            return Verdict((), None, _IS_OPEN[kind](state))
        # What has once been read stays read: a writer whose idea of time is behind retracts nothing.
        read: Read = {}
        for stored in state.findings.values():
            finding = stored.finding
            rule = (finding.kind, finding.rule)
            known = finding.due_at if finding.knowable_at is None else max(finding.due_at, finding.knowable_at)
            read[rule] = max(read.get(rule, _NOTHING), known + 1)
        until = max((until, *read.values()))
        found: list[Finding] = []
        instants: list[Instant] = []
        waits: dict[str, Instant] = {}
        for since, end, detector, policy, reported in rules:
            horizon = _horizon(detector, state, policy, until, heard, read)
            look = detector.look(state, horizon.until, policy)
            held = (one for one in look.findings if since <= one.due_at < end)
            found.extend(held if reported else (_unreported(one) for one in held))
            if look.again is None or look.again >= end:
                continue
            if look.again < until and horizon.silent is not None:
                waits[horizon.silent] = min(look.again, waits.get(horizon.silent, FOREVER))
            else:
                instants.append(look.again)
        return Verdict(
            reconcile(state.findings, (_said_wrong(state, one) for one in found), until),
            min(instants, default=None),
            _IS_OPEN[kind](state),
            tuple(sorted(waits.items())),
        )


Read = dict[tuple[str, str], Instant]
"""Kind and rule, and up to when it has been looked at before."""
_Rule = tuple[Instant, Instant, Detector[Any], Policy, bool]
"""From when to when it counts, what it is, by which policy, and whether it is reported."""


def _rules(terms: Sequence[tuple[Instant, Instant, Policy]], detectors: Sequence[Detector[Any]]) -> Iterator[_Rule]:
    for since, end, policy in terms:
        enabled = frozenset(policy.kinds.enabled)
        for detector in detectors:
            if detector.kind in enabled:
                yield since, end, detector, policy, True
            elif not enabled.isdisjoint(NEEDED_BY.get(detector.kind, ())):
                yield since, end, detector, policy, False


def _after(staff: incident.Incident, until: Instant) -> Instant | None:
    """Say when time changes something of what staff did, once it has done what it does before ``until``."""
    passed = copy(staff)
    for event in incident.pass_time(staff, until):
        passed = incident.evolve(passed, event)
    return incident.due(passed)


def _read(read: Read, detector: Detector[Any]) -> Instant:
    """Give up to when a rule has been looked at before; of two of one kind, each by the names it gives its findings."""
    rules = getattr(detector, "rules", None)
    mine = (at for (kind, rule), at in read.items() if kind == detector.kind and (rules is None or rule in rules))
    return max(mine, default=_NOTHING)


def _horizon(detector: Detector[Any], state: Any, policy: Policy, until: Instant, heard: Heard, read: Read) -> _Horizon:
    sources = getattr(detector, "sources", None)
    names = sources(state, policy) if sources is not None else ()
    if not names:
        return _Horizon(until, None)
    least, silent = min((heard.get(one), one) for one in names)
    if least < _read(read, detector):
        # Somebody has looked further: another process may have heard more than this one knows.
        heard.refresh()
        least, silent = min((heard.get(one), one) for one in names)
    return _Horizon(least, silent) if least < until else _Horizon(until, None)


def _said_wrong(state: Any, finding: Finding) -> Finding:
    stored = state.findings.get(finding.key)
    against = None if stored is None else stored.dismissed
    return finding if against is None else ended_by_staff(finding, against)


def _unreported(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, reported=False)


class Now(NamedTuple):
    """What is known when subjects are looked at."""

    until: Instant
    """Everything up to here has been read."""
    heard: Heard
    mark: str
    """Of the policies that judge; see ``domain.adoption.mark``."""


def judge(intake: Intake, judgement: Judgement, now: Now, beside: Beside) -> dict[str, str]:
    """Judge what was touched, record what changed, and arm or disarm deadlines; returns whom it cannot judge.

    Raises:
        HandlerFailed: messages of this batch touched a subject that cannot be judged.
    """
    failed: dict[str, str] = {}
    verdicts: dict[str, Verdict] = {}
    while intake.touched:
        name, messages = next(iter(intake.touched.items()))
        del intake.touched[name]
        state = intake.work.state(name)
        before = getattr(state, "meaning", None)
        try:
            verdicts[name] = judgement.of(name, state, now.until, now.heard)
        except Exception as error:
            if messages:
                raise HandlerFailed(sorted(messages), error, name) from error
            # What is stored cannot be judged by this version: say so, and let everybody else's deadlines fire.
            failed[name] = repr(error)
            verdicts[name] = Verdict((), None, open=True)
        if intake.work.record(name, verdicts[name].events):
            intake.judged(name, messages, before)
    # Always written: another process may have moved the row without writing the stream.
    for name, verdict in verdicts.items():
        if verdict.again is not None or verdict.waits or verdict.open:
            beside.arm.append(Armed(name, verdict.again, now.mark, verdict.waits))
        else:
            beside.disarm.append(name)
    return failed
