"""Feeds: what each source and each partition has brought, and what was odd about it."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from operator import add
from typing import Any, Final

from domain.history.batch import BatchTaken
from domain.instant import Instant
from projections.subjects import Subjects
from projections.view import Rows, Streams

_NOTHING: Final = (None, None, None, None, 0, 0, 0, 0, None)
"""What a partition has brought before its first batch."""


class Feeds:
    """Keeps counts as the batches told them; a row belongs to one partition, so that none is written by two streams."""

    name = "feeds"
    version = 1
    tables = ("feed_partitions", "feed_sources", "feed_counts")
    schema = (
        """CREATE TABLE IF NOT EXISTS feed_partitions (
            partition TEXT PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
            records INTEGER NOT NULL, taken INTEGER NOT NULL, repeated INTEGER NOT NULL, skipped INTEGER NOT NULL,
            received_at INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS feed_sources (
            source TEXT NOT NULL, partition TEXT NOT NULL, last_at INTEGER NOT NULL, received_at INTEGER NOT NULL,
            events INTEGER NOT NULL, PRIMARY KEY (source, partition)) WITHOUT ROWID""",
        # What is counted: 'flag' by name and source, 'quarantined' by code, 'foreign' by type.
        """CREATE TABLE IF NOT EXISTS feed_counts (
            what TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, partition TEXT NOT NULL,
            count INTEGER NOT NULL, PRIMARY KEY (what, name, source, partition)) WITHOUT ROWID""",
    )
    topics = frozenset({BatchTaken.TOPIC})

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002
        """Add up what one partition's batches brought."""
        entries = chain.from_iterable(streams.values())
        taken = [event for entry in entries if isinstance(event := entry.event, BatchTaken)]
        _add_partitions(rows, taken)
        _add_sources(rows, taken)
        _add_counts(rows, taken)


VIEW = Feeds()


def partitions(rows: Rows) -> list[dict[str, Any]]:
    """List what was taken of each partition, by topic and number."""
    columns = "partition, topic, number, next, records, taken, repeated, skipped, received_at"
    return _dicts(
        columns,
        rows.execute(f"SELECT {columns} FROM feed_partitions ORDER BY topic, number, partition"),  # noqa: S608
    )


def sources(rows: Rows) -> list[dict[str, Any]]:
    """List the sources with the largest event time of each."""
    return _dicts(
        "source, last_at, received_at, events",
        rows.execute(
            "SELECT source, MAX(last_at) AS last_at, MAX(received_at) AS received_at, "
            "SUM(events) AS events FROM feed_sources GROUP BY source ORDER BY source"
        ),
    )


def counted(rows: Rows, what: str) -> list[tuple[str, str, int]]:
    """List (name, source, count) of one sort of oddity."""
    found = rows.execute(
        "SELECT name, source, SUM(count) FROM feed_counts WHERE what = ? GROUP BY name, source ORDER BY name, source",
        (what,),
    )
    return [(row[0], row[1], row[2]) for row in found]


def _add_partitions(rows: Rows, taken: Iterable[BatchTaken]) -> None:
    found: dict[str, tuple[Any, ...]] = {}
    for one in taken:
        counts = (one.records, one.taken, one.repeated, one.foreign)
        _, _, _, _, *before, _ = found.get(one.partition, _NOTHING)
        together = map(add, before, counts)
        found[one.partition] = (one.partition, one.topic, one.number, one.next, *together, one.received_at)
    rows.executemany(
        "INSERT INTO feed_partitions VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (partition) DO UPDATE SET "
        "next = excluded.next, records = feed_partitions.records + excluded.records, "
        "taken = feed_partitions.taken + excluded.taken, repeated = feed_partitions.repeated + excluded.repeated, "
        "skipped = feed_partitions.skipped + excluded.skipped, "
        "received_at = excluded.received_at",
        found.values(),
    )


def _add_sources(rows: Rows, taken: Iterable[BatchTaken]) -> None:
    found: dict[tuple[str, str], tuple[Instant, Instant, int]] = {}
    for one in taken:
        for source, at in one.sources.items():
            last, _, events = found.get((source, one.partition), (at, 0, 0))
            more = one.events.get(source, 0)
            found[source, one.partition] = (max(last, at), one.received_at, events + more)
    rows.executemany(
        "INSERT INTO feed_sources VALUES (?,?,?,?,?) ON CONFLICT (source, partition) DO UPDATE SET "
        "last_at = CASE WHEN feed_sources.last_at > excluded.last_at THEN feed_sources.last_at "
        "ELSE excluded.last_at END, received_at = excluded.received_at, "
        "events = feed_sources.events + excluded.events",
        [(*key, *values) for key, values in found.items()],
    )


def _add_counts(rows: Rows, taken: Iterable[BatchTaken]) -> None:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for one in taken:
        for what, name, source, count in _counts(one):
            found[what, name, source, one.partition] += count
    rows.executemany(
        "INSERT INTO feed_counts VALUES (?,?,?,?,?) "
        "ON CONFLICT (what, name, source, partition) DO UPDATE SET count = feed_counts.count + excluded.count",
        [(*key, count) for key, count in found.items()],
    )


def _counts(event: BatchTaken) -> list[tuple[str, str, str, int]]:
    flags = [("flag", *flag.split(" ", 1), count) for flag, count in event.flags.items()]
    quarantined = [("quarantined", code, "", count) for code, count in event.quarantined.items()]
    foreign = [("foreign", kind, "", count) for kind, count in event.foreign_types.items()]
    return [*flags, *quarantined, *foreign]  # type: ignore[list-item]  # a flag is a name and a source


def _dicts(columns: str, found: Any) -> list[dict[str, Any]]:
    return [dict(zip(columns.split(", "), row, strict=True)) for row in found]
