"""A promotion day: thirty times the usual orders at one warehouse, which works them off for most of a week."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.stories.pen import Event, handed_over, in_order, placed, requested, scanned

WAREHOUSE: Final = "W-EAST"
DAYS: Final = 28
"""Before the promotion, of eight orders each."""
ORDERS: Final = 240
PROMISED: Final = 24.0
MIDNIGHTS: Final = (40.0, 64.0, 88.0, 112.0, 136.0)
"""Of the warehouse, from the first on at which any of these orders is late."""


class Bought(NamedTuple):
    """An order, and when it came, was to leave and left."""

    name: str
    at: float
    ship_by: float
    left: float

    def waits(self, hour: float) -> bool:
        """Say whether it lies in the warehouse at an hour."""
        return self.at <= hour < self.left

    def is_late(self, hour: float) -> bool:
        """Say whether it lies there though it should have left."""
        return self.ship_by <= hour < self.left


def ordinary() -> list[Bought]:
    """List eight orders a day for four weeks; on every day but the last one of them leaves ten hours late."""
    days = ((number, 3.0 * number - 24 * DAYS) for number in range(DAYS * 8))
    slow = set(range(4, DAYS * 8 - 8, 8))
    return [Bought(f"B{n:03}", when, when + PROMISED, when + (34 if n in slow else 12)) for n, when in days]


def promoted() -> list[Bought]:
    """List the orders of the day: one every four minutes; from hour 4 on one leaves every half hour, day and night."""
    day = ((number, 1 + number / 15) for number in range(ORDERS))
    return [Bought(f"D{n:03}", when, when + PROMISED, 4 + n / 2) for n, when in day]


def told() -> list[Event]:
    """Tell of the four weeks before the day, and of the week that follows."""
    return in_order(event for one in (*ordinary(), *promoted()) for event in _order(one))


def _order(one: Bought) -> Iterator[Event]:
    yield placed(one.at, one.name, "TEA")
    yield requested(one.at, one.name, WAREHOUSE, one.ship_by)
    yield handed_over(one.left, one.name)
    yield scanned(one.left + 30, one.name, "delivered")
