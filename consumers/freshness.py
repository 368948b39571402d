"""Freshness: up to which instant of the clock each partition has been read."""

from collections.abc import Mapping
from typing import NamedTuple

from domain.instant import Instant


class _Mark(NamedTuple):
    end: int
    at: Instant
    asked: float


class Freshness:
    """Turns "the end was there, asked not before then" into "taken in up to then" once that end is taken in.

    This needs no trust in record timestamps, and holds under load as well as at rest.
    """

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._marks: dict[str, _Mark] = {}

    def asked(self, ends: Mapping[str, int], positions: Mapping[str, int], at: Instant, elapsed: float) -> None:
        """Note ends that the broker named, asked at this instant of the clock; ``elapsed`` is monotonic seconds."""
        for name, end in ends.items():
            if name not in self._marks and name in positions:
                self._marks[name] = _Mark(end, at, elapsed)

    def read(self, positions: Mapping[str, int]) -> dict[str, Instant]:
        """Give the partitions that have been read up to an instant since this was last asked."""
        done = {}
        for name, mark in list(self._marks.items()):
            stands = positions.get(name)
            if stands is None:
                del self._marks[name]
            elif stands >= mark.end:
                done[name] = mark.at
                del self._marks[name]
        return done

    def behind(self, positions: Mapping[str, int], elapsed: float) -> dict[str, float]:
        """Give the seconds for which each partition has not reached an end that was there."""
        return {
            name: elapsed - mark.asked for name, mark in self._marks.items() if positions.get(name, mark.end) < mark.end
        }
