"""What every test has: brokers, stores, a quick place to write, and hypothesis profiles.

The fast suite draws few examples of each law; ``--hypothesis-profile=full`` draws all, as ``make laws`` does, and
``--hypothesis-profile=deep`` is for the long night.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from deploy import memory
from tests.draws import FULL
from tests.places import quick_place

pytest_plugins = ["tests.brokers.plugin", "tests.stores.plugin"]
os.environ.setdefault("TMPDIR", str(quick_place()))

# As the commands do: thousands of tests are in memory, and Python would walk them all again and again.
memory.look_rarely()

settings.register_profile("brief", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=FULL // 4)
settings.register_profile("full", settings.get_profile("brief"), max_examples=FULL)
settings.register_profile("deep", settings.get_profile("brief"), max_examples=100 * FULL)
settings.load_profile("brief")


CHEAP = {"engine", "on_every_store"}
"""Made once for a module as well, and as quickly again in another process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give one process all tests that share what is made once for their module: others would make it again."""
    for item in items:
        if _shares(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.location[0]))
        # Who deals tests out knows a group by the end of its tests' names. xdist writes it where pytest 9.2 does not
        # look any more, and every process would make everything.
        group = item.get_closest_marker("xdist_group")
        if group is not None and getattr(config.option, "loadgroup", False):
            item._id = item.id.parse(f"{item.nodeid}@{group.args[0]}")


def _shares(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(one[-1].scope == "module" for name, one in fixtures.items() if name not in CHEAP)
