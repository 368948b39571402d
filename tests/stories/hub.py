"""A courier's hub stands still: what lies there moves no more, while the courier's other parcels go their way."""

from collections.abc import Iterator
from typing import Any, Final

from tests.stories.pen import Event, answered, at_facility, complained, in_order, placed, resolved, scanned

HUB: Final = "HUB-WUHAN"
PARCELS: Final = 36
TWICE: Final = 6
"""Customers with two parcels in the hub."""
DAYS: Final = 21
"""Of ordinary traffic before anything arrives at the hub."""
STALLED: Final = 72.0
MIDNIGHTS: Final = (88.0, 112.0)
"""The two that show a backlog: everything has stood still for three days at the first one."""
MOVES: Final = 130.0
GONE: Final = 136.0
"""The midnight after."""
IMPATIENT: Final = 5
"""Customers who complain in the end, having been told already."""


def names() -> list[str]:
    """Name the orders whose parcels lie in the hub."""
    return [f"H{number:02}" for number in range(PARCELS)]


def customer(number: int) -> str:
    """Name who waits for a parcel; some wait for two."""
    return f"C-H{number % (PARCELS - TWICE):02}"


def arrived(number: int) -> float:
    """Say when a parcel came to the hub."""
    return 1 + number / 4


def _sent(when: float, name: str, **more: Any) -> Iterator[Event]:
    yield placed(when, name, "TEA", **more)
    yield scanned(when + 10, name, "picked_up")


def _others() -> Iterator[Event]:
    """Let six parcels a day go another way all the time; in the weeks before, one of each week rests for four days."""
    for number in range((DAYS + 7) * 6):
        when, name = -24.0 * DAYS + 4 * number, f"B{number:03}"
        yield from _sent(when, name)
        yield at_facility(when + 20, name, "arrived_facility", "HUB-CHENGDU")
        rests = 96 if number % 42 == 10 and number < DAYS * 6 else 12
        yield at_facility(when + 20 + rests, name, "departed_facility", "HUB-CHENGDU")
        yield scanned(when + 40 + rests, name, "delivered")


def _in_the_hub() -> Iterator[Event]:
    for number, name in enumerate(names()):
        when = arrived(number)
        yield from _sent(when - 30, name, customer_id=customer(number))
        yield at_facility(when, name, "arrived_facility", HUB)
        yield at_facility(MOVES + number / 20, name, "departed_facility", HUB)
        yield scanned(MOVES + 20 + number / 10, name, "delivered")


def _complaints() -> Iterator[Event]:
    for number, name in enumerate(names()[:IMPATIENT]):
        yield complained(118 + number, name, "not_received", customer_id=customer(number))
        yield answered(118.5 + number, name)
        yield resolved(121 + number, name)


def told() -> list[Event]:
    """Tell all of it."""
    return in_order((*_others(), *_in_the_hub(), *_complaints()))
