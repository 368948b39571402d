"""What we rely on in any Kafka, and in kafka-python against it: no product code, one run per broker."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import OffsetOutOfRangeError, ProducerFencedError

from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import (
    consumer,
    create_topic,
    drain,
    partitions_of,
    poll_until,
    producer,
    reader,
    recreate_topic,
    send_all,
    take,
)

pytestmark = pytest.mark.timeout(90)


# --- produce and consume ---------------------------------------------------------------------------------------------


def test_what_was_acknowledged_comes_back_byte_for_byte_at_its_offset(broker: Broker) -> None:
    partitions = partitions_of(create_topic(broker, partitions=3), 3)
    sent: dict[tuple[int, int], bytes] = {}
    with producer(broker, linger_ms=5) as sender:
        for partition in partitions:
            values = [f"{partition.partition}:{n}".encode() + os.urandom(300) for n in range(400)]
            offsets = send_all(sender, partition, values)
            assert offsets == list(range(400))
            sent |= {(partition.partition, offset): value for offset, value in zip(offsets, values, strict=True)}
    with reader(broker, *partitions) as reading:
        came = take(reading, len(sent))
        assert not drain(reading)
    assert {(record.partition, record.offset): record.value for record in came} == sent
    assert len(came) == len(sent)


def test_records_of_one_key_keep_their_order_in_one_partition(broker: Broker) -> None:
    topic = create_topic(broker, partitions=3)
    with producer(broker, linger_ms=5) as sender:
        for n in range(300):
            sender.send(topic, str(n).encode(), key=f"order-{n % 10}".encode())
    with reader(broker, *partitions_of(topic, 3)) as reading:
        came = take(reading, 300)
    homes = Counter((record.key, record.partition) for record in came)
    assert len(homes) == 10
    for key in {record.key for record in came}:
        numbers = [int(record.value) for record in came if record.key == key]
        assert numbers == sorted(numbers)


def test_headers_keys_times_and_empty_values_survive(broker: Broker) -> None:
    topic = create_topic(broker)
    with producer(broker) as sender:
        sender.send(
            topic,
            b"v",
            key=b"\x00k",
            headers=[("ce_type", b"order\xff"), ("empty", b"")],
            timestamp_ms=1_700_000_000_123,
        )
        sender.send(topic, None, key=b"tombstone")
    with reader(broker, TopicPartition(topic, 0)) as reading:
        first, second = take(reading, 2)
    assert (first.key, first.value, first.timestamp) == (b"\x00k", b"v", 1_700_000_000_123)
    assert first.headers == [("ce_type", b"order\xff"), ("empty", b"")]
    assert (second.key, second.value) == (b"tombstone", None)


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_compressed_batch_is_read_like_any_other(broker: Broker, codec: str) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    values = [b"order " * 50 + str(n).encode() for n in range(50)]
    with producer(broker, compression_type=codec, linger_ms=20) as sender:
        send_all(sender, partition, values)
    with reader(broker, partition) as reading:
        assert [record.value for record in take(reading, 50)] == values


def test_a_poll_returns_no_more_than_it_was_asked_for_and_the_rest_comes_next(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, linger_ms=20) as sender:
        send_all(sender, partition, [b"x"] * 95)
    sizes: list[int] = []
    offsets: list[int] = []
    with reader(broker, partition, max_poll_records=10) as reading:
        until = time.monotonic() + 20
        while len(offsets) < 95 and time.monotonic() < until:
            batch = [record.offset for records in reading.poll(timeout_ms=500).values() for record in records]
            sizes.append(len(batch))
            offsets += batch
    assert offsets == list(range(95))
    assert max(sizes) == 10


def test_the_end_is_where_the_last_acknowledged_record_was(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, linger_ms=50) as sender:
        last = send_all(sender, partition, [b"x"] * 40)[-1]
    with reader(broker, partition) as reading:
        drain(reading)
        assert reading.position(partition) == last + 1
        assert reading.highwater(partition) == last + 1


@pytest.mark.needs(Capability.END_OFFSETS)
def test_the_end_is_known_without_reading(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, linger_ms=50) as sender:
        last = send_all(sender, partition, [b"x"] * 40)[-1]
    with consumer(broker) as asking:
        assert asking.end_offsets([partition]) == {partition: last + 1}
        assert asking.beginning_offsets([partition]) == {partition: 0}


@pytest.mark.needs(Capability.LOG_APPEND_TIME)
def test_a_topic_that_says_so_stamps_records_itself(broker: Broker) -> None:
    topic = create_topic(broker, message_timestamp_type="LogAppendTime")
    before = time.time() * 1000
    with producer(broker) as sender:
        sender.send(topic, b"x", timestamp_ms=1_000)
    with reader(broker, TopicPartition(topic, 0)) as reading:
        (record,) = take(reading, 1)
    assert before - 1_000 <= record.timestamp <= time.time() * 1000 + 1_000
    assert record.timestamp_type == 1


# --- positions -------------------------------------------------------------------------------------------------------


def test_after_a_seek_back_the_same_records_come_again(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, linger_ms=5) as sender:
        send_all(sender, partition, [str(n).encode() for n in range(100)])
    with reader(broker, partition) as reading:
        first = take(reading, 100)
        reading.seek(partition, 40)
        again = take(reading, 60)
    assert [(record.offset, record.value) for record in again] == [(r.offset, r.value) for r in first[40:]]


@pytest.mark.needs(Capability.OFFSET_OUT_OF_RANGE)
def test_a_position_beyond_the_end_is_refused(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with reader(broker, partition, offset=7) as reading, pytest.raises(OffsetOutOfRangeError):
        poll_until(lambda: False, reading)


@pytest.mark.needs(Capability.DELETE_RECORDS, Capability.OFFSET_OUT_OF_RANGE)
def test_a_position_that_retention_ate_is_refused(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker) as sender:
        send_all(sender, partition, [b"x"] * 10)
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.delete_records({partition: 6})
    with reader(broker, partition) as reading:
        assert reading.beginning_offsets([partition]) == {partition: 6}
        with pytest.raises(OffsetOutOfRangeError):
            poll_until(lambda: False, reading)


# --- transactions ----------------------------------------------------------------------------------------------------


@pytest.mark.needs(Capability.TRANSACTIONS)
def test_aborted_records_are_never_read_and_leave_holes(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, transactional_id=f"{partition.topic}-tx") as sender:
        sender.init_transactions()
        for number, commit in enumerate([True, False, True, False]):
            sender.begin_transaction()
            send_all(sender, partition, [f"{number}{letter}".encode() for letter in "ab"])
            (sender.commit_transaction if commit else sender.abort_transaction)()
    with reader(broker, partition) as reading:
        came = drain(reading)
        # Two records and one control record for each of the four transactions.
        assert [(r.offset, r.value) for r in came] == [(0, b"0a"), (1, b"0b"), (6, b"2a"), (7, b"2b")]
        assert reading.position(partition) == 12


@pytest.mark.needs(Capability.TRANSACTIONS)
def test_an_open_transaction_holds_back_what_comes_after_it(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, transactional_id=f"{partition.topic}-tx") as opened, producer(broker) as other:
        opened.init_transactions()
        opened.begin_transaction()
        send_all(opened, partition, [b"open"])
        send_all(other, partition, [b"after"])
        with reader(broker, partition) as reading:
            assert not drain(reading)
            assert reading.position(partition) == 0
            opened.abort_transaction()
            assert [record.value for record in take(reading, 1)] == [b"after"]


@pytest.mark.needs(Capability.TRANSACTIONS)
def test_a_second_producer_with_the_same_id_fences_the_first(broker: Broker) -> None:
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker, transactional_id=f"{partition.topic}-tx") as first:
        first.init_transactions()
        first.begin_transaction()
        send_all(first, partition, [b"zombie"])
        with producer(broker, transactional_id=f"{partition.topic}-tx") as second:
            second.init_transactions()
            with pytest.raises(ProducerFencedError):
                first.commit_transaction()
            second.begin_transaction()
            send_all(second, partition, [b"owner"])
            second.commit_transaction()
    with reader(broker, partition) as reading:
        assert [record.value for record in take(reading, 1)] == [b"owner"]


# --- identity and restart --------------------------------------------------------------------------------------------


def test_a_topic_made_again_has_another_id_and_the_cluster_keeps_its_own(broker: Broker) -> None:
    topic = create_topic(broker)
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        cluster, first = _cluster_id(admin), _topic_id(admin, topic)
        admin.delete_topics([topic])
        _wait_until_gone(admin, topic)
        recreate_topic(broker, topic)
        second = _topic_id(admin, topic)
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        assert (_cluster_id(admin), _topic_id(admin, topic)) == (cluster, second)
    assert first != second
    assert cluster


@pytest.mark.needs(Capability.RESTART)
@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_clients_go_on_after_a_restart_and_nothing_acknowledged_is_lost(broker: Broker, ending: str) -> None:
    topic = create_topic(broker)
    partition = TopicPartition(topic, 0)
    with producer(broker) as sender, reader(broker, partition) as reading:
        send_all(sender, partition, [b"before"] * 10)
        take(reading, 10)
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
            before = _cluster_id(admin), _topic_id(admin, topic)
        try:
            broker.stop() if ending == "stop" else broker.kill()
            assert reading.poll(timeout_ms=300) == {}
        finally:
            broker.start()
        assert send_all(sender, partition, [b"after"] * 5) == list(range(10, 15))
        assert [record.offset for record in take(reading, 5)] == list(range(10, 15))
    with reader(broker, partition) as reading:
        assert [record.value for record in take(reading, 15)] == [b"before"] * 10 + [b"after"] * 5
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        assert (_cluster_id(admin), _topic_id(admin, topic)) == before


def _cluster_id(admin: KafkaAdminClient) -> str:
    return str(admin.describe_cluster()["cluster_id"])


def _topic_id(admin: KafkaAdminClient, topic: str) -> str:
    (described,) = admin.describe_topics([topic])
    assert described["error_code"] == 0
    return str(described["topic_id"])


def _wait_until_gone(admin: KafkaAdminClient, topic: str) -> None:
    until = time.monotonic() + 10
    while topic in admin.list_topics():
        assert time.monotonic() < until, "the topic is still there"
        time.sleep(0.05)  # between two looks
