"""Telling: what the telling of groups reads and writes, and the index that it finds its way by."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from domain.events import Event
from domain.history.batch import WentLive
from domain.history.log import Beside, LogRecorder, Related, decode
from domain.instant import DAY, FOREVER, Instant
from domain.intake.intake import Intake
from domain.judging.adoption import Adopted, in_force
from domain.policies.policy import Policy


class Heard(NamedTuple):
    """An event of the log: where it stands, and in which stream."""

    position: int
    stream: str
    event: Event


class Telling:
    """One transaction of telling; the index shows what it has added itself."""

    def __init__(
        self, intake: Intake, store: LogRecorder, beside: Beside, adoptions: Sequence[Adopted], until: Instant
    ) -> None:
        """Tell by all policies that judge, have judged or will judge, while time stands at ``until``."""
        self.intake = intake
        self.work = intake.work
        self.adoptions = tuple(adoptions)
        self.policies = tuple(one.policy for one in adoptions)
        self.until = until
        self._store = store
        self._beside = beside
        self._added: defaultdict[str, set[Related]] = defaultdict(set)

    def relate(self, what: str, name: str, at: Instant = 0) -> None:
        """Note that something has to do with a stream; noting it again changes nothing."""
        row = Related(what, at, name)
        if row not in self._added[what]:
            self._added[what].add(row)
            self._beside.relate.append(row)

    def related(self, what: Iterable[str], since: Instant = -FOREVER, until: Instant = FOREVER) -> dict[str, list[str]]:
        """Name, for each of these that has any, the streams that have to do with it between two instants."""
        wanted = list(dict.fromkeys(what))
        rows = set(self._store.related(wanted, since, until))
        for one in wanted:
            rows.update(row for row in self._added.get(one, ()) if since <= row.at <= until)
        found: dict[str, list[str]] = {}
        for row in sorted(rows):
            found.setdefault(row.what, []).append(row.name)
        return found

    def first(self, what: str, since: Instant, until: Instant) -> dict[str, Instant]:
        """Say when each stream first had to do with something between two instants, both ends included."""
        rows = {*self._store.related([what], since, until), *self._added.get(what, ())}
        first: dict[str, Instant] = {}
        for row in rows:
            if since <= row.at <= until:
                first[row.name] = min(row.at, first.get(row.name, row.at))
        return first

    def count(self, what: str, at: Instant, by: int = 1) -> None:
        """Count so many more of something on the day of an instant."""
        key = (what, day(at))
        self._beside.count[key] = self._beside.count.get(key, 0) + by

    def counted(self, what: str, since: Instant, until: Instant) -> int:
        """Give how many were counted on the days that begin from one instant to before another."""
        added = (by for (one, at), by in self._beside.count.items() if one == what and since <= at < until)
        return self._store.counted(what, since, until) + sum(added)

    @cached_property
    def live_since(self) -> Instant | None:
        """Say when we went live; what was due before is historic."""
        events = (decode(row.topic, row.state) for row in self._store.select_streams(["live"]))
        return min((one.at for one in events if isinstance(one, WentLive)), default=None)

    @property
    def policy(self) -> Policy:
        """Give the policy in force as time stands."""
        return in_force(self.adoptions, self.until)

    @property
    def days(self) -> list[tuple[str, Instant]]:
        """List what was counted anew, and on which days."""
        return [key for key, by in self._beside.count.items() if by]


def day(at: Instant) -> Instant:
    """Give the beginning of an instant's day, in UTC."""
    return at // DAY * DAY
