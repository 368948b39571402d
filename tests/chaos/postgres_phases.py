"""The same phases on PostgreSQL, where a transaction can also end because its server did."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from eventsourcing.persistence import OperationalError

from deploy.store.postgres_connection import Connection, Datastore
from tests.chaos.phases import Teller, replace

REFUSED: Final = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
"""What a server that is there says when writers are in each other's way."""


def wrap_postgres(teller: Teller) -> None:
    """Wrap every write transaction, and what settles a commit whose answer was lost."""
    committed, note, is_stored = Datastore._committed, Datastore.note, Datastore._is_stored

    @contextmanager
    def committing(self: Any) -> Iterator[Connection]:
        begun = False
        try:
            with committed(self) as connection:
                begun = True
                teller.begin(connection.info.backend_pid)
                yield connection
        except BaseException as error:
            refused = isinstance(error.__cause__, REFUSED)
            if refused:
                teller.fail()
            if begun:
                teller.leave(broken=isinstance(error, OperationalError) and not refused)
            raise
        teller.commit()

    def noting(self: Any, written: Any) -> None:
        note(self, written)
        teller.write()

    def settling(self: Any, *written: Any) -> bool:
        made = is_stored(self, *written)
        teller.answer(made=made)
        return made

    replace(Datastore, "_committed", committing)
    replace(Datastore, "note", noting)
    replace(Datastore, "_is_stored", settling)
