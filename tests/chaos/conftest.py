import pytest

from tests.chaos.nursery import Nursery


@pytest.fixture(scope="session")
def nursery():
    found = Nursery()
    yield found
    found.close()
