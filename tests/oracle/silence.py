"""Silent feeds by brute force: every pair of neighbouring events of a source, and working time minute by minute."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
CLOCKS_WERE_SET = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """One event of a source."""

    source: str
    at: datetime
    beat: bool = False
    id: str = ""


@dataclass(frozen=True)
class Hours:
    """When a source without heartbeats speaks: the same hours on some days of the week."""

    zone: str
    days: frozenset[int]
    """0 is Monday."""
    opens: time
    closes: time

    def works(self, at: datetime) -> bool:
        """Say whether the minute that begins at an instant is worked."""
        local = at.astimezone(ZoneInfo(self.zone))
        return local.weekday() in self.days and self.opens <= local.time() < self.closes


@dataclass(frozen=True)
class Rules:
    """What policy says of silence."""

    after: timedelta
    own: Mapping[str, timedelta]
    """Sources with a silence of their own."""
    hours: Mapping[str, Hours]


def oracle(said: Iterable[Said], rules: Rules, now: datetime) -> list[dict[str, Any]]:
    """Return every silence that was too long before now, by source and time."""
    events = [one for one in said if one.at >= CLOCKS_WERE_SET]
    found = []
    for source in sorted({one.source for one in events}):
        ids = {one.at: one.id for one in sorted(events, key=lambda one: one.id) if one.source == source}
        mine = sorted(ids)
        beats = [one.at for one in events if one.source == source and one.beat]
        for last, following in zip(mine, [*mine[1:], None], strict=True):
            beating = any(beat <= last for beat in beats)
            due_at = _due(source, last, rules, beating=beating)
            if due_at is not None and due_at < now and (following is None or due_at < following):
                one = {"source": source, "last": last, "due_at": due_at, "ended_at": following, "beating": beating}
                found.append(one | {"proof": [f"{source}#{ids[last]}"]})
    return found


def _due(source: str, last: datetime, rules: Rules, *, beating: bool) -> datetime | None:
    after = max(MINUTE, rules.own.get(source, rules.after))
    if beating:
        return last + after
    hours = rules.hours.get(source)
    return None if hours is None else _worked(last, after, hours)


def _worked(start: datetime, after: timedelta, hours: Hours) -> datetime:
    """Return the first whole minute by which so much has been worked; start and span must be whole minutes."""
    at, worked = start, timedelta()
    while worked < after:
        worked += MINUTE if hours.works(at) else timedelta()
        at += MINUTE
    return at


def shuffled_into(said: Sequence[Said], order: Sequence[int], sizes: Sequence[int]) -> list[list[Said]]:
    """Cut events into batches after putting them in another order; what is left over is the last batch."""
    rest = [said[place] for place in order]
    cut: list[list[Said]] = []
    for size in sizes:
        cut.append(rest[:size])
        rest = rest[size:]
    return [batch for batch in (*cut, rest) if batch]
