"""Counting at midnight: when so much lies late at one place that it is one big trouble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Final

from deploy.demo.catalogue import LOCAL
from deploy.demo.wrong import Wrong

_LEAST: Final = 12
_TIMES_THE_USUAL: Final = 2
_NIGHTS: Final = 28
_LONGEST: Final = timedelta(days=30)
# A backlog lasts while this share of its peak is there, in tenths.
_STAYS: Final = 7
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """One thing that lies late somewhere; before `known_at` nobody could count it."""

    since: datetime
    until: datetime | None
    known_at: datetime

    def counts(self, midnight: datetime) -> bool:
        """Say whether it is counted at a midnight."""
        over = self.since + _LONGEST if self.until is None else min(self.until, self.since + _LONGEST)
        return max(self.since, self.known_at) <= midnight < over


def backlogs(incident: str, hub: str, stays: Iterable[Stay], end: datetime) -> list[Wrong]:
    """List the spells in which far more than usual lay at one place."""
    here = list(stays)
    if not here:
        return []
    nights = list(_midnights(min(one.since for one in here), end))
    counts = [sum(one.counts(night) for one in here) for night in nights]
    crowded = [count >= _needed(counts[:number]) for number, count in enumerate(counts)]
    found: list[Wrong] = []
    number = 1
    while number < len(nights):
        if not (crowded[number - 1] and crowded[number]):
            number += 1
            continue
        first, peak = number - 1, max(counts[number - 1 : number + 1])
        number += 1
        while number < len(nights) and (crowded[number] or 10 * counts[number] >= _STAYS * peak):
            peak = max(peak, counts[number])
            number += 1
        over = nights[number] if number < len(nights) else None
        key = f"{hub}@{nights[first].date().isoformat()}"
        found.append(Wrong(incident, key, nights[first], over, hub=hub, more={"peak": peak}))
        number += 1
    return found


def _midnights(since: datetime, end: datetime) -> Iterator[datetime]:
    night = datetime.combine(since.astimezone(LOCAL).date(), time(), LOCAL)
    while night < end:
        yield night
        night += _DAY


def _needed(before: list[int]) -> float:
    nights = ([0] * _NIGHTS + before)[-_NIGHTS:]
    return max(_LEAST, _TIMES_THE_USUAL * median(nights))
