"""Following: how far into the log each kind of group has been told, and what it is to be told next.

Backlogs and incidents are always told. A kind that no policy of the log enables is not told and costs nothing; once one
enables it, it is told everything from the log's first event on, in slices, before it goes on with the others. A kind
that is no longer enabled by any stays where it is, and goes on from there.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from domain.history.batch import GroupsTold
from domain.history.log import Log, Recorded
from domain.instant import Instant
from domain.policies.policy import Policy
from domain.telling import escalation, grouping
from domain.telling.grouping import ALWAYS
from domain.telling.telling import Heard


class Part(NamedTuple):
    """A stretch of the log, and to which kinds it is news."""

    found: list[Heard]
    kinds: frozenset[str]
    told: dict[str, int]
    """How far each kind is told after it."""
    abreast: tuple[str, ...] = ()
    """Who is told, if that makes all of them know everything."""

    def closing(self, failed: dict[str, str], at: Instant) -> GroupsTold:
        """Write down how far everybody is told, who could not be judged, and when that was done."""
        kinds = {kind: up_to for kind, up_to in self.told.items() if kind != ALWAYS}
        return GroupsTold(up_to=self.told[ALWAYS], failed=failed, kinds=kinds, at=at)

    def passing(self, position: int | None, written: Iterable[Recorded]) -> "Part":
        """Go past what telling this wrote, up to a position, unless that is news to somebody itself."""
        if position is None or not {one.body.TOPIC for one in written}.isdisjoint(_topics(frozenset(self.abreast))):
            return self
        return self._replace(told={**self.told, **dict.fromkeys(self.abreast, position)})


def kinds(policies: Sequence[Policy]) -> tuple[str, ...]:
    """Name who is told."""
    enabled = {*chain.from_iterable(one.kinds.enabled for one in policies)}
    if any(one.incidents.escalation for one in policies):
        enabled.add(escalation.KIND)
    return (ALWAYS, *(kind for kind in grouping.KINDS if kind in enabled))


def read_on(log: Log, told: Mapping[str, int], wanted: Sequence[str], limit: int) -> Part:
    """Read the next events for the kinds that are behind the most, up to where another one stands.

    ``told`` is how far this process knows that they are told; another one may have gone further.
    """
    known, last = _stands(log), log.store.last_position()
    now = {kind: max(told.get(kind, 0), known.get(kind, 0)) for kind in {*wanted, *told, *known}}
    while True:
        least = min(now[kind] for kind in wanted)
        behind = frozenset(kind for kind in wanted if now[kind] == least)
        stop = min((now[kind] for kind in wanted if now[kind] > least), default=last)
        rows = [Heard(*row) for row in log.read(least, limit, _topics(behind))]
        found = [one for one in rows if one.position <= stop]
        reached = found[-1].position if len(found) == limit else stop
        now.update(dict.fromkeys(behind, reached))
        if found or reached >= last:
            abreast = all(now[kind] == last for kind in wanted)
            return Part(found, behind, now, tuple(wanted) if abreast else ())


def _stands(log: Log) -> dict[str, int]:
    """Read how far each kind has been told, whichever process did it."""
    for one in log.last("groups", GroupsTold):
        return {ALWAYS: one.up_to, **one.kinds}
    return {}


def _topics(names: frozenset[str]) -> tuple[str, ...]:
    more = chain.from_iterable(grouping.KINDS[name].topics for name in names if name != ALWAYS)
    return tuple(dict.fromkeys((*(grouping.TOPICS if ALWAYS in names else ()), *more)))
