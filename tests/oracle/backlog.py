"""Backlogs by brute force: ask every interval at every midnight, and look back at all counts each time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

NEVER = datetime.max.replace(tzinfo=UTC)
STEP = timedelta(minutes=15)  # every zone's clocks change, and lie apart, by whole quarters of an hour


@dataclass(frozen=True)
class Late:
    """One thing that is late for a time."""

    name: str
    since: datetime
    until: datetime | None = None
    knowable: datetime | None = None

    def counted(self, midnight: datetime) -> bool:
        """Say whether the rule counts it at a midnight."""
        ends = min(self.until or NEVER, self.since + timedelta(days=30))
        return max(self.since, self.knowable or self.since) <= midnight < ends


@lru_cache(maxsize=100_000)
def begins(day: date, zone: str) -> datetime | None:
    """Return the first instant at which a zone's clocks show this date; none where they skip it."""
    noon_before = datetime.combine(day, datetime.min.time(), UTC) - timedelta(hours=15)
    instants = (noon_before + STEP * n for n in range(4 * 30))
    return next((one for one in instants if one.astimezone(ZoneInfo(zone)).date() == day), None)


def midnights(first: datetime, now: datetime, zone: str) -> Iterator[datetime]:
    """Walk the midnights of a zone from two days before an instant on, up to but not including now."""
    day = first.date() - timedelta(days=2)
    while day < now.date() + timedelta(days=3):
        midnight = begins(day, zone)
        if midnight is not None and midnight < now:
            yield midnight
        day += timedelta(days=1)


def oracle(things: Sequence[Late], zone: str, minimum: int, factor: float, now: datetime) -> list[dict[str, Any]]:
    """Return the backlogs that these things make up to now."""
    found: list[dict[str, Any]] = []
    counts: list[int] = []
    crowded: list[bool] = []
    running = False
    first = min((one.since for one in things), default=now)
    walked: list[datetime] = []
    for midnight in midnights(first, now, zone):
        walked.append(midnight)
        counts.append(sum(one.counted(midnight) for one in things))
        usual = median(([0] * 28 + counts[:-1])[-28:])
        needed = max(Fraction(minimum), Fraction(str(factor)) * Fraction(usual))
        crowded.append(counts[-1] > 0 and counts[-1] >= needed)
        if running:
            peak = max(counts[walked.index(found[-1]["since"]) : -1])
            if crowded[-1] or (counts[-1] > 0 and counts[-1] >= Fraction(7, 10) * peak):
                found[-1]["held"].append(midnight)
            else:
                found[-1]["ended_at"], running = midnight, False
        elif crowded[-2:] == [True, True]:
            running = True
            found.append({"since": walked[-2], "ended_at": None, "held": walked[-2:]})
    for one in found:
        of = dict(zip(walked, counts, strict=True))
        one["peak"] = max(of[midnight] for midnight in one["held"])
        one["opened_with"] = [of[midnight] for midnight in one["held"][:2]]
        one["names"] = sorted({late.name for late in things for midnight in one["held"] if late.counted(midnight)})
    return found
