"""Sharding: several logs behind one feed, each with its own processes; here they are only read."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from pydantic import SecretStr

from api.reading import ProductClock, Reader
from api.sharded.crossings import Found, compare
from api.sharded.shards import Shard
from deploy import clock
from deploy.settings import Settings
from deploy.wiring import CannotStart, is_begun, open_store, open_views


@contextmanager
def opened(settings: Settings) -> Iterator[list[Shard]]:
    """Name every shard of the settings; each is reached when it is first asked, and given back at the end."""
    with ExitStack() as closing:
        yield [Shard(name, partial(_reach, settings, url, closing)) for name, url in sorted(settings.shards.items())]


def of_shard(settings: Settings, url: SecretStr) -> Settings:
    """Give the settings of a shard's own processes."""
    return settings.model_copy(update={"database_url": url, "shards": {}})


def crossings(settings: Settings) -> Found:
    """Compare the names of all orders and parcels of all shards.

    Raises:
        StoreUnsuitable: a shard cannot be reached.
        CannotStart: a shard has no log yet.
    """
    with opened(settings) as shards:
        return Found(compare({one.name: one.reader() for one in shards}))


def _reach(settings: Settings, url: SecretStr, closing: ExitStack) -> Reader:
    part = of_shard(settings, url)
    # Its own processes begin a log; whoever only reads must not make one in the wrong place.
    if not is_begun(part):
        raise CannotStart("a shard has no log yet: start its own `tracker ingest` and `tracker project`")
    with ExitStack() as failing:
        log = failing.enter_context(open_store(part))
        views = failing.enter_context(open_views(part))
        closing.push(failing.pop_all())
    return Reader(views, log.store, ProductClock(clock.wall))
