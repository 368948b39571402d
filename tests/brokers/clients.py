"""Kafka clients for tests, set up as the product's own are: raw bytes, no automatic anything, bounded waits."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kafka.consumer.fetcher import ConsumerRecord

    from tests.brokers.broker import Broker

PATIENCE = 30.0
# The client's own limit lets it wait half a minute longer than the broker was away.
_BACK_SOON = {"reconnect_backoff_max_ms": 500}


def create_topic(broker: Broker, partitions: int = 1, **configs: str) -> str:
    """Create a topic that no other test uses, and return its name."""
    name = f"topic-{uuid.uuid4().hex[:12]}"
    recreate_topic(broker, name, partitions, **configs)
    return name


def recreate_topic(broker: Broker, name: str, partitions: int = 1, **configs: str) -> None:
    """Create the topic of this name."""
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1, "configs": settings}})
        admin.wait_for_topics([name])


def partitions_of(topic: str, count: int) -> list[TopicPartition]:
    """Return the first `count` partitions of the topic."""
    return [TopicPartition(topic, number) for number in range(count)]


def producer(broker: Broker, **settings: Any) -> KafkaProducer:
    """Return a producer; the caller closes it."""
    return KafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, **(_BACK_SOON | {"max_block_ms": 15_000} | settings)
    )


def consumer(broker: Broker, **settings: Any) -> KafkaConsumer:
    """Return a consumer without a subscription; the caller closes it."""
    defaults = {
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "allow_auto_create_topics": False,
        "isolation_level": "read_committed",
        "fetch_max_wait_ms": 50,
        "session_timeout_ms": 2_000,
        "heartbeat_interval_ms": 300,
        "group_id": None,
    }
    return KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, **(_BACK_SOON | defaults | settings))


def reader(broker: Broker, *partitions: TopicPartition, offset: int = 0, **settings: Any) -> KafkaConsumer:
    """Return a consumer that reads these partitions from the offset on."""
    made = consumer(broker, **settings)
    made.assign(list(partitions))
    for partition in partitions:
        made.seek(partition, offset)
    return made


def subscribe(reading: KafkaConsumer, topic: str, listener: ConsumerRebalanceListener | None = None) -> None:
    """Subscribe to a topic that the consumer knows already.

    kafka-python 3.0 may otherwise join before it knows the partitions, and then miss the rejoin that puts it right.
    """
    assert reading.partitions_for_topic(topic), f"no topic {topic}"
    reading.subscribe([topic], listener=listener)


def send_all(sender: KafkaProducer, partition: TopicPartition, values: Sequence[bytes]) -> list[int]:
    """Send the values to the partition, and return the offsets that the broker acknowledged."""
    sent = [sender.send(partition.topic, value, partition=partition.partition) for value in values]
    return [future.get(PATIENCE).offset for future in sent]


def take(reading: KafkaConsumer, count: int) -> list[ConsumerRecord]:
    """Return the next records, at least `count`, or fail with what came instead."""
    taken: list[ConsumerRecord] = []
    poll_until(lambda: len(taken) >= count, reading, into=taken)
    return taken


def drain(reading: KafkaConsumer, quiet_seconds: float = 0.7) -> list[ConsumerRecord]:
    """Return all records until none came for a while."""
    taken: list[ConsumerRecord] = []
    until = time.monotonic() + PATIENCE
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < quiet_seconds:
        assert time.monotonic() < until, f"records keep coming: {len(taken)}"
        if batch := [record for batch in reading.poll(timeout_ms=100).values() for record in batch]:
            taken += batch
            quiet_since = time.monotonic()
    return taken


def poll_until(
    reached: Callable[[], bool], *readings: KafkaConsumer, into: list[ConsumerRecord] | None = None
) -> list[ConsumerRecord]:
    """Poll the consumers in turn until the condition holds, and return what they read; fail when it never does."""
    taken: list[ConsumerRecord] = [] if into is None else into
    until = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < until, f"not within {PATIENCE:.0f} s; {len(taken)} records came"
        for reading in readings:
            # Long, since a join must not complete between two polls; records end it early.
            taken += [record for batch in reading.poll(timeout_ms=1_000).values() for record in batch]
    return taken
