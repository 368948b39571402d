"""The ceiling: exactly the rows that the product writes, by `executemany`, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import perf_counter

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Workload
from tests.benchmarks.written import Row, Written


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Write what the product wrote for this workload in batches of this size; it finds nothing."""
    written = Written.load(directory.parent / f"written-{len(workload.messages)}-{batch}")
    seconds = replay(written, directory / "raw.db")
    return Outcome(frozenset(), seconds, sum(written.count().values()))


def replay(written: Written, path: Path) -> float:
    """Write every batch in one durable transaction, and return the seconds it took."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # The product's own settings, so that only the rows are left to compare.
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA wal_autocheckpoint = 10000")
        for statement in written.schema:
            connection.execute(statement)
        began = perf_counter()
        for batch in written.batches:
            _write(connection, batch)
        return perf_counter() - began


def _write(connection: sqlite3.Connection, batch: dict[str, list[Row]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in batch.items():
        places = ", ".join("?" * len(rows[0]))
        # A position or a deadline that moved is written over, as the product writes it over.
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", rows)
    connection.execute("COMMIT")
