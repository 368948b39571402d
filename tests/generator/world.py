"""The pen that all parts of a season write with: a few instants, a few sources, many ways to write a time."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

Event = dict[str, Any]
T = TypeVar("T")

DAWN = datetime(2026, 3, 1, tzinfo=UTC)
STEPS = (*(timedelta(hours=2),) * 9, *(timedelta(hours=12),) * 2, *(timedelta(days=1),) * 8, timedelta(days=3))
"""How far apart the instants of a season lie: mostly hours, for whole backlogs days."""
JITTER = {37: timedelta(microseconds=1), 38: timedelta(microseconds=-1), 39: timedelta(milliseconds=500)}
SHOPS = ("/shops/a", "/shops/a", "/shops/a", "/shops/b")
PLACES = ("E", "N", "S")
LOGISTICS = ("/carriers/sf", "/carriers/sf", "/carriers/yto", "/warehouses/w1")


@cache
def below(bound: int) -> st.SearchStrategy[int]:
    """Return one shared strategy per bound; building them anew is what makes drawing slow."""
    return st.integers(0, bound - 1)


def plain(at: datetime) -> str:
    """Write an instant in UTC with a Z, and a fraction only where there is one."""
    return at.isoformat().replace("+00:00", "Z")


def short(at: datetime) -> str:
    """Write an instant with the shortest fraction, even if it says nothing."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{f'{at.microsecond:06}'.rstrip('0') or '0'}Z"


def shown_in(hours: float) -> Callable[[datetime], str]:
    """Return a way to write instants with this offset."""
    zone = timezone(timedelta(hours=hours))
    return lambda at: at.astimezone(zone).isoformat()


WAYS = (*(plain,) * 7, shown_in(0), shown_in(8), shown_in(-5), shown_in(5.5), short)


class World:
    """Draws choices, and keeps the events told so far."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int]) -> None:
        """Begin with nothing told."""
        self.draw = draw
        self.step = STEPS[0]
        self.events: list[Event] = []
        self.told_by: Counter[str] = Counter()

    def number(self, bound: int) -> int:
        """Draw a number from 0 up to, not including, the bound; 0 is the plainest."""
        return self.draw(below(bound))

    def chance(self, percent: int) -> bool:
        """Draw yes in so many of a hundred cases."""
        return self.number(100) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options; the first is the plainest."""
        return options[self.number(len(options))]

    def hour(self, first: int, last: int) -> datetime:
        """Draw one of few instants, seldom one just beside it."""
        step, jitter = divmod(self.number((last - first + 1) * 40), 40)
        return DAWN + (first + step) * self.step + JITTER.get(jitter, timedelta(0))

    def midnight(self, first: int, last: int) -> str:
        """Draw a date without a time of day, as a midnight of the seller's own zone or of the carrier's."""
        day = self.hour(first, last).replace(hour=0, minute=0, second=0, microsecond=0)
        return self.pick(("{:%Y-%m-%d}T00:00:00+08:00", "{:%Y-%m-%d}T00:00:00Z", "{:%Y-%m-%d}T00:00:00-05:00")).format(
            day
        )

    def date(self, first: int, last: int) -> str:
        """Draw an instant and how it is written."""
        return self.pick(WAYS)(self.hour(first, last))

    def tell(
        self,
        kind: str,
        at: datetime,
        data: Mapping[str, object],
        subject: str,
        by: Sequence[str] = SHOPS,
    ) -> Event:
        """Tell one event; its id sorts anywhere among those of the same source and instant."""
        rest, way = divmod(self.number(len("abcd") * len(by) * len(WAYS)), len(WAYS))
        letter, source = "abcd"[rest // len(by)], by[rest % len(by)]
        self.told_by[source] += 1
        told: Event = {
            "specversion": "1.0",
            "id": f"{letter}{self.told_by[source]}",
            "source": source,
            "type": f"{kind}.v1",
            "subject": subject,
            "time": WAYS[way](at),
            "datacontenttype": "application/json",
            "data": data,
        }
        self.events.append(told)
        return told

    def tell_again(self, event: Event) -> None:
        """Tell the same thing once more under another id of the same source."""
        self.told_by[event["source"]] += 1
        self.events.append(event | {"id": f"{self.pick('dcba')}{self.told_by[event['source']]}"})
