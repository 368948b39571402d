"""The log's recorder on SQLite; see ``domain.log.LogRecorder`` for what it promises."""

import re
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent

from deploy.store import sqlite_index
from deploy.store.sqlite_connection import Datastore
from deploy.store.sqlite_index import SqliteIndex, parts
from deploy.store.sqlite_rows import advance_position, check_contiguous, marks, quarantined, spans, store_beside
from domain.batch import Position, Quarantined
from domain.errors import StoreUnsuitable
from domain.feed import Spoken
from domain.instant import Instant
from domain.log import Armed, Beside, Row

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
    # What came due while its feed was silent; the next look is when more of that feed has been heard.
    """CREATE TABLE IF NOT EXISTS waits (
        subject TEXT NOT NULL, source TEXT NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (subject, source))
        WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS waits_due ON waits (source, due)",
    "CREATE TABLE IF NOT EXISTS heard (source TEXT PRIMARY KEY, largest INTEGER NOT NULL) WITHOUT ROWID",
    # State that any process can make anew from the batches in the log: spans without a silence, as JSON.
    "CREATE TABLE IF NOT EXISTS feeds (source TEXT PRIMARY KEY, spans TEXT NOT NULL, beats_since INTEGER)",
    """CREATE TABLE IF NOT EXISTS quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT NOT NULL, offset INTEGER NOT NULL, topic TEXT NOT NULL,
        number INTEGER NOT NULL, key BLOB, value BLOB, headers TEXT NOT NULL, stamped_at INTEGER,
        code TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'held',
        UNIQUE (partition, offset))""",
    *sqlite_index.SCHEMA,
)

_NAMES: Final = frozenset(re.findall(r"IF NOT EXISTS (\w+)", " ".join(SCHEMA)))
"""Tables and indexes of the schema."""


class SqliteLogRecorder(SqliteIndex, library.SQLiteProcessRecorder):
    """Appends events with positions, seen ids, deadlines and quarantine; see ``domain.log.LogRecorder``."""

    datastore: Datastore

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
        try:
            # Looking first lets readers start while somebody writes, and on a full disk.
            if not self._is_complete():
                with self.datastore.transaction(commit=True) as cursor:
                    self._create_table(cursor)
                    cursor.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (uuid.uuid4().hex[:12],))
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

    def _is_complete(self) -> bool:
        """Say whether every table and index is there, and the log has its name."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT name FROM sqlite_master")
            there = {row[0] for row in cursor.fetchall()}
            if not there.issuperset(_NAMES):
                return False
            cursor.execute("SELECT COUNT(*) FROM meta WHERE name = 'epoch'")
            return bool(cursor.fetchone()[0])

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
                    advance_position(c, advance)
            check_contiguous(c, stored_events)
            c.executemany(
                self.insert_events_statement,
                [(s.originator_id, s.originator_version, s.topic, s.state) for s in stored_events],
            )
            if beside is not None:
                store_beside(c, beside)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error
        if not stored_events:
            return None
        c.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'")
        last = c.fetchone()[0]
        return list(range(last - len(stored_events) + 1, last + 1))

    def select_streams(self, streams: Sequence[str], up_to: int | None = None, after: int = 0) -> list[Row]:
        """Read streams in version order, up to a position of the log and after a version of each."""
        rows: list[Row] = []
        bound = 2**62 if up_to is None else up_to
        with self.datastore.transaction(commit=False) as cursor:
            for part in parts(streams):
                cursor.execute(
                    "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608
                    f"WHERE originator_id IN ({marks(part)}) AND rowid <= ? "
                    "AND originator_version > ? ORDER BY originator_id, originator_version",
                    (*part, bound, after),
                )
                rows.extend(Row(*row) for row in cursor.fetchall())
        return rows

    def versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Give the last version of each stream that exists."""
        rows = self._all(
            "SELECT originator_id, MAX(originator_version) FROM stored_events "  # noqa: S608
            f"WHERE originator_id IN ({marks(streams)}) GROUP BY originator_id",
            streams,
        )
        return {row[0]: row[1] for row in rows}

    def hear(self, positions: Sequence[Position]) -> None:
        """Move on what is known to be read of partitions that stand where they stood."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(
                "UPDATE positions SET taken_up_to = MAX(COALESCE(taken_up_to, ?1), ?1) "
                "WHERE partition = ?2 AND next = ?3",
                [(one.taken_up_to, one.partition, one.next) for one in positions],
            )

    def forget_last(self, partition: str) -> None:
        """Compare nothing at the next start."""
        self._change("UPDATE positions SET last_offset = NULL WHERE partition = ?", (partition,))

    def select_rows(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Row]:
        """Read the log in order."""
        among = f"AND topic IN ({marks(topics)}) " if topics else ""
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
            for part in parts(keys):
                cursor.execute(f"SELECT key, digest FROM seen WHERE key IN ({marks(part)})", part)  # noqa: S608
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
        """List the subjects whose deadline lies before an instant and has no feed to wait for."""
        rows = self._all(
            "SELECT MIN(due), subject FROM (SELECT * FROM ("
            "SELECT due, subject FROM deadlines WHERE due IS NOT NULL AND due < ?1 ORDER BY due, subject LIMIT ?2) "
            "UNION ALL SELECT due, subject FROM heard CROSS JOIN waits "
            "ON waits.source = heard.source AND due < MIN(?1, largest)) "
            "GROUP BY subject ORDER BY 1, 2 LIMIT ?2",
            (before, limit),
        )
        return [(row[0], row[1]) for row in rows]

    def heard(self) -> dict[str, Instant]:
        """Give the largest event time of every source."""
        return {row[0]: row[1] for row in self._all("SELECT source, largest FROM heard")}

    def feeds(self, sources: Sequence[str]) -> dict[str, Spoken]:
        """Give when these sources are known to have spoken."""
        return {
            row[0]: Spoken(spans(row[1]), row[2])
            for part in parts(sources)
            for row in self._all(f"SELECT source, spans, beats_since FROM feeds WHERE source IN ({marks(part)})", part)  # noqa: S608
        }

    def armed(self, subjects: Sequence[str]) -> dict[str, Armed]:
        """Give the deadlines of subjects."""
        found: dict[str, Armed] = {}
        for part in parts(subjects):
            rows = self._all(f"SELECT * FROM deadlines WHERE subject IN ({marks(part)})", part)  # noqa: S608
            found.update((row[0], Armed(*row)) for row in rows)
            for subject, source, due in self._all(f"SELECT * FROM waits WHERE subject IN ({marks(part)})", part):  # noqa: S608
                found[subject] = found[subject]._replace(waits=(*found[subject].waits, (source, due)))
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
            "SELECT * FROM quarantine WHERE (?1 IS NULL OR status = ?1) AND id > ?2 ORDER BY id LIMIT ?3",
            (status, after, limit),
        )
        return [(row["id"], row["status"], quarantined(row)) for row in rows]

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
