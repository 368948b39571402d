"""What the event-sourcing library does of itself, and why ours does otherwise (R3, R6, R7).

Each test holds the library's behaviour as found. One that fails after an upgrade means that a cure of ours may go.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing import utils
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, OriginatorVersionError, event
from eventsourcing.persistence import (
    DatetimeAsISO,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    OperationalError,
    StoredEvent,
    Tracking,
)
from eventsourcing.sqlite import SQLiteDatastore, SQLiteProcessRecorder

pytestmark = pytest.mark.only_on("sqlite")


class Order(Aggregate):
    """An aggregate as newcomers write it."""

    @event("Placed")
    def __init__(self, payload: Any) -> None:
        """Keep a payload."""
        self.payload = payload

    @event("Noted")
    def note(self) -> None:
        """Let something happen."""


class Renamed(Aggregate):
    """An aggregate with a newer event version."""

    class Placed(Aggregate.Created):
        """What an older version wrote."""

        payload: str
        class_version = 1


@pytest.fixture(name="path")
def a_path(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "library.db"


@pytest.fixture(name="recorder")
def a_recorder(path: Path) -> Iterator[SQLiteProcessRecorder]:
    """Open the library's own recorder."""
    datastore = SQLiteDatastore(str(path), lock_timeout=1)
    recorder = SQLiteProcessRecorder(datastore)
    recorder.create_table()
    yield recorder
    datastore.close()


@pytest.fixture(name="app")
def an_application() -> "Application[Any]":
    """Open an application in memory."""
    return Application()


def stored(version: int = 1, state: bytes = b"{}", originator: Any = None) -> StoredEvent:
    """Write an event."""
    return StoredEvent(originator or uuid4(), version, "t", state)


# R3


def test_a_zombie_s_overlapping_batch_is_accepted(recorder: SQLiteProcessRecorder) -> None:
    recorder.insert_events([stored()], tracking=Tracking("kafka", 116))
    recorder.insert_events([stored()], tracking=Tracking("kafka", 126))
    assert recorder.max_notification_id() == 2


def test_a_replayed_position_and_a_taken_version_are_the_same_error(recorder: SQLiteProcessRecorder) -> None:
    one = stored()
    recorder.insert_events([one], tracking=Tracking("kafka", 1))
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored()], tracking=Tracking("kafka", 1))
    with pytest.raises(IntegrityError):
        recorder.insert_events([one], tracking=Tracking("kafka", 2))
    assert recorder.max_notification_id() == 1


def test_a_hole_in_a_stream_is_accepted_and_the_aggregate_never_loads_again(app: "Application[Any]") -> None:
    order = Order(payload="x")
    app.save(order)
    order.note()
    [noted] = order.collect_events()
    gap = app.mapper.to_stored_event(noted)
    app.recorder.insert_events([StoredEvent(gap.originator_id, 7, gap.topic, gap.state)])
    with pytest.raises(OriginatorVersionError):
        app.repository.get(order.id)


def test_sqlite_has_no_subscription(recorder: SQLiteProcessRecorder) -> None:
    with pytest.raises(NotImplementedError):
        recorder.subscribe(0)


def read_then_write(recorder: SQLiteProcessRecorder, other: sqlite3.Connection) -> None:
    """Read, let somebody else write, and write."""
    with recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("SELECT COUNT(*) FROM stored_events")
        other.execute("INSERT INTO stored_events VALUES ('other', 1, 't', x'00')")
        recorder._insert_events(cursor, [stored()])


def test_a_reader_that_writes_after_another_process_wrote_fails_at_once(
    path: Path, recorder: SQLiteProcessRecorder
) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        with pytest.raises(OperationalError, match="locked"):
            read_then_write(recorder, other)
    finally:
        other.close()


# R6


def test_a_payload_of_the_library_s_own_words_is_stored_and_never_read_again(app: "Application[Any]") -> None:
    order = Order(payload={"_type_": "x", "_data_": 1})
    app.save(order)
    with pytest.raises(MapperDeserialisationError):
        app.repository.get(order.id)


def test_an_event_of_a_newer_version_is_read_without_a_word() -> None:
    mapper = Mapper[Any](JSONTranscoder())
    created = Renamed.Placed(
        originator_id=uuid4(),
        originator_version=1,
        timestamp=Aggregate.Event.create_timestamp(),
        originator_topic=utils.get_topic(Renamed),
        payload="x",
    )
    mapper.transcoder.register(DatetimeAsISO())
    newer = mapper.to_stored_event(created)
    state = newer.state.replace(b'"payload":"x"', b'"payload":"x","class_version":3')
    read = mapper.to_domain_event(StoredEvent(newer.originator_id, 1, newer.topic, state))
    assert read.payload == "x"


def test_a_stored_topic_is_imported_whatever_it_names() -> None:
    assert utils.resolve_topic("os:system").__name__ == "system"


# R7


def test_the_id_of_a_deleted_last_event_is_given_out_again(path: Path, recorder: SQLiteProcessRecorder) -> None:
    recorder.insert_events([stored(), stored()])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM stored_events WHERE rowid = 2")
    connection.close()
    assert recorder.insert_events([stored()]) == [2]


def test_restoring_a_dump_renumbers(path: Path, tmp_path: Path, recorder: SQLiteProcessRecorder) -> None:
    recorder.insert_events([stored(), stored(), stored()])
    live, copy = sqlite3.connect(path, isolation_level=None), sqlite3.connect(tmp_path / "copy.db")
    live.execute("DELETE FROM stored_events WHERE rowid = 2")
    copy.executescript("\n".join(live.iterdump()))
    ids = [row[0] for row in copy.execute("SELECT rowid FROM stored_events ORDER BY rowid")]
    live.close()
    copy.close()
    assert ids == [1, 2]


def test_a_full_store_is_an_operational_error_after_which_it_goes_on(
    recorder: SQLiteProcessRecorder,
) -> None:
    with recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA max_page_count=30")
    acknowledged = 0
    with suppress(OperationalError):
        while acknowledged < 1000:
            recorder.insert_events([stored(state=b"x" * 4000)])
            acknowledged += 1
    assert acknowledged < 1000
    assert recorder.max_notification_id() == acknowledged > 0
    with recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA max_page_count=100000")
    assert recorder.insert_events([stored()]) == [acknowledged + 1]
