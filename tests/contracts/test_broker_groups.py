"""What we rely on in Kafka's consumer groups, and what kafka-python 3.0 does wrong in them: no product code.

The last part is a list of regressions to look at when the client library changes.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
import uuid

import pytest
from kafka import TopicPartition
from kafka.errors import NoOffsetForPartitionError

from tests.brokers import lone_member, poisoned_poll
from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import (
    consumer,
    create_topic,
    partitions_of,
    poll_until,
    producer,
    recreate_topic,
    send_all,
    subscribe,
    take,
)
from tests.brokers.member import Member, SeekOnAssignment, wait_for

pytestmark = pytest.mark.timeout(90)


class PositionOnAssignment(SeekOnAssignment):
    """Asks for a position in the callback, which must not be done."""

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Block."""
        for partition in assigned:
            self.reading.position(partition)


class ForgetToSeek(SeekOnAssignment):
    """Leaves the position to the client."""

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Do nothing."""


def test_the_listener_decides_where_an_assigned_partition_starts(broker: Broker) -> None:
    topic = create_topic(broker, partitions=2)
    one, two = partitions_of(topic, 2)
    with producer(broker, linger_ms=5) as sender:
        for partition in (one, two):
            send_all(sender, partition, [b"x"] * 50)
    with consumer(broker, group_id=f"{topic}-group") as reading:
        listener = SeekOnAssignment(reading, {one: 10, two: 45})
        subscribe(reading, topic, listener)
        came = take(reading, 45)
    starts = {number: min(r.offset for r in came if r.partition == number) for number in (0, 1)}
    assert starts == {0: 10, 1: 45}
    assert threading.get_ident() not in listener.threads, "it runs on the client's own thread"


def test_our_seek_wins_over_what_the_group_committed(broker: Broker) -> None:
    topic = create_topic(broker)
    partition = TopicPartition(topic, 0)
    with producer(broker, linger_ms=5) as sender:
        send_all(sender, partition, [b"x"] * 20)
    for seek_to in (0, 5):
        with consumer(broker, group_id=f"{topic}-group") as reading:
            subscribe(reading, topic, SeekOnAssignment(reading, {partition: seek_to}))
            came = take(reading, 20 - seek_to)
            assert came[0].offset == seek_to
            reading.commit()
            assert reading.committed(partition) == 20


def test_two_consumers_share_the_partitions_and_the_one_that_stays_gets_all_back(broker: Broker) -> None:
    topic = create_topic(broker, partitions=4)
    partitions = partitions_of(topic, 4)
    everything = {(number, offset) for number in range(4) for offset in range(5)}
    with producer(broker) as sender:
        for partition in partitions:
            send_all(sender, partition, [b"x"] * 5)
    with Member(broker, topic, partitions) as stays:
        wait_for(lambda: stays.assignment == set(partitions), stays)
        with Member(broker, topic, partitions) as leaves:
            both = stays, leaves
            wait_for(lambda: sorted(len(member.assignment) for member in both) == [2, 2], *both)
            assert stays.assignment | leaves.assignment == set(partitions)
            wait_for(lambda: {number for number, _ in leaves.seen} == {p.partition for p in leaves.assignment}, *both)
            stays.seen.clear()
        wait_for(lambda: stays.assignment == set(partitions), stays)
        # The seek at the last assignment redelivers everything, also of the partitions it had kept.
        wait_for(lambda: stays.seen == everything, stays)


def test_the_partitions_of_a_consumer_that_was_killed_go_to_the_other(broker: Broker) -> None:
    topic = create_topic(broker, partitions=2)
    partitions = partitions_of(topic, 2)
    command = [sys.executable, lone_member.__file__, broker.bootstrap_servers, topic, f"{topic}-group"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        lines = _lines(killed)
        while int(lines.get(timeout=30)) < len(partitions):
            pass
        killed.kill()
    with Member(broker, topic, partitions) as stays:
        wait_for(lambda: stays.assignment == set(partitions), stays)


def test_without_a_seek_the_consumer_stops_instead_of_guessing(broker: Broker) -> None:
    """R2: a listener that forgets to seek."""
    topic = create_topic(broker)
    with consumer(broker, group_id=f"{topic}-group") as reading:
        subscribe(reading, topic, ForgetToSeek(reading, {}))
        with pytest.raises(NoOffsetForPartitionError):
            poll_until(lambda: False, reading)


def test_the_listener_must_not_ask_for_a_position(broker: Broker) -> None:
    """R2: a blocking call on the client's own thread is refused, and the refusal reaches `poll()`."""
    topic = create_topic(broker)
    with consumer(broker, group_id=f"{topic}-group") as reading:
        subscribe(reading, topic, PositionOnAssignment(reading, {}))
        with pytest.raises(Exception, match="rebalance callback") as raised:
            poll_until(lambda: False, reading)
    assert "Cannot block" in str(raised.value.__cause__ or raised.value.args)


def test_a_join_that_completes_between_two_polls_is_thrown_away(broker: Broker) -> None:
    """Why a poll without an assignment waits long. When this fails the client was cured."""
    topic = create_topic(broker)
    with consumer(broker, group_id=f"{topic}-group", auto_offset_reset="earliest") as reading:
        subscribe(reading, topic)
        for _ in range(8):
            reading.poll(timeout_ms=0)
            time.sleep(0.3)  # the join completes between two polls
        assert not reading.assignment()
        poll_until(lambda: len(reading.assignment()) == 1, reading)


@pytest.mark.needs(Capability.PROMPT_JOIN)
def test_a_rejoin_for_changed_metadata_that_outlasts_a_poll_is_never_finished(broker: Broker) -> None:
    """Why a consumer without an assignment is watched. When this fails the client was cured."""
    topic = f"later-{uuid.uuid4().hex[:12]}"
    with consumer(broker, group_id=f"{topic}-group", auto_offset_reset="earliest", metadata_max_age_ms=200) as reading:
        reading.subscribe([topic])  # it joins, and is assigned all the partitions there are: none
        for _ in range(2):
            reading.poll(timeout_ms=1_000)
        recreate_topic(broker, topic)
        time.sleep(0.6)  # longer than the client keeps what it knows of topics
        reading.poll(timeout_ms=0)
        time.sleep(0.6)  # longer than the client keeps what it knows of topics
        for _ in range(2):
            reading.poll(timeout_ms=1_000)
        assert not reading.assignment()
        reading.unsubscribe()
        reading.subscribe([topic])
        poll_until(lambda: len(reading.assignment()) == 1, reading)


@pytest.mark.parametrize("seek", [False, True])
def test_after_a_deserializer_raised_only_a_seek_brings_the_consumer_back(broker: Broker, seek: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """R1: why we never give the client a deserializer. When this fails the client was cured."""
    partition = TopicPartition(create_topic(broker), 0)
    with producer(broker) as sender:
        for value in (b"poison", b"good"):  # two batches: past a poison in its own batch not even a seek leads
            send_all(sender, partition, [value])
    arguments = [broker.bootstrap_servers, partition.topic, *(["seek"] if seek else [])]
    command = [sys.executable, poisoned_poll.__file__, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as poisoned:
        lines = _lines(poisoned)
        try:
            assert lines.get(timeout=20).startswith("raised")
            if seek:
                assert lines.get(timeout=20) == "returned 1"
            else:
                with pytest.raises(queue.Empty):
                    lines.get(timeout=3)
        finally:
            poisoned.kill()


def _lines(process: subprocess.Popen[str]) -> queue.Queue[str]:
    """Return the process's output as a queue, so that waiting for a line can end."""
    lines: queue.Queue[str] = queue.Queue()
    source = process.stdout
    assert source is not None

    def read() -> None:
        for line in source:
            lines.put(line.strip())

    threading.Thread(target=read, daemon=True).start()
    return lines
