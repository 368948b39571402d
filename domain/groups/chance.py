"""Chance: whether so many troubles among so many orders are more than usual."""

from typing import Final, NamedTuple

MEASURED: Final = 100
"""With fewer orders than this nobody knows what is usual."""


class Usual(NamedTuple):
    """What happens where nothing is wrong: troubles among so many orders."""

    orders: int = 0
    troubles: int = 0

    @property
    def known(self) -> bool:
        """Say whether there were enough orders to know."""
        return self.orders >= MEASURED

    @property
    def rate(self) -> float:
        """Give the share of orders with trouble; what was never seen is still not impossible."""
        return min(1.0, (self.troubles + 1) / (self.orders + 2))


def likelihood(troubles: int, orders: int, usual: Usual) -> float | None:
    """Return how likely so many troubles or more are at the usual rate; null where that is not known.

    >>> f"{likelihood(5, 1000, Usual(9998, 99)):.2f}"  # a best-seller with its share of trouble
    '0.97'
    >>> f"{likelihood(5, 40, Usual(9998, 99)):.0e}"
    '5e-05'
    """
    if not usual.known:
        return None
    from scipy.special import bdtrc  # noqa: PLC0415  # takes longer to import than most commands to run

    return float(bdtrc(troubles - 1, max(orders, troubles), usual.rate)) if troubles > 0 else 1.0
