"""Kafka topics, written in order.

All of a page that goes to one partition goes in one batch, which the broker takes whole or not at all, and the client
repeats a batch under the number it had until it is answered: no record overtakes an earlier one, whatever fails. The
client's traps that this avoids are in docs/adr/0019.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.serializer import Serializer

from api.outbound.deliverer import Interrupted, NotDelivered
from api.outbound.kafka_setup import answering, prepared
from api.outbound.outlet import BYTES
from api.outbound.records import Record
from api.outbound.topic import Making, Topic

PATIENCE: Final = 60.0
"""Seconds to wait for acknowledgements before the client is made anew; it goes on trying all that time."""
_LOOK: Final = 0.5
"""Seconds between two looks whether we are to stop."""
_LARGEST: Final = 2**30
"""Bytes of a request; how large a record may be is the topic's to say, not the client's."""
_PRODUCE: Final[dict[str, Any]] = {
    "enable_idempotence": True,
    "acks": "all",
    "allow_auto_create_topics": False,
    # A page is cut so that it fits, and leaves when it is complete.
    "batch_size": 2 * BYTES,
    "linger_ms": 3_600_000,
    "max_request_size": _LARGEST,
    # A batch that has left is never given up: what is behind it would go on without it.
    "delivery_timeout_ms": 2**31 - 1,
    "request_timeout_ms": 10_000,
    "max_block_ms": 5_000,
}
_NO_KEY: Final = b"no key"
"""Stands for a null key until it is written; known by being this very object, so that no key is taken for it."""


class KafkaTopics:
    """A connection over which records leave; not to be used after an error."""

    def __init__(self, connection: Mapping[str, Any], topics: Sequence[Topic], making: Making) -> None:
        """Connect, and make what is missing.

        Raises:
            TopicUnfit: a topic is missing and may not be made, or is not set up for what it is to hold.
            NotDelivered: the broker does not answer.
        """
        self._identities = prepared(connection, topics, making)
        with answering("the broker"):
            self._producer = _Producer(**connection, **_PRODUCE, key_serializer=_Nulls())

    def target(self, topics: Sequence[str]) -> str:
        """Name the first of these topics as the cluster does: another name once it was made anew."""
        return self._identities[topics[0]]

    def send(self, records: Sequence[Record], stop: threading.Event) -> None:
        """Return once every record is acknowledged by all replicas that are in sync.

        Raises:
            NotDelivered: one of them is not; whether it was written is unknown.
            Interrupted: ``stop`` was set before.
        """
        with answering("the broker did not take a record"):
            sent = [self._producer.send(one.topic, one.value, key=_key(one), headers=_Headers(one)) for one in records]
            self._wait(sent, stop)
            for one, record in zip(sent, records, strict=True):
                if one.failed():
                    raise NotDelivered(f"{record.topic} did not take a record of {record.size} bytes: {one.exception}")

    def close(self) -> None:
        """Send nothing more, and do not wait for what has left."""
        self._producer.close(timeout=0)

    def _wait(self, sent: Sequence[Any], stop: threading.Event) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            self._producer.flush(_LOOK)
            if all(one.is_done for one in sent):
                return
            if stop.is_set():
                raise Interrupted
            if time.monotonic() > until:
                raise NotDelivered(f"no acknowledgement within {PATIENCE:g} s")


class _Producer(KafkaProducer):  # type: ignore[misc]  # the library has no types
    """The library's producer, which can be closed while the broker is away: its own close raises before it ends."""

    def flush(self, timeout: float | None = None) -> None:
        with suppress(KafkaTimeoutError):
            super().flush(timeout)


class _Headers(list[tuple[str, bytes]]):
    """Headers of which some are null, which the library can write but not accept."""

    def __init__(self, record: Record) -> None:
        super().__init__((name, b"" if value is None else value) for name, value in record.headers)
        self._record = record

    def __bool__(self) -> bool:
        """Say no: the library only asks before it measures each value, which a null one has not."""
        return False

    def restore(self) -> None:
        """Put the nulls in, once they were accepted."""
        self[:] = self._record.headers  # type: ignore[assignment]  # nulls are what it is for


class _Nulls(Serializer):  # type: ignore[misc]  # the library has no types
    """Called between accepting and writing a record."""

    def serialize(self, _topic: str, headers: list[tuple[str, bytes]], data: bytes | None) -> bytes | None:
        if isinstance(headers, _Headers):
            headers.restore()
        return None if data is _NO_KEY else data


def _key(record: Record) -> bytes | None:
    """Give the key that the client accepts: it refuses a record with neither key nor value, which a broker takes."""
    return _NO_KEY if record.key is None and record.value is None else record.key
