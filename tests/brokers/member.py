"""A group member that polls on a thread of its own, as a process of its own would.

Polling two members in turn on one thread is no substitute: kafka-python 3.0 throws away a join that completed between
two polls and joins again, so the two keep rebalancing each other.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition

from tests.brokers.clients import PATIENCE, consumer, subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.brokers.broker import Broker


class SeekOnAssignment(ConsumerRebalanceListener):  # type: ignore[misc] # the client library is untyped
    """Seeks every assigned partition to where a store of ours says, and remembers on which thread it was asked."""

    def __init__(self, reading: KafkaConsumer, positions: dict[TopicPartition, int]) -> None:
        """Seek this consumer."""
        self.reading = reading
        self.positions = positions
        self.threads: set[int] = set()

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Give nothing back: the position is in the store."""

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Seek all of them, also those that were kept."""
        self.threads.add(threading.get_ident())
        for partition in assigned:
            self.reading.seek(partition, self.positions[partition])


class Member:
    """Polls from entering until leaving, each assigned partition from its first record on."""

    def __init__(self, broker: Broker, topic: str, partitions: list[TopicPartition]) -> None:
        """Subscribe to the topic in the group that is named after it."""
        self.assignment: frozenset[TopicPartition] = frozenset()
        self.seen: set[tuple[int, int]] = set()
        self.error: BaseException | None = None
        self._reading = consumer(broker, group_id=f"{topic}-group")
        listener = SeekOnAssignment(self._reading, dict.fromkeys(partitions, 0))
        subscribe(self._reading, topic, listener)
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        """Join the group."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the group."""
        self._leaving.set()
        self._thread.join(PATIENCE)
        self._reading.close()
        self.assignment = frozenset()

    def _poll(self) -> None:
        try:
            while not self._leaving.is_set():
                for records in self._reading.poll(timeout_ms=1_000).values():
                    self.seen |= {(record.partition, record.offset) for record in records}
                self.assignment = frozenset(self._reading.assignment())
        except Exception as error:  # noqa: BLE001 - whatever it was, the test thread reports it
            self.error = error


def wait_for(reached: Callable[[], bool], *members: Member) -> None:
    """Return when the condition holds; fail when it never does, or when a member has failed."""
    until = time.monotonic() + PATIENCE
    while not reached():
        failed = [member.error for member in members if member.error]
        assert not failed, f"a member failed: {failed}"
        assert time.monotonic() < until, f"not within {PATIENCE:.0f} s: {[member.assignment for member in members]}"
        time.sleep(0.02)  # between two looks
