"""Points and spans of time as whole microseconds: exact, quick to compare, and never out of range."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

Instant = int
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
FOREVER: Final[Instant] = 2**62

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN = re.compile(r"(\d{1,9})(s|m|h|d|w)")


class Duration(int):
    """A span of time in microseconds, written in policies as a number and a unit: ``"72h"``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read one number and one unit of s, m, h, d, w.

        >>> Duration.parse("90m") == 5400 * SECOND
        True

        Raises:
            ValueError: the text is anything else.
        """
        match = _SPAN.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is no duration; write a number and s, m, h, d or w, as in "72h"')
        return cls(int(match[1]) * _UNITS[match[2]])


def instant(moment: datetime) -> Instant:
    """Convert an aware datetime, the first and last years included.

    >>> instant(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: Instant) -> datetime:
    """Convert back to an aware datetime in UTC; what lies outside the calendar stops at its ends."""
    return _EPOCH + timedelta(microseconds=min(max(at, _FIRST), _LAST))


@lru_cache(maxsize=2**16)
def iso(at: Instant) -> str:
    """Write RFC 3339 in UTC with ``Z``, with a fraction only where there is one.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return moment(at).replace(tzinfo=None).isoformat() + "Z"
