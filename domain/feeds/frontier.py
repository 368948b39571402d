"""The frontier: up to when the world has been read. No deadline fires beyond it."""

from collections.abc import Iterable
from typing import Final

from domain.instant import FOREVER, SECOND, Instant

SKEW: Final = 60 * SECOND
"""By how much the clocks of machines may differ; what is said to be read up to later than that is not believed."""


class EventTimeFrontier:
    """Time by the events themselves: the least, over open partitions, of their largest time, less the lateness."""

    def __init__(self, partitions: Iterable[str], lateness: int) -> None:
        """Wait for every one of these partitions; none may be left out."""
        self._largest: dict[str, Instant] = dict.fromkeys(partitions, -FOREVER)
        self._open = set(self._largest)
        self._lateness = lateness
        self._until: Instant | None = None

    def note(self, partition: str, at: Instant) -> bool:
        """Note an event that was taken in; says whether it came later than allowed."""
        until, largest = self.until, self._largest[partition]
        if at > largest:
            self._largest[partition] = at
            if largest - self._lateness <= until:
                self._until = None
        return at < until

    def close(self, partition: str) -> None:
        """Stop waiting for a partition whose known end has been read."""
        self._open.discard(partition)
        self._until = None

    @property
    def waiting(self) -> frozenset[str]:
        """Name the partitions that are still open."""
        return frozenset(self._open)

    @property
    def end(self) -> Instant:
        """Give the largest event time seen."""
        return max(self._largest.values(), default=-FOREVER)

    @property
    def until(self) -> Instant:
        """Give where time stands: behind the slowest partition, and at the end once all are closed."""
        if self._until is None:
            self._until = self._stands()
        return self._until

    def _stands(self) -> Instant:
        if not self._open:
            return self.end
        return min(self._largest[partition] for partition in self._open) - self._lateness


def live(now: Instant, taken_up_to: Iterable[Instant | None]) -> Instant:
    """Give live time: the clock, but never beyond what has been read of every partition.

    A partition of which nothing is known to have been read holds time back altogether.
    """
    return min((now, *(-FOREVER if at is None else at for at in taken_up_to)))
