"""Working time of carriers by brute force: day by day, opening after opening."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


def worked(policy: Mapping[str, Any], carrier: str | None, start: datetime, span: timedelta) -> datetime:
    """Return when a carrier has worked so long since an instant; one without hours always works."""
    tables = policy.get("calendars", {}).get("carriers", {})
    own = tables.get(carrier or "*") or tables.get("*")
    if own is None:
        return start + span
    zone = ZoneInfo(own.get("timezone") or policy.get("timezone", "Asia/Shanghai"))
    for opens, closes in openings(own["hours"], start.astimezone(zone).date(), zone):
        begin = max(opens, start)
        if begin + span <= closes:
            return begin + span
        span -= max(closes - begin, timedelta(0))
    raise AssertionError("no carrier rests for ever")


def openings(hours: list[str], day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield when a carrier opens and closes, from a local day on; nobody works over midnight."""
    utc = ZoneInfo("UTC")
    while True:
        for line in hours:
            first, last, opens, closes = re.fullmatch(r"(\w+)-(\w+) (\S+)-(\S+)", line).groups()  # type: ignore[union-attr]  # a policy that was read is well formed
            if DAYS.index(first) <= day.weekday() <= DAYS.index(last):
                begin, end = (datetime.combine(day, time.fromisoformat(at), zone) for at in (opens, closes))
                yield begin.astimezone(utc), end.astimezone(utc)
        day += DAY
