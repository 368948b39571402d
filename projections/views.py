"""The views' own database in one SQLite file: WAL, writers ``BEGIN IMMEDIATE``, readers on a snapshot.

Rows can be made again from the log at any time, so a power cut may take the last commits (never a part of one).
"""

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from projections.view import Rows

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait while another process writes."""
_STEPS: Final = 4000
"""Steps of SQLite's machine between two looks at the clock."""


class QueryTooSlow(Exception):
    """A reading took longer than it may; nothing was changed."""


class ViewStore(Protocol):
    """What a database must do for the views."""

    def writing(self) -> AbstractContextManager[Rows]:
        """Hold the write lock; everything inside commits together or not at all."""

    def reading(self, seconds: float | None = None) -> AbstractContextManager[Rows]:
        """Read one consistent snapshot; raises ``QueryTooSlow`` where it takes longer than it may."""

    def close(self) -> None:
        """Give everything back."""


class SqliteViews:
    """A ``ViewStore`` in one file; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file."""
        self.path = path
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

    def close(self) -> None:
        """Close every connection; nobody may be using one."""
        while self._open:
            self._open.pop().close()
        self._idle.clear()

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
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-32768")
        self._open.add(connection)
        return connection
