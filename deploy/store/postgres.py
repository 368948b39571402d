"""The log in a schema of PostgreSQL, as the event-sourcing library finds it by ``PERSISTENCE_MODULE``."""

from typing import Final

import psycopg
from eventsourcing import postgres as library
from eventsourcing.utils import Environment, EnvType, strtobool

from deploy.store.postgres_connection import Datastore, parameters
from deploy.store.postgres_recorder import PostgresLogRecorder
from domain.errors import StoreUnsuitable

URL: Final = "DATABASE_URL"
SCHEMA: Final = "DATABASE_SCHEMA"


class Factory(library.PostgresFactory):
    """Builds recorders over our datastore; named by ``PERSISTENCE_MODULE``."""

    process_recorder_class = PostgresLogRecorder  # type: ignore[assignment]  # its datastore is ours

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read one URL in place of the library's variable for each part of it, refusing what breaks us.

        Raises:
            StoreUnsuitable: ``POSTGRES_ENABLE_DB_FUNCTIONS`` is on, ``SINGLE_ROW_TRACKING`` off, or no URL.
        """
        super(library.BasePostgresFactory, self).__init__(env)
        if strtobool(self.env.get(self.POSTGRES_ENABLE_DB_FUNCTIONS) or "no"):
            raise StoreUnsuitable("POSTGRES_ENABLE_DB_FUNCTIONS is on; remove it from the environment")
        if not strtobool(self.env.get(self.POSTGRES_SINGLE_ROW_TRACKING, "t")):
            raise StoreUnsuitable("SINGLE_ROW_TRACKING is off; remove it from the environment")
        url = self.env.get(URL)
        if not url:
            raise StoreUnsuitable(f"{URL} is not set")
        self.datastore = Datastore(url, self.env.get(SCHEMA) or "tracker")


def is_begun(url: str, schema: str) -> bool:
    """Say whether a log has been begun in a schema; makes nothing.

    Raises:
        StoreUnsuitable: the database cannot be reached.
    """
    try:
        with psycopg.connect(**parameters(url)) as connection:
            found = connection.execute("SELECT to_regclass(%s)", (f"{schema}.meta",)).fetchone()
    except psycopg.Error as error:
        raise StoreUnsuitable(f"the database cannot be used: {str(error).strip()}") from error
    return found != (None,)
