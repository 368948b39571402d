"""Rows of one append beside its events: what is written where, whichever database it is."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.feeds.feed import Span
from domain.history.batch import Quarantined, Raw
from domain.history.log import Beside
from domain.instant import FOREVER

_SPANS: Final = msgspec.json.Decoder(tuple[Span, ...]).decode

BEGIN_POSITION: Final = "INSERT INTO positions VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
MOVE_POSITION: Final = (
    "UPDATE positions SET next = ?1, last_offset = ?2, last_digest = ?3, batches = ?4, largest = ?5, "
    "taken_up_to = CASE WHEN taken_up_to > ?6 THEN taken_up_to ELSE COALESCE(?6, taken_up_to) END "
    "WHERE partition = ?7 AND next = ?8 AND batches = ?4 - 1"
)
"""Moves a position on, if it stands where it is expected."""
HEAR: Final = (
    f"UPDATE positions SET taken_up_to = CASE WHEN taken_up_to = {FOREVER} OR taken_up_to BETWEEN ?1 AND ?4 "  # noqa: S608
    "THEN taken_up_to ELSE ?1 END WHERE partition = ?2 AND next = ?3"
)
"""Moves on what is known to be read of a partition that stands where it stood; what is not believed gives way."""
SETTLE: Final = "UPDATE quarantine SET status = ? WHERE id = ?"


class Rows(NamedTuple):
    """Rows for one table, and what becomes of those whose key is there already."""

    table: str
    columns: str
    """Their names and types, as a schema has them."""
    rows: list[tuple[Any, ...]]
    conflict: str = ""

    @property
    def names(self) -> str:
        """List the columns by name."""
        return ", ".join(column.rpartition(" ")[0] for column in self.columns.split(", "))

    @property
    def types(self) -> list[str]:
        """List their types."""
        return [column.rpartition(" ")[2] for column in self.columns.split(", ")]


def beside_rows(beside: Beside) -> Iterator[Rows]:
    """Give what commits with the events, positions and seen ids apart; what is ``gone`` is taken away by then."""
    arm = [one for one in beside.deadlines.values() if one is not None]
    yield Rows(
        "deadlines",
        "subject TEXT, due INTEGER, policy TEXT",
        [one[:3] for one in arm],
        "ON CONFLICT (subject) DO UPDATE SET due = excluded.due, policy = excluded.policy "
        # Most looks arm what is armed so already: then the row's page stays clean.
        "WHERE deadlines.due <> excluded.due OR deadlines.policy <> excluded.policy "
        "OR (deadlines.due IS NULL) <> (excluded.due IS NULL)",
    )
    yield Rows(
        "waits",
        "source TEXT, due INTEGER, subject TEXT",
        [(source, due, one.subject) for one in arm for source, due in one.waits],
    )
    yield Rows(
        "heard",
        "source TEXT, largest INTEGER",
        sorted(beside.heard.items()),
        "ON CONFLICT (source) DO UPDATE SET largest = "
        "CASE WHEN heard.largest > excluded.largest THEN heard.largest ELSE excluded.largest END",
    )
    yield Rows(
        "feeds",
        "source TEXT, spans TEXT, beats_since INTEGER",
        [
            (source, msgspec.json.encode(one.spans).decode(), one.beats_since)
            for source, one in sorted(beside.feeds.items())
        ],
        "ON CONFLICT (source) DO UPDATE SET spans = excluded.spans, beats_since = excluded.beats_since",
    )
    yield Rows(
        "quarantine",
        'partition TEXT, "offset" INTEGER, topic TEXT, number INTEGER, key BLOB, value BLOB, headers TEXT, '
        "stamped_at INTEGER, code TEXT, detail TEXT, at INTEGER",
        [_quarantine_row(one) for one in beside.quarantine],
    )
    yield Rows("relations", "what TEXT, at INTEGER, name TEXT", [*map(tuple, beside.relate)], "ON CONFLICT DO NOTHING")
    yield Rows(
        "counts",
        "what TEXT, day INTEGER, number INTEGER",
        [(what, day, by) for (what, day), by in sorted(beside.count.items())],
        "ON CONFLICT (what, day) DO UPDATE SET number = counts.number + excluded.number",
    )


def gone(beside: Beside) -> tuple[list[str], list[str]]:
    """Name the subjects that have no deadline any more, and those that wait for nothing that they waited for."""
    return sorted(name for name, one in beside.deadlines.items() if one is None), sorted(beside.deadlines)


def before_first(stored_events: Sequence[StoredEvent]) -> list[tuple[str, int]]:
    """Name the event that must stand before the first new one of every stream that is not new.

    Raises:
        IntegrityError: the new ones have a hole among them; such a stream could never be read again.
    """
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for event in stored_events:
        stream, version = str(event.originator_id), event.originator_version
        known = last.get(stream)
        if known is None:
            first[stream] = version
        elif known != version - 1:
            raise IntegrityError(f"{stream} would have a hole before version {version}")
        last[stream] = version
    return [(stream, version - 1) for stream, version in first.items() if version > 1]


@lru_cache(maxsize=256)
def spans(text: str) -> tuple[Span, ...]:
    """Read the spans of a source; most are what they were when they were last read."""
    return _SPANS(text)


def quarantined(row: Sequence[Any]) -> Quarantined:
    """Read a message in quarantine."""
    partition, offset, topic, number, key, value, headers, stamped_at, code, detail, at = row
    pairs = tuple((name, None if one is None else bytes.fromhex(one)) for name, one in json.loads(headers))
    return Quarantined(partition, offset, code, detail, Raw(topic, number, key, value, pairs, stamped_at), at)


def _quarantine_row(one: Quarantined) -> tuple[Any, ...]:
    raw = one.raw
    headers = json.dumps([(name, None if value is None else value.hex()) for name, value in raw.headers])
    place = (one.partition, one.offset, raw.topic, raw.partition)
    # No text of PostgreSQL's holds a NUL; a message must not stop its partition by what is said of it.
    detail = one.detail.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return (*place, raw.key, raw.value, headers, raw.stamped_at, one.code, detail, one.at)
