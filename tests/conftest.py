"""What every test has: brokers, stores, a quick place to write, and hypothesis profiles.

``--hypothesis-profile=deep`` is for the long night.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from deploy import memory
from tests.places import quick_place

pytest_plugins = ["tests.brokers.plugin", "tests.stores.plugin"]
os.environ.setdefault("TMPDIR", str(quick_place()))

# As the commands do: thousands of tests are in memory, and Python would walk them all again and again.
memory.look_rarely()

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("default"), max_examples=20_000)
settings.load_profile("default")


CHEAP = {"engine", "on_every_store"}
"""Made once for a module as well, and as quickly again in another process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give one process all tests that share what is made once for their module: others would make it again."""
    for item in items:
        if _shares(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


def _shares(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(one[-1].scope == "module" for name, one in fixtures.items() if name not in CHEAP)
