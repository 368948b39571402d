"""Usual: how often a trouble is met where a cause is not, counted over the weeks before that first spoilt anything.

Counted by the day on which the cause could reach an order: its packing, or for the goods themselves its placing.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from domain.detection import FINDING_EVENTS
from domain.events import Stamp
from domain.groups import cluster
from domain.groups.cluster import Cluster, ClusterClosed, ClusterMemberChanged
from domain.groups.outbreak import outbreaks
from domain.incidents.events import IncidentCompensated, IncidentReopened, IncidentResolved
from domain.incidents.incident import Incident
from domain.instant import DAY, Instant
from domain.naming import stream
from domain.telling.exposed import STAFF
from domain.telling.telling import Heard, Telling, day

WEEKS: Final = 28 * DAY
"""How far back what is usual is looked for."""


class Counted(NamedTuple):
    """Under which names one sort of cause counts whom it could reach, and whom it troubled."""

    reached: str
    troubled: str
    by_members: bool = True
    """Whether whom it could reach are its members; else they are counted by whoever tells of them."""


class Sort(NamedTuple):
    """One sort of cluster."""

    kind: str
    what: cluster.What

    def of_incident(self, name: str) -> str | None:
        """Name the stream of the cluster that an incident is about, if it is of this sort."""
        begins = f"incident-{self.kind}-"
        return f"cluster-{self.what}-{name.removeprefix(begins)}" if name.startswith(begins) else None

    def incident(self, subject: str) -> str:
        """Name the incident that staff handle a cluster as."""
        return stream("incident", self.kind, subject)

    def least(self, telling: Telling) -> int:
        """Give the least number of troubles from which any policy looks closer."""
        enabling = [one.cluster.minimum for one in telling.policies if self.kind in one.kinds.enabled]
        return max(min(enabling, default=1), 1)

    def is_suspect(self, telling: Telling, state: Cluster) -> bool:
        """Say whether so many are troubled that chance must be weighed."""
        return bool(state.findings) or len(state.proven) >= self.least(telling)

    def breaks_out(self, telling: Telling, state: Cluster) -> bool:
        """Say whether it has been found, or is about to be."""
        if any(not one.retracted for one in state.findings.values()):
            return True
        enabling = (one for one in telling.policies if self.kind in one.kinds.enabled)
        return any(next(outbreaks(state, policy), None) is not None for policy in enabling)

    def concerned(self, found: Iterable[Heard]) -> set[str]:
        """Name the clusters of which something was found or withdrawn."""
        begins = f"cluster-{self.what}-"
        return {one.stream for one in found if one.stream.startswith(begins) and isinstance(one.event, FINDING_EVENTS)}

    def close(self, telling: Telling, found: Iterable[Heard]) -> None:
        """Let staff end a cluster by resolving its incident, and take that back by opening it again."""
        for one in found:
            name = self.of_incident(one.stream)
            if name is None or not isinstance(one.event, IncidentResolved | IncidentReopened):
                continue
            state: Cluster = telling.work.state(name)
            if isinstance(one.event, IncidentResolved):
                said = [ClusterClosed(closed=Stamp(one.event.at, STAFF, one.event.by))]
            else:
                taken_back = (stamp for stamp in state.closings if stamp.at == one.event.resolved_at)
                said = [ClusterClosed(closed=stamp, undone=True) for stamp in taken_back]
            for each in said:
                telling.intake.hear(name, cluster.decide(state, each))


def record(telling: Telling, name: str, member: ClusterMemberChanged, counted: Counted) -> bool:
    """Record what became of a member and count it; says whether that was news.

    A cluster that troubles nobody is not judged: one event is all that a member of it costs.
    """
    state: Cluster = telling.work.state(name)
    before = state.members.get(member.member)
    events = cluster.decide(state, member)
    if not events:
        return False
    _count(telling, counted, before, member)
    if state.proven or member.proven is not None:
        telling.intake.hear(name, events)
    else:
        telling.work.record(name, events)
    return True


def first_day(state: Cluster) -> Instant:
    """Give the day of the first order that was spoilt: what is usual is what was so before."""
    return day(min((one.since for one in state.proven.values()), default=0))


def watch(telling: Telling, name: str, state: Cluster, counted: Counted) -> None:
    """Ask to be weighed again when more is heard of the weeks before."""
    for one in (counted.reached, counted.troubled):
        telling.relate(f"usual {one}", name, first_day(state))


def stirred(telling: Telling) -> set[str]:
    """Name the clusters whose weeks before have now been counted otherwise."""
    found: set[str] = set()
    for what, at in telling.days:
        found.update(*telling.related([f"usual {what}"], at + DAY, at + WEEKS).values())
    return found


def paid(telling: Telling, incident: str) -> dict[str, Stamp]:
    """Say to which members of an incident staff have released a payment."""
    return {one.member: Stamp(one.at, STAFF, one.by) for one in _made(telling, incident)}


def paid_orders(telling: Telling, incident: str) -> dict[str, Stamp]:
    """Say the same by member and by the order that was paid, for clusters in which an order is settled as a whole."""
    made = _made(telling, incident)
    found = {one.order_id or cluster.parts(one.member)[0]: Stamp(one.at, STAFF, one.by) for one in made}
    return found | paid(telling, incident)


def _made(telling: Telling, incident: str) -> list[IncidentCompensated]:
    state: Any = telling.work.state(incident)
    assert isinstance(state, Incident)
    return [one for one in state.payments.values() if isinstance(one, IncidentCompensated)]


def _count(telling: Telling, counted: Counted, before: ClusterMemberChanged | None, now: ClusterMemberChanged) -> None:
    for one, by in ((before, -1), (now, 1)):
        if one is not None and not one.gone:
            if counted.by_members:
                telling.count(counted.reached, one.since, by)
            if one.proven is not None:
                telling.count(counted.troubled, one.since, by)
