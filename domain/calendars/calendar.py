"""Business calendars: when somebody works, and arithmetic in working time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import holidays
import msgspec
from holidays.version import __version__

from domain.calendars.hours import ALWAYS, DAYS, MIDNIGHT, Span, Week, minute, week
from domain.calendars.midnight import begins, end_of_day, is_midnight, local_date, local_minute, midnights, shows
from domain.instant import FOREVER, Duration, Instant, moment

__all__ = [
    "DATA",
    "Calendar",
    "CalendarKind",
    "Calendars",
    "add_working",
    "dispatch_by",
    "end_of_day",
    "is_midnight",
    "is_working",
    "midnights",
    "next_working_day",
    "working_between",
]

DATA: Final = f"holidays {__version__}"
"""Whose public holidays these are; a notice of next year's days may change them."""
_KNOWN: Final = range(1970, 2101)
"""Years with calendars; in any other, which only impossible dates reach, work never stops."""
_OTHERS: Final = "*"
_DAY = timedelta(days=1)


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """When somebody works; a table that says nothing means around the clock."""

    timezone: str = ""
    """The zone of these hours and days; without one, the policy's."""
    country: str | None = None
    """ISO 3166 code of the country whose public holidays are free, and whose make-up days are worked."""
    subdivision: str | None = None
    """State or province with holidays of its own."""
    hours: tuple[str, ...] = ()
    """Weekly spans such as `mon-fri 09:00-18:00`; without any, all of every day, or of a country's working days."""
    closed: tuple[date, ...] = ()
    """Days off besides."""
    open: tuple[date, ...] = ()
    """Days worked although they would be free, with that weekday's hours or those of the last weekday that has any."""
    cut_off: str | None = None
    """Time of day from which an order counts for the next working day; without one, midnight."""

    @property
    def always(self) -> bool:
        """Whether this is around the clock."""
        return not (self.country or self.hours or self.closed or self.cut_off)


CalendarKind = Literal["staff", "warehouses", "carriers", "destinations", "feeds"]
"""Whose calendar it is; each but the staff's has a name."""


class Calendars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Business calendars; the name `*` stands for all not named, and whoever has none works around the clock."""

    staff: Calendar = Calendar()
    warehouses: dict[str, Calendar] = {}
    carriers: dict[str, Calendar] = {}
    destinations: dict[str, Calendar] = {}
    feeds: dict[str, Calendar] = {}

    def of(self, kind: CalendarKind, name: str | None) -> Calendar | None:
        """Return the calendar of the staff, or of somebody else by name."""
        if kind == "staff":
            return self.staff
        known: dict[str, Calendar] = getattr(self, kind)
        return known.get(name or _OTHERS) or known.get(_OTHERS)

    def named(self) -> Iterator[tuple[str, Calendar]]:
        """Walk all of them with their keys below ``calendars``."""
        yield "staff", self.staff
        for kind in ("warehouses", "carriers", "destinations", "feeds"):
            for name, one in getattr(self, kind).items():
                yield f'{kind}."{name}"', one

    def in_zone(self, tz: str) -> "Calendars":
        """Return all of them with a zone, this one where they name none."""

        def zoned(calendars: dict[str, Calendar]) -> dict[str, Calendar]:
            return {name: _zoned(one, tz) for name, one in calendars.items()}

        return Calendars(
            staff=_zoned(self.staff, tz),
            warehouses=zoned(self.warehouses),
            carriers=zoned(self.carriers),
            destinations=zoned(self.destinations),
            feeds=zoned(self.feeds),
        )


def _zoned(calendar: Calendar, tz: str) -> Calendar:
    return calendar if calendar.timezone else msgspec.structs.replace(calendar, timezone=tz)


class _Year(NamedTuple):
    """The stretches of work of one year, in their order and apart from each other."""

    starts: tuple[Instant, ...]
    ends: tuple[Instant, ...]
    before: tuple[Duration, ...]
    """Working time of the year before each stretch."""
    total: Duration


def is_working(at: Instant, calendar: Calendar) -> bool:
    """Say whether somebody works at an instant; closing time itself is after work."""
    year = _worked(_year_of(at, calendar), calendar)
    place = bisect_right(year.starts, at) - 1
    return place >= 0 and at < year.ends[place]


def add_working(start: Instant, span: Duration, calendar: Calendar | None) -> Instant:
    """Return the first instant by which so much working time has passed; without a calendar, all time is.

    >>> from domain.instant import HOUR, instant, iso
    >>> staff = Calendar(timezone="Asia/Shanghai", country="CN", hours=("mon-fri 09:00-18:00",))
    >>> friday = instant(datetime.fromisoformat("2026-02-13T17:00+08:00"))
    >>> iso(add_working(friday, Duration(2 * HOUR), staff))  # that Saturday is made up for New Year
    '2026-02-14T02:00:00Z'
    """
    if calendar is None or span <= 0:
        return start + span
    number = _year_of(start, calendar)
    wanted = _spent(start, number, calendar) + span
    while wanted > (year := _worked(number, calendar)).total:
        if number == date.max.year:
            return FOREVER
        wanted -= year.total
        number += 1
    place = bisect_left(year.before, wanted) - 1
    return year.starts[place] + wanted - year.before[place]


def working_between(a: Instant, b: Instant, calendar: Calendar | None) -> Duration:
    """Return the working time from one instant to another, below zero where the other is earlier."""
    if calendar is None:
        return Duration(b - a)
    if b < a:
        return Duration(-working_between(b, a, calendar))
    first, last = _year_of(a, calendar), _year_of(b, calendar)
    whole = sum(_worked(number, calendar).total for number in range(first, last))
    return Duration(whole + _spent(b, last, calendar) - _spent(a, first, calendar))


def next_working_day(at: Instant, calendar: Calendar) -> Instant:
    """Return the midnight that begins the first working day after the local day of an instant."""
    day = _next(local_date(at, calendar.timezone), calendar)
    return FOREVER if day == date.max else begins(day, calendar.timezone)


def dispatch_by(at: Instant, days: int, calendar: Calendar) -> Instant:
    """Return the midnight that ends the last working day for dispatch, so many after the day that an order counts for.

    >>> from domain.instant import instant, iso
    >>> shop = Calendar(timezone="UTC", country="DE", cut_off="14:00")
    >>> friday = instant(datetime.fromisoformat("2026-10-02T14:00Z"))  # too late for today; Saturday is free anyway
    >>> iso(dispatch_by(friday, 1, shop))
    '2026-10-07T00:00:00Z'
    """
    day = local_date(at, calendar.timezone)
    late = calendar.cut_off is not None and local_minute(at, calendar.timezone) >= minute(calendar.cut_off)
    if late or not _spans(day, calendar):
        day = _next(day, calendar)
    for _ in range(days):
        day = _next(day, calendar)
    return FOREVER if day == date.max else begins(day + _DAY, calendar.timezone)


def _next(day: date, calendar: Calendar) -> date:
    while day < date.max:
        day += _DAY
        if _spans(day, calendar):
            break
    return day


def _year_of(at: Instant, calendar: Calendar) -> int:
    """Return the year in which an instant is counted: the place's own where its calendar is known."""
    year = moment(at).year
    if at < _new_year(year, calendar):
        return year - 1
    return year + 1 if year < date.max.year and at >= _new_year(year + 1, calendar) else year


def _new_year(year: int, calendar: Calendar) -> Instant:
    if year == date.min.year:
        return -FOREVER
    return begins(date(year, 1, 1), calendar.timezone if year in _KNOWN or year - 1 in _KNOWN else "UTC")


def _spent(at: Instant, number: int, calendar: Calendar) -> Duration:
    """Return the working time of a year up to an instant in it."""
    year = _worked(number, calendar)
    place = bisect_right(year.starts, at) - 1
    return Duration(0 if place < 0 else year.before[place] + min(at, year.ends[place]) - year.starts[place])


@lru_cache(maxsize=4096)
def _worked(number: int, calendar: Calendar) -> _Year:
    starts: list[Instant] = []
    ends: list[Instant] = []
    for start, end in _stretches(number, calendar):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        elif start < end:
            starts.append(start)
            ends.append(end)
    before = [0]
    for start, end in zip(starts, ends, strict=True):
        before.append(before[-1] + end - start)
    total = Duration(before.pop())
    return _Year(tuple(starts), tuple(ends), tuple(Duration(one) for one in before), total)


def _stretches(number: int, calendar: Calendar) -> Iterator[tuple[Instant, Instant]]:
    """Walk the stretches of a year, earliest first; what goes on over midnight is cut there."""
    if number not in _KNOWN:
        yield (
            _new_year(number, calendar),
            FOREVER if number == date.max.year else _new_year(number + 1, calendar),
        )
        return
    day = date(number, 1, 1)
    over = _spans(day - _DAY, calendar)
    while day.year == number:
        today = _spans(day, calendar)
        parts = [(0, closing - MIDNIGHT) for _, closing in over if closing > MIDNIGHT]
        parts += [(opening, min(closing, MIDNIGHT)) for opening, closing in today]
        for opening, closing in sorted(parts):
            yield _at(day, opening, calendar), _at(day, closing, calendar)
        over, day = today, day + _DAY


def _at(day: date, minutes: int, calendar: Calendar) -> Instant:
    if minutes in (0, MIDNIGHT):
        return begins(day if minutes == 0 else day + _DAY, calendar.timezone)
    return shows(datetime.combine(day, time(*divmod(minutes, 60))), calendar.timezone)


def _spans(day: date, calendar: Calendar) -> tuple[Span, ...]:
    """Return the hours of one day."""
    usual = _week(calendar.hours)
    public = _public(calendar.country, calendar.subdivision, day.year) if day.year in _KNOWN else None
    free = public is not None and public.is_weekend(day)
    if day in calendar.closed:
        return ()
    if day in calendar.open or (public is not None and free and public.is_working_day(day)):
        return next(spans for back in range(len(DAYS)) if (spans := usual[day.weekday() - back]))
    if public is not None and (day in public or (free and not calendar.hours)):
        return ()
    return usual[day.weekday()]


@lru_cache(maxsize=256)
def _week(hours: tuple[str, ...]) -> Week:
    return week(hours) if hours else ALWAYS


@lru_cache(maxsize=1024)
def _public(country: str | None, subdivision: str | None, year: int) -> holidays.HolidayBase | None:
    if country is None:
        return None
    return holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False)
