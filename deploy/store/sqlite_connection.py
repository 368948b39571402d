"""Connections to the log's SQLite file: WAL, ``synchronous=FULL``, every writer ``BEGIN IMMEDIATE``."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import IntegrityError, OperationalError

LOCK_TIMEOUT: Final = 3
"""Seconds one statement waits while another process writes; whoever must not give up tries again and can be stopped."""


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
        if joined is not None:
            with _joined(joined, commit=commit) as cursor:
                yield cursor
            return
        with (
            self.get_connection(commit=commit) as connection,
            _ImmediateTransaction(connection, commit=commit) as cursor,
            cursor,
        ):
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock for this thread."""
        with self.get_connection(commit=True) as connection, _ImmediateTransaction(connection, commit=True):
            self._writing.connection = connection
            try:
                yield
            finally:
                self._writing.connection = None


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
