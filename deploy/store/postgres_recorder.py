"""The log's recorder on PostgreSQL; see ``domain.history.log.LogRecorder`` for what it promises.

Every append takes the log's lock, then positions, then the rest, in one order: two appends never wait for each other
in a circle, and ids come in the order of commits, so that no follower passes one that becomes visible later.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from eventsourcing import postgres as library
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent

from deploy.store import postgres_schema
from deploy.store.leasing import Leasing
from deploy.store.marking import Marking
from deploy.store.postgres_connection import Connection, Datastore, run
from deploy.store.reading import Reading
from deploy.store.remembering import Recent, Remembering
from deploy.store.rows import BEGIN_POSITION, HEAR, MOVE_POSITION, SETTLE, Rows, before_first, beside_rows, gone
from domain.errors import Fenced, StoreUnsuitable
from domain.history.batch import Position
from domain.history.log import Advance, Beside

_SAFE: Final = {
    "fsync": ({"on"}, "a commit would be lost with the power"),
    "full_page_writes": ({"on"}, "a torn page could not be mended"),
    "synchronous_commit": ({"on", "local", "remote_write", "remote_apply"}, "the last commits could be lost"),
    "default_transaction_isolation": ({"read committed"}, "what was read before the lock would be decided on"),
    "server_encoding": ({"UTF8"}, "not every text could be stored"),
}
"""Settings of the server, what they must be, and why."""
_ARRAYS: Final = {"TEXT": "text[]", "INTEGER": "bigint[]", "BLOB": "bytea[]"}
_COPIED: Final = {"TEXT": "text", "INTEGER": "int8", "BLOB": "bytea"}


class PostgresLogRecorder(Reading, Remembering, Leasing, Marking, library.PostgresProcessRecorder):
    """Appends events with positions, seen ids, deadlines and quarantine; see ``domain.history.log.LogRecorder``."""

    ID = "notification_id"
    # Without the limit inside, the planner expects a third of all that waits, and reads all of it.
    WAITING = (
        "SELECT first.due, first.subject FROM heard CROSS JOIN LATERAL (SELECT due, subject FROM waits "
        "WHERE waits.source = heard.source AND due < LEAST(?1, heard.largest) ORDER BY due, subject LIMIT ?2) AS first"
    )
    NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    datastore: Datastore

    def __init__(self, datastore: Datastore, **_: Any) -> None:
        """Prepare the library's own reading of our tables."""
        super().__init__(datastore, events_table_name="stored_events")
        self._recent = Recent()

    def create_table(self) -> None:
        """Create what is missing and refuse settings under which a commit may be lost.

        Raises:
            StoreUnsuitable: it cannot be reached, its settings are unsafe, or it is not ours to make.
        """
        try:
            self._refuse_unsafe()
            # Looking first lets roles start that may not make anything.
            if not self._is_complete():
                self._create()
        except PersistenceError as error:
            raise StoreUnsuitable(f"the database cannot be used: {str(error).strip()}") from error

    def _refuse_unsafe(self) -> None:
        wrong = []
        for name, (safe, why) in _SAFE.items():
            [(value,)] = self.datastore.read("SELECT current_setting(?)", (name,))
            if value not in safe:
                wrong.append(f"{name} is {value}: {why}; it must be {' or '.join(sorted(safe))}")
        if wrong:
            raise StoreUnsuitable("PostgreSQL is not set up safely. " + ". ".join(wrong) + ".")

    def _is_complete(self) -> bool:
        """Say whether every table and index is there, and the log has its name."""
        return self._there() >= postgres_schema.NAMES and bool(self._all("SELECT 1 FROM meta WHERE name = 'epoch'"))

    def _there(self) -> set[str]:
        found = self._all(
            "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = ?",
            (self.datastore.schema,),
        )
        return {row[0] for row in found}

    def _create(self) -> None:
        with self.datastore.get_connection() as connection, connection.transaction():
            # Two processes that start at once make one log.
            run(connection, "SELECT pg_advisory_xact_lock(hashtext(?))", (self.datastore.schema,))
            try:
                for statement in postgres_schema.creation(self.datastore.schema, self._there()):
                    connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege as error:
                raise StoreUnsuitable(
                    "the log is not made yet, or by an earlier version, and this user may not make it "
                    f"({str(error).strip()}): let the owner of the database run `tracker database prepare` first"
                ) from error
            epoch = uuid.uuid4().hex[:12]
            run(connection, "INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING", (epoch,))

    def _has_appended(self) -> bool:
        return self.datastore.has_appended

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the log's lock over reads and appends."""
        with self.datastore.writing():
            yield

    def insert_events(self, stored_events: Sequence[StoredEvent], **options: Any) -> Sequence[int] | None:
        """Append in one transaction, once: the library would try again and report its own success as a clash."""
        beside: Beside | None = options.pop("beside", None)
        if any(value is not None for value in options.values()):
            raise TypeError(f"{', '.join(options)} would not be stored")
        with self.datastore.appending() as connection:
            if beside is not None:
                for advance in sorted(beside.advance, key=lambda one: one.position.partition):
                    _advance_position(connection, advance)
            _check_contiguous(connection, stored_events)
            ids = _insert(connection, stored_events)
            if beside is not None:
                for rows in self._see(beside.seen):
                    _write(connection, rows)
                _store_beside(connection, beside)
            self.datastore.note((stored_events, ids))
            return ids or None

    def hear(self, positions: Sequence[Position]) -> None:
        """Move on what is known to be read of partitions that stand where they stood."""
        with self.datastore.get_connection() as connection, connection.transaction():
            for one in sorted(positions, key=lambda one: one.partition):
                run(connection, HEAR, (one.taken_up_to, one.partition, one.next))

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.datastore.read(statement, tuple(values))

    def _among(self, statement: str, values: Sequence[Any], *more: Any) -> list[Any]:
        return self._all(statement.format(among="= ANY(?)"), (list(values), *more)) if values else []

    def _change(self, statement: str, values: Sequence[Any]) -> int:
        with self.datastore.get_connection() as connection, connection.transaction():
            return run(connection, statement, tuple(values)).rowcount


def _advance_position(connection: Connection, advance: Advance) -> None:
    expected, position = advance
    if expected is None:
        moved = run(connection, BEGIN_POSITION, position)
    else:
        moved = run(connection, MOVE_POSITION, (*position[3:], position.partition, expected))
    if moved.rowcount != 1:
        raise Fenced(f"{position.partition} is no longer at {expected}")


def _check_contiguous(connection: Connection, stored_events: Sequence[StoredEvent]) -> None:
    """Refuse a stream with a hole: it could never be read again. The unique key catches what exists already."""
    wanted = before_first(stored_events)
    if not wanted:
        return
    found = run(
        connection,
        "SELECT COUNT(*) FROM unnest(?::text[], ?::bigint[]) AS wanted(stream, version) JOIN stored_events "
        "ON originator_id = stream AND originator_version = version",
        [*map(list, zip(*wanted, strict=True))],
    ).fetchone()
    if found != (len(wanted),):
        raise IntegrityError("a stream would have a hole: it is shorter than expected")


def _insert(connection: Connection, stored_events: Sequence[StoredEvent]) -> list[int]:
    """Copy events in; under the log's lock their ids are neighbours."""
    if not stored_events:
        return []
    events = [(str(one.originator_id), one.originator_version, one.topic, one.state) for one in stored_events]
    columns = "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB"
    _copy(connection, Rows("stored_events", columns, events))
    [(last,)] = run(connection, "SELECT lastval()").fetchall()
    return list(range(last - len(events) + 1, last + 1))


def _store_beside(connection: Connection, beside: Beside) -> None:
    """Store what commits with the events, positions apart."""
    disarmed, waiting = gone(beside)
    for table, subjects in (("deadlines", disarmed), ("waits", waiting)):
        if subjects:
            run(connection, f"DELETE FROM {table} WHERE subject = ANY(?)", (subjects,))  # noqa: S608  # our own names
    for one in beside_rows(beside):
        _write(connection, one)
    for number, status in beside.settle:
        run(connection, SETTLE, (status, number))


def _write(connection: Connection, rows: Rows) -> None:
    if rows.rows and rows.conflict:
        _upsert(connection, rows)
    elif rows.rows:
        _copy(connection, rows)


def _copy(connection: Connection, rows: Rows) -> None:
    statement = f"COPY {rows.table} ({rows.names}) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types([_COPIED[one] for one in rows.types])
        for row in rows.rows:
            copy.write_row(row)


def _upsert(connection: Connection, rows: Rows) -> None:
    arrays = ", ".join(f"?::{_ARRAYS[one]}" for one in rows.types)
    run(
        connection,
        f"INSERT INTO {rows.table} ({rows.names}) SELECT * FROM unnest({arrays}) {rows.conflict}",  # noqa: S608
        [*map(list, zip(*rows.rows, strict=True))],
    )
