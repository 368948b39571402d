"""The broker as a cluster: which topics and partitions there are, and where they begin and end."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import TopicAlreadyExistsError

from domain.errors import Explained
from domain.history.batch import Raw
from domain.history.enrolment import Partition
from domain.instant import Instant

FETCH_MAX_WAIT: Final = 50
"""Milliseconds the broker may hold an empty answer back."""
_PATIENCE: Final = 5.0
"""Seconds to look for the true end of a partition."""
_MILLISECOND: Final = 1000
READ: Final[dict[str, Any]] = {
    "auto_offset_reset": "none",
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "fetch_max_wait_ms": FETCH_MAX_WAIT,
}
"""How we always read: nothing is skipped silently, nothing committed for us, nothing that was aborted."""


class SourceFailed(Explained):
    """The broker or its client failed; the client must be made anew before it is used again."""


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn whatever the client raises into ``SourceFailed``; it has many errors and they all mean this."""
    try:
        yield
    except SourceFailed:
        raise
    except Exception as error:
        raise SourceFailed(f"{what}: {error!r}") from error


class Cluster:
    """What the broker says of some topics. Every method raises ``SourceFailed`` when it does not answer."""

    def __init__(self, connection: Mapping[str, Any], topics: Iterable[str]) -> None:
        """Ask with these client settings about these topics."""
        self._connection = dict(connection)
        self._topics = tuple(topics)

    def create_missing(self, partitions: int, replication: int = 1) -> None:
        """Create the topics that do not exist."""
        with self._admin() as admin:
            for topic in self._topics:
                try:
                    admin.create_topics({topic: {"num_partitions": partitions, "replication_factor": replication}})
                except TopicAlreadyExistsError:
                    continue

    def delete(self) -> None:
        """Delete the topics."""
        with self._admin() as admin:
            admin.delete_topics(list(self._topics))

    def partitions(self) -> dict[str, Partition]:
        """List every partition by identity; a missing topic is a failure too."""
        with self._admin() as admin:
            cluster = admin.describe_cluster()["cluster_id"]
            described = admin.describe_topics(list(self._topics))
        missing = [one["name"] for one in described if one["error_code"]]
        if missing:
            raise SourceFailed(f"topics do not exist: {', '.join(missing)}; create them or name others in the settings")
        found = [
            Partition(f"{cluster}/{one['topic_id']}/{part['partition_index']}", one["name"], part["partition_index"])
            for one in described
            for part in one["partitions"]
        ]
        return {one.identity: one for one in found}

    def offsets(self, partitions: Iterable[Partition], begin: str | Instant) -> dict[Partition, int]:
        """Find where to begin: ``earliest``, ``latest``, or the first record not before an instant."""
        by_place = {TopicPartition(one.topic, one.number): one for one in partitions}
        places = list(by_place)
        with answering("offsets"), closing(KafkaConsumer(**self._connection, **READ)) as consumer:
            if begin == "earliest":
                found = consumer.beginning_offsets(places)
            elif begin == "latest":
                found = _true_ends(consumer, places)
            else:
                times = consumer.offsets_for_times(dict.fromkeys(places, int(begin) // _MILLISECOND))
                ends = _true_ends(consumer, places)
                found = {place: times[place].offset if times.get(place) else ends[place] for place in places}
        return {by_place[place]: offset for place, offset in found.items()}

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        servers = ",".join(self._connection.get("bootstrap_servers", ()))
        with _listening() as heard:
            try:
                admin = KafkaAdminClient(**self._connection)
            except Exception as error:
                why = "; ".join(dict.fromkeys(heard)) or repr(error)
                raise SourceFailed(
                    f"no broker answers at {servers} ({why}). If it is there, look at kafka.security_protocol, "
                    "its login and its certificates in the settings."
                ) from error
        with answering(f"the broker at {servers} failed"), closing(admin):
            yield admin


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what the client logs while it connects: the reason of a failure stands only there."""
    heard: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]  # all of it
    logger = logging.getLogger("kafka")
    logger.addHandler(handler)
    try:
        yield heard
    finally:
        logger.removeHandler(handler)


def read_topic(connection: Mapping[str, Any], topic: str) -> Iterator[tuple[int, Raw]]:
    """Read a topic once, from its start to where it ends now, without joining any group.

    Raises:
        SourceFailed: it does not exist, or the broker does not answer.
    """
    cluster = Cluster(connection, (topic,))
    partitions = cluster.partitions().values()
    starts, ends = cluster.offsets(partitions, "earliest"), cluster.offsets(partitions, "latest")
    waiting = {TopicPartition(one.topic, one.number): ends[one] for one in partitions if ends[one] > starts[one]}
    with answering(topic), closing(KafkaConsumer(**connection, **READ)) as consumer:
        consumer.assign(list(waiting))
        for one in partitions:
            if ends[one] > starts[one]:
                consumer.seek(TopicPartition(one.topic, one.number), starts[one])
        while waiting:
            for records in consumer.poll(timeout_ms=_MILLISECOND).values():
                yield from ((record.offset, raw(record)) for record in records)
            waiting = {place: end for place, end in waiting.items() if consumer.position(place) < end}


class Scout:
    """Finds true ends at a broker that names one too low: it reads the record there and all that follows at once."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        """Connect on its own, so that nobody's position moves."""
        self._consumer = KafkaConsumer(**connection, **READ)

    def true_ends(self, named: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Look behind the named ends; a partition whose end is not seen in time is left out."""
        waiting = {place for place, end in named.items() if end > 0}
        ends = {place: end for place, end in named.items() if end == 0}
        self._consumer.assign(list(waiting))
        for place in waiting:
            self._consumer.seek(place, named[place] - 1)
        until = time.monotonic() + 1.0
        while waiting and time.monotonic() < until:
            for place, records in self._consumer.poll(timeout_ms=4 * FETCH_MAX_WAIT, max_records=10_000).items():
                ends[place] = max(records[-1].offset + 1, self._consumer.highwater(place) or 0)
                waiting.discard(place)
        return ends

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def raw(record: Any) -> Raw:
    """Take a client's record as it came."""
    stamped = None if record.timestamp is None or record.timestamp < 0 else record.timestamp * _MILLISECOND
    return Raw(record.topic, record.partition, record.key, record.value, tuple(record.headers or ()), stamped)


def _true_ends(consumer: Any, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Find where partitions end: some brokers name the start of the last batch, but a fetch shows the true end."""
    consumer.assign(places)
    for place, end in consumer.end_offsets(places).items():
        consumer.seek(place, end)
    shown: dict[TopicPartition, int] = {}
    until = time.monotonic() + _PATIENCE
    while places and time.monotonic() < until:
        polled = consumer.poll(timeout_ms=4 * FETCH_MAX_WAIT)
        marks = {place: consumer.highwater(place) for place in places if place not in shown}
        shown.update((place, mark) for place, mark in marks.items() if mark is not None)
        reached = len(shown) == len(places) and all(consumer.position(place) >= shown[place] for place in places)
        # An open transaction holds the end back: then the fetch shows more than can be read.
        if reached or (len(shown) == len(places) and not polled):
            break
    return {place: consumer.position(place) for place in places}
