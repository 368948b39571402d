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
from domain.instant import FOREVER, Instant

_SAFE: Final = {
    "fsync": ({"on"}, "a commit would be lost with the power"),
    "full_page_writes": ({"on"}, "a torn page could not be mended"),
    "synchronous_commit": ({"on", "local", "remote_write", "remote_apply"}, "the last commits could be lost"),
    "default_transaction_isolation": ({"read committed"}, "what was read before the lock would be decided on"),
    "server_encoding": ({"UTF8"}, "not every text could be stored"),
}
"""Settings of the server, what they must be, and why."""
_ARRAYS: Final = {"TEXT": "text[]", "INTEGER": "bigint[]", "BLOB": "bytea[]"}


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
            there = self._there()
            if not there:
                self._refuse_second(connection)
            try:
                for statement in postgres_schema.creation(self.datastore.schema, there):
                    connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege as error:
                raise StoreUnsuitable(
                    "the log is not made yet, or by an earlier version, and this user may not make it "
                    f"({str(error).strip()}): let the owner of the database run `tracker database prepare` first"
                ) from error
            epoch = uuid.uuid4().hex[:12]
            run(connection, "INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING", (epoch,))

    def _refuse_second(self, connection: Connection) -> None:
        """Begin no log where this role only runs another's: it would own the events, and its rights are for views."""
        if other := run(connection, postgres_schema.RUN_BY_US).fetchone():
            raise StoreUnsuitable(
                f'there is no log in schema "{self.datastore.schema}", and this user, which runs the one in '
                f'"{other[0]}", is not to begin another: set TRACKER_DATABASE_SCHEMA={other[0]}, or let the owner of '
                "the database run `tracker database prepare` for this one first"
            )

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
        beside = beside or Beside()
        with self.datastore.appending() as connection:
            _move_on(connection, beside.advance, before_first(stored_events))
            seen = [*self._see(beside.seen)]
            # The server writes while what follows is put into words, and nobody waits for each answer.
            with connection.pipeline():
                last = _insert(connection, stored_events) if stored_events else None
                for rows in seen:
                    _write(connection, rows)
                _store_beside(connection, beside)
            ids = [] if last is None else _neighbours(last, len(stored_events))
            self.datastore.note((stored_events, ids))
            return ids or None

    def hear(self, positions: Sequence[Position], believed: Instant = FOREVER) -> None:
        """Move on what is known to be read of partitions that stand where they stood; see ``LogRecorder``."""
        with self.datastore.get_connection() as connection, connection.transaction():
            for one in sorted(positions, key=lambda one: one.partition):
                run(connection, HEAR, (one.taken_up_to, one.partition, one.next, believed))

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.datastore.read(statement, tuple(values))

    def _among(self, statement: str, values: Sequence[Any], *more: Any) -> list[Any]:
        asked = statement.format(among="= ANY(?)", listed="SELECT unnest(?)")
        return self._all(asked, (list(values), *more)) if values else []

    def _change(self, statement: str, values: Sequence[Any]) -> int:
        with self.datastore.get_connection() as connection, connection.transaction():
            return run(connection, statement, tuple(values)).rowcount


def _move_on(connection: Connection, advances: Sequence[Advance], before: Sequence[tuple[str, int]]) -> None:
    """Move positions on that stand where they are expected, and refuse a stream with a hole."""
    with connection.pipeline():
        moved = [(one, _advance(connection, one)) for one in sorted(advances, key=lambda one: one.position.partition)]
        there = _count(connection, before) if before else None
    for one, cursor in moved:
        if cursor.rowcount != 1:
            raise Fenced(f"{one.position.partition} is no longer at {one.expected}")
    if there is not None and there.fetchone() != (len(before),):
        raise IntegrityError("a stream would have a hole: it is shorter than expected")


def _advance(connection: Connection, advance: Advance) -> "psycopg.Cursor[Any]":
    expected, position = advance
    if expected is None:
        return run(connection, BEGIN_POSITION, position)
    return run(connection, MOVE_POSITION, (*position[3:], position.partition, expected))


def _count(connection: Connection, events: Sequence[tuple[str, int]]) -> "psycopg.Cursor[Any]":
    """Count those of some events that are there; a stream with a hole could never be read again."""
    return run(
        connection,
        "SELECT COUNT(*) FROM unnest(?::text[], ?::bigint[]) AS wanted(stream, version) JOIN stored_events "
        "ON originator_id = stream AND originator_version = version",
        [*map(list, zip(*events, strict=True))],
    )


def _insert(connection: Connection, stored_events: Sequence[StoredEvent]) -> "psycopg.Cursor[Any]":
    """Store events in order; gives what will tell the id of the last one. What is there already, their key refuses."""
    events = [(str(one.originator_id), one.originator_version, one.topic, one.state) for one in stored_events]
    columns = "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB"
    _write(connection, Rows("stored_events", columns, events))
    return run(connection, "SELECT lastval()")


def _neighbours(last: "psycopg.Cursor[Any]", number: int) -> list[int]:
    """Give the ids of so many events, whose last one is told: under the log's lock they are neighbours."""
    [(end,)] = last.fetchall()
    return list(range(end - number + 1, end + 1))


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
    if not rows.rows:
        return
    arrays = ", ".join(f"?::{_ARRAYS[one]}" for one in rows.types)
    run(
        connection,
        f"INSERT INTO {rows.table} ({rows.names}) SELECT * FROM unnest({arrays}) {rows.conflict}",  # noqa: S608
        [*map(list, zip(*rows.rows, strict=True))],
    )
