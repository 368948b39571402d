"""Census: how many things are counted at each midnight of a zone."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Final

from domain.instant import DAY, FOREVER, Instant
from domain.midnight import end_of_day

MEMORY: Final = 28
"""How many earlier counts say what is usual."""
LONGEST: Final = 30 * DAY
"""What has been counted for longer is no longer counted."""


class Census:
    """Things by the midnights at which they are counted; each change costs the same, however many there are."""

    __slots__ = ("_changes", "_entries", "_starts", "_zone")

    def __init__(self, zone: str) -> None:
        """Begin with nothing to count, at the midnights of a zone."""
        self._zone = zone
        self._entries: dict[Instant, dict[str, Instant]] = {}
        """By the first midnight of each thing: its name, and the first midnight at which it is gone again."""
        self._changes: Counter[Instant] = Counter()
        self._starts: list[Instant] = []
        """The sorted midnights of ``_entries``; empty when they must be sorted again."""

    def add(self, name: str, since: Instant, until: Instant) -> None:
        """Count a thing at the midnights from ``since`` on and before ``until``."""
        enters, leaves = self._span(since, until)
        if enters < leaves:
            self._entries.setdefault(enters, {})[name] = leaves
            self._change(enters, leaves, 1)

    def remove(self, name: str, since: Instant, until: Instant) -> None:
        """Count a thing no more that was added with the same instants."""
        enters, leaves = self._span(since, until)
        if enters < leaves:
            del self._entries[enters][name]
            if not self._entries[enters]:
                del self._entries[enters]
            self._change(enters, leaves, -1)

    def counts(self, until: Instant) -> Iterator[tuple[Instant, int]]:
        """Give each midnight before ``until`` with its count; of a long time with nothing, only its first weeks."""
        count, idle, at = 0, 0, -FOREVER
        turns = sorted(self._changes)
        for place, turn in enumerate(turns):
            if turn >= until:
                return
            following = min(until, turns[place + 1] if place + 1 < len(turns) else FOREVER)
            count, at = count + self._changes[turn], turn
            idle = 0
            while at < following and idle <= MEMORY:
                yield at, count
                idle = 0 if count else idle + 1
                at = self.midnight(at + 1)

    def counted(self, first: Instant, last: Instant) -> Iterator[str]:
        """Name everything that is counted at a midnight between the first and the last one given."""
        if not self._starts:
            self._starts = sorted(self._entries)
        # Nothing stays longer; a clock change may have moved either end by hours.
        earliest = bisect_left(self._starts, first - LONGEST - DAY)
        for start in self._starts[earliest:]:
            if start > last:
                return
            yield from (name for name, leaves in self._entries[start].items() if leaves > first)

    def next_counted(self, at: Instant) -> Instant | None:
        """Return the first midnight from an instant on at which anything is counted."""
        count, found = 0, self.midnight(at)
        for turn in sorted(self._changes):
            if turn > found:
                if count:
                    return found
                found = turn
            count += self._changes[turn]
        return None

    def midnight(self, at: Instant) -> Instant:
        """Return the first midnight that is not before an instant."""
        return end_of_day(at - 1, self._zone)

    def _span(self, since: Instant, until: Instant) -> tuple[Instant, Instant]:
        return self.midnight(since), self.midnight(until)

    def _change(self, enters: Instant, leaves: Instant, by: int) -> None:
        self._starts = []
        for turn, change in ((enters, by), (leaves, -by)):
            self._changes[turn] += change
            if not self._changes[turn]:
                del self._changes[turn]
