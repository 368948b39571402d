"""What the product wrote, batch by batch: copied out of its log, to be replayed as a ceiling."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

Row = tuple[Any, ...]

SCHEMA = """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')
    AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid"""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"


class Written(msgspec.Struct):
    """The schema of a log, and the rows that each batch put into it or changed."""

    schema: list[str]
    columns: dict[str, list[str]]
    """By table, in the order of the values."""
    batches: list[dict[str, list[Row]]] = []

    def count(self) -> dict[str, int]:
        """Count the rows written, by table."""
        counted: dict[str, int] = {}
        for batch in self.batches:
            for table, rows in batch.items():
                counted[table] = counted.get(table, 0) + len(rows)
        return counted

    def count_bytes(self) -> int:
        """Add up the sizes of all values written; a number counts for eight."""
        return sum(_size(value) for batch in self.batches for rows in batch.values() for row in rows for value in row)

    def save(self, path: Path) -> None:
        """Keep it for a later process."""
        path.write_bytes(msgspec.msgpack.encode(self))

    @classmethod
    def load(cls, path: Path) -> "Written":
        """Read what ``save`` kept."""
        return msgspec.msgpack.decode(path.read_bytes(), type=cls)


class Copyist:
    """Looks into a log after each batch, and copies what is new or has changed since the last look.

    Rows that a batch wrote and deleted again are not seen, nor are deletions: the ceiling is then
    a little higher than the work that was really done, never lower.
    """

    def __init__(self, log: Path) -> None:
        """Watch this log; what it holds already is not counted."""
        self._log = log
        self._known: dict[str, set[Row]] = {}
        with closing(self._open()) as connection:
            schema = [row[0] for row in connection.execute(SCHEMA)]
            columns = {table: _columns(connection, table) for (table,) in connection.execute(TABLES).fetchall()}
            self.written = Written(schema, columns)
            self._new(connection)

    def look(self) -> None:
        """Copy what the last batch wrote."""
        with closing(self._open()) as connection:
            self.written.batches.append(self._new(connection))

    def _new(self, connection: sqlite3.Connection) -> dict[str, list[Row]]:
        tables = [row[0] for row in connection.execute(TABLES)]
        return {table: rows for table in tables if (rows := self._changed(connection, table))}

    def _changed(self, connection: sqlite3.Connection, table: str) -> list[Row]:
        before = self._known.get(table, set())
        now = connection.execute(f"SELECT * FROM {table}").fetchall()
        self._known[table] = set(now)
        return [row for row in now if row not in before]

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._log}?mode=ro", uri=True)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _size(value: object) -> int:
    return len(value) if isinstance(value, bytes | str) else 8
