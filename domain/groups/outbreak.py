"""Outbreak: when the troubles of one cause are too many in too short a time to be chance, until they are settled.

Readings of the cluster rows of the detection rules:

- Customers are counted, not complaints or parcels; an order whose customer is unknown counts as its own.
- Troubles within ``window`` of each other count together; they open an outbreak when there are ``minimum`` of them
  and, where it is known what is usual, so many among the orders reached since the first of these is as unlikely as
  ``significance``. Where it is not known, ``minimum`` decides alone.
- Each closing by staff ends what came before it; troubles after it can only be another outbreak.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from domain.detection import Finding, Look
from domain.events import Stamp
from domain.groups.chance import Usual, likelihood
from domain.groups.cluster import STAGES, Cluster, ClusterMemberChanged
from domain.groups.crowd import magnitude
from domain.instant import FOREVER, Instant, iso
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

_BEHIND = "\U0010ffff"
_START, _END = Stamp(-FOREVER, "", ""), Stamp(FOREVER, _BEHIND, _BEHIND)


class Proven(NamedTuple):
    """One order that was reached, and when that showed."""

    at: Stamp
    member: ClusterMemberChanged


class Outbreak(NamedTuple):
    """Troubles that together are no chance."""

    opened_with: tuple[ClusterMemberChanged, ...]
    """By when they showed."""
    due_at: Instant
    knowable_at: Instant
    proven: tuple[ClusterMemberChanged, ...]
    """All until it was closed."""
    likelihood: float | None
    ended_by: Stamp | None

    @property
    def began(self) -> Instant:
        """Say when the first order was reached that opened it."""
        return min(one.since for one in self.opened_with)


class Cause(NamedTuple):
    """Which kind of trouble is looked for."""

    kind: str
    rule: str
    cleared_by: str
    from_first_spoilt: bool
    """Whether only orders that were reached since the first spoilt one belong to it, and not all that ever were."""


def look_at(cluster: Cluster, cause: Cause, until: Instant, policy: Policy) -> Look:
    """Find every outbreak that could be known before ``until``, past ones included."""
    key = (cause.kind, policy.hash, policy.cluster.minimum, policy.cluster.window, policy.cluster.significance)
    known = cluster.derived.get(key)
    if known is None:
        held = (one for one in outbreaks(cluster, policy) if one.ended_by is None or one.ended_by.at > one.due_at)
        known = cluster.derived[key] = [(one.knowable_at, _finding(cluster, cause, one, policy)) for one in held]
    return Look(
        findings=tuple(finding for at, finding in known if at < until),
        again=min((at for at, _ in known if at >= until), default=None),
    )


def outbreaks(cluster: Cluster, policy: Policy) -> Iterator[Outbreak]:
    """Find what is no chance between one closing and the next, earliest first."""
    if len(cluster.proven) < policy.cluster.minimum:
        return
    shown = (Proven(one.proven, one) for one in cluster.proven.values() if one.proven is not None)
    proven = sorted(shown, key=lambda one: (one.at, one.member.member))
    reached = _Reached(cluster)
    for after, closing in pairwise((_START, *cluster.closings, _END)):
        here = [one for one in proven if after <= one.at < closing]
        opening = _opening(cluster, here, reached, policy)
        if opening is not None:
            ended_by = _exhausted(cluster, here[opening.last]) if closing == _END else closing
            yield Outbreak(
                opened_with=tuple(one.member for one in here[opening.first : opening.last + 1]),
                due_at=here[opening.first].at.at,
                knowable_at=here[opening.last].at.at,
                proven=tuple(one.member for one in here),
                likelihood=opening.likelihood,
                ended_by=ended_by,
            )


class _Opening(NamedTuple):
    first: int
    last: int
    likelihood: float | None


class _Reached:
    """How many orders the cause had reached by when."""

    def __init__(self, cluster: Cluster) -> None:
        first: dict[str, Instant] = {}
        for one in cluster.members.values():
            first[one.order_id] = min(one.since, first.get(one.order_id, one.since))
        self._instants = sorted(first.values())
        self._counts = sorted(cluster.reach.items())

    def between(self, first: Instant, last: Instant) -> int:
        counts = self._counts[bisect_left(self._counts, (first, -1)) : bisect_right(self._counts, (last, FOREVER))]
        orders = bisect_right(self._instants, last) - bisect_left(self._instants, first)
        return orders + sum(count for _, count in counts)


def _opening(cluster: Cluster, proven: Sequence[Proven], reached: _Reached, policy: Policy) -> _Opening | None:
    """Find the first trouble with which those of its window are no chance."""
    rule, usual = policy.cluster, _usual(cluster)
    witnesses: Counter[str] = Counter()
    first = 0
    for last, one in enumerate(proven):
        witnesses[one.member.witness] += 1
        while one.at.at - proven[first].at.at > rule.window:
            witnesses[proven[first].member.witness] -= 1
            first += 1
        troubles = len(+witnesses)
        if troubles < max(rule.minimum, 1):
            continue
        since = min(each.member.since for each in proven[first : last + 1])
        chance = likelihood(troubles, reached.between(since, one.at.at), usual)
        if chance is None or chance <= rule.significance:
            return _Opening(first, last, chance)
    return None


def _usual(cluster: Cluster) -> Usual:
    scope = cluster.scope
    return Usual() if scope is None else Usual(scope.usual_orders, scope.usual_troubles)


def _exhausted(cluster: Cluster, opened: Proven) -> Stamp | None:
    """Name what left no exposed order once the cause was replaced; an outbreak ends no sooner than it was known."""
    scope = cluster.scope
    exposed = [one.settled for one in cluster.members.values() if one.proven is None]
    if scope is None or scope.replaced is None or None in exposed:
        return None
    return max(scope.replaced, opened.at, *(settled for settled in exposed if settled is not None))


def _finding(cluster: Cluster, cause: Cause, outbreak: Outbreak, policy: Policy) -> Finding:
    after = outbreak.began if cause.from_first_spoilt else -FOREVER
    silent = [one for one in cluster.members.values() if one.proven is None and one.since >= after]
    members = [*outbreak.proven, *silent]
    stakes = [one.stake or Stake() for one in members]
    severity, parts = weigh(stakes, policy, members=magnitude(len(members), policy.cluster.minimum))
    scope, ended_by = cluster.scope, outbreak.ended_by
    return Finding(
        kind=cause.kind,
        subject=cluster.subject,
        since=outbreak.due_at,
        due_at=outbreak.due_at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=tuple(sorted({one.order_id for one in members})),
        warehouse_id=None if scope is None else scope.warehouse_id,
        sku=None if scope is None else scope.sku,
        severity=severity,
        rule=cause.rule,
        policy=policy.hash,
        proof=_proof(cluster, outbreak),
        detail={"severity": parts, "cleared_by": cause.cleared_by, **_detail(cluster, outbreak, members)},
    )


def _proof(cluster: Cluster, outbreak: Outbreak) -> tuple[str, ...]:
    began = cluster.scope.began if cluster.scope is not None else None
    refs = (ref for one in outbreak.opened_with for ref in one.proof)
    return tuple(dict.fromkeys((*(() if began is None else (began.ref,)), *refs)))


def _detail(cluster: Cluster, outbreak: Outbreak, members: Sequence[ClusterMemberChanged]) -> dict[str, Any]:
    names = {one.member for one in members}
    ranked = [one for one in cluster.ranked if one.member in names]
    stages = Counter(one.stage for one in ranked)
    detail: dict[str, Any] = {
        "proven": sorted({one.order_id for one in outbreak.proven}),
        "silent": len({one.order_id for one in members} - {one.order_id for one in outbreak.proven}),
        "ranked": list(dict.fromkeys(map(attrgetter("order_id"), ranked))),
        "stages": {stage: stages[stage] for stage in STAGES if stages[stage]},
    }
    if outbreak.knowable_at > outbreak.due_at:
        detail["knowable_at"] = iso(outbreak.knowable_at)
    if outbreak.likelihood is not None:
        detail["likelihood"] = f"{outbreak.likelihood:.1e}"
    if cluster.scope is not None and cluster.scope.began is not None:
        detail["onset"] = {"at": iso(cluster.scope.began.at), "event": cluster.scope.began.ref}
    if outbreak.ended_by is not None:
        detail["ended_by"] = outbreak.ended_by.ref
    return detail
