"""Databases: what an owner does once so that the tracker can run with few rights."""

import psycopg

from deploy.settings import Settings
from deploy.store.postgres_connection import parameters
from deploy.store.postgres_schema import rights
from deploy.wiring import CannotStart, open_store


def prepare(settings: Settings, runtime: str) -> str:
    """Make the log's schema and give a role the rights to run the tracker on it; says what was done.

    Raises:
        CannotStart: there is no URL, or a right is missing.
        StoreUnsuitable: see ``open_store``.
    """
    if settings.database_url is None:
        raise CannotStart("set DATABASE_URL to the database, with the role that is to own the log")
    with open_store(settings):
        pass
    try:
        with psycopg.connect(**parameters(settings.database_url.get_secret_value())) as owner:
            for statement in rights(settings.database_schema, settings.views_schema, owner.info.dbname, runtime):
                owner.execute(statement)
    except psycopg.Error as error:
        raise CannotStart(f"rights could not be given to {runtime}: {str(error).strip()}") from error
    return f"{settings.place} is ready for {runtime}"
