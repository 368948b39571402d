"""The log in one SQLite file: WAL, ``synchronous=FULL``, every writer ``BEGIN IMMEDIATE``."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent
from eventsourcing.utils import Environment, EnvType

from domain.batch import Position, Quarantined, Raw
from domain.errors import Fenced, StoreUnsuitable
from domain.instant import Instant
from domain.log import Advance, Armed, Beside, Row

LOCK_TIMEOUT: Final = 30
"""Seconds to wait while another process writes or a backup runs."""
_IN: Final = 500
"""Values in one ``IN (…)``."""

SCHEMA: Final = (
    # AUTOINCREMENT: an id that was given out is never given out again.
    """CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (originator_id, originator_version))""",
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS positions (
        partition TEXT PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
        last_offset INTEGER, last_digest BLOB NOT NULL, batches INTEGER NOT NULL, largest INTEGER,
        taken_up_to INTEGER) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, digest BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS deadlines (
        subject TEXT PRIMARY KEY, due INTEGER, policy TEXT NOT NULL) WITHOUT ROWID""",
    # The ticker asks for what is due, in order; a subject without a due time is in no tick.
    "CREATE INDEX IF NOT EXISTS deadlines_due ON deadlines (due, subject) WHERE due IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT NOT NULL, offset INTEGER NOT NULL, topic TEXT NOT NULL,
        number INTEGER NOT NULL, key BLOB, value BLOB, headers TEXT NOT NULL, stamped_at INTEGER,
        code TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'held',
        UNIQUE (partition, offset))""",
)


class _ImmediateTransaction(library.SQLiteTransaction):
    """Takes the write lock before the first read, so that no other writer can come between."""

    def __enter__(self) -> library.SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error
        return cursor


class _Pool(library.SQLiteConnectionPool):
    def _create_connection(self) -> library.SQLiteConnection:
        connection = super()._create_connection()
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA wal_autocheckpoint=10000")
        return connection


class _Datastore(library.SQLiteDatastore):
    def __init__(self, db_name: str, **options: Any) -> None:
        super().__init__(db_name, **options)
        self.pool = _Pool(db_name=db_name, lock_timeout=options.get("lock_timeout"), pool_timeout=LOCK_TIMEOUT)
        self._writing = threading.local()

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[library.SQLiteCursor]:
        """Join this thread's open write transaction, or begin one."""
        joined: library.SQLiteConnection | None = getattr(self._writing, "connection", None)
        if joined is not None:
            with joined.cursor() as raw:
                yield library.SQLiteCursor(raw)
            return
        with (
            self.get_connection(commit=commit) as connection,
            _ImmediateTransaction(connection, commit=commit) as cursor,
            cursor,
        ):
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self.get_connection(commit=True) as connection, _ImmediateTransaction(connection, commit=True):
            self._writing.connection = connection
            try:
                yield
            finally:
                self._writing.connection = None


class SqliteLogRecorder(library.SQLiteProcessRecorder):
    """Appends events with positions, seen ids, deadlines and quarantine; see ``domain.log.LogRecorder``."""

    datastore: _Datastore

    def __init__(self, datastore: library.SQLiteDatastore, **options: Any) -> None:
        """Prepare statements that name their columns."""
        super().__init__(datastore, **options)
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """Make our tables; the library's tracking table is not used."""
        return list(SCHEMA)

    def create_table(self) -> None:
        """Create what is missing and refuse settings under which a commit may be lost.

        Raises:
            StoreUnsuitable: not WAL or not FULL, or a file that cannot be written.
        """
        with self.datastore.transaction(commit=True) as cursor:
            self._create_table(cursor)
            cursor.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (uuid.uuid4().hex[:12],))
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

    def _create_table(self, c: library.SQLiteCursor) -> None:
        for statement in SCHEMA:
            c.execute(statement)

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
                    _advance(c, advance)
            _check_contiguous(c, stored_events)
            c.executemany(
                self.insert_events_statement,
                [(s.originator_id, s.originator_version, s.topic, s.state) for s in stored_events],
            )
            if beside is not None:
                _store_beside(c, beside)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error
        if not stored_events:
            return None
        c.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'")
        last = c.fetchone()[0]
        return list(range(last - len(stored_events) + 1, last + 1))

    def select_streams(self, streams: Sequence[str], up_to: int | None = None) -> list[Row]:
        """Read whole streams, each in version order."""
        rows: list[Row] = []
        bound = 2**62 if up_to is None else up_to
        with self.datastore.transaction(commit=False) as cursor:
            for part in _parts(streams):
                cursor.execute(
                    "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608
                    f"WHERE originator_id IN ({_marks(part)}) AND rowid <= ? "
                    "ORDER BY originator_id, originator_version",
                    (*part, bound),
                )
                rows.extend(Row(*row) for row in cursor.fetchall())
        return rows

    def versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Give the last version of each stream that exists."""
        rows = self._all(
            "SELECT originator_id, MAX(originator_version) FROM stored_events "  # noqa: S608
            f"WHERE originator_id IN ({_marks(streams)}) GROUP BY originator_id",
            streams,
        )
        return {row[0]: row[1] for row in rows}

    def hear(self, positions: Sequence[Position]) -> None:
        """Move on what is known to be read of partitions that stand where they stood."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(
                "UPDATE positions SET taken_up_to = ? WHERE partition = ? AND next = ?",
                [(one.taken_up_to, one.partition, one.next) for one in positions],
            )

    def forget_last(self, partition: str) -> None:
        """Compare nothing at the next start."""
        self._change("UPDATE positions SET last_offset = NULL WHERE partition = ?", (partition,))

    def select_rows(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Row]:
        """Read the log in order."""
        among = f"AND topic IN ({_marks(topics)}) " if topics else ""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608
                f"WHERE rowid > ? {among}ORDER BY rowid LIMIT ?",
                (after, *topics, limit),
            )
            return [Row(*row) for row in cursor.fetchall()]

    def last_position(self) -> int:
        """Give the position of the last event."""
        return int(self._one("SELECT COALESCE(MAX(rowid), 0) FROM stored_events")[0])

    def epoch(self) -> str:
        """Name this log's life."""
        return str(self._one("SELECT value FROM meta WHERE name = 'epoch'")[0])

    def seen(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the digests of the event keys that are known."""
        found: dict[bytes, bytes] = {}
        with self.datastore.transaction(commit=False) as cursor:
            for part in _parts(keys):
                cursor.execute(f"SELECT key, digest FROM seen WHERE key IN ({_marks(part)})", part)  # noqa: S608
                found.update((row[0], row[1]) for row in cursor.fetchall())
        return found

    def forget_seen(self, before: Instant, limit: int) -> int:
        """Purge one slice of old event keys."""
        return self._change(
            "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE at < ? LIMIT ?)", (before, limit)
        )

    def positions(self) -> dict[str, Position]:
        """Give every partition's position."""
        return {row[0]: Position(*row) for row in self._all("SELECT * FROM positions")}

    def due(self, before: Instant, limit: int) -> list[tuple[Instant, str]]:
        """List the subjects whose deadline lies before an instant."""
        rows = self._all(
            "SELECT due, subject FROM deadlines WHERE due IS NOT NULL AND due < ? ORDER BY due, subject LIMIT ?",
            (before, limit),
        )
        return [(row[0], row[1]) for row in rows]

    def armed(self, subjects: Sequence[str]) -> dict[str, Armed]:
        """Give the deadlines of subjects."""
        found: dict[str, Armed] = {}
        for part in _parts(subjects):
            rows = self._all(f"SELECT * FROM deadlines WHERE subject IN ({_marks(part)})", part)  # noqa: S608
            found.update((row[0], Armed(*row)) for row in rows)
        return found

    def armed_by_other(self, policy: str, limit: int) -> list[str]:
        """List open subjects that another policy armed."""
        return [row[0] for row in self._all("SELECT subject FROM deadlines WHERE policy <> ? LIMIT ?", (policy, limit))]

    def count_armed_by_other(self, policy: str) -> int:
        """Count them."""
        return int(self._one("SELECT COUNT(*) FROM deadlines WHERE policy <> ?", (policy,))[0])

    def quarantined(
        self, status: str | None = "held", limit: int = 500, after: int = 0
    ) -> list[tuple[int, str, Quarantined]]:
        """List (id, status, message), oldest first, from the one after ``after`` on."""
        rows = self._all(
            "SELECT * FROM quarantine WHERE (?1 IS NULL OR status = ?1) AND id > ?2 "
            "ORDER BY id LIMIT ?3",
            (status, after, limit),
        )
        return [(row["id"], row["status"], _quarantined(row)) for row in rows]

    def expire_quarantine(self, before: Instant) -> int:
        """Empty the raw bytes of messages older than an instant."""
        return self._change(
            "UPDATE quarantine SET key = NULL, value = NULL, headers = '[]', status = 'expired' "
            "WHERE at < ? AND status <> 'expired'",
            (before,),
        )

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(statement, tuple(values))
            return list(cursor.fetchall())

    def _one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        return self._all(statement, values)[0]

    def _change(self, statement: str, values: Sequence[Any]) -> int:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, tuple(values))
            return int(cursor.sqlite_cursor.rowcount)


class Factory(library.SQLiteFactory):
    """Builds recorders over our datastore; named by ``PERSISTENCE_MODULE``."""

    process_recorder_class = SqliteLogRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the library's settings, refusing what breaks us.

        Raises:
            StoreUnsuitable: ``SINGLE_ROW_TRACKING`` is off.
        """
        super().__init__(env)
        if not self.datastore.single_row_tracking:
            raise StoreUnsuitable("SINGLE_ROW_TRACKING is off; remove it from the environment")
        self.datastore = _Datastore(self.datastore.pool.db_name, lock_timeout=LOCK_TIMEOUT, originator_id_type="text")


def _advance(c: library.SQLiteCursor, advance: Advance) -> None:
    expected, position = advance
    if expected is None:
        c.execute(f"INSERT OR IGNORE INTO positions VALUES ({_marks(position)})", position)  # noqa: S608
    else:
        c.execute(
            "UPDATE positions SET next = ?, last_offset = ?, last_digest = ?, batches = ?, largest = ?, "
            "taken_up_to = ? WHERE partition = ? AND next = ? AND batches = ?",
            (*position[3:], position.partition, expected, position.batches - 1),
        )
    if c.sqlite_cursor.rowcount != 1:
        raise Fenced(f"{position.partition} is no longer at {expected}")


def _check_contiguous(c: library.SQLiteCursor, stored_events: Sequence[StoredEvent]) -> None:
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
    for start in range(0, len(before), _IN // 2):
        part = before[start : start + _IN // 2]
        c.execute(
            f"WITH wanted(stream, version) AS (VALUES {','.join('(?,?)' * 1 for _ in part)}) "  # noqa: S608
            "SELECT COUNT(*) FROM wanted JOIN stored_events "
            "ON originator_id = stream AND originator_version = version",
            [value for pair in part for value in pair],
        )
        if c.fetchone()[0] != len(part):
            raise IntegrityError("a stream would have a hole: it is shorter than expected")


def _store_beside(c: library.SQLiteCursor, beside: Beside) -> None:
    c.executemany("INSERT INTO seen VALUES (?,?,?)", beside.seen)
    c.executemany(
        "INSERT INTO deadlines VALUES (?,?,?) ON CONFLICT (subject) "
        "DO UPDATE SET due = excluded.due, policy = excluded.policy",
        beside.arm,
    )
    c.executemany("DELETE FROM deadlines WHERE subject = ?", [(subject,) for subject in beside.disarm])
    c.executemany(
        "INSERT INTO quarantine (partition, offset, topic, number, key, value, headers, stamped_at, code, detail, at) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [_quarantine_row(one) for one in beside.quarantine],
    )
    c.executemany("UPDATE quarantine SET status = ? WHERE id = ?", [(status, one) for one, status in beside.settle])


def _quarantine_row(one: Quarantined) -> tuple[Any, ...]:
    raw = one.raw
    headers = json.dumps([(name, None if value is None else value.hex()) for name, value in raw.headers])
    place = (one.partition, one.offset, raw.topic, raw.partition)
    return (*place, raw.key, raw.value, headers, raw.stamped_at, one.code, one.detail, one.at)


def _quarantined(row: Any) -> Quarantined:
    headers = tuple(
        (name, None if value is None else bytes.fromhex(value)) for name, value in json.loads(row["headers"])
    )
    raw = Raw(row["topic"], row["number"], row["key"], row["value"], headers, row["stamped_at"])
    return Quarantined(row["partition"], row["offset"], row["code"], row["detail"], raw, row["at"])


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _IN):
        yield tuple(values[start : start + _IN])


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
