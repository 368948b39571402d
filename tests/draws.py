"""How many examples a law draws: all of them in ``make laws``, a share in the fast suite.

The profile of hypothesis says which run it is: ``tests/conftest.py``.
"""

from typing import Final

from hypothesis import settings

FULL: Final = 100
"""Examples of a law that asks for no number of its own."""


def draws(full: int) -> int:
    """Give how many examples this run draws for a law whose full number is this."""
    return max(1, full * settings().max_examples // FULL)
