"""Rows of the log's SQLite file: the statements of one append, and quarantine as stored."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.batch import Quarantined, Raw
from domain.errors import Fenced
from domain.feed import Span
from domain.log import Advance, Beside

_PAIRS: Final = 250
"""Streams looked up in one statement."""
_SPANS: Final = msgspec.json.Decoder(tuple[Span, ...]).decode


def advance_position(c: library.SQLiteCursor, advance: Advance) -> None:
    """Move one position on, if it stands where it is expected.

    Raises:
        Fenced: it does not.
    """
    expected, position = advance
    if expected is None:
        c.execute(f"INSERT OR IGNORE INTO positions VALUES ({marks(position)})", position)  # noqa: S608
    else:
        c.execute(
            "UPDATE positions SET next = ?1, last_offset = ?2, last_digest = ?3, batches = ?4, largest = ?5, "
            "taken_up_to = COALESCE(MAX(taken_up_to, ?6), taken_up_to, ?6) "
            "WHERE partition = ?7 AND next = ?8 AND batches = ?4 - 1",
            (*position[3:], position.partition, expected),
        )
    if c.sqlite_cursor.rowcount != 1:
        raise Fenced(f"{position.partition} is no longer at {expected}")


def check_contiguous(c: library.SQLiteCursor, stored_events: Sequence[StoredEvent]) -> None:
    """Refuse a stream with a hole: it could never be read again. The unique key catches what exists already."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for event in stored_events:
        stream, version = str(event.originator_id), event.originator_version
        if last.setdefault(stream, version - 1) != version - 1:
            raise IntegrityError(f"{stream} would have a hole before version {version}")
        first.setdefault(stream, version)
        last[stream] = version
    before = [(stream, version - 1) for stream, version in first.items() if version > 1]
    for start in range(0, len(before), _PAIRS):
        part = before[start : start + _PAIRS]
        c.execute(
            f"WITH wanted(stream, version) AS (VALUES {','.join('(?,?)' * 1 for _ in part)}) "  # noqa: S608
            "SELECT COUNT(*) FROM wanted JOIN stored_events "
            "ON originator_id = stream AND originator_version = version",
            [value for pair in part for value in pair],
        )
        if c.fetchone()[0] != len(part):
            raise IntegrityError("a stream would have a hole: it is shorter than expected")


def store_beside(c: library.SQLiteCursor, beside: Beside) -> None:
    """Store what commits with the events, positions apart."""
    c.executemany("INSERT INTO seen VALUES (?,?,?)", beside.seen)
    c.executemany(
        "INSERT INTO deadlines VALUES (?,?,?) ON CONFLICT (subject) "
        "DO UPDATE SET due = excluded.due, policy = excluded.policy "
        # Most looks arm what is armed so already: then the row's page stays clean.
        "WHERE due IS NOT excluded.due OR policy <> excluded.policy",
        [one[:3] for one in beside.arm],
    )
    c.executemany("DELETE FROM deadlines WHERE subject = ?", [(subject,) for subject in beside.disarm])
    c.executemany(
        "DELETE FROM waits WHERE subject = ?", [(one,) for one in (*(a.subject for a in beside.arm), *beside.disarm)]
    )
    c.executemany(
        "INSERT INTO waits (source, due, subject) VALUES (?,?,?)",
        [(source, due, one.subject) for one in beside.arm for source, due in one.waits],
    )
    c.executemany(
        "INSERT INTO heard VALUES (?,?) ON CONFLICT (source) DO UPDATE SET largest = MAX(largest, excluded.largest)",
        sorted(beside.heard.items()),
    )
    c.executemany(
        "INSERT OR REPLACE INTO feeds VALUES (?,?,?)",
        [
            (source, msgspec.json.encode(one.spans).decode(), one.beats_since)
            for source, one in sorted(beside.feeds.items())
        ],
    )
    c.executemany(
        "INSERT INTO quarantine (partition, offset, topic, number, key, value, headers, stamped_at, code, detail, at) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [_quarantine_row(one) for one in beside.quarantine],
    )
    c.executemany("INSERT OR IGNORE INTO relations VALUES (?,?,?)", beside.relate)
    c.executemany(
        "INSERT INTO counts VALUES (?,?,?) ON CONFLICT (what, day) DO UPDATE SET number = number + excluded.number",
        [(what, day, by) for (what, day), by in sorted(beside.count.items())],
    )
    c.executemany("UPDATE quarantine SET status = ? WHERE id = ?", [(status, one) for one, status in beside.settle])


@lru_cache(maxsize=256)
def spans(text: str) -> tuple[Span, ...]:
    """Read the spans of a source; most are what they were when they were last read."""
    return _SPANS(text)


def _quarantine_row(one: Quarantined) -> tuple[Any, ...]:
    raw = one.raw
    headers = json.dumps([(name, None if value is None else value.hex()) for name, value in raw.headers])
    place = (one.partition, one.offset, raw.topic, raw.partition)
    return (*place, raw.key, raw.value, headers, raw.stamped_at, one.code, one.detail, one.at)


def quarantined(row: Any) -> Quarantined:
    """Read a message in quarantine."""
    headers = tuple(
        (name, None if value is None else bytes.fromhex(value)) for name, value in json.loads(row["headers"])
    )
    raw = Raw(row["topic"], row["number"], row["key"], row["value"], headers, row["stamped_at"])
    return Quarantined(row["partition"], row["offset"], row["code"], row["detail"], raw, row["at"])


def marks(values: Sequence[Any]) -> str:
    """Write as many question marks as there are values."""
    return ",".join("?" * len(values))
