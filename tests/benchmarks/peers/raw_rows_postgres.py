"""The ceiling on PostgreSQL: exactly the rows that the product writes, by COPY and `unnest`, and nothing else."""

import os
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
from psycopg import sql

from domain.history.log import Log
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Workload
from tests.benchmarks.written import Row, Written
from tests.stores import engine

EVENTS = "stored_events"
EVENTS_TYPES = ("int8", "text", "int8", "text", "bytea")
KEYS = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
    WHERE indrelid = to_regclass(%s) AND indisprimary"""
TYPES = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0"""


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Write what the product wrote for this workload in batches of this size; it finds nothing."""
    written = Written.load(directory.parent / f"written-{len(workload.messages)}-{batch}")
    settings = engine.settings(directory / "raw.db")
    # The product's own tables, indexes and guards, so that only the rows are left to compare.
    Log(settings).close()
    with psycopg.connect(os.environ[engine.VARIABLE]) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(settings["DATABASE_SCHEMA"])))
        connection.commit()
        writer = Writer(connection, written)
        began = perf_counter()
        for rows in written.batches:
            writer.write(rows)
        seconds = perf_counter() - began
    return Outcome(frozenset(), seconds, sum(written.count().values()))


class Writer:
    """Writes batches, each in one durable transaction."""

    def __init__(self, connection: "psycopg.Connection[Any]", written: Written) -> None:
        """Prepare the statements."""
        self._connection = connection
        self._upserts = {table: self._upsert(table, columns) for table, columns in written.columns.items()}

    def write(self, batch: dict[str, list[Row]]) -> None:
        """Write one batch; events are copied, what may be there already is written over."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for table, rows in batch.items():
                if table == EVENTS:
                    self._copy(cursor, rows)
                else:
                    cursor.execute(self._upserts[table], [*map(list, zip(*rows, strict=True))])

    def _copy(self, cursor: "psycopg.Cursor[Any]", rows: list[Row]) -> None:
        columns = "notification_id, originator_id, originator_version, topic, state"
        with cursor.copy(f"COPY {EVENTS} ({columns}) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(EVENTS_TYPES)
            for row in rows:
                copy.write_row(row)

    def _upsert(self, table: str, columns: list[str]) -> str:
        known = dict(self._connection.execute(TYPES, (table,)).fetchall())
        names = ", ".join(f'"{one}"' for one in columns)
        arrays = ", ".join(f"%s::{known.get(one, 'text')}[]" for one in columns)
        keys = [name for name, _ in self._connection.execute(KEYS, (table,)).fetchall()]
        rest = [one for one in columns if one not in keys]
        change = ", ".join(f'"{one}" = excluded."{one}"' for one in rest)
        conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {change}" if rest else "ON CONFLICT DO NOTHING"
        return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {conflict}"
