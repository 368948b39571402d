"""The log in one SQLite file, as the event-sourcing library finds it by ``PERSISTENCE_MODULE``."""

from eventsourcing import sqlite as library
from eventsourcing.utils import Environment, EnvType

from deploy.store.sqlite_connection import LOCK_TIMEOUT, Datastore
from deploy.store.sqlite_recorder import SqliteLogRecorder
from domain.errors import StoreUnsuitable


class Factory(library.SQLiteFactory):
    """Builds recorders over our datastore; named by ``PERSISTENCE_MODULE``."""

    process_recorder_class = SqliteLogRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the library's settings, refusing what breaks us.

        Raises:
            StoreUnsuitable: ``SINGLE_ROW_TRACKING`` is off.
        """
        super().__init__(env)
        if not self.datastore.single_row_tracking:
            raise StoreUnsuitable("SINGLE_ROW_TRACKING is off; remove it from the environment")
        self.datastore = Datastore(self.datastore.pool.db_name, lock_timeout=LOCK_TIMEOUT, originator_id_type="text")
