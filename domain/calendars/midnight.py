"""Midnights: where a place's days begin, clock changes included."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.instant import FOREVER, Instant, instant, moment

_DAY = timedelta(days=1)


def local_date(at: Instant, tz: str) -> date:
    """Return the date that a place's clocks show; at the ends of the calendar, where no zone reaches, UTC's."""
    try:
        return moment(at).astimezone(ZoneInfo(tz)).date()
    except OverflowError:
        return moment(at).date()


def local_minute(at: Instant, tz: str) -> int:
    """Return the minutes since midnight that a place's clocks show."""
    try:
        shown = moment(at).astimezone(ZoneInfo(tz))
    except OverflowError:
        shown = moment(at)
    return shown.hour * 60 + shown.minute


@lru_cache(maxsize=65_536)
def begins(day: date, tz: str) -> Instant:
    """Return the first instant of a place's day; where a clock change skips midnight, the change.

    >>> from domain.instant import iso
    >>> iso(begins(date(2026, 3, 1), "Asia/Shanghai"))
    '2026-02-28T16:00:00Z'
    """
    return shows(datetime.combine(day, time()), tz)


def shows(local: datetime, tz: str) -> Instant:
    """Return the first instant at which a place's clocks show this time or, where they skip it, a later one."""
    zone = ZoneInfo(tz)
    first = instant(local.replace(tzinfo=zone))
    other = instant(local.replace(tzinfo=zone, fold=1))
    return first if other >= first else _change(other, first, zone)


def end_of_day(at: Instant, tz: str) -> Instant:
    """Return the midnight that ends the local day of an instant."""
    day = local_date(at, tz)
    while day < date.max:
        day += _DAY
        # Clocks put back just after midnight, as in Newfoundland until 2011, show the day before once more.
        if (midnight := begins(day, tz)) > at:
            return midnight
    return FOREVER


def is_midnight(at: Instant, tz: str) -> bool:
    """Say whether a place's day begins at this very instant."""
    return begins(local_date(at, tz), tz) == at


def midnights(after: Instant, up_to: Instant, tz: str) -> Iterator[Instant]:
    """Walk the midnights of a place, those ``after`` one instant and not later than another.

    >>> from domain.instant import DAY
    >>> list(midnights(0, 2 * DAY, "UTC")) == [DAY, 2 * DAY]
    True
    """
    midnight = end_of_day(after, tz)
    while midnight <= min(up_to, FOREVER - 1):
        yield midnight
        midnight = end_of_day(midnight, tz)


def _change(before: Instant, after: Instant, zone: ZoneInfo) -> Instant:
    """Find the clock change in (before, after]."""
    offset = moment(after).astimezone(zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if moment(middle).astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
