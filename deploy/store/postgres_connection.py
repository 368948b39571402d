"""Connections to the log on PostgreSQL: one write transaction that reads and appends of a thread share.

A commit whose answer is lost is settled by looking for what it wrote, under the log's lock: whoever held the lock
before has ended by then, one way or the other.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from eventsourcing import persistence
from eventsourcing import postgres as library
from eventsourcing.persistence import StoredEvent
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row, tuple_row

from domain.errors import StoreUnsuitable
from projections.dialect import adapt, spoken
from projections.pool import CONNECT_TIMEOUT, Pool
from projections.postgres_views import end_silent

LOCK_TIMEOUT: Final = 3
"""Seconds one statement waits while another process writes; whoever must not give up tries again and can be stopped."""
IDLE_TIMEOUT: Final = 10
"""Seconds after which the server ends a transaction whose process has stopped: it holds the log's lock."""
_CONNECTIONS: Final = 16
_PATIENCE: Final = 15.0
"""Seconds to look for a server that went away while it committed."""

# A network that swallows packets must not hold a process for hours; what the URL itself says goes first.
_DEFAULTS: Final = {
    "connect_timeout": str(CONNECT_TIMEOUT),
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "application_name": "order-incident-tracker",
}
_ERRORS: Final[tuple[tuple[type[psycopg.Error], type[persistence.PersistenceError]], ...]] = (
    # What no index can hold is not a store to wait for, though the driver counts it as trouble of the server's.
    (psycopg.errors.ProgramLimitExceeded, persistence.ProgrammingError),
    # A connection that is gone, or a server that cannot be written just now, is a store to wait for.
    (psycopg.InterfaceError, persistence.OperationalError),
    (psycopg.errors.IdleInTransactionSessionTimeout, persistence.OperationalError),
    (psycopg.errors.ReadOnlySqlTransaction, persistence.OperationalError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.Error, persistence.PersistenceError),
)

Connection = psycopg.Connection[DictRow]
Written = tuple[Sequence[StoredEvent], Sequence[int]]


def parameters(url: str) -> dict[str, Any]:
    """Read a connection URL; what it does not say is said for it.

    Raises:
        StoreUnsuitable: it is none. The text does not repeat it: it may hold a password.
    """
    try:
        return {**_DEFAULTS, **conninfo_to_dict(url)}
    except psycopg.Error as error:
        raise StoreUnsuitable("DATABASE_URL cannot be read; write postgresql://user:password@host:5432/name") from error


@contextmanager
def translated() -> Iterator[None]:
    """Let the driver's errors leave as the event-sourcing library's."""
    try:
        yield
    except psycopg.Error as error:
        kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
        raise kind(str(error)) from error


class Datastore(library.PostgresDatastore):
    """The library's datastore over one URL and one schema."""

    def __init__(self, url: str, schema: str) -> None:
        """Open nothing yet."""
        super().__init__("", "", 0, "", "", schema=schema, originator_id_type="text", lock_timeout=LOCK_TIMEOUT)
        self.parameters = parameters(url)
        self.pool = Pool(  # type: ignore[assignment]  # what the library's own adds is not used
            connection_class=psycopg.Connection[DictRow],
            kwargs={**self.parameters, "row_factory": dict_row, "autocommit": True},
            configure=_configuring(schema),
            max_size=_CONNECTIONS,
        )
        self._writing = threading.local()

    def register_type_adapters(self) -> None:
        """Do nothing: rows go over as columns, and no type of the library's is made."""

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        """Join this thread's open write transaction, or lend a connection of the pool."""
        joined: Connection | None = getattr(self._writing, "connection", None)
        if joined is not None:
            with translated():
                yield joined
            return
        with translated():
            self.pool.open()
            with self.pool.connection() as connection:
                yield connection

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Give every row of a statement, as tuples."""
        with self.get_connection() as connection:
            return run(connection, statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the log's lock for this thread; everything inside commits together or not at all."""
        with self._committed() as connection:
            self._writing.connection = connection
            try:
                yield
            finally:
                self._writing.connection = None

    @contextmanager
    def appending(self) -> Iterator[Connection]:
        """Hold the log's lock for one append, inside the open write transaction if there is one."""
        joined: Connection | None = getattr(self._writing, "connection", None)
        if joined is None:
            with self.writing():
                yield self._writing.connection
            return
        with translated(), joined.transaction():
            yield joined

    def note(self, written: Written) -> None:
        """Remember what an append wrote, until it is known to be committed."""
        self._writing.appended = True
        if written[1]:
            self._writing.written = written

    @property
    def has_appended(self) -> bool:
        """Say whether this thread has appended in its open write transaction."""
        return getattr(self._writing, "appended", False)

    @contextmanager
    def _committed(self) -> Iterator[Connection]:
        self._writing.written, self._writing.appended = None, False
        try:
            with self.get_connection() as connection:
                try:
                    _lock(connection, "BEGIN; ")
                    yield connection
                except BaseException as error:
                    with suppress(psycopg.Error):
                        connection.execute("ROLLBACK")
                        if isinstance(error, psycopg.errors.LockNotAvailable):
                            end_silent(connection, "turn")
                    raise
                self._commit(connection)
        finally:
            self._writing.written, self._writing.appended = None, False

    def _commit(self, connection: Connection) -> None:
        written: Written | None = self._writing.written
        if connection.info.transaction_status == TransactionStatus.INERROR and written is not None:
            connection.execute("ROLLBACK")
            raise persistence.InternalError("a statement failed and nobody told: nothing of this was stored")
        try:
            connection.execute("COMMIT")
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if written is None or not self._is_stored(*written):
                raise

    def _is_stored(self, events: Sequence[StoredEvent], ids: Sequence[int]) -> bool:
        """Say whether a commit of unknown end holds exactly these events under these ids."""
        wanted = [
            (one, str(event.originator_id), event.originator_version, event.topic, event.state)
            for one, event in zip(ids, events, strict=True)
        ]

        def look(connection: Connection) -> bool:
            _lock(connection)
            found = run(
                connection,
                "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events "
                "WHERE notification_id BETWEEN ? AND ? ORDER BY notification_id",
                (ids[0], ids[-1]),
            )
            return found.fetchall() == wanted

        return self._once_more(look)

    def _once_more(self, look: Callable[[Connection], bool]) -> bool:
        """Look from a connection of its own, once the server is back; what cannot be known is left to the caller."""
        pause, waited, tries = 0.05, threading.Event(), 0.0
        while tries < _PATIENCE:
            with suppress(psycopg.Error), psycopg.connect(**self.parameters, row_factory=dict_row) as connection:
                _configuring(self.schema)(connection)
                return look(connection)
            waited.wait(pause)
            tries += pause
            pause = min(1.0, pause * 2)
        return False


def run(connection: Connection, statement: str, values: Sequence[Any] = ()) -> "psycopg.Cursor[Any]":
    """Run one statement in the words of both databases; rows are tuples."""
    cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
    return cursor.execute(spoken(statement), values, binary=True)


def _lock(connection: Connection, begin: str = "") -> None:
    """Wait for the log's lock; all in one text, which no server prepares.

    A pipeline would do the same, but after one no server ends a transaction that has fallen silent.
    """
    connection.execute(f"{begin}SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'; SELECT lock_log()".encode(), prepare=False)


def _configuring(schema: str) -> Callable[[Connection], None]:
    """Make what sets a new connection up; not a method, so that the pool does not keep its owner alive."""

    def configure(connection: Connection) -> None:
        adapt(connection)
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        # Everything is asked for by a key. Without fresh statistics the planner takes a list of them for a good part
        # of the table, and goes on reading all of it when that has grown.
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET jit = off")
        connection.execute(sql.SQL("SET idle_in_transaction_session_timeout = {}").format(f"{IDLE_TIMEOUT}s"))

    return configure
