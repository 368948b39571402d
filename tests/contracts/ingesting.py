"""An ingest as a test sees it: a shop whose events go to a broker, the store they end in, and the runs in between.

What must hold in the end is judged without the product: by what the broker acknowledged and by plain SQL.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from deploy import workers
from deploy.settings import Kafka, Settings, Topics
from deploy.wiring import system
from deploy.workers import Crew, Worker
from tests.brokers.clients import PATIENCE, producer, recreate_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from kafka import KafkaProducer

    from consumers.loop import Ingest
    from deploy.wiring import System
    from tests.brokers.broker import Broker

PARTITIONS = 3
LATER = 20
"""So many orders later another event of an order comes, when whoever took in the first may no longer own it."""
QUICK = {"session_timeout_ms": 2_000, "heartbeat_interval_ms": 500}
"""Client settings under which a group gives out its partitions, and takes them from the dead, within seconds."""


_DATA: dict[str, dict[str, Any]] = {
    "order.placed": {"lines": [{"line_id": "1", "sku": "A", "quantity": 1}]},
    "order.held": {"reason": "payment"},
}


class Message(NamedTuple):
    """A record to produce; without a partition its key chooses one."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


class Acked(NamedTuple):
    """A record that the broker acknowledged, and when we learned that, in microseconds."""

    topic: str
    partition: int
    offset: int
    at: int
    message: Message

    @property
    def place(self) -> str:
        """Name the record as proofs do."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Shop:
    """Topics and a group that no other test uses, a ledger of what was acknowledged, and one store."""

    def __init__(self, broker: Broker, directory: Path, partitions: int = PARTITIONS) -> None:
        """Create the topics."""
        self.broker = broker
        self.directory = directory
        self.name = f"shop-{uuid.uuid4().hex[:8]}"
        self.topics = Topics(**{kind: f"{self.name}.{kind}" for kind in ("orders", "logistics", "complaints")})
        self.acked: list[Acked] = []
        self.placed = 0
        for topic in self.topics.names():
            recreate_topic(broker, topic, partitions)

    @property
    def group(self) -> str:
        """Name the group of its ingest processes."""
        return f"{self.name}.ingest"

    @property
    def store(self) -> Store:
        """Give the store as it is now."""
        return Store(self.directory / "log.db")

    def settings(self, **kafka: Any) -> Settings:
        """Give the product's settings for this shop."""
        chosen = Kafka(**({"group": self.group, "poll_records": 50} | kafka))
        servers = self.broker.bootstrap_servers
        return Settings(data_dir=self.directory, bootstrap_servers=servers, kafka=chosen, topics=self.topics)

    def environment(self, **more: str) -> dict[str, str]:
        """Give the same settings as the environment of a process."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "TRACKER_DATA_DIR": str(self.directory),
            "TRACKER_KAFKA__GROUP": self.group,
            "TRACKER_KAFKA__POLL_RECORDS": "50",
            **{f"TRACKER_TOPICS__{kind.upper()}": topic for kind, topic in self.topics.model_dump().items()},
            **more,
        }

    def orders(self, count: int) -> list[Message]:
        """Tell of so many orders that nobody told of, each placed and approved, and held some orders later."""
        first, self.placed = self.placed, self.placed + count
        told: list[Message] = []
        for n in range(first, first + count):
            told += self.event("order.placed", n), self.event("order.approved", n)
            if n >= LATER:
                told.append(self.event("order.held", n - LATER))
        return told

    def event(self, kind: str, number: int, **changes: Any) -> Message:
        """Tell one event of an order, keyed by it."""
        order = f"{self.name}-{number}"
        envelope = {
            "specversion": "1.0",
            "id": f"{kind}-{order}",
            "source": "/shops/contract",
            "type": f"{kind}.v1",
            "time": datetime.now(UTC).isoformat(),
            "data": {"order_id": order, **_DATA.get(kind, {})},
        }
        return Message(self.topics.orders, order.encode(), json.dumps(envelope | changes).encode())

    def send(self, messages: Iterable[Message], sender: KafkaProducer | None = None, **settings: Any) -> list[Acked]:
        """Produce messages, wait until all are acknowledged, and write that into the ledger."""
        if sender is None:
            with producer(self.broker, **({"linger_ms": 5} | settings)) as own:
                return self.send(messages, own)
        before = len(self.acked)
        futures = [self.post(message, sender) for message in messages]
        for future in futures:
            future.get(PATIENCE)
        until(lambda: len(self.acked) >= before + len(futures))
        return self.acked[before:]

    def post(self, message: Message, sender: KafkaProducer) -> Any:
        """Send one message; the ledger learns when it is acknowledged."""
        topic, key, value, headers, partition = message
        future = sender.send(topic, value, key=key, headers=list(headers), partition=partition)
        return future.add_callback(
            lambda ack: self.acked.append(Acked(ack.topic, ack.partition, ack.offset, now(), message))
        )

    def ends(self) -> dict[tuple[str, int], int]:
        """Say where each partition ends by what was acknowledged."""
        ends: dict[tuple[str, int], int] = {}
        for one in self.acked:
            ends[one.topic, one.partition] = max(ends.get((one.topic, one.partition), 0), one.offset + 1)
        return ends

    def is_taken_in(self) -> bool:
        """Say whether the store's positions have come to these ends."""
        stands = self.store.positions()
        return all(stands.get(place, (0, None))[0] >= end for place, end in self.ends().items())

    def is_read_up_to(self, at: int) -> bool:
        """Say whether the store knows of every partition that it was read up to this instant."""
        stands = self.store.positions()
        return bool(stands) and all(read_up_to is not None and read_up_to > at for _, read_up_to in stands.values())

    def check(self) -> None:
        """Compare log, quarantine and positions with what was acknowledged: nothing lost, nothing twice, no phantom."""
        store = self.store
        kept = store.facts() + store.quarantine_places()
        acked = {one.place for one in self.acked}
        assert len(acked) == len(self.acked), "the broker gave two records one offset"
        assert sorted(acked - kept.keys()) == [], "lost"
        assert sorted(kept.keys() - acked) == [], "never acknowledged"
        assert {place: times for place, times in kept.items() if times > 1} == {}, "twice"
        assert store.seen() == sum(store.facts().values())
        self.check_batches()

    def check_batches(self) -> None:
        """Compare the batches in the log with the positions: they follow on each other without hole or overlap."""
        stands = self.store.positions()
        for (topic, number), batches in self.store.batches().items():
            of_it = [one.offset for one in self.acked if (one.topic, one.partition) == (topic, number)]
            for before, after in zip(batches, batches[1:], strict=False):
                assert after["first"] >= before["next"], f"{topic}/{number} overlaps"
            assert batches[-1]["next"] == stands[topic, number][0] >= max(of_it) + 1
            assert sum(one["records"] for one in batches) == len(of_it)


class Store:
    """A store read with nothing but SQL, so that no code of the product vouches for itself."""

    def __init__(self, path: Path) -> None:
        """Read this file."""
        self._path = path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask once; a store that is not there yet has no rows."""
        if not self._path.exists():
            return []
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def positions(self) -> dict[tuple[str, int], tuple[int, int | None]]:
        """Say where each partition stands, and up to when it has been read."""
        rows = self.rows("SELECT topic, number, next, taken_up_to FROM positions")
        return {(topic, number): (next_, at) for topic, number, next_, at in rows}

    def facts(self) -> Counter[str]:
        """Count the facts of orders in the log by the record that brought them."""
        query = "SELECT json_extract(CAST(state AS TEXT), '$.via') FROM stored_events WHERE topic LIKE 'order.%'"
        return Counter(via for (via,) in self.rows(query) if via)

    def events(self, topic: str) -> list[dict[str, Any]]:
        """Read the events of one name, in order."""
        query = "SELECT CAST(state AS TEXT) FROM stored_events WHERE topic = ? ORDER BY rowid"
        return [json.loads(state) for (state,) in self.rows(query, topic)]

    def batches(self) -> dict[tuple[str, int], list[dict[str, Any]]]:
        """Group what was said of batches by partition, in order."""
        found: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for one in self.events("batch.taken.v1"):
            found.setdefault((one["topic"], one["number"]), []).append(one)
        return found

    def seen(self) -> int:
        """Count the event keys that are known."""
        return sum(count for (count,) in self.rows("SELECT COUNT(*) FROM seen"))

    def quarantine_places(self) -> Counter[str]:
        """Count the messages in quarantine by the record that brought them."""
        return Counter(f"{t}/{n}/{o}" for t, n, o in self.rows("SELECT topic, number, offset FROM quarantine"))


class Running(NamedTuple):
    """An ingest loop on a thread of this process."""

    parts: System
    loop: Ingest
    crew: Crew
    noted: Counter[str]

    def until(self, reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait, but not for a loop that has ended."""
        until(lambda: reached() or self.has_ended(), seconds)
        assert reached(), f"the loop ended: {self.crew.failed}"

    def has_ended(self) -> bool:
        """Say whether the loop is over."""
        return self.crew.stop.is_set()

    def failure(self, seconds: float = PATIENCE) -> BaseException:
        """Wait for the loop to fail, and give its reason."""
        until(self.has_ended, seconds)
        (failed,) = self.crew.failed
        self.crew.failed.clear()
        return failed[1]


@contextmanager
def running(shop: Shop, **chosen: Any) -> Iterator[Running]:
    """Run the product's ingest, wired as its own processes do it, until the end of the block; it must not fail."""
    more = chosen.pop("options", {})
    settings = shop.settings(**chosen.pop("kafka", {}))
    with system(settings) as parts:
        loop = workers.ingest(
            parts,
            settings,
            servers=str(settings.bootstrap_servers),
            topics=settings.topics.names(),
            begin=chosen.pop("begin", None),
            options=QUICK | more,
            **chosen,
        )
        noted: Counter[str] = Counter()
        loop._note = lambda name, *_: noted.update([name])
        crew = Crew([Worker("ingest", loop.run)])
        crew.start()
        try:
            yield Running(parts, loop, crew, noted)
        finally:
            crew.end()
    assert not crew.failed, crew.failed


class Load:
    """Orders that keep coming from entering to leaving; by then all of them are acknowledged."""

    def __init__(self, shop: Shop, pause: float = 0.01, at_once: int = 5, **settings: Any) -> None:
        """Send so many orders at a time, with a pause after them."""
        self._shop, self._pause, self._at_once = shop, pause, at_once
        self._sender = producer(shop.broker, **({"linger_ms": 5} | settings))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._futures: list[Any] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and wait for what is under way."""
        self._stop.set()
        self._thread.join(PATIENCE)
        for future in self._futures:
            future.get(PATIENCE)
        self._sender.close()

    def _send(self) -> None:
        while not self._stop.wait(self._pause):
            self._futures += [self._shop.post(message, self._sender) for message in self._shop.orders(self._at_once)]


class Watcher:
    """Reads the positions again and again, to see afterwards that time was never ahead of an unread record."""

    def __init__(self, shop: Shop) -> None:
        """Watch this shop's store."""
        self._shop = shop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.samples: list[dict[tuple[str, int], tuple[int, int | None]]] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join(PATIENCE)

    def check(self) -> None:
        """Find a moment at which a record had been acknowledged before what the store called read, and was not."""
        assert any(at for sample in self.samples for _, at in sample.values()), "nothing was ever read up to anywhere"
        by_place: dict[tuple[str, int], list[Acked]] = {}
        for one in sorted(self._shop.acked, key=lambda one: one.offset):
            by_place.setdefault((one.topic, one.partition), []).append(one)
        for sample in self.samples:
            for place, (stands, read_up_to) in sample.items():
                ahead = [
                    one for one in by_place.get(place, ())[::-1] if stands <= one.offset and one.at < (read_up_to or 0)
                ]
                assert not ahead, f"{place} stands at {stands}, is read up to {read_up_to}, but not {ahead[-1]}"

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            sample = self._shop.store.positions()
            if not self.samples or sample != self.samples[-1]:
                self.samples.append(sample)


def until(reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return once the condition holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.05)


def now() -> int:
    """Read the time of day in microseconds, as the tracker's own clock does."""
    return time.time_ns() // 1000
