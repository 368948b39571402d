"""Fixtures of every store test: each runs on every store."""

import pytest

from tests.store.rows import a_log, a_path, a_store

__all__ = ["a_log", "a_path", "a_store"]


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine: str) -> str:
    """Run on every store."""
    return engine
