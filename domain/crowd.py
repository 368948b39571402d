"""Crowd: the spells in which far more than usual is counted.

The ``warehouse_backlog`` row of the detection rules to the letter: "the previous 28 counts" of a midnight are those of
the 28 midnights right before it, whatever they were. Those inside a spell are among them, and so is, for the second of
the two midnights that open a spell, the first. With nothing counted there is no crowd, whatever the policy's minimum.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from domain.census import MEMORY
from domain.instant import Instant
from domain.policy import Backlog as Rule

_STAYS: Final = (7, 10)
"""A crowd lasts while this part of its peak is there."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One midnight, what was counted at it, and how much it takes to be more than usual."""

    at: Instant
    count: int
    needed: int

    @property
    def crowded(self) -> bool:
        """Say whether it is more than usual."""
        return self.count >= self.needed


class Crowd(NamedTuple):
    """A spell of midnights that are one backlog."""

    first: Judged
    """Since then."""
    second: Judged
    """Then it was known."""
    peak: Judged
    last: Judged
    """The last midnight of it that has been judged."""
    ended: Instant | None = None
    """The first midnight that is no part of it."""

    def goes_on(self, judged: Judged) -> bool:
        """Say whether the midnight after the last one is part of it."""
        part, whole = _STAYS
        return judged.crowded or (judged.count > 0 and whole * judged.count >= part * self.peak.count)

    def with_next(self, judged: Judged) -> "Crowd":
        """Give the spell with one more midnight."""
        return self._replace(last=judged, peak=judged if judged.count > self.peak.count else self.peak)


class _Usual:
    """The previous counts, by age and by size."""

    def __init__(self, rule: Rule) -> None:
        self._factor, self._least = Decimal(str(rule.factor)), max(rule.minimum, 1)
        self._recent = deque([0] * MEMORY)
        self._sorted = [0] * MEMORY

    def needed(self) -> int:
        """Return the least count that is more than usual; exact, as counts are whole."""
        middle = MEMORY // 2
        return max(self._least, math.ceil(self._factor * sum(self._sorted[middle - 1 : middle + 1]) / 2))

    def add(self, count: int) -> None:
        oldest = self._recent.popleft()
        del self._sorted[bisect_left(self._sorted, oldest)]
        self._recent.append(count)
        insort(self._sorted, count)


def judged(counts: Iterable[tuple[Instant, int]], rule: Rule) -> Iterator[Judged]:
    """Say for each midnight, in order, how much it would take; before the first one nothing was counted.

    Where midnights are left out, all that are missing and the ones before them must have had nothing.
    """
    usual = _Usual(rule)
    for at, count in counts:
        yield Judged(at, count, usual.needed())
        usual.add(count)


def magnitude(count: int, least: int) -> int:
    """Give the points of so many together: one, and one more for each time that it is ten times the least number."""
    return 1 + sum(count >= max(least, 1) * times for times in (10, 100))


def crowds(midnights: Iterable[Judged]) -> Iterator[Crowd]:
    """Give each spell in turn; the last one may go on.

    >>> from domain.policy import Backlog
    >>> counts = [(0, 20), (1, 21), (2, 15), (3, 14)]
    >>> [(one.first.at, one.peak.count, one.ended) for one in crowds(judged(counts, Backlog(minimum=18)))]
    [(0, 21, 3)]
    """
    before: Judged | None = None
    crowd: Crowd | None = None
    for one in midnights:
        if crowd is None:
            if before is not None and before.crowded and one.crowded:
                crowd = Crowd(before, one, max(before, one, key=lambda each: each.count), one)
        elif crowd.goes_on(one):
            crowd = crowd.with_next(one)
        else:
            yield crowd._replace(ended=one.at)
            crowd = None
        before = one
    if crowd is not None:
        yield crowd
