"""The views' own database in one SQLite file: WAL, writers ``BEGIN IMMEDIATE``, readers on a snapshot.

Rows can be made again from the log at any time, so a power cut may take the last commits (never a part of one).
"""

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol, Self

from domain.errors import Explained
from projections.view import Column, Rows

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait while another process writes."""
_STEPS: Final = 4000
"""Steps of SQLite's machine between two looks at the clock."""
_SHARED: Final = ("journal_mode=WAL", "synchronous=NORMAL")
_OWN: Final = ("journal_mode=TRUNCATE", "synchronous=FULL")
"""Most pages of what is being built are new: each is written once, and a journal keeps what the others looked like."""
_BESIDE: Final = "beside"
"""What a connection calls the file whose tables it takes over."""


class QueryTooSlow(Exception):
    """A reading took longer than it may; nothing was changed."""


class ViewsAway(Explained):
    """The views cannot be read or written just now; nothing was changed."""


class RowsRefused(Exception):
    """The database did not take what was written, and says so at the latest when it is to commit."""


AWAY: Final = (sqlite3.OperationalError, ViewsAway)
"""What passes by itself: locked for long, a full disk, a server that starts again."""


class ViewStore(Protocol):
    """What a database must do for the views."""

    def writing(self) -> AbstractContextManager[Rows]:
        """Hold the write lock; everything inside commits together or not at all."""

    def reading(self, seconds: float | None = None) -> AbstractContextManager[Rows]:
        """Read one consistent snapshot; raises ``QueryTooSlow`` where it takes longer than it may."""

    def beside(self, name: str) -> AbstractContextManager[Self]:
        """Open a store beside this one, under a name; what stands there already stays."""

    def remove(self, name: str) -> None:
        """Remove a store beside this one."""

    def columns(self, rows: Rows, table: str) -> list[Column]:
        """Say what a table's columns are; none where there is no such table."""

    def take_over(self, rows: Rows, other: Self, table: str) -> None:
        """Put the rows of another store's table, which nobody is using, in the place of an empty one of ours.

        From the first on, a name that is no table of ours may be one of theirs, until the transaction ends.
        """

    def close(self) -> None:
        """Give everything back."""


class SqliteViews:
    """A ``ViewStore`` in one file; safe to use from several threads and processes."""

    def __init__(self, path: Path, *, shared: bool = True) -> None:
        """Open or begin the file; what is not shared has one user, who writes and reads in turn."""
        self.path = path
        self._journal = _SHARED if shared else _OWN
        path.parent.mkdir(parents=True, exist_ok=True)
        self._idle: deque[sqlite3.Connection] = deque()
        self._open: set[sqlite3.Connection] = set()
        self._give_back(self._connect())

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock; see ``ViewStore``."""
        connection = self._take()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
        finally:
            if _has_beside(connection):
                connection.execute(f"DETACH {_BESIDE}")
            self._give_back(connection)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Iterator[sqlite3.Connection]:
        """Read one snapshot; see ``ViewStore``."""
        connection = self._take()
        if seconds is not None:
            deadline = time.monotonic() + seconds
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                raise QueryTooSlow(f"took longer than {seconds} s") from error
            raise
        finally:
            connection.set_progress_handler(None, 0)
            connection.rollback()
            self._give_back(connection)

    @contextmanager
    def beside(self, name: str) -> Iterator[Self]:
        """Open a store beside this one; see ``ViewStore``."""
        store = type(self)(self._named(name), shared=False)
        try:
            yield store
        finally:
            store.close()

    def remove(self, name: str) -> None:
        """Remove a store beside this one; see ``ViewStore``."""
        connection = self._take()
        try:
            # What was taken over from it comes to the disk before it goes from there.
            connection.execute("PRAGMA wal_checkpoint").fetchone()
        finally:
            self._give_back(connection)
        path = self._named(name)
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def columns(self, rows: Rows, table: str) -> list[Column]:
        """Say what a table's columns are; see ``ViewStore``."""
        return [Column(row["name"], row["pk"]) for row in rows.execute(f"PRAGMA table_info({table})")]

    def take_over(self, rows: Rows, other: Self, table: str) -> None:
        """Copy another store's table into ours, page by page where both have the same indexes; see ``ViewStore``."""
        if not _has_beside(rows):
            rows.execute(f"ATTACH ? AS {_BESIDE}", (str(other.path),))
        rows.execute(f"INSERT INTO main.{table} SELECT * FROM {_BESIDE}.{table}")  # noqa: S608  # our own names

    def close(self) -> None:
        """Close every connection; nobody may be using one."""
        while self._open:
            self._open.pop().close()
        self._idle.clear()

    def _named(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{name}")

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        for pragma in self._journal:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-32768")
        self._open.add(connection)
        return connection


def _has_beside(rows: Rows) -> bool:
    return any(row["name"] == _BESIDE for row in rows.execute("PRAGMA database_list"))
