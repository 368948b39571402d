from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.deploy.season_truth import TakenIn, taking_in, told


@pytest.fixture(scope="session")
def taken_in() -> Iterator[Callable[[int, int], TakenIn]]:
    """Have a season judged by a tracker, once for all tests of this process."""
    with ExitStack() as stack:
        yield cache(lambda seed, days: stack.enter_context(taking_in(told(seed, days))))
