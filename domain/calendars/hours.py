"""Weekly hours: what ``mon-fri 09:00-18:00`` says, as spans of minutes on each day of the week."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

Span = tuple[int, int]
"""Minutes since the midnight that begins a day: opening, closing; a closing beyond 1440 is on the day after."""
Week = tuple[tuple[Span, ...], ...]
"""The spans of each day, Monday first."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = 24 * 60
"""Minutes of a day."""
_HOUR: Final = 60
ALWAYS: Final[Week] = (((0, MIDNIGHT),),) * len(DAYS)
_SHAPE = re.compile(r"([a-z]+)(?:-([a-z]+))? (\d\d):(\d\d)-(\d\d):(\d\d)")
_TIME = re.compile(r"(\d\d):(\d\d)")


def week(texts: Iterable[str]) -> Week:
    """Read weekly hours; a span whose end is not after its start goes on over midnight.

    >>> week(["mon-tue 09:00-18:00", "sat 22:00-06:00"])[5]
    ((1320, 1800),)

    Raises:
        ValueError: a text is no span of hours; it says how to write one.
    """
    days: list[list[Span]] = [[] for _ in DAYS]
    for text in texts:
        first, last, span = _read(text)
        # "fri-mon" goes over the end of the week.
        for step in range((last - first) % len(DAYS) + 1):
            days[(first + step) % len(DAYS)].append(span)
    return tuple(tuple(sorted(spans)) for spans in days)


def minute(text: str) -> int:
    """Read a time of day as minutes since midnight; ``24:00`` is the end of the day.

    Raises:
        ValueError: the text is no time of day.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is no time of day; write one as in "15:00"')
    return _minute(match[1], match[2], text)


def _read(text: str) -> tuple[int, int, Span]:
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is no span of hours; write days and times as in "mon-fri 09:00-18:00"')
    first = _day(match[1])
    opening, closing = _minute(match[3], match[4], text), _minute(match[5], match[6], text)
    if opening in (closing, MIDNIGHT):
        raise ValueError(f'{text!r} is empty; a whole day is "00:00-24:00"')
    span = (opening, closing if closing > opening else closing + MIDNIGHT)
    return first, first if match[2] is None else _day(match[2]), span


def _day(name: str) -> int:
    if name not in DAYS:
        near = difflib.get_close_matches(name, DAYS, n=1, cutoff=0.4)
        raise ValueError(f"unknown day {name!r}" + (f"; did you mean '{near[0]}'?" if near else ""))
    return DAYS.index(name)


def _minute(hours: str, minutes: str, text: str) -> int:
    found = int(hours) * _HOUR + int(minutes)
    if int(minutes) >= _HOUR or found > MIDNIGHT:
        raise ValueError(f"{text!r}: {hours}:{minutes} is no time of day")
    return found
