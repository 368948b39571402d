"""Where a log and its views are: files of a directory, or schemas of a PostgreSQL database; measures take either."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from unittest.mock import patch

import psycopg
from psycopg import sql

from projections.dialect import adapt
from projections.postgres_views import PostgresViews
from projections.views import SqliteViews, ViewStore
from tests.benchmarks.result import Result, not_measured
from tests.stores import engine
from tests.stores.cluster import StoreMissingError

SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"
STORES: Final = (SQLITE, POSTGRES)


class Place(NamedTuple):
    """A directory of its own, and the database of its log and views where these are not files in it."""

    directory: Path
    url: str | None = None

    @property
    def log(self) -> Path:
        """Give the file of the log, or the one that its schema is named after."""
        return self.directory / "log.db"

    @property
    def settings(self) -> dict[str, str]:
        """Give the settings with which a role of the product finds log and views here."""
        place = {"TRACKER_DATA_DIR": str(self.directory)}
        if self.url is None:
            return place
        return place | {"DATABASE_URL": self.url, "TRACKER_DATABASE_SCHEMA": engine.schema_of(self.log)}

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Have this process, and what it starts, work on this store."""
        with patch.dict(os.environ, {engine.VARIABLE: self.url or ""}):
            yield

    @contextmanager
    def beside(self) -> Iterator[engine.Beside]:
        """Open the log as another program would."""
        with self.chosen(), engine.beside(self.log) as store:
            yield store

    @contextmanager
    def beside_views(self) -> Iterator[engine.Beside]:
        """Open the views as another program would."""
        if self.url is None:
            with closing(sqlite3.connect(self._views_file, isolation_level=None)) as connection:
                yield engine.Beside(connection)
            return
        with psycopg.connect(self.url, autocommit=True) as server:
            adapt(server)
            server.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self._views_schema)))
            yield engine.Beside(server)

    @contextmanager
    def views(self) -> Iterator[ViewStore]:
        """Open the views, where the product's roles look for them."""
        with closing(self._views()) as views:
            yield views

    def _views(self) -> ViewStore:
        return SqliteViews(self._views_file) if self.url is None else PostgresViews(self.url, self._views_schema)

    @property
    def _views_file(self) -> Path:
        return self.directory / "views.db"

    @property
    def _views_schema(self) -> str:
        return f"{engine.schema_of(self.log)}_views"


def on_every_store(measure: str, units: Mapping[str, str], take: Callable[[str], Sequence[Result]]) -> list[Result]:
    """Take a measure on one store after the other; where one is missing, every result that has a unit says so."""
    results: list[Result] = []
    for store in STORES:
        try:
            results += take(store)
        except StoreMissingError as missing:
            results += [not_measured(measure, named(store, one), unit, str(missing)) for one, unit in units.items()]
    return results


def named(store: str, result: str) -> str:
    """Name a result of a store.

    >>> named(SQLITE, "p99")
    'SQLite: p99'
    """
    return f"{store}: {result}"
