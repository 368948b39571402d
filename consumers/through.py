"""Event-time runs through a broker: produce a file into topics, or read topics that exist, with the real consumer."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from kafka import KafkaProducer

from consumers.backtest import Outcome, Run, records
from consumers.cluster import Cluster, SourceFailed
from consumers.source import KafkaSource
from consumers.topics import place
from consumers.translate import Translator
from domain.history.batch import Batch, Raw, Slice
from domain.history.enrolment import Partition
from domain.instant import Instant
from domain.tracker import Tracker

PATIENCE: Final = 600
"""Polls in a row that may bring nothing before the run gives up: a minute."""


def produce(
    lines: Iterable[bytes], connection: Mapping[str, Any], topics: Mapping[str, str]
) -> dict[tuple[str, int], int]:
    """Send each line to its topic and wait for every acknowledgement; returns the end of each partition.

    Raises:
        SourceFailed: the broker did not take a record.
    """
    producer = KafkaProducer(**connection, linger_ms=20, batch_size=1 << 18, compression_type=None)
    sent = []
    try:
        for raw in records(lines):
            try:
                topic, key = place(orjson.loads(raw.value or b""))
            except orjson.JSONDecodeError:
                topic, key = place(None)
            headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
            name = None if key is None else key.encode("utf-8", "surrogatepass")
            sent.append(producer.send(topics[topic], value=raw.value, key=name, headers=headers))
        ends: dict[tuple[str, int], int] = {}
        for future in sent:
            acked = future.get(timeout=30)
            at = (acked.topic, acked.partition)
            ends[at] = max(ends.get(at, 0), acked.offset + 1)
    except Exception as error:
        raise SourceFailed(f"producing failed: {error!r}") from error
    finally:
        producer.close()
    return ends


def run(
    connection: Mapping[str, Any],
    topics: Iterable[str],
    ends: Mapping[tuple[str, int], int] | None,
    tracker: Tracker,
    translator: Translator,
    now: Instant,
    *,
    group: str,
    poll: int,
    **options: Any,
) -> Outcome:
    """Read topics from their start to their known ends (else to where they end now), by event time.

    Raises:
        SourceFailed: the broker stopped giving records before the end.
    """
    cluster = Cluster(connection, topics)
    partitions = cluster.partitions()
    begin = cluster.offsets(partitions.values(), "earliest")
    starts = {one.identity: offset for one, offset in begin.items()}
    if ends is None:
        ends = {(one.topic, one.number): end for one, end in cluster.offsets(partitions.values(), "latest").items()}
    source = KafkaSource(connection, partitions, group, lambda: starts, **options)
    try:
        return _read(source, partitions, starts, ends, Run(tracker, partitions), translator, now, poll)
    finally:
        source.close()


def _read(
    source: KafkaSource,
    partitions: Mapping[str, Partition],
    starts: Mapping[str, int],
    ends: Mapping[tuple[str, int], int],
    driver: Run,
    translator: Translator,
    now: Instant,
    poll: int,
) -> Outcome:
    expected: dict[str, int | None] = dict.fromkeys(partitions)
    stands = dict(starts)
    empty = 0
    while True:
        for name, one in partitions.items():
            if stands[name] >= ends.get((one.topic, one.number), 0):
                driver.frontier.close(name)
        if not driver.frontier.waiting:
            break
        polled = source.poll(100, poll)
        empty = 0 if polled else empty + 1
        stands.update(source.reached(partitions))
        if empty > PATIENCE:
            raise SourceFailed(
                f"no records for a minute; still waiting for {', '.join(sorted(driver.frontier.waiting))}"
            )
        slices = tuple(_slice(partitions[name], expected, records, translator, now) for name, records in polled.items())
        if slices:
            driver.take(Batch(slices, now))
            expected.update((part.partition, part.next) for part in slices)
    driver.tick()
    return driver.outcome()


def _slice(
    one: Partition,
    expected: Mapping[str, int | None],
    polled: list[tuple[int, Raw]],
    translator: Translator,
    now: Instant,
) -> Slice:
    incoming = tuple(translator.incoming(offset, raw, now) for offset, raw in polled)
    return Slice(one.identity, one.topic, one.number, expected[one.identity], polled[-1][0] + 1, incoming)
