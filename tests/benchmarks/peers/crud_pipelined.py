"""Tables and upserts on PostgreSQL, no history: `executemany`, which psycopg pipelines, a batch a transaction."""

import os
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from tests.benchmarks.peers import crud
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Message, Workload
from tests.stores.engine import VARIABLE

Connection = psycopg.Connection[Any]

# Keys and times compare by bytes, as they do on SQLite.
TABLES = crud.TABLES.replace(" WITHOUT ROWID", "").replace("TEXT", 'TEXT COLLATE "C"')
POSITIONS = """INSERT INTO positions VALUES (%s, %s, %s)
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset"""


def spoken(statement: str) -> str:
    """Say a statement of SQLite's in PostgreSQL's words."""
    ours = statement.replace("?", "%s")
    return f"{ours.replace('INSERT OR IGNORE', 'INSERT')} ON CONFLICT DO NOTHING" if "OR IGNORE" in ours else ours


STATEMENTS = {statement: spoken(statement) for statement in crud.ORDER}
OVERDUE = spoken(crud.OVERDUE)


def write(connection: Connection, rows: crud.Rows, positions: list[tuple[Any, ...]], now: str) -> None:
    """Write a batch in one durable transaction."""
    with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
        for statement, values in rows.items():
            if values:
                cursor.executemany(STATEMENTS[statement], values)
        cursor.execute(OVERDUE, (now,))
        cursor.executemany(POSITIONS, positions)


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in."""
    _ = directory
    return take_all(workload, batch, write)


def take_all(workload: Workload, batch: int, writing: Any) -> Outcome:
    """Take every batch in by a way of writing."""
    with psycopg.connect(os.environ[VARIABLE], autocommit=True) as connection:
        connection.execute(TABLES)
        now = ""
        began = perf_counter()
        for messages in workload.batches(batch):
            now, rows, positions = decoded(messages, now)
            writing(connection, rows, positions, now)
        seconds = perf_counter() - began
        late = frozenset(row[0] for row in connection.execute("SELECT fulfillment_id FROM late"))
        return Outcome(late, seconds, sum(_count(connection)))


def decoded(messages: Sequence[Message], now: str) -> tuple[str, crud.Rows, list[tuple[Any, ...]]]:
    """Read a batch: where time stands then, rows by statement, and positions."""
    now, rows, ends = crud.decoded(messages, now)
    return now, rows, [(*place, offset) for place, offset in ends.items()]


def _count(connection: Connection) -> list[int]:
    return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in crud.COUNTED]  # type: ignore[index]
