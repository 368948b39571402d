"""A defect batch among ordinary trouble: lamps that break, a best-seller with its share, one who always complains."""

from collections.abc import Iterator
from typing import Final

from tests.stories.pen import CARRIER, Event, complained, event, in_order, placed, resolved

LAMP: Final = "LAMP"
CUP: Final = "CUP"
POT: Final = "POT"
BROKEN: Final = [f"L{number:02}" for number in range(3, 75, 8)]
"""Orders of lamps whose customers complain."""
RETURN: Final = "R-1"
"""Parcel in which the first of them comes back."""
POLICY: Final = {"kinds": {"enabled": ["product_defect"]}}


def _weeks_before() -> Iterator[Event]:
    """Sell 1,000 things of all sorts over four weeks; one in a hundred is complained of."""
    for number in range(1000):
        name, when = f"B{number:04}", -670 + number * 0.66
        yield placed(when, name, f"THING-{number % 10}")
        if number % 100 == 50:
            yield complained(when + 60, name, "defective", f"THING-{number % 10}")
            yield resolved(when + 60.5, name)


def _lamps() -> Iterator[Event]:
    """Sell 80 lamps of one delivery in three days; nine of them break within two days of each other."""
    for number in range(80):
        yield placed(number * 0.9, f"L{number:02}", LAMP)
    for number, name in enumerate(BROKEN):
        yield complained(80 + number * 5, name, "damaged" if number % 3 else "defective", LAMP)


def _best_seller() -> Iterator[Event]:
    """Sell 500 cups in the same days, of which one in a hundred is complained of as ever."""
    for number in range(500):
        yield placed(number * 0.14, f"C{number:03}", CUP)
    for number in range(5):
        yield complained(82 + number * 6, f"C{number * 90:03}", "defective", CUP)


def _one_customer() -> Iterator[Event]:
    """Let one customer buy eight pots and complain of every one."""
    for number in range(8):
        yield placed(number, f"A{number}", POT, customer_id="C-always")
        yield complained(85 + number, f"A{number}", "damaged", POT, customer_id="C-always")


def sent_back(when: float) -> list[Event]:
    """Tell how the first lamp comes back, in a parcel that its customer sent."""
    named = {"parcel_id": RETURN, "carrier": "SF"}
    taken = event("parcel.scanned", when, CARRIER, "back", status="picked_up", **named)
    return [taken, event("parcel.scanned", when + 8, CARRIER, "here", status="delivered", **named)]


def batch() -> list[Event]:
    """Tell all of it."""
    end = event("feed.heartbeat", 130, "/shops/tmall", "end")
    return in_order((*_weeks_before(), *_lamps(), *_best_seller(), *_one_customer(), end))
