"""The views in a schema of PostgreSQL of their own: one writer at a time, readers on a snapshot.

Everybody passes a gate, an empty table that is only ever locked: readers and the writer together, whoever drops a
table alone. A reader whose snapshot is older than a table that was put in another's place would find it empty.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from types import NoneType
from typing import Any, Final, Self

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow, tuple_row

from projections.dialect import adapt, kind_of, spoken, spoken_of_many
from projections.pool import CONNECT_TIMEOUT, Pool
from projections.view import Column, Result, Rows
from projections.views import QueryTooSlow, RowsRefused, ViewsAway

LOCK_TIMEOUT: Final = 30
"""Seconds to wait while another process writes."""
SILENT: Final = 8
"""Seconds a process may hold a write lock and say nothing, before whoever waits for it ends its transaction."""
_LOOK: Final = 1
"""Seconds between two looks at who holds the lock that we wait for."""
_IDLE: Final = 60
"""Seconds after which the server ends a transaction whose process has stopped."""
_CONNECTIONS: Final = 24
_TOGETHER: Final = 1000
"""Rows that one statement changes, at most."""
_LONGEST_NAME: Final = 63
# A network that swallows packets must not hold a process for hours; what the URL itself says goes first.
_ALIVE: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
_AWAY: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)
_COLUMNS: Final = """
    SELECT attname, COALESCE(array_position(indkey::int2[], attnum) + 1, 0) FROM pg_attribute
    LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
    WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""

# The server ends what is idle in a transaction, but not what is in the middle of a pipeline or a COPY: there it takes a
# process that has stopped for one that is about to say more.
_END_SILENT: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND wait_event = 'ClientRead'
    AND state_change < clock_timestamp() - make_interval(secs => %s) AND pid IN (
        SELECT pid FROM pg_locks WHERE relation = to_regclass(%s) AND granted AND mode LIKE '%%ExclusiveLock'
        AND mode NOT LIKE 'Row%%' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""

Connection = psycopg.Connection[TupleRow]


class _Found:
    """What a statement gave; it may be on its way still."""

    def __init__(self, cursor: "psycopg.RawCursor[TupleRow]", pipeline: psycopg.Pipeline | None) -> None:
        self._cursor = cursor
        self._pipeline = pipeline

    @property
    def rowcount(self) -> int:
        if self._pipeline is not None:
            with _told():
                self._pipeline.sync()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        with _told():
            return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        with _told():
            return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        with _told():
            yield from self._cursor


class _Rows:
    """A transaction that takes statements in the words of both databases.

    In a pipeline nobody waits for what is written; an error is told by a later statement, or by the end. From a
    savepoint on each statement is waited for, so that an error is told where it belongs.
    """

    def __init__(
        self, connection: Connection, *, deadline: float | None = None, pipeline: psycopg.Pipeline | None = None
    ) -> None:
        self._connection = connection
        self._deadline = deadline
        self._pipeline = pipeline
        self._careful = False
        # A cursor of its own for each statement would have to find out anew how every kind of value goes over.
        self._writer = psycopg.RawCursor(connection)

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Result:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise QueryTooSlow("took longer than it may")
        with _told():
            if statement.startswith("DROP TABLE"):
                self._connection.execute("LOCK TABLE gate IN ACCESS EXCLUSIVE MODE")
            self._careful = self._careful or statement.startswith("SAVEPOINT")
            cursor = psycopg.RawCursor(self._connection)
            cursor.execute(spoken(statement), values, binary=True)
        return self._given(cursor)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Result:
        left = iter(values)
        with _told():
            while portion := [*islice(left, _TOGETHER)]:
                columns = [*map(list, zip(*portion, strict=True))]
                kinds = tuple(map(kind_of, columns))
                said = [column for column, kind in zip(columns, kinds, strict=True) if kind is not NoneType]
                self._writer.execute(spoken_of_many(statement, kinds), said, binary=True)
        return self._given(self._writer)

    def _given(self, cursor: "psycopg.RawCursor[TupleRow]") -> Result:
        if self._careful and self._pipeline is not None:
            with _told():
                self._pipeline.sync()
        return _Found(cursor, self._pipeline)


class PostgresViews:
    """A ``ViewStore`` in one schema; safe to use from several threads and processes."""

    def __init__(self, url: str, schema: str) -> None:
        """Open or begin the schema.

        Raises:
            ViewsAway: the database does not answer.
        """
        self._url = url
        self.schema = schema
        own = {"autocommit": True, "row_factory": tuple_row, "connect_timeout": CONNECT_TIMEOUT}
        self._pool = Pool(
            connection_class=psycopg.Connection[TupleRow],
            kwargs={**_ALIVE, **conninfo_to_dict(url), **own},
            configure=_configuring(schema),
            max_size=_CONNECTIONS,
        )
        self._pool.open()
        try:
            with self._connection() as connection:
                _begin(connection, schema)
        except BaseException:
            self._pool.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[Rows]:
        """Hold the write lock; see ``ViewStore``."""
        begin = (
            f"BEGIN; SET LOCAL lock_timeout = '{_LOOK}s'; LOCK TABLE gate IN EXCLUSIVE MODE; "
            f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"
        )
        with self._transaction(begin, "COMMIT") as connection, connection.pipeline() as pipeline:
            yield _Rows(connection, pipeline=pipeline)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Iterator[Rows]:
        """Read one snapshot; see ``ViewStore``."""
        # The lock comes before the snapshot, which is taken by the first query.
        limit = 0 if seconds is None else max(1, round(seconds * 1000))
        begin = (
            f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {limit}; "
            "LOCK TABLE gate IN ACCESS SHARE MODE"
        )
        with self._transaction(begin, "ROLLBACK") as connection:
            yield _Rows(connection, deadline=None if seconds is None else time.monotonic() + seconds)

    @contextmanager
    def beside(self, name: str) -> Iterator[Self]:
        """Open a store beside this one; see ``ViewStore``."""
        store = type(self)(self._url, _named(self.schema, name))
        try:
            yield store
        finally:
            store.close()

    def remove(self, name: str) -> None:
        """Remove a store beside this one; see ``ViewStore``."""
        with self._connection() as connection:
            connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_named(self.schema, name)))
            )

    def columns(self, rows: Rows, table: str) -> list[Column]:
        """Say what a table's columns are; see ``ViewStore``."""
        return [Column(*row) for row in rows.execute(_COLUMNS, (table,))]

    def take_over(self, rows: Rows, other: Self, table: str) -> None:
        """Put another store's table in the place of ours; see ``ViewStore``."""
        theirs, ours = sql.Identifier(other.schema, table).as_string(), sql.Identifier(self.schema).as_string()
        rows.execute(f"DROP TABLE {table}")
        rows.execute(f"ALTER TABLE {theirs} SET SCHEMA {ours}")

    def close(self) -> None:
        """Close every connection; nobody may be using one."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with _told(), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Iterator[Connection]:
        with self._connection() as connection:
            try:
                _open(connection, begin)
                yield connection
                connection.execute(end.encode())
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise


def end_silent(connection: "psycopg.Connection[Any]", table: str) -> None:
    """End the transactions that have locked a table for writing and whose process has said nothing for long."""
    connection.execute(_END_SILENT, (SILENT, table))


def _open(connection: Connection, begin: str) -> None:
    """Begin a transaction; one that waits for a writer looks now and then whether that one still speaks."""
    until = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute(begin.encode())
        except errors.LockNotAvailable:
            if time.monotonic() > until:
                raise
            connection.execute("ROLLBACK")
            end_silent(connection, "gate")
        else:
            return


@contextmanager
def _told() -> Iterator[None]:
    """Tell by its type what is only for now, what took too long, and what is wrong with what was written."""
    try:
        yield
    except errors.QueryCanceled as error:
        raise QueryTooSlow(str(error)) from error
    except errors.ProgramLimitExceeded as error:
        # What no index can hold does not pass by itself, though it counts as trouble of the server's.
        raise RowsRefused(str(error).strip()) from error
    except _AWAY as error:
        raise ViewsAway(str(error).strip()) from error
    except psycopg.Error as error:
        raise RowsRefused(str(error).strip()) from error


def _begin(connection: Connection, schema: str) -> None:
    """Make the schema and its gate; whoever may not make a schema finds it made."""
    found = connection.execute("SELECT to_regclass(%s)", (f"{schema}.gate",)).fetchone()
    if found == (None,):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (schema,))
            if connection.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() == (None,):
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            connection.execute("CREATE TABLE IF NOT EXISTS gate ()")


def _named(schema: str, name: str) -> str:
    whole = f"{schema}_{name}".replace("-", "_")
    if len(whole) <= _LONGEST_NAME:
        return whole
    return f"{schema[:40]}_{hashlib.blake2s(whole.encode(), digest_size=8).hexdigest()}"


def _configuring(schema: str) -> Any:
    """Make what sets a new connection up; not a method, so that the pool does not keep its owner alive."""

    def configure(connection: Connection) -> None:
        adapt(connection)
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        # What is asked for again and again is asked for by a key. A plan made while a table had no statistics compares
        # each of its rows with each of hundreds of keys, and stays until somebody analyzes the table.
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET jit = off")
        connection.execute(sql.SQL("SET idle_in_transaction_session_timeout = {}").format(f"{_IDLE}s"))

    return configure
