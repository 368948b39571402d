"""Terms: which of several policies judges which trouble, so that each is found once whatever a later version changed.

A trouble is judged by the first version in whose term it comes due. Where a version finds trouble that it would have
found before it came into force, and no version before it did, the trouble comes due at that moment. What an earlier
version found is not found again while it lasts, and no later one takes it back. Readings in docs/adr/0013.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from domain.detection import Finding, Key
from domain.instant import FOREVER, Instant, iso
from domain.policies.policy import Policy

Stretch = tuple[Instant, Instant]
"""From when to when a trouble lasts."""


class Term(NamedTuple):
    """A policy, and the stretch in which it judges what comes due."""

    since: Instant
    end: Instant
    policy: Policy


def shared_out(seen: Sequence[tuple[Term, Iterable[Finding]]]) -> list[dict[Key, Instant]]:
    """Say for each term, earliest first, which of what its rule sees it judges, and when that comes due.

    >>> from domain.policies.policy import DEFAULT
    >>> def stall(due_at: int) -> Finding:
    ...     names = {"kind": "stalled_parcel", "subject": "P", "order_ids": ("A",), "rule": "no_movement"}
    ...     return Finding(since=0, due_at=due_at, ended_at=90, policy="", proof=(), severity="low", **names)
    >>> shorter = [(Term(-FOREVER, 50, DEFAULT), [stall(72)]), (Term(50, FOREVER, DEFAULT), [stall(48)])]
    >>> [[*one.values()] for one in shared_out(shorter)]
    [[], [50]]
    >>> longer = [(Term(-FOREVER, 50, DEFAULT), [stall(48)]), (Term(50, FOREVER, DEFAULT), [stall(72)])]
    >>> [[*one.values()] for one in shared_out(longer)]
    [[48], []]
    """
    claimed: defaultdict[tuple[str, str], list[Stretch]] = defaultdict(list)
    judged: list[dict[Key, Instant]] = []
    for number, (term, findings) in enumerate(seen):
        mine: dict[Key, Instant] = {}
        claims: list[tuple[tuple[str, str], Stretch]] = []
        for one in findings:
            trouble, ends = (one.subject, one.clock), FOREVER if one.ended_at is None else one.ended_at
            # What came due before any policy is judged by none of them.
            begins = _free(one.due_at if number == 0 else max(one.due_at, term.since), claimed[trouble])
            if begins < min(ends, term.end):
                claims.append((trouble, (begins, ends)))
                if begins >= term.since:
                    mine[one.key] = begins
        for trouble, stretch in claims:
            claimed[trouble].append(stretch)
        judged.append(mine)
    return judged


def _free(at: Instant, claimed: Iterable[Stretch]) -> Instant:
    """Return the first instant from ``at`` on that no earlier version has claimed."""
    for begin, end in sorted(claimed):
        if begin <= at < end:
            at = end
    return at


def come_due(finding: Finding, at: Instant) -> Finding:
    """Give a finding as a version judges it that makes it come due later than its rule alone would."""
    if at == finding.due_at:
        return finding
    detail = {**finding.detail, "rule_due_at": iso(finding.due_at)}
    if finding.knowable_at is not None and finding.knowable_at <= at:
        del detail["knowable_at"]
    since = at if finding.since == finding.due_at else finding.since
    return msgspec.structs.replace(finding, since=since, due_at=at, detail=detail)
