"""Looks from outside at a store of the product: how far its views are, and which batches its log has."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import psycopg

from deploy.settings import Settings
from domain.history.batch import BatchTaken
from domain.history.log import decode

PASSED: Final = "SELECT min(position) FROM {views}checkpoints"
LAST: Final = "SELECT max({place}) FROM {log}stored_events"
SHOWN: Final = "SELECT incident, max(position) FROM {views}feed GROUP BY incident"
BATCHES: Final = (
    "SELECT {place}, topic, state FROM {log}stored_events "
    f"WHERE topic = '{BatchTaken.TOPIC}' AND {{place}} > {{mark}} ORDER BY {{place}}"
)

Row = tuple[Any, ...]


class Outlook(Protocol):
    """A store, seen by a program that knows its tables; what is not there yet is nothing."""

    def passed(self) -> int:
        """Give the position that every view has passed."""

    def last(self) -> int:
        """Give the last position of the log."""

    def shown(self) -> list[Row]:
        """Give each incident with the position of its last change."""

    def batches(self, after: int) -> list[Row]:
        """Give position, topic and state of the batches behind a position."""

    def close(self) -> None:
        """Look no more."""


class Files(NamedTuple):
    """Log and views in SQLite files of one directory."""

    directory: Path

    def passed(self) -> int:
        """Give the position that every view has passed."""
        return _first(rows_of(self.directory / "views.db", PASSED.format(views="")))

    def last(self) -> int:
        """Give the last position of the log."""
        return _first(rows_of(self.directory / "log.db", LAST.format(log="", place="rowid")))

    def shown(self) -> list[Row]:
        """Give each incident with the position of its last change."""
        return rows_of(self.directory / "views.db", SHOWN.format(views=""))

    def batches(self, after: int) -> list[Row]:
        """Give position, topic and state of the batches behind a position."""
        return rows_of(self.directory / "log.db", BATCHES.format(log="", place="rowid", mark="?"), after)

    def close(self) -> None:
        """Do nothing: each look opens the files for itself."""


class Database:
    """Log and views in one PostgreSQL, in the schemas that they have where nobody names others."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self._connection = psycopg.connect(url, autocommit=True)
        schema = Settings.model_fields["database_schema"].default
        self._passed = PASSED.format(views=f"{schema}_views.")
        self._last = LAST.format(log=f"{schema}.", place="notification_id")
        self._shown = SHOWN.format(views=f"{schema}_views.")
        self._batches = BATCHES.format(log=f"{schema}.", place="notification_id", mark="%s")

    def passed(self) -> int:
        """Give the position that every view has passed."""
        return _first(self._rows(self._passed))

    def last(self) -> int:
        """Give the last position of the log."""
        return _first(self._rows(self._last))

    def shown(self) -> list[Row]:
        """Give each incident with the position of its last change."""
        return self._rows(self._shown)

    def batches(self, after: int) -> list[Row]:
        """Give position, topic and state of the batches behind a position."""
        return self._rows(self._batches, after)

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def _rows(self, statement: str, *values: int) -> list[Row]:
        with suppress(psycopg.errors.UndefinedTable):
            return self._connection.execute(statement.encode(), values).fetchall()
        return []


class Taken:
    """Counts the records that were taken in, by the batches in a log: positions also pass what is no record."""

    def __init__(self, store: Outlook) -> None:
        """Begin before the first batch."""
        self._store = store
        self._position = 0
        self._records = 0

    def count(self) -> int:
        """Look at what has come since the last look; gives all since the beginning."""
        for position, topic, state in self._store.batches(self._position):
            batch = decode(topic, state)
            assert isinstance(batch, BatchTaken)
            self._records += batch.records
            self._position = position
        return self._records

    def close(self) -> None:
        """Look no more."""
        self._store.close()


def rows_of(path: Path, statement: str, *values: object) -> list[Row]:
    """Read rows of a SQLite file, or nothing while file or table are not made yet."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(statement, values).fetchall()
    return []


def _first(found: list[Row]) -> int:
    return found[0][0] or 0 if found else 0
