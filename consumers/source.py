"""Kafka as a source of records: a consumer in a group that is positioned by us alone.

Traps it is built around are listed with their proofs in docs/adr/0006.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.base import MemberState
from kafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from consumers.cluster import READ, Scout, SourceFailed, answering, raw
from domain.history.batch import Raw
from domain.history.enrolment import Partition

_ASK_MS: Final = 5000


class RecordsGone(SourceFailed):
    """The broker no longer has the records at our position."""


class KafkaSource:
    """A consumer in a group, positioned by us on every assignment; never by committed offsets."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        partitions: Mapping[str, Partition],
        group: str,
        starts: Callable[[], Mapping[str, int]],
        *,
        trust_ends: bool = True,
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
        self._strangers = False
        self._scout: Scout | None = None
        self.assignments = 0
        """Counts assignments, so that the loop notices one."""
        settings = {**READ, "max_partition_fetch_bytes": 4 << 20, "group_id": group}
        with answering("no broker answers"):
            self._consumer = KafkaConsumer(**{**settings, **options, **connection})
            self._consumer.subscribe(sorted({one.topic for one in partitions.values()}), listener=_Listener(self))
            # Metadata first: else the client joins twice, and the second join may never be applied.
            self._consumer.topics()
            self._scout = None if trust_ends else Scout(connection)

    @property
    def assigned(self) -> frozenset[str]:
        """Name the partitions we own now."""
        with self._lock:
            return frozenset(self._assigned)

    @property
    def settled(self) -> bool:
        """Say whether the group has given us our partitions; a client that never gets there must be made anew."""
        return self._consumer.group_metadata().state is MemberState.STABLE

    def poll(self, timeout_ms: int, limit: int) -> dict[str, list[tuple[int, Raw]]]:
        """Fetch records by partition, as raw bytes.

        Raises:
            SourceFailed: close this source and make another; polling again may never return.
        """
        try:
            polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=limit)
        except Exception as error:
            gone = isinstance(error, OffsetOutOfRangeError | NoOffsetForPartitionError) and not self._strangers
            raise (RecordsGone if gone else SourceFailed)(repr(error)) from error
        if self._strangers:
            raise SourceFailed("partitions were added; they are looked up again")
        return {
            self._identities[place]: [(record.offset, raw(record)) for record in records]
            for place, records in polled.items()
            if place in self._identities
        }

    def ends(self, names: Iterable[str]) -> dict[str, int]:
        """Ask the broker for the end of each partition, as it stands not before this call.

        Raises:
            SourceFailed: it did not answer.
        """
        places = [self._places[name] for name in names]
        with answering("ends"):
            asked = self._consumer.end_offsets(places, timeout_ms=_ASK_MS)
            if self._scout is not None:
                asked = self._scout.true_ends(asked)
        return {self._identities[place]: end for place, end in asked.items()}

    def reached(self, names: Iterable[str]) -> dict[str, int]:
        """Say up to where the client has read, marks of transactions and compacted holes included."""
        places = [self._places[name] for name in names if name in self.assigned]
        with answering("positions"):
            found = {self._identities[place]: self._consumer.position(place, timeout_ms=1000) for place in places}
        return {name: offset for name, offset in found.items() if offset is not None}

    def beginnings(self, names: Iterable[str]) -> dict[str, int]:
        """Ask for the first offset that each partition still has."""
        with answering("beginnings"):
            asked = self._consumer.beginning_offsets([self._places[name] for name in names])
        return {self._identities[place]: offset for place, offset in asked.items()}

    def seek(self, starts: Mapping[str, int]) -> None:
        """Read on from here."""
        with answering("seek"):
            for name, offset in starts.items():
                if name in self.assigned:
                    self._consumer.seek(self._places[name], offset)

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
            with suppress(Exception):  # a courtesy that must not end anything
                self._consumer.commit_async(offsets)

    def close(self) -> None:
        """Leave the group; a broker that does not answer is left without a word."""
        with suppress(Exception):  # it is thrown away whatever it says
            self._consumer.close(autocommit=False, timeout_ms=3000)
            if self._scout is not None:
                self._scout.close()

    def _apply_holds(self) -> None:
        places = [self._places[name] for name in self._held if name in self.assigned]
        if places:
            self._consumer.pause(*places)

    def _on_assigned(self) -> None:
        starts = self._starts()
        known = [place for place in self._consumer.assignment() if place in self._identities]
        self._strangers |= len(known) < len(self._consumer.assignment())
        with self._lock:
            self._assigned = {self._identities[place] for place in known}
        for place in known:
            offset = starts.get(self._identities[place])
            if offset is None:
                raise SourceFailed(f"{place} has no position")
            self._consumer.seek(place, offset)
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
