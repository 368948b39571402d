"""Sight: one look at a subject by all of its rules, as far as policies, time and silent feeds let each of them see."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from domain.detection import Detector, Finding, Key, Look
from domain.detectors import NEEDED_BY
from domain.instant import FOREVER, Instant
from domain.judging.terms import Term, come_due, shared_out
from domain.policies.policy import Policy

NOTHING: Final = -FOREVER
"""Of what was never heard or read."""
_GROUPS: Final = frozenset({"backlog", "cluster", "price_cut"})
"""What is counted up to an instant, and so has no future to look at."""
_KNOWN_AT_ONCE: Final = frozenset({"late_shipment", "late_delivery"})
"""Kinds that are known from the very instant of the event that makes them knowable, as it has been heard."""
_BY_MOMENT: Final = frozenset({"price_difference"})
"""Kinds that are a right given at a moment: a later version gives nobody what the rules of that moment did not."""
_KNOWN_LATER: Final = frozenset(
    {*_KNOWN_AT_ONCE, "mis_shipment", "complaint_overdue", "warehouse_backlog", "carrier_backlog"}
)
"""Kinds that may become known after they came due, and so after the term in which they did."""


class Heard:
    """The largest event time of every source, as far as this process knows."""

    def __init__(self, read: Callable[[], Mapping[str, Instant]]) -> None:
        """Know what is read now."""
        self._read = read
        self._known = read()

    def get(self, source: str) -> Instant:
        """Give that of one source; of one that was never heard, the beginning of time."""
        return self._known.get(source, NOTHING)

    def refresh(self) -> None:
        """Read anew what other processes have heard."""
        self._known = self._read()


Read = dict[tuple[str, str], Instant]
"""Kind and rule, and up to when it has been looked at before."""


_Sources = Callable[[Any, Policy], tuple[str, ...]]


class _Part(NamedTuple):
    """A rule in the term of one policy."""

    term: Term
    reported: bool | None
    """Null where nobody asked for the kind; what came due then is still not news later."""
    sources: _Sources | None
    """Names the feeds that a subject waits for."""
    told_by: Callable[[Any, Finding, Policy], tuple[str, ...]] | None
    """Names the feeds that one finding waits for."""


class Rule(NamedTuple):
    """A rule in the terms of all policies, earliest first."""

    detector: Detector[Any]
    parts: tuple[_Part, ...]


def in_terms(terms: Sequence[Term], detectors: Sequence[Detector[Any]]) -> Iterator[Rule]:
    """Give every rule that any of the policies wants, in the terms of all of them."""
    for detector in detectors:
        parts = tuple(_part(detector, term) for term in terms)
        if any(one.reported is not None for one in parts):
            yield Rule(detector, parts)


def _part(detector: Detector[Any], term: Term) -> _Part:
    enabled, waits = term.policy.kinds.enabled, term.policy.feed_silence.waits
    needed = not NEEDED_BY.get(detector.kind, frozenset()).isdisjoint(enabled)
    reported = True if detector.kind in enabled else (False if needed else None)
    if getattr(detector, "waits_as", detector.kind) not in waits:
        return _Part(term, reported, None, None)
    return _Part(term, reported, getattr(detector, "sources", None), getattr(detector, "told_by", None))


class _Horizon(NamedTuple):
    """Up to when one rule may look, and which feed keeps it from looking further."""

    until: Instant
    silent: str | None


class Sight:
    """One look at a subject by all of its rules: what is found, and when and for which feeds to look again."""

    def __init__(self, kind: str, state: Any, until: Instant, heard: Heard, read: Read) -> None:
        """Look at the subject of a stream of this kind while everything up to ``until`` has been read."""
        self._kind = kind
        self._state = state
        self.until = until
        self._whole = _Horizon(until, None)
        self._heard = heard
        self._read = read
        self.instants: list[Instant] = []
        self.waits: dict[str, Instant] = {}

    def findings(self, rule: Rule) -> list[Finding]:
        """Give what a rule finds, each by the policy that judges it, in the order in which it came due."""
        seen = [(part, *self._look(rule.detector, part)) for part in rule.parts if part.reported is not None]
        if not any(look.findings for _, _, look in seen):
            return []
        # By time, as one version gives its own in another order than several that say the same.
        return sorted(self._due(rule, seen), key=attrgetter("due_at"))

    def _due(self, rule: Rule, seen: Sequence[tuple[_Part, _Horizon, Look]]) -> Iterator[Finding]:
        judged = self._judged(rule, [look for _, _, look in seen])
        for part, horizon, look in seen:
            for one in look.findings:
                due_at = judged[part.term.since].get(one.key)
                if due_at is None or self._must_wait(due_at, horizon):
                    continue
                due = come_due(one, due_at)
                if not self._is_unheard(due, part):
                    yield due if part.reported else _unreported(due)

    def _look(self, detector: Detector[Any], part: _Part) -> tuple[_Horizon, Look]:
        horizon = self._whole if part.sources is None else self._horizon(detector, part.sources, part)
        look = detector.look(self._state, horizon.until, part.term.policy)
        if look.again is not None and (look.again < part.term.end or detector.kind in _KNOWN_LATER):
            self._must_wait(max(look.again, part.term.since), horizon)
        return horizon, look

    def _judged(self, rule: Rule, looks: Iterable[Look]) -> dict[Instant, dict[Key, Instant]]:
        """Say for each term what it judges, and when that comes due."""
        if len(rule.parts) == 1 or rule.detector.kind in _BY_MOMENT:
            terms = [part.term for part in rule.parts if part.reported is not None]
            due = [{one.key: one.due_at for one in look.findings} for look in looks]
            return {
                since: {key: at for key, at in mine.items() if since <= at < end}
                for (since, end, _), mine in zip(terms, due, strict=True)
            }
        upto = self.until if self._kind in _GROUPS else FOREVER
        seen = [(part.term, rule.detector.look(self._state, upto, part.term.policy).findings) for part in rule.parts]
        return {term.since: due for (term, _), due in zip(seen, shared_out(seen), strict=True)}

    def _must_wait(self, at: Instant, horizon: _Horizon) -> bool:
        """Say whether an instant lies ahead of what may be looked at, and see to it that it is looked at then."""
        if at < horizon.until:
            return False
        if at < self.until and horizon.silent is not None:
            self._wait_for(horizon.silent, at)
        else:
            self.instants.append(at)
        return True

    def _wait_for(self, source: str, at: Instant) -> None:
        self.waits[source] = min(at, self.waits.get(source, FOREVER))

    def _horizon(self, detector: Detector[Any], sources: _Sources, part: _Part) -> _Horizon:
        names = sources(self._state, part.term.policy)
        if not names:
            return self._whole
        least, silent = self._least(names)
        if least < _read(self._read, detector):
            # Somebody has looked further: another process may have heard more than this one knows.
            self._heard.refresh()
            least, silent = self._least(names)
        return _Horizon(least, silent) if least < self.until else self._whole

    def _is_unheard(self, finding: Finding, part: _Part) -> bool:
        """Say whether a feed that would tell otherwise has not been heard past a finding, and wait for it."""
        names = () if part.told_by is None else part.told_by(self._state, finding, part.term.policy)
        if not names:
            return False
        least, silent = self._least(names)
        if least <= finding.due_at and finding.key in self._state.findings:
            self._heard.refresh()
            least, silent = self._least(names)
        if least > finding.due_at:
            return False
        self._wait_for(silent, finding.due_at)
        return True

    def _least(self, names: Iterable[str]) -> tuple[Instant, str]:
        return min((self._heard.get(one), one) for one in names)


def known_after(finding: Finding) -> Instant:
    """Give the earliest instant to which everything must have been read for a finding to be known."""
    knowable_at = finding.due_at if finding.knowable_at is None else finding.knowable_at
    return max(finding.due_at + 1, knowable_at if finding.kind in _KNOWN_AT_ONCE else knowable_at + 1)


def _read(read: Read, detector: Detector[Any]) -> Instant:
    """Give up to when a rule has been looked at before; of two of one kind, each by the names it gives its findings."""
    rules = getattr(detector, "rules", None)
    mine = (at for (kind, rule), at in read.items() if kind == detector.kind and (rules is None or rule in rules))
    return max(mine, default=NOTHING)


def _unreported(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, reported=False)
