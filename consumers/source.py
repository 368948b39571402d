"""Kafka as a source of records: the only module of this package that knows the client library.

Traps it is built around are listed with their proofs in docs/adr/0006.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

from domain.batch import Raw
from domain.enrolment import Partition
from domain.instant import Instant

FETCH_MAX_WAIT: Final = 50
"""Milliseconds the broker may hold an empty answer back."""
_MILLISECOND: Final = 1000


class SourceFailed(Exception):
    """Polling raised; the client must be made anew before it is polled again."""


class RecordsGone(SourceFailed):
    """The broker no longer has the records at our position."""


class Start(NamedTuple):
    """Where to read a partition from: the record taken last (to compare), else the next one."""

    seek: int
    overlap: int | None


class Cluster:
    """What the broker says of itself: topics, identities, ends."""

    def __init__(self, connection: Mapping[str, Any], topics: Iterable[str]) -> None:
        """Ask with these client settings about these topics."""
        self._connection = dict(connection)
        self._topics = tuple(topics)

    def create_missing(self, partitions: int, replication: int = 1) -> None:
        """Create the topics that do not exist."""
        admin = KafkaAdminClient(**self._connection)
        try:
            for topic in self._topics:
                wanted = {"num_partitions": partitions, "replication_factor": replication}
                try:
                    admin.create_topics({topic: wanted})
                except TopicAlreadyExistsError:
                    continue
        finally:
            admin.close()

    def delete(self) -> None:
        """Delete the topics, as far as the broker lets us."""
        admin = KafkaAdminClient(**self._connection)
        try:
            admin.delete_topics(list(self._topics))
        finally:
            admin.close()

    def partitions(self) -> dict[str, Partition]:
        """List every partition by identity.

        Raises:
            SourceFailed: a topic does not exist, or the broker does not answer.
        """
        try:
            admin = KafkaAdminClient(**self._connection)
        except KafkaError as error:
            raise SourceFailed(f"no broker answers at {self._connection.get('bootstrap_servers')}: {error}") from error
        try:
            cluster = admin.describe_cluster()["cluster_id"]
            described = admin.describe_topics(list(self._topics))
        finally:
            admin.close()
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
        consumer = KafkaConsumer(**self._connection, auto_offset_reset="none", enable_auto_commit=False)
        try:
            if begin == "earliest":
                found = consumer.beginning_offsets(list(by_place))
            elif begin == "latest":
                found = self._true_ends(consumer, list(by_place))
            else:
                ends = consumer.end_offsets(list(by_place))
                at = int(begin) // _MILLISECOND
                times = consumer.offsets_for_times(dict.fromkeys(by_place, at))
                found = {place: times[place].offset if times.get(place) else ends[place] for place in by_place}
        finally:
            consumer.close()
        return {by_place[place]: offset for place, offset in found.items()}

    @staticmethod
    def _true_ends(consumer: Any, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Read to the end: some brokers name an end that is too low."""
        consumer.assign(places)
        for place, end in consumer.end_offsets(places).items():
            consumer.seek(place, end)
        while consumer.poll(timeout_ms=4 * FETCH_MAX_WAIT):
            pass
        return {place: consumer.position(place) for place in places}


def read_topic(connection: Mapping[str, Any], topic: str) -> Iterator[tuple[int, Raw]]:
    """Read a topic once, from its start to where it ends now, without joining any group.

    Raises:
        SourceFailed: it does not exist, or the broker does not answer.
    """
    cluster = Cluster(connection, (topic,))
    partitions = cluster.partitions().values()
    starts, ends = cluster.offsets(partitions, "earliest"), cluster.offsets(partitions, "latest")
    consumer = KafkaConsumer(**connection, auto_offset_reset="none", enable_auto_commit=False)
    try:
        waiting = {TopicPartition(one.topic, one.number): ends[one] for one in partitions if ends[one] > starts[one]}
        consumer.assign(list(waiting))
        for one in partitions:
            if ends[one] > starts[one]:
                consumer.seek(TopicPartition(one.topic, one.number), starts[one])
        while waiting:
            for records in consumer.poll(timeout_ms=1000).values():
                yield from ((record.offset, _raw(record)) for record in records)
            waiting = {place: end for place, end in waiting.items() if consumer.position(place) < end}
    finally:
        consumer.close()


class KafkaSource:
    """A consumer in a group, positioned by us on every assignment; never by committed offsets."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        partitions: Mapping[str, Partition],
        group: str,
        starts: Callable[[], Mapping[str, Start]],
        **options: Any,
    ) -> None:
        """Join the group; ``starts`` is asked on each assignment, on the client's own thread, so it must be quick.

        Raises:
            SourceFailed: the broker does not answer.
        """
        self._identities = {TopicPartition(one.topic, one.number): name for name, one in partitions.items()}
        self._places = {name: place for place, name in self._identities.items()}
        self._starts = starts
        self._lock = threading.Lock()
        self._assigned: set[str] = set()
        self._held: set[str] = set()
        self.assignments = 0
        """Counts assignments, so that the loop notices one."""
        settings: dict[str, Any] = {
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            "allow_auto_create_topics": False,
            "fetch_max_wait_ms": FETCH_MAX_WAIT,
            "max_partition_fetch_bytes": 4 << 20,
            "group_id": group,
        }
        try:
            self._consumer = KafkaConsumer(**{**settings, **options, **connection})
        except KafkaError as error:
            raise SourceFailed(f"no broker answers: {error!r}") from error
        self._consumer.subscribe(sorted({one.topic for one in partitions.values()}), listener=_Listener(self))

    @property
    def assigned(self) -> frozenset[str]:
        """Name the partitions we own now."""
        with self._lock:
            return frozenset(self._assigned)

    def poll(self, timeout_ms: int, limit: int) -> dict[str, list[tuple[int, Raw]]]:
        """Fetch records by partition, as raw bytes.

        Raises:
            SourceFailed: close this source and make another; polling again may never return.
        """
        try:
            polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=limit)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise RecordsGone(str(error)) from error
        except Exception as error:
            raise SourceFailed(repr(error)) from error
        return {
            self._identities[place]: [(record.offset, _raw(record)) for record in records]
            for place, records in polled.items()
            if place in self._identities
        }

    def ends(self, names: Iterable[str]) -> dict[str, int]:
        """Ask the broker for the end of each partition, as it stands not before this call.

        Raises:
            SourceFailed: it did not answer.
        """
        places = [self._places[name] for name in names]
        try:
            asked = self._consumer.end_offsets(places, timeout_ms=5000)
        except Exception as error:
            raise SourceFailed(repr(error)) from error
        # Some brokers answer too low; what a fetch has shown counts as well.
        return {self._identities[place]: max(end, self._consumer.highwater(place) or 0) for place, end in asked.items()}

    def reached(self, names: Iterable[str]) -> dict[str, int]:
        """Say up to where the client has read, marks of transactions and compacted holes included."""
        places = [self._places[name] for name in names if name in self.assigned]
        found = {self._identities[place]: self._consumer.position(place, timeout_ms=1000) for place in places}
        return {name: offset for name, offset in found.items() if offset is not None}

    def beginnings(self, names: Iterable[str]) -> dict[str, int]:
        """Ask for the first offset that each partition still has."""
        asked = self._consumer.beginning_offsets([self._places[name] for name in names])
        return {self._identities[place]: offset for place, offset in asked.items()}

    def seek(self, starts: Mapping[str, Start]) -> None:
        """Read on from here."""
        for name, start in starts.items():
            if name in self.assigned:
                self._consumer.seek(self._places[name], start.seek)

    def hold(self, names: Iterable[str]) -> None:
        """Fetch nothing more of these partitions, whatever is assigned; membership is kept by polling."""
        self._held.update(names)
        self._apply_holds()

    def release(self, names: Iterable[str]) -> None:
        """Fetch these again."""
        self._held.difference_update(names)
        self._consumer.resume(*[self._places[name] for name in names if name in self.assigned])

    def mirror(self, positions: Mapping[str, int]) -> None:
        """Tell the group where we are, for lag dashboards only; nothing of ours reads it."""
        offsets = {self._places[name]: OffsetAndMetadata(at, "", -1) for name, at in positions.items()}
        if offsets:
            self._consumer.commit_async(offsets)

    def close(self) -> None:
        """Leave the group; a broker that does not answer is left without a word."""
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=3000)

    def _apply_holds(self) -> None:
        places = [self._places[name] for name in self._held if name in self.assigned]
        if places:
            self._consumer.pause(*places)

    def _on_assigned(self) -> None:
        starts = self._starts()
        with self._lock:
            self._assigned = {self._identities[place] for place in self._consumer.assignment()}
        for place in self._consumer.assignment():
            start = starts.get(self._identities[place])
            if start is None:
                raise SourceFailed(f"{place} has no position")
            self._consumer.seek(place, start.seek)
        self._apply_holds()
        self.assignments += 1

    def _on_revoked(self, places: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._assigned -= {self._identities[place] for place in places if place in self._identities}
        self.assignments += 1


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client ships no types
    """Runs on the client's own thread, where only state changes such as seek and pause are allowed."""

    def __init__(self, source: KafkaSource) -> None:
        self._source = source

    def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        self._source._on_assigned()  # noqa: SLF001  # one object in two classes, as the client asks

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._source._on_revoked(revoked)  # noqa: SLF001

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._source._on_revoked(lost)  # noqa: SLF001


def _raw(record: Any) -> Raw:
    stamped = None if record.timestamp is None or record.timestamp < 0 else record.timestamp * _MILLISECOND
    return Raw(record.topic, record.partition, record.key, record.value, tuple(record.headers or ()), stamped)
