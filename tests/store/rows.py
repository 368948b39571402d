"""What the tests put into a store: events of no meaning in streams of no meaning, and what goes beside them."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent

from domain.history.batch import Position, Quarantined, Raw
from domain.history.log import Advance, Armed, Beside, Log, LogRecorder
from tests.story import file_log

PARTITION = "cluster/topic/0"


def event(stream: str = "s", version: int = 1, state: bytes = b"{}", topic: str = "t.v1") -> StoredEvent:
    """Write an event."""
    return StoredEvent(stream, version, topic, state)


def position(following: int, batches: int = 1, partition: str = PARTITION, **more: Any) -> Position:
    """Stand somewhere."""
    whole = Position(partition, "topic", 0, following, following - 1, b"digest", batches, 5, None)
    return whole._replace(**more)


def advance(expected: int | None, following: int, batches: int = 1, partition: str = PARTITION) -> Beside:
    """Move a position on."""
    return Beside(advance=[Advance(expected, position(following, batches, partition))])


def deadlines(*armed: Armed, gone: Iterable[str] = ()) -> dict[str, Armed | None]:
    """Arm these subjects, and disarm those."""
    return {one.subject: one for one in armed} | dict.fromkeys(gone)


def everything(number: int = 1, expected: int | None = None, following: int = 10, batches: int = 1) -> Beside:
    """Commit something of every kind beside the events."""
    beside = advance(expected, following, batches)
    beside.seen.append((bytes([number]) * 16, b"digest", 5))
    beside.deadlines |= deadlines(Armed(f"order-{number}", 7, "policy", (("/feed", 8),)))
    beside.heard["/feed"] = number
    beside.quarantine.append(quarantined(number))
    return beside


def quarantined(offset: int) -> Quarantined:
    """Hold a message back."""
    raw = Raw("topic", 0, b"\0k", b"{\xff", (("h", b"\xff"), ("none", None)), None)
    return Quarantined(PARTITION, offset, "not_json", "why", raw, 9)


def all_of(store: LogRecorder) -> dict[str, Any]:
    """Read everything that a store holds."""
    return {
        "events": store.select_rows(0, 10_000),
        "positions": store.positions(),
        "seen": store.seen([bytes([number]) * 16 for number in range(256)]),
        "due": store.due(2**62, 10_000),
        "armed": store.armed([f"order-{number}" for number in range(256)]),
        "heard": store.heard(),
        "quarantine": store.quarantined(None),
    }


@contextmanager
def beside_it(path: Path, timeout: float = 0) -> Iterator[sqlite3.Connection]:
    """Open the file as another program would."""
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(name="path")
def a_path(tmp_path: Path) -> Path:
    """Name a file for a log."""
    return tmp_path / "log.db"


@pytest.fixture(name="log")
def a_log(path: Path) -> Iterator[Log]:
    """Open a log in a file."""
    with file_log(path) as log:
        yield log


@pytest.fixture(name="store")
def a_store(log: Log) -> LogRecorder:
    """Give its recorder."""
    return log.store


def lay_out_as_before(other: Any, seen: Iterable[tuple[bytes, bytes, int]]) -> None:
    """Give a log the layout of before, with these ids: key, digest and when."""
    for table in ("seen_places", "seen_slices", "seen_ids"):
        other.execute(f"DROP TABLE {table}")
    other.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, digest BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID")
    for row in seen:
        other.execute("INSERT INTO seen VALUES (?, ?, ?)", row)
