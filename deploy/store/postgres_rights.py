"""Rights: what a role may do with the log's schema and with that of the views, and what it must not."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import psycopg

from deploy.store.postgres_connection import parameters
from deploy.store.postgres_schema import NEEDED
from domain.errors import StoreUnsuitable

_GRANT: Final = "as the owner: tracker database prepare --runtime {role}"
_LESS: Final = "let the tracker run as a role of its own: tracker database roles, tracker database prepare"
_ANEW: Final = "DROP SCHEMA {schema} CASCADE as who owns it; {role} makes the views again from the log"
_GUARD_IT: Final = "as the owner: ALTER TABLE stored_events ENABLE TRIGGER events_stay; find out who disabled it"
_FORBIDDEN: Final = "UPDATE, DELETE, TRUNCATE"
_OF_VIEWS: Final = "SELECT, INSERT, UPDATE, DELETE"
_EVENTS: Final = "stored_events"
_TABLES: Final = """
    SELECT relname, pg_class.oid, pg_has_role(relowner, 'USAGE') FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND relkind IN ('r', 'p') ORDER BY relname"""
_SEQUENCES: Final = """
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(pg_class.oid, 'USAGE') END
    ORDER BY relname"""
_LOCK: Final = """
    SELECT has_function_privilege(pg_proc.oid, 'EXECUTE') FROM pg_proc
    JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = %s AND proname = 'lock_log'"""
_GUARD: Final = """
    SELECT tgenabled IN ('O', 'A') FROM pg_trigger WHERE tgrelid = %s AND tgname = 'events_stay'"""
_SCHEMA: Final = """
    SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') FROM pg_namespace
    WHERE nspname = %s"""
_DATABASE: Final = "SELECT has_database_privilege(current_database(), 'CREATE'), current_user"


class Fault(NamedTuple):
    """One thing that a role may not and must, or may and must not."""

    where: str
    found: str
    mend: str


class Looked(NamedTuple):
    """What was found out about a role."""

    role: str
    faults: Sequence[Fault]


def look(url: str, schema: str, views: str) -> Looked | None:
    """Look at all that the role of this URL may do with a log and its views; nothing where it is to begin the log.

    Raises:
        StoreUnsuitable: the database cannot be asked.
    """
    try:
        with psycopg.connect(**parameters(url)) as connection:
            [(may_make, role)] = connection.execute(_DATABASE).fetchall()
            if connection.execute(_TABLES, (schema,)).fetchone() is None:
                found = [*_of_no_log(connection, schema, may_make=may_make)]
                if not found:
                    return None
            else:
                found = [*_of_log(connection, schema), *_of_views(connection, views, may_make=may_make)]
    except psycopg.Error as error:
        raise StoreUnsuitable(f"the database cannot be used: {str(error).strip()}") from error
    return Looked(role, [one._replace(mend=one.mend.format(role=role, schema=views)) for one in found])


def _of_no_log(connection: "psycopg.Connection[Any]", schema: str, *, may_make: bool) -> Iterator[Fault]:
    usable = connection.execute(_SCHEMA, (schema,)).fetchone()
    if not may_make if usable is None else usable != (True, True):
        yield Fault(f"schema {schema}", "no log yet, and not for this role to make", _GRANT)


def _of_log(connection: "psycopg.Connection[Any]", schema: str) -> Iterator[Fault]:
    usable = connection.execute(_SCHEMA, (schema,)).fetchone()
    if usable is not None and not usable[0]:
        yield Fault(f"schema {schema}", "no USAGE, which every role needs", _GRANT)
    for table, oid, _ in connection.execute(_TABLES, (schema,)).fetchall():
        if table in NEEDED:
            wanted, needed_by = NEEDED[table]
            if missing := _among(connection, oid, wanted, held=False):
                yield Fault(table, f"no {', '.join(missing)}, which {needed_by} cannot do without", _GRANT)
        if table == _EVENTS:
            yield from _guarded(connection, oid)
    for (sequence,) in connection.execute(_SEQUENCES, (schema,)).fetchall():
        yield Fault(sequence, "no USAGE, which whoever appends cannot do without", _GRANT)
    if (False,) in connection.execute(_LOCK, (schema,)).fetchall():
        yield Fault("lock_log()", "no EXECUTE, which whoever appends cannot do without", _GRANT)


def _guarded(connection: "psycopg.Connection[Any]", events: int) -> Iterator[Fault]:
    if held := _among(connection, events, _FORBIDDEN, held=True):
        yield Fault(_EVENTS, f"may {', '.join(held)} events, which nobody must", _LESS)
    if connection.execute(_GUARD, (events,)).fetchall() != [(True,)]:
        yield Fault(_EVENTS, "the trigger that keeps events as they are is missing or disabled", _GUARD_IT)


def _of_views(connection: "psycopg.Connection[Any]", schema: str, *, may_make: bool) -> Iterator[Fault]:
    if not may_make:
        yield Fault("database", "no CREATE, which project and serve need where views are made or made again", _GRANT)
    usable = connection.execute(_SCHEMA, (schema,)).fetchone()
    if usable is not None and usable != (True, True):
        missing = [name for name, held in zip(("USAGE", "CREATE"), usable, strict=True) if not held]
        yield Fault(f"schema {schema}", f"no {', '.join(missing)}, which project and serve need", _ANEW)
    for table, oid, own in connection.execute(_TABLES, (schema,)).fetchall():
        if missing := _among(connection, oid, _OF_VIEWS, held=False):
            yield Fault(
                f"{schema}.{table}", f"no {', '.join(missing)}, which project and serve cannot do without", _ANEW
            )
        elif not own:
            yield Fault(f"{schema}.{table}", "another role's, so that project cannot make it again", _ANEW)


def _among(connection: "psycopg.Connection[Any]", table: int, privileges: str, *, held: bool) -> list[str]:
    """Name those of some privileges that the role has, or those that it has not."""
    asked = "SELECT name FROM unnest(%s::text[]) AS name WHERE has_table_privilege(%s::oid, name) = %s"
    return [row[0] for row in connection.execute(asked, (privileges.split(", "), table, held)).fetchall()]
