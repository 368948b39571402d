"""What a measure hands back: repetitions of us and of the peers, and against which goal they stand."""

from collections.abc import Sequence
from statistics import median
from typing import Final, Self

import msgspec

OURS: Final = "ours"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's repetitions, or why there are none."""

    subject: str
    runs: tuple[float, ...] = ()
    median: float | None = None
    least: float | None = None
    most: float | None = None
    why_not: str = ""

    @classmethod
    def of(cls, subject: str, runs: Sequence[float]) -> Self:
        """Keep what was measured."""
        return cls(subject=subject, runs=tuple(runs), median=median(runs), least=min(runs), most=max(runs))

    @classmethod
    def absent(cls, subject: str, why_not: str) -> Self:
        """Say why this subject was not measured; never left out in silence."""
        return cls(subject=subject, why_not=why_not)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One table of the page: the product beside its peers, in one run."""

    measure: str
    name: str
    unit: str
    ours: Figure
    peers: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Give ours first, then the peers'."""
        return (self.ours, *self.peers)

    def ratio(self, peer: Figure) -> float | None:
        """Say how many times a peer's figure ours is."""
        return None if self.ours.median is None or not peer.median else self.ours.median / peer.median

    def peer(self, subject: str) -> Figure | None:
        """Find a peer by name."""
        return next((one for one in self.peers if one.subject == subject), None)


def not_measured(measure: str, name: str, unit: str, why_not: str) -> Result:
    """Say why a measure could not be taken here."""
    return Result(measure=measure, name=name, unit=unit, ours=Figure.absent(OURS, why_not))


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that so large a share of all does not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5), percentile([4.0, 1.0, 3.0, 2.0], 0.99)
    (2.0, 4.0)
    """
    ordered = sorted(values)
    place = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[max(0, place - 1)]
