"""Buyers before whom a price fell: what each of them is owed."""

from domain.history.log import Log
from domain.staff.desk import Case
from tests.domain.grouped import settle
from tests.domain.paid import Till
from tests.domain.test_purchases import CUTS, bought, priced
from tests.story import at

CUT = Case("incident-price_difference-A%3Acut", "price_cut-A%3Acut")


def cut(log: Log, *buyers: str, policy: str = "") -> Till:
    """Let a price fall by 20 after these orders."""
    till = Till(log, f"{CUTS}\n{policy}")
    till.now = 40
    till.ingest.take(*(bought(1, one) for one in buyers), priced(30, "80", "cut"), until=35)
    settle(till.ingest.tracker, at(35))
    return till
