"""Connections to the log's SQLite file: WAL, ``synchronous=FULL``, every writer ``BEGIN IMMEDIATE``."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError

LOCK_TIMEOUT: Final = 3
"""Seconds one statement waits while another process writes; whoever must not give up tries again and can be stopped."""
_STATEMENTS: Final = 256
"""Prepared statements that a connection keeps."""


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
        """Open the file; the library's own way keeps one statement, and so has nearly every one prepared again."""
        try:
            made = sqlite3.connect(
                self.db_name,
                uri=True,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=_STATEMENTS,
                timeout=self.lock_timeout or LOCK_TIMEOUT,
            )
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        made.row_factory = sqlite3.Row
        connection = library.SQLiteConnection(sqlite_conn=made, max_age=self.max_age)
        cursor = connection.cursor()
        if not self.is_sqlite_memory_mode:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA wal_autocheckpoint=10000")
        return connection


class Datastore(library.SQLiteDatastore):
    """The library's datastore, with a write transaction that reads and one append may share."""

    def __init__(self, db_name: str, **options: Any) -> None:
        """Open nothing yet."""
        super().__init__(db_name, **options)
        self.pool = _Pool(db_name=db_name, lock_timeout=options.get("lock_timeout"), pool_timeout=LOCK_TIMEOUT)
        self._writing = threading.local()

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[library.SQLiteCursor]:
        """Join this thread's open write transaction, or begin one."""
        joined: library.SQLiteConnection | None = getattr(self._writing, "connection", None)
        begun = self._begun(commit=commit) if joined is None else _joined(joined, commit=commit)
        with begun as cursor:
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock for this thread."""
        with self._begun(commit=True):
            yield

    def note(self) -> None:
        """Remember that this thread has appended in its open write transaction."""
        self._writing.appended = True

    @property
    def has_appended(self) -> bool:
        """Say whether it has."""
        return getattr(self._writing, "appended", False)

    @contextmanager
    def _begun(self, *, commit: bool) -> Iterator[library.SQLiteCursor]:
        with (
            self.get_connection(commit=commit) as connection,
            _ImmediateTransaction(connection, commit=commit) as cursor,
            cursor,
        ):
            self._writing.connection = connection if commit else None
            try:
                yield cursor
            finally:
                self._writing.connection, self._writing.appended = None, False


@contextmanager
def _joined(connection: library.SQLiteConnection, *, commit: bool) -> Iterator[library.SQLiteCursor]:
    """Work inside an open write transaction: an append that fails leaves nothing, and errors are the library's."""
    with connection.cursor() as raw:
        try:
            if commit:
                raw.execute("SAVEPOINT append")
            yield library.SQLiteCursor(raw)
            if commit:
                raw.execute("RELEASE append")
        except BaseException as error:
            if commit and raw.connection.in_transaction:
                raw.execute("ROLLBACK TO append")
                raw.execute("RELEASE append")
            if isinstance(error, sqlite3.IntegrityError):
                raise IntegrityError(error) from error
            if isinstance(error, sqlite3.Error):
                raise OperationalError(error) from error
            raise
