import pytest

from tests.projections.stage import stage


@pytest.fixture
def told(tmp_path):
    with stage(tmp_path) as made:
        yield made
