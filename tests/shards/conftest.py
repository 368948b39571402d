from pathlib import Path

import pytest

from tests.generator import files
from tests.shards.scene import made


@pytest.fixture(scope="session")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write two small seasons."""
    found = {}
    for seed, name in enumerate(("east", "west"), 3):
        found[name] = tmp_path_factory.mktemp(name)
        files.write(24, seed, found[name])
    return found


@pytest.fixture
def east(tmp_path):
    with made(tmp_path, "east") as one:
        yield one


@pytest.fixture
def west(tmp_path):
    with made(tmp_path, "west") as one:
        yield one


@pytest.fixture
def south(tmp_path):
    with made(tmp_path, "south") as one:
        yield one
