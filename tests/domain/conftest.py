"""Fixtures of the domain tests: a log in memory and a desk that takes in."""

from collections.abc import Iterator

import pytest

from domain.history.log import Log
from tests.story import Desk, memory_log


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    """Take in with the default policy."""
    return Desk(log)
