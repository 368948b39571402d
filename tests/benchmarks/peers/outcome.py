"""What every subject hands back, so that equal work can be checked before speeds are compared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found, how long it took, and how many rows it left behind."""

    late: frozenset[str]
    seconds: float
    rows: int
    later_half: float = 0.0
    """Seconds of the later half of its batches, for whoever times them one by one."""
