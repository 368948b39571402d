"""Planted defects that only a log on PostgreSQL can have; see ``mutants``.

A commit whose answer was lost, taken for a failure, is not among them: the tracker tells a clash with itself by reading
the positions again, so that no log shows it. ``tests/store/test_postgres_faults.py`` does.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from eventsourcing.persistence import StoredEvent

from deploy.store import postgres_connection, postgres_recorder
from deploy.store.postgres_connection import Connection, Datastore, run
from deploy.store.rows import MOVE_POSITION
from domain.history.log import Advance
from tests.chaos.mutants import forget_expected
from tests.chaos.phases import gap, replace


def position_not_compared() -> None:
    """Accept any position that is greater than the stored one, as the library does."""

    greater = f"{MOVE_POSITION.partition('AND next')[0]}AND next < ?1"
    compared = postgres_recorder._advance

    def advance(connection: Connection, one: Advance) -> "psycopg.Cursor[Any]":
        new = one.position
        if one.expected is None:
            return compared(connection, one)
        return run(connection, greater, (*new[3:], new.partition))

    replace(postgres_recorder, "_advance", advance)
    forget_expected()


def events_committed_on_their_own() -> None:
    """Commit the events as soon as they are written, and what belongs to them afterwards."""
    insert = postgres_recorder._insert

    def inserting(connection: Connection, stored: Sequence[StoredEvent]) -> "psycopg.Cursor[Any]":
        last = insert(connection, stored)
        if connection._num_transactions == 0:
            with connection.pipeline():  # whose end waits until the server has done it
                connection.execute("COMMIT")
            gap()
            connection.execute("BEGIN")
        return last

    replace(postgres_recorder, "_insert", inserting)


def without_the_lock() -> None:
    """Draw ids without the log's lock: a later one can be committed first."""

    def beginning(connection: Connection, begin: str = "") -> None:
        connection.execute(f"{begin}SELECT 1".encode(), prepare=False)

    replace(postgres_connection, "_lock", beginning)


def lost_answer_taken_for_success() -> None:
    """Take a commit whose answer was lost for one that was made."""
    commit = Datastore._commit

    def committing(self: Any, connection: Connection) -> None:
        try:
            commit(self, connection)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            return

    replace(Datastore, "_commit", committing)


def committed_before_it_is_flushed() -> None:
    """Acknowledge commits that are in the server's memory only."""
    lock = postgres_connection._lock

    def locking(connection: Connection, begin: str = "") -> None:
        lock(connection, begin)
        connection.execute("SET LOCAL synchronous_commit = off")

    replace(postgres_connection, "_lock", locking)


MUTANTS: Final[dict[str, Callable[[], None]]] = {
    one.__name__: one
    for one in (
        position_not_compared,
        events_committed_on_their_own,
        without_the_lock,
        lost_answer_taken_for_success,
        committed_before_it_is_flushed,
    )
}
