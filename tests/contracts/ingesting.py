"""A shop whose events go to a broker and from there into a store.

What must hold in the end is judged without the product: by what the broker acknowledged and by plain SQL.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from deploy.kafka_settings import Kafka, Topics
from deploy.settings import Settings
from tests.brokers.clients import PATIENCE, producer, recreate_topic
from tests.contracts.ingest_store import Store
from tests.stores import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kafka import KafkaProducer

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
        self.options: dict[str, object] = {**QUICK, "trust_ends": broker.name != "embedded"}
        self.directory = directory
        self.name = f"shop-{uuid.uuid4().hex[:8]}"
        self.group = f"{self.name}.ingest"
        self.topics = Topics(**{kind: f"{self.name}.{kind}" for kind in ("orders", "logistics", "complaints")})
        self.acked: list[Acked] = []
        self.placed = 0
        for topic in self.topics.names():
            recreate_topic(broker, topic, partitions)

    @property
    def store(self) -> Store:
        """Give the store as it is now."""
        return Store(self.directory / "log.db")

    def settings(self, **kafka: Any) -> Settings:
        """Give the product's settings for this shop."""
        chosen = Kafka(**({"group": self.group, "poll_records": 50} | kafka))
        servers = self.broker.bootstrap_servers
        stored = {name.lower(): value for name, value in self.stored().items()}
        return Settings(data_dir=self.directory, bootstrap_servers=servers, kafka=chosen, topics=self.topics, **stored)

    def stored(self) -> dict[str, str]:
        """Say where the store is, unless it is in the directory."""
        address = engine.url()
        if address is None:
            return {}
        return {"DATABASE_URL": address, "DATABASE_SCHEMA": engine.schema_of(self.directory / "log.db")}

    def environment(self, **more: str) -> dict[str, str]:
        """Give the same settings as the environment of a process."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "TRACKER_DATA_DIR": str(self.directory),
            "TRACKER_KAFKA__GROUP": self.group,
            "TRACKER_KAFKA__POLL_RECORDS": "50",
            **{f"TRACKER_TOPICS__{kind.upper()}": topic for kind, topic in self.topics.model_dump().items()},
            **{name.replace("DATABASE_S", "TRACKER_DATABASE_S"): value for name, value in self.stored().items()},
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
            for before, after in pairwise(batches):
                assert after["first"] >= before["next"], f"{topic}/{number} overlaps"
            assert batches[-1]["next"] == stands[topic, number][0] >= max(of_it) + 1
            assert sum(one["records"] for one in batches) == len(of_it)


def until(reached: Callable[[], bool], seconds: float = PATIENCE, story: Callable[[], object] = str) -> None:
    """Return once the condition holds; fail when it never does, with the story so far."""
    looked = time.monotonic()
    end = looked + seconds
    while not reached():
        took = time.monotonic() - looked
        assert looked + took < end, f"not within {seconds:.0f} s; {story()}"
        time.sleep(max(0.05, 3 * took))  # what takes long to look at is looked at less often
        looked = time.monotonic()


def now() -> int:
    """Read the time of day in microseconds, as the tracker's own clock does."""
    return time.time_ns() // 1000
