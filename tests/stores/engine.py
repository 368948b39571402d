"""The store that a test runs on: where a test names a file, PostgreSQL has a schema of that name.

Which one it is stands in the environment, so that the processes a test starts use the same one.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2s
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

from domain.history.log import Log
from projections.dialect import adapt, spoken
from projections.postgres_views import PostgresViews
from projections.views import SqliteViews, ViewStore

VARIABLE: Final = "TRACKER_TEST_STORE"


def url() -> str | None:
    """Give the URL of the PostgreSQL to use; null for SQLite."""
    return os.environ.get(VARIABLE) or None


def schema_of(path: Path) -> str:
    """Name the schema that stands for a file."""
    return "of_" + blake2s(str(path.absolute()).encode(), digest_size=8).hexdigest()


def settings(path: Path) -> dict[str, str]:
    """Give the settings of a log that stands for a file."""
    address = url()
    if address is None:
        return {"PERSISTENCE_MODULE": "deploy.store.sqlite", "SQLITE_DBNAME": str(path)}
    return {
        "PERSISTENCE_MODULE": "deploy.store.postgres",
        "DATABASE_URL": address,
        "DATABASE_SCHEMA": schema_of(path),
    }


@contextmanager
def file_log(path: Path) -> Iterator[Log]:
    """Open the log that stands for a file."""
    with Log(settings(path)) as log:
        yield log


@contextmanager
def memory_log() -> Iterator[Log]:
    """Open a log that is gone afterwards, in PostgreSQL with the database of the module."""
    name = uuid4().hex
    with file_log(Path(f"file:{name}?mode=memory&cache=shared" if url() is None else f"/{name}")) as log:
        yield log


def views_at(path: Path) -> ViewStore:
    """Open the views that stand for a file."""
    address = url()
    return SqliteViews(path) if address is None else PostgresViews(address, schema_of(path))


class Beside:
    """A connection of another program to the store that stands for a file; statements are those of both databases."""

    def __init__(self, connection: "sqlite3.Connection | psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.id = "rowid" if isinstance(connection, sqlite3.Connection) else "notification_id"

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement."""
        if isinstance(self.connection, sqlite3.Connection):
            return self.connection.execute(statement, values)
        return psycopg.RawCursor(self.connection).execute(spoken(statement), values)

    def lock(self) -> bool:
        """Take the log's write lock, to be held until ``COMMIT``; says whether it was free."""
        try:
            if isinstance(self.connection, sqlite3.Connection):
                self.connection.execute("BEGIN IMMEDIATE")
            else:
                self.connection.execute("BEGIN")
                self.connection.execute("SET LOCAL lock_timeout = '10ms'")
                self.connection.execute("SELECT lock_log()")
        except sqlite3.OperationalError:
            return False
        except psycopg.errors.LockNotAvailable:
            self.connection.execute("ROLLBACK")
            return False
        return True


@contextmanager
def beside(path: Path, timeout: float = 0) -> Iterator[Beside]:
    """Open the store as another program would."""
    address = url()
    if address is None:
        with closing(sqlite3.connect(path, timeout=timeout, isolation_level=None)) as connection:
            yield Beside(connection)
        return
    with psycopg.connect(address, autocommit=True) as connection:
        adapt(connection)
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema_of(path))))
        yield Beside(connection)
