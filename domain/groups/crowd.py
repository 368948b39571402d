"""Crowd: the spells in which far more than usual is counted.

The ``warehouse_backlog`` row of the detection rules to the letter: "the previous 28 counts" of a midnight are those of
the 28 midnights right before it, whatever they were. Those inside a spell are among them, and so is, for the second of
the two midnights that open a spell, the first. With nothing counted there is no crowd, whatever the policy's minimum.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from domain.groups.census import BEGINNING, MEMORY, Census, Midnight
from domain.instant import Instant
from domain.policies.policy import Backlog as Rule

_STAYS: Final = (7, 10)
"""A crowd lasts while this part of its peak is there."""
_KEPT: Final = 16 * MEMORY
"""Midnights that are kept judged, at the least: what changes at a place changes in its last weeks and months."""


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


def magnitude(count: int, least: int) -> int:
    """Give the points of so many together: one, and one more for each time that it is ten times the least number."""
    return 1 + sum(count >= max(least, 1) * times for times in (10, 100))


class _Step(NamedTuple):
    """A midnight, as it was judged after all before it."""

    midnight: Midnight
    judged: Judged
    crowd: Crowd | None
    """The spell that it is part of."""
    ended: tuple[Crowd, ...]
    """The spells that have ended by then."""


class Crowds:
    """The spells of one census by one rule; what did not change is not judged again, and stays the same object.

    >>> from domain.instant import DAY
    >>> from domain.policies.policy import Backlog
    >>> census = Census("UTC")
    >>> for number in range(20):
    ...     census.add(str(number), DAY, 3 * DAY if number < 10 else 2 * DAY)
    >>> crowds = Crowds(census, Backlog(minimum=5))
    >>> [(one.first.at // DAY, one.peak.count, one.ended) for one in crowds.before(3 * DAY)]
    [(1, 20, None)]
    >>> [one.ended // DAY for one in crowds.before(5 * DAY)]
    [3]
    """

    __slots__ = ("_census", "_counts", "_factor", "_least", "_rule", "_steps", "_whole")

    def __init__(self, census: Census, rule: Rule) -> None:
        """Judge nothing yet; whoever changes the census says from when on, by ``forget``."""
        self._census, self._rule = census, rule
        self._factor, self._least = Decimal(str(rule.factor)), max(rule.minimum, 1)
        self._steps: list[_Step] = []
        self._counts: list[int] = []
        """How many were counted at each of them."""
        self._whole = True
        """Whether the first of the steps is the first of all."""

    def before(self, until: Instant) -> tuple[Crowd, ...]:
        """Give each spell that the midnights before an instant show; the last one may go on."""
        last = self._last(until)
        if last is None:
            return ()
        return last.ended if last.crowd is None else (*last.ended, last.crowd)

    def next_counted(self, until: Instant) -> Instant | None:
        """Return the first midnight from an instant on at which anything is counted."""
        last = self._last(until)
        return self._census.next_counted(BEGINNING if last is None else last.midnight)

    def forget(self, since: Instant) -> None:
        """Judge again from the midnight that is not before an instant."""
        kept = bisect_left(self._steps, since, key=_at)
        if kept < MEMORY and not self._whole:
            # What was usual then is not known any more.
            self._begin_anew()
        del self._steps[kept:], self._counts[kept:]

    def _begin_anew(self) -> None:
        self._steps.clear()
        self._counts.clear()
        self._whole = True

    def _last(self, until: Instant) -> _Step | None:
        """Judge on, and give the last midnight before an instant."""
        following = self._census.after(self._steps[-1].midnight if self._steps else BEGINNING)
        while following.at < until:
            self._steps.append(self._judge(following))
            self._counts.append(following.counted)
            following = self._census.after(following)
        if len(self._steps) > 2 * _KEPT:
            del self._steps[:-_KEPT], self._counts[:-_KEPT]
            self._whole = False
        place = bisect_left(self._steps, until, key=_at)
        if place:
            return self._steps[place - 1]
        if self._whole:
            return None
        self._begin_anew()
        return self._last(until)

    def _judge(self, midnight: Midnight) -> _Step:
        judged = Judged(midnight.at, midnight.counted, self._needed())
        if not self._steps:
            return _Step(midnight, judged, None, ())
        _, before, crowd, ended = self._steps[-1]
        if crowd is None:
            begins = before.crowded and judged.crowded
            found = Crowd(before, judged, max(before, judged, key=_count), judged) if begins else None
            return _Step(midnight, judged, found, ended)
        if crowd.goes_on(judged):
            return _Step(midnight, judged, crowd.with_next(judged), ended)
        return _Step(midnight, judged, None, (*ended, crowd._replace(ended=judged.at)))

    def _needed(self) -> int:
        """Return the least count that is more than usual; exact, as counts are whole.

        Before the first midnight nothing was counted; where midnights are left out, neither was at those before them.
        """
        recent = sorted(self._counts[-MEMORY:])
        ordered = [0] * (MEMORY - len(recent)) + recent
        middle = MEMORY // 2
        return max(self._least, math.ceil(self._factor * sum(ordered[middle - 1 : middle + 1]) / 2))


def _at(step: _Step) -> Instant:
    return step.midnight.at


def _count(judged: Judged) -> int:
    return judged.count
