import pytest

from tests.projections.stage import stage


@pytest.fixture(autouse=True, scope="module")
def on_every_store(engine):
    """Run on every store."""
    return engine


@pytest.fixture
def told(tmp_path):
    with stage(tmp_path) as made:
        yield made
