"""Clocks: the one place where the time of day is read. Every role of one store reads the same one."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from domain.instant import Instant

Clock = Callable[[], Instant]
_NANO_PER_MICRO = 1000


def wall() -> Instant:
    """Read the time of day."""
    return time.time_ns() // _NANO_PER_MICRO


@dataclass(frozen=True, slots=True)
class DemoClock:
    """A clock that began somewhere and runs faster, start + speed × elapsed, and stands still at its end."""

    start: Instant
    anchor: Instant
    speed: float
    end: Instant

    def __call__(self) -> Instant:
        """Read it."""
        return min(self.end, self.start + int((wall() - self.anchor) * self.speed))

    def keep(self, directory: Path) -> None:
        """Anchor it in a store, for every role that will read it."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / _FILE).write_bytes(orjson.dumps(asdict(self)))


def of(directory: Path) -> Clock:
    """Give the clock of a store: the demo's where it has one, else the time of day."""
    kept = directory / _FILE
    if kept.exists():
        return DemoClock(**orjson.loads(kept.read_bytes()))
    return wall


def speed(clock: Clock) -> float:
    """Say how fast a clock runs."""
    return clock.speed if isinstance(clock, DemoClock) else 1.0


def end(clock: Clock) -> Instant | None:
    """Say where a clock stands still, if it ever does."""
    return clock.end if isinstance(clock, DemoClock) else None


_FILE = "clock.json"
