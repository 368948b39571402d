"""The stand that measures are taken on: a broker, a database and a grown log, each made when first asked for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Self

import msgspec

from tests.benchmarks.growth_log import TEMPLATE, Grown, grow
from tests.benchmarks.place import POSTGRES, Place
from tests.benchmarks.result import Result
from tests.brokers.apache import ApacheKafka
from tests.stores.cluster import Cluster


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    quick: bool = False
    runs: int = 3
    messages: int = 40_000
    batches: tuple[int, ...] = (500, 2_000)
    from_broker: int = 60_000
    slow_share: int = 8
    """The newcomer's version gets this part of the messages: its rate does not depend on how many there are."""
    probes: int = 200
    rebuilt: tuple[int, ...] = (6_000, 115_000)
    """Messages of the logs that are rebuilt; they make somewhat less than twice as many events."""
    grown_events: int = 11_500_000
    """Ten million and more; of the orders that come with it a million have an armed deadline."""
    grown_on_server: int = 11_500_000
    """The same on PostgreSQL."""
    template_orders: int = TEMPLATE
    after_growth: int = 40_000
    touched: int = 300_000
    """Open orders that ingest hears of again, so that its memory is full."""
    requests: int = 500
    clients: int = 1_000
    changes: int = 20
    due: int = 10_000
    idle_seconds: float = 60.0
    two_processes: int = 60_000


QUICK = Size(
    quick=True,
    runs=1,
    messages=6_000,
    batches=(500,),
    from_broker=9_000,
    slow_share=6,
    probes=40,
    rebuilt=(6_000,),
    grown_events=60_000,
    grown_on_server=60_000,
    after_growth=4_000,
    touched=3_000,
    requests=60,
    changes=5,
    due=2_000,
    idle_seconds=2.0,
    two_processes=9_000,
)


class Stand:
    """Holds what several measures share, and what earlier ones of the same run have found."""

    def __init__(self, root: Path, size: Size) -> None:
        """Begin with nothing started."""
        self.root = root
        self.size = size
        self.results: list[Result] = []
        self.took: dict[str, float] = {}
        """Seconds, by measure; what it was the first to ask for, such as a broker or a grown log, included."""
        self._closing = ExitStack()
        self._broker: ApacheKafka | None = None
        self._cluster: Cluster | None = None
        self._grown: dict[str, Grown] = {}
        self._numbers: count[int] = count(1)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever was started."""
        self._closing.close()

    @property
    def broker(self) -> ApacheKafka:
        """Give a real Apache Kafka.

        Raises:
            BrokerMissingError: this machine cannot run one.
        """
        if self._broker is None:
            self._broker = self._closing.enter_context(ApacheKafka(self.root / "kafka"))
        return self._broker

    @property
    def cluster(self) -> Cluster:
        """Give a real PostgreSQL, as durable as in production.

        Raises:
            StoreMissingError: this machine cannot run one.
        """
        if self._cluster is None:
            cluster = Cluster()
            self._closing.callback(cluster.close)
            cluster.start()
            self._cluster = cluster
        return self._cluster

    def grown(self, store: str) -> Grown:
        """Give a log that has grown large on a store, with its views; made once a run.

        Not before it is asked for: logs of two stores would drive each other out of the machine's memory.

        Raises:
            StoreMissingError: this machine cannot run that store.
        """
        if store not in self._grown:
            url = self._closing.enter_context(self.cluster.database()) if store == POSTGRES else None
            events = self.size.grown_on_server if store == POSTGRES else self.size.grown_events
            self.tell(f"growing a log on {store} to {events:,} events …")
            grown = grow(self.root / f"grown-{store.lower()}", events, self.size.template_orders, url)
            self._grown[store] = grown.with_views(self.size.template_orders)
        return self._grown[store]

    @property
    def versions(self) -> dict[str, str | int]:
        """Name the servers that were used."""
        found: dict[str, str | int] = {}
        if self._broker is not None:
            found["kafka"] = self._broker.version
        if self._cluster is not None:
            found["postgresql"] = self._cluster.version
        return found

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """Lend an empty directory, and remove it with what is in it."""
        path = self.root / f"run-{next(self._numbers)}"
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            rmtree(path, ignore_errors=True)

    @contextmanager
    def place(self, store: str) -> Iterator[Place]:
        """Lend an empty store.

        Raises:
            StoreMissingError: this machine cannot run it.
        """
        with ExitStack() as lent:
            url = lent.enter_context(self.cluster.database()) if store == POSTGRES else None
            yield Place(lent.enter_context(self.directory()), url)

    def number(self) -> int:
        """Give a number that no other part of this run has."""
        return next(self._numbers)

    def tell(self, what: str) -> None:
        """Say what is going on, beside the figures."""
        sys.stderr.write(f"{what}\n")
        sys.stderr.flush()

    def best(self, measure: str, name: str = "") -> float | None:
        """Give our best median of the results of a measure whose names begin so."""
        found = [
            one.ours.median
            for one in self.results
            if one.measure == measure and one.name.startswith(name) and one.ours.median is not None
        ]
        return max(found, default=None)


Measure = Callable[[Stand], list[Result]]
