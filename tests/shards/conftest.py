from pathlib import Path

import pytest

from tests.generator import files


@pytest.fixture(scope="session")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write two small seasons."""
    found = {}
    for seed, name in enumerate(("east", "west"), 3):
        found[name] = tmp_path_factory.mktemp(name)
        files.write(24, seed, found[name])
    return found
