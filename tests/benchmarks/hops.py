"""Which part of the way from a broker to a client takes how long: looked at from outside, a hundred times a second."""

import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple, Self

from tests.benchmarks.looking import Outlook

LOOK_SECONDS: Final = 0.01
NAMES: Final = ("from the append to the commit in the log", "on to that of the views", "on to the client")


class Times(NamedTuple):
    """When one change came where, in seconds."""

    appended: float
    logged: float
    followed: float
    heard: float

    @property
    def hops(self) -> tuple[float, ...]:
        """Give the milliseconds of each part of the way."""
        return tuple((there - here) * 1000 for here, there in pairwise(self))


class Watch:
    """Notes how far the log and its views had come at which time, until it is told to end."""

    def __init__(self, store: Outlook) -> None:
        """Begin to look, in a thread."""
        self._store = store
        self._ended = threading.Event()
        self._at: list[float] = []
        self._logged: list[int] = []
        self._followed: list[int] = []
        self._looking = threading.Thread(target=self._look)
        self._looking.start()

    def __enter__(self) -> Self:
        """Go on looking."""
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._ended.set()
        self._looking.join()
        self._store.close()

    def times(self, position: int, appended: float, heard: float) -> Times | None:
        """Say when an event was first seen in the log and in the views; null where nobody looked since."""
        logged, followed = (bisect_left(seen, position) for seen in (self._logged, self._followed))
        if max(logged, followed) >= len(self._at):
            return None
        return Times(appended, self._at[logged], self._at[followed], heard)

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._followed.append(self._store.passed())
            self._logged.append(self._store.last())
            self._at.append(time.time())


def seen(watch: Watch, positions: Mapping[str, int], appended: Mapping[str, float], heard: Mapping[str, float]) -> str:
    """Say for people how long the parts of the way took at the median."""
    found = [watch.times(positions[name], at, heard[name]) for name, at in appended.items() if name in positions]
    return told([one.hops for one in found if one is not None])


def told(hops: Sequence[tuple[float, ...]]) -> str:
    """Put parts of the way into words.

    >>> told([(30.0, 25.0, 20.0), (34.0, 21.0, 22.0), (99.0, 29.0, 21.0)])[:70]
    'in one more run, at the median: 34 ms from the append to the commit in'
    """
    parts = [f"{median(part):.0f} ms {name}" for name, part in zip(NAMES, zip(*hops, strict=True), strict=True)]
    return f"in one more run, at the median: {', '.join(parts)}; seen by looking every {LOOK_SECONDS * 1000:.0f} ms"
