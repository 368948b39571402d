"""A shard with all that belongs to it: a log that takes a season in, views that follow; and a server over several."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from api.reading import ProductClock, Reader
from api.sharded.app import create_merged_app
from api.sharded.shards import Shard
from consumers.backtest import Run, records
from consumers.translate import Translator
from deploy.settings import Settings
from deploy.web import Server, address, bind
from deploy.wiring import open_store, open_views
from domain.history.batch import Batch, Slice
from domain.history.log import Log
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from projections import feed
from projections.follower import Follower
from projections.views import ViewStore
from tests.story import LATER

PARTITION = "season/orders/0"


class Told(NamedTuple):
    """A change, by what makes it the one it is."""

    shard: str
    position: int
    change: str
    incident: str


class Side:
    """One shard: what its events make of its log, and what its views say of that."""

    def __init__(self, name: str, log: Log, views: ViewStore, policy: str, lines: Iterable[bytes] = ()) -> None:
        self.name, self.log, self.views = name, log, views
        self.follower = Follower(views, log.store)
        self.run = Run(Tracker(log, adopt(log, policy, 0)), (PARTITION,))
        self.translator = Translator({})
        self.messages = list(records(lines))
        self.next = 0

    def take(self, count: int) -> None:
        """Take so many messages of the season in, and let the views follow."""
        part = list(islice(self.messages, self.next, self.next + count))
        incoming = tuple(self.translator.incoming(self.next + i, raw, LATER) for i, raw in enumerate(part))
        if incoming:
            end = self.next + len(part)
            expected = self.next or None
            self.run.take(Batch((Slice(PARTITION, "season", 0, expected, end, incoming),), LATER))
            self.next = end
        self.follower.catch_up()

    def finish(self) -> None:
        """Take in what is left, and let all that is due by then fire."""
        while self.next < len(self.messages):
            self.take(100)
        self.run.frontier.close(PARTITION)
        self.run.tick()
        self.follower.catch_up()

    def feed(self) -> list[Told]:
        """Read its own feed, past everything that merges."""
        with self.views.reading() as rows:
            return [Told(self.name, *one[:3]) for one in feed.after(rows, 0, 1_000_000)]

    def shard(self) -> Shard:
        """Give it as a server sees it."""
        return Shard(self.name, lambda: Reader(self.views, self.log.store, ProductClock(lambda: LATER)))


@contextmanager
def side(name: str, settings: Settings, policy: str, lines: Iterable[bytes] = ()) -> Iterator[Side]:
    """Open a shard by its own settings."""
    with open_store(settings) as log, open_views(settings) as views:
        yield Side(name, log, views, policy, lines)


@contextmanager
def merging(shards: list[Shard], **options: Any) -> Iterator[Any]:
    """Serve shards on a free port until the block ends."""
    stop = threading.Event()
    app = create_merged_app(shards, **{"clock": lambda: LATER, "heartbeat": 0.3, **options})
    with bind("127.0.0.1", 0) as listener:
        serve = threading.Thread(target=Server(app, listener, stop).serve_until_stopped)
        serve.start()
        try:
            yield Served(address(listener).rstrip("/"), app)
        finally:
            stop.set()
            serve.join(10)
    assert not serve.is_alive()


class Served(NamedTuple):
    url: str
    app: Any


def lines_of(season: Path, prefix: str = "") -> list[bytes]:
    """Read a season as it arrives; with a prefix before every name, so that no two seasons share one."""
    text = (season / "events.arrival.jsonl").read_text(encoding="utf-8")
    return re.sub(r'"(K?[MB]0)', rf'"{prefix}\1', text).encode().splitlines()
