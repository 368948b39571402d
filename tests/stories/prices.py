"""A price cut inside the protection window: questioned as a page error, meant, and paid back buyer by buyer."""

from collections.abc import Iterator
from typing import Final

from tests.stories.pen import Event, complained, event, in_order, placed, priced

TEA: Final = "TEA"
POT: Final = "POT"
CUT: Final = 400.0
"""Hour at which tea falls from 100 to 80, and pots from 50 to 5."""
OWED: Final = {"E0:1": "20.00", "E1:1": "20.00", "E2:1": "15.00", "E3:1": "20.00"}
POLICY: Final = {"kinds": {"enabled": ["price_difference"]}, "price_protection": {"window": "15d"}}


def _bought() -> Iterator[Event]:
    yield priced(0, TEA, "100.00")
    yield priced(0, POT, "50.00")
    yield placed(10, "OLD", TEA)
    yield placed(100, "E0", TEA)
    yield placed(200, "E1", TEA)
    yield placed(300, "E2", TEA, "95.00")
    yield placed(310, "COUPON", TEA, "79.00")
    yield placed(320, "E3", TEA)
    yield placed(330, "FOREIGN", TEA, currency="USD")
    yield placed(340, "AWAY", TEA)
    yield event("order.cancelled", 350, "/shops/tmall", "AWAY", order_id="AWAY")
    yield placed(410, "LATER", TEA, "80.00")
    yield from (placed(300 + number, f"POT{number}", POT, "50.00") for number in range(3))


def questioned() -> list[Event]:
    """Tell it up to an hour after both prices fell."""
    fell = [priced(CUT, TEA, "80.00"), priced(CUT, POT, "5.00")]
    bought = [one for one in _bought() if one["data"].get("order_id") != "LATER"]
    return in_order((*bought, *fell, event("feed.heartbeat", CUT + 1, "/shops/tmall", "questioned")))


def answered() -> list[Event]:
    """Tell that the pots' price was a mistake, and that the tea's is meant."""
    back = priced(CUT + 2, POT, "50.00", mistaken=True)
    meant = priced(CUT + 3, TEA, "80.00", mistaken=False)
    later = placed(410, "LATER", TEA, "80.00")
    return in_order((back, meant, later, event("feed.heartbeat", 411, "/shops/tmall", "answered")))


def paid() -> list[Event]:
    """Tell how every buyer of tea is settled: three by a complaint, one by cancelling."""

    def settled() -> Iterator[Event]:
        for number, name in enumerate(("E0", "E1", "E2")):
            yield complained(420 + number, name, "price_difference", TEA)
            yield event("complaint.resolved", 430 + number, "/desk", name, complaint_id=f"K-{name}")
        yield event("order.cancelled", 440, "/shops/tmall", "E3", order_id="E3")

    return in_order((*settled(), event("feed.heartbeat", 441, "/shops/tmall", "paid")))
