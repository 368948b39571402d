"""Census: how many things are counted at each midnight of a zone."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.calendars.midnight import end_of_day
from domain.instant import DAY, FOREVER, Instant

MEMORY: Final = 28
"""How many earlier counts say what is usual."""
LONGEST: Final = 30 * DAY
"""What has been counted for longer is no longer counted."""


class Midnight(NamedTuple):
    """A midnight, how many things are counted at it, and for how many midnights there have been none."""

    at: Instant
    counted: int
    idle: int


BEGINNING: Final = Midnight(-FOREVER, 0, MEMORY + 1)
"""Before anything was ever counted."""


class Census:
    """Things by the midnights at which they are counted; each change costs the same, however many there are."""

    __slots__ = ("_changes", "_entries", "_starts", "_turns", "_zone")

    def __init__(self, zone: str) -> None:
        """Begin with nothing to count, at the midnights of a zone."""
        self._zone = zone
        self._entries: dict[Instant, dict[str, Instant]] = {}
        """By the first midnight of each thing: its name, and the first midnight at which it is gone again."""
        self._starts: list[Instant] = []
        """The sorted midnights of ``_entries``."""
        self._changes: Counter[Instant] = Counter()
        self._turns: list[Instant] = []
        """The sorted midnights of ``_changes``."""

    def add(self, name: str, since: Instant, until: Instant) -> None:
        """Count a thing at the midnights from ``since`` on and before ``until``."""
        enters, leaves = self._span(since, until)
        if enters < leaves:
            if enters not in self._entries:
                self._entries[enters] = {}
                insort(self._starts, enters)
            self._entries[enters][name] = leaves
            self._change(enters, leaves, 1)

    def remove(self, name: str, since: Instant, until: Instant) -> None:
        """Count a thing no more that was added with the same instants."""
        enters, leaves = self._span(since, until)
        if enters < leaves:
            del self._entries[enters][name]
            if not self._entries[enters]:
                del self._entries[enters]
                del self._starts[bisect_left(self._starts, enters)]
            self._change(enters, leaves, -1)

    def after(self, before: Midnight) -> Midnight:
        """Give the next midnight with its count; of a long time with nothing, only its first weeks."""
        place = bisect_right(self._turns, before.at)
        turn = self._turns[place] if place < len(self._turns) else FOREVER
        following = turn if before.idle > MEMORY else min(turn, self.midnight(before.at + 1))
        count = before.counted + (self._changes[turn] if following == turn else 0)
        return Midnight(following, count, 0 if count else 1 + (0 if following == turn else before.idle))

    def counted(self, first: Instant, last: Instant) -> Iterator[str]:
        """Name everything that is counted at a midnight between the first and the last one given."""
        # Nothing stays longer; a clock change may have moved either end by hours.
        earliest = bisect_left(self._starts, first - LONGEST - DAY)
        for start in self._starts[earliest:]:
            if start > last:
                return
            yield from (name for name, leaves in self._entries[start].items() if leaves > first)

    def next_counted(self, before: Midnight) -> Instant | None:
        """Return the first midnight after one at which anything is counted."""
        following = self.after(before)
        while not following.counted and following.at < FOREVER:
            following = self.after(following._replace(idle=MEMORY + 1))
        return following.at if following.counted else None

    def midnight(self, at: Instant) -> Instant:
        """Return the first midnight that is not before an instant."""
        return end_of_day(at - 1, self._zone)

    def _span(self, since: Instant, until: Instant) -> tuple[Instant, Instant]:
        return self.midnight(since), self.midnight(until)

    def _change(self, enters: Instant, leaves: Instant, by: int) -> None:
        for turn, change in ((enters, by), (leaves, -by)):
            if turn not in self._changes:
                insort(self._turns, turn)
            self._changes[turn] += change
            if not self._changes[turn]:
                del self._changes[turn]
                del self._turns[bisect_left(self._turns, turn)]
