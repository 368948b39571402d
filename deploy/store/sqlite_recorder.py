"""The log's recorder on SQLite; see ``domain.history.log.LogRecorder`` for what it promises."""

import logging
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, OperationalError, PersistenceError, StoredEvent

from deploy.store import schema
from deploy.store.leasing import Leasing
from deploy.store.marking import Marking
from deploy.store.reading import Reading, marks
from deploy.store.remembering import Recent, Remembering
from deploy.store.rows import BEGIN_POSITION, HEAR, MOVE_POSITION, SETTLE, Rows, before_first, beside_rows, gone
from deploy.store.sqlite_connection import Datastore
from domain.errors import Fenced, StoreUnsuitable
from domain.history.batch import Position
from domain.history.log import Advance, Beside
from domain.instant import FOREVER, Instant

SCHEMA: Final = (
    # AUTOINCREMENT: an id that was given out is never given out again.
    """CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (originator_id, originator_version))""",
    *schema.TABLES,
)

_IN: Final = 500
"""Values in one ``IN (…)``."""
_AT_ONCE: Final = 128
"""Rows in one statement."""
_EVENT: Final = attrgetter("originator_id", "originator_version", "topic", "state")
_COLUMNS: Final = "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB"
_NAMES: Final = schema.names(SCHEMA)
# The standard library's: on standard error also where a command has no log set up.
_log: Final = logging.getLogger(__name__)
_WAITS: Final = (
    "%s is not laid out as this version needs it, and another process writes to it, which may be doing that: "
    "waiting until it is done. If that takes longer than minutes, end the processes of the version before."
)


class SqliteLogRecorder(Reading, Remembering, Leasing, Marking, library.SQLiteProcessRecorder):
    """Appends events with positions, seen ids, deadlines and quarantine; see ``domain.history.log.LogRecorder``."""

    ID = "rowid"
    # CROSS JOIN keeps to this order: few sources, each with a range of what waits for it.
    WAITING = (
        "SELECT due, subject FROM heard CROSS JOIN waits WHERE waits.source = heard.source AND due < MIN(?1, largest)"
    )
    NOW = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    datastore: Datastore

    def __init__(self, datastore: library.SQLiteDatastore, **options: Any) -> None:
        """Begin knowing nothing of what is in the log."""
        super().__init__(datastore, **options)
        self._recent = Recent()

    def construct_create_table_statements(self) -> list[str]:
        """Make our tables; the library's tracking table is not used."""
        return list(SCHEMA)

    def create_table(self) -> None:
        """Create what is missing and refuse settings under which a commit may be lost.

        Waits, with a word in the log, while another process does so: a log of a former layout takes a while.

        Raises:
            StoreUnsuitable: not WAL or not FULL, or a file that cannot be written.
        """
        try:
            self._complete()
        except (PersistenceError, sqlite3.Error) as error:
            raise StoreUnsuitable(f"{self.datastore.pool.db_name} cannot be written: {error}") from error
        if self.datastore.pool.is_sqlite_memory_mode:
            return
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA journal_mode")
            journal = cursor.fetchone()[0]
            cursor.execute("PRAGMA synchronous")
            synchronous = cursor.fetchone()[0]
        if journal != "wal" or synchronous != 2:  # noqa: PLR2004  # SQLite's number for FULL
            raise StoreUnsuitable(
                f"SQLite runs with journal_mode={journal}, synchronous={synchronous}; WAL and FULL (2) are needed. "
                "Put the store on a local disk."
            )

    def _complete(self) -> None:
        waits = False
        # Looking first lets readers start while somebody writes, and on a full disk.
        while not self._is_complete():
            try:
                with self.datastore.transaction(commit=True) as cursor:
                    self._create_table(cursor)
                    cursor.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (uuid.uuid4().hex[:12],))
            except OperationalError as error:
                if not _is_busy(error):
                    raise
                if not waits:
                    _log.warning(_WAITS, self.datastore.pool.db_name)
                waits = True
        if waits:
            _log.warning("%s is ready now", self.datastore.pool.db_name)

    def _is_complete(self) -> bool:
        """Say whether every table and index is there, and the log has its name."""
        return self._there() >= _NAMES and bool(self._all("SELECT 1 FROM meta WHERE name = 'epoch'"))

    def _there(self) -> set[str]:
        return {row[0] for row in self._all("SELECT name FROM sqlite_master")}

    def _create_table(self, c: library.SQLiteCursor) -> None:
        for statement in schema.making(SCHEMA, self._there()):
            c.execute(statement)

    def _has_appended(self) -> bool:
        return self.datastore.has_appended

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock over reads and one append."""
        with self.datastore.writing():
            yield

    def _insert_events(
        self, c: library.SQLiteCursor, stored_events: Sequence[StoredEvent], **options: Any
    ) -> Sequence[int] | None:
        beside: Beside | None = options.pop("beside", None)
        if any(value is not None for value in options.values()):
            raise TypeError(f"{', '.join(options)} would not be stored")
        try:
            if beside is not None:
                for advance in sorted(beside.advance, key=lambda one: one.position.partition):
                    advance_position(c, advance)
            check_contiguous(c, stored_events)
            write(c, Rows("stored_events", _COLUMNS, [_EVENT(one) for one in stored_events]))
            if beside is not None:
                for rows in self._see(beside.seen):
                    write(c, rows)
                store_beside(c, beside)
            self.datastore.note()
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error
        if not stored_events:
            return None
        c.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'")
        last = c.fetchone()[0]
        return list(range(last - len(stored_events) + 1, last + 1))

    def hear(self, positions: Sequence[Position], believed: Instant = FOREVER) -> None:
        """Move on what is known to be read of partitions that stand where they stood; see ``LogRecorder``."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(HEAR, [(one.taken_up_to, one.partition, one.next, believed) for one in positions])

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._reading() as cursor:
            cursor.execute(statement, tuple(values))
            return list(cursor.fetchall())

    def _among(self, statement: str, values: Sequence[Any], *more: Any) -> list[Any]:
        with self._reading() as cursor:
            found: list[Any] = []
            for part in _parts(values):
                asked = statement.format(among=f"IN ({marks(part)})", listed=f"VALUES {marks(part, '(?)')}")
                cursor.execute(asked, (*part, *more))
                found.extend(cursor.fetchall())
            return found

    @contextmanager
    def _reading(self) -> Iterator[library.SQLiteCursor]:
        """Give rows as plain tuples, which are quicker to make: only the library asks for columns by name."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.sqlite_cursor.row_factory = None
            yield cursor

    def _change(self, statement: str, values: Sequence[Any]) -> int:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, tuple(values))
            return int(cursor.sqlite_cursor.rowcount)


def _is_busy(error: OperationalError) -> bool:
    """Say whether another process holds the write lock."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def advance_position(c: library.SQLiteCursor, advance: Advance) -> None:
    """Move one position on, if it stands where it is expected.

    Raises:
        Fenced: it does not.
    """
    expected, position = advance
    if expected is None:
        c.execute(BEGIN_POSITION, position)
    else:
        c.execute(MOVE_POSITION, (*position[3:], position.partition, expected))
    if c.sqlite_cursor.rowcount != 1:
        raise Fenced(f"{position.partition} is no longer at {expected}")


def check_contiguous(c: library.SQLiteCursor, stored_events: Sequence[StoredEvent]) -> None:
    """Refuse a stream with a hole: it could never be read again. The unique key catches what exists already."""
    for part in _parts(before_first(stored_events)):
        c.execute(
            f"WITH wanted(stream, version) AS (VALUES {','.join('(?,?)' for _ in part)}) "  # noqa: S608
            "SELECT COUNT(*) FROM wanted JOIN stored_events "
            "ON originator_id = stream AND originator_version = version",
            [value for pair in part for value in pair],
        )
        if c.fetchone()[0] != len(part):
            raise IntegrityError("a stream would have a hole: it is shorter than expected")


def store_beside(c: library.SQLiteCursor, beside: Beside) -> None:
    """Store what commits with the events, positions apart."""
    disarmed, waiting = gone(beside)
    for part in _parts(disarmed):
        c.execute(f"DELETE FROM deadlines WHERE subject IN ({marks(part)})", part)  # noqa: S608  # marks alone
    for part in _parts(waiting):
        c.execute(f"DELETE FROM waits WHERE subject IN ({marks(part)})", part)  # noqa: S608  # marks alone
    for one in beside_rows(beside):
        write(c, one)
    c.executemany(SETTLE, [(status, one) for one, status in beside.settle])


def write(c: library.SQLiteCursor, rows: Rows) -> None:
    """Write rows, many to a statement: SQLite notes the last position that it gave out once for each.

    What is left goes in ever smaller portions, each of one of few sizes: SQLite prepares a statement once for each.
    """
    written = 0
    while left := len(rows.rows) - written:
        size = min(_AT_ONCE, 1 << left.bit_length() - 1)
        values = chain.from_iterable(rows.rows[written : written + size])
        c.execute(_insert(rows.table, rows.columns, rows.conflict, size), [*values])
        written += size


@cache
def _insert(table: str, columns: str, conflict: str, count: int) -> str:
    rows = Rows(table, columns, [])
    values = ",".join([f"({marks(rows.types)})"] * count)
    return f"INSERT INTO {table} ({rows.names}) VALUES {values} {conflict}"  # noqa: S608  # our own names


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Give values in portions that one statement takes, each of one of few sizes: SQLite prepares it once for each.

    What is too few is filled up with the last value, which says nothing new.
    """
    for start in range(0, len(values), _IN):
        part = tuple(values[start : start + _IN])
        size = min(_IN, 1 << (len(part) - 1).bit_length())
        yield part + part[-1:] * (size - len(part))
