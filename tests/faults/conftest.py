import pytest

from consumers import loop, ticker
from tests.chaos.nursery import Nursery
from tests.faults.rig import Rig


@pytest.fixture(scope="session")
def nursery():
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine):
    """Run on every store."""
    return engine


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    """Shorten what is only waiting time."""
    monkeypatch.setattr(loop, "ASK_EVERY", 0.02)
    monkeypatch.setattr(loop, "POLL_MS", 10)
    monkeypatch.setattr(ticker, "EVERY", 0.01)


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as found:
        yield found
