"""The index beside the log in its SQLite file: what had to do with which stream, and how much of it there was a day.

Any process can make it anew from the log: what writes it keeps its own place in the log and commits both together.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from deploy.store.sqlite_rows import marks
from domain.instant import Instant
from domain.log import Related

_IN: Final = 500
"""Values in one ``IN (…)``."""

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS relations (
        what TEXT NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (what, at, name)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS counts (
        what TEXT NOT NULL, day INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (what, day)) WITHOUT ROWID""",
)


class SqliteIndex:
    """The part of the recorder that reads the index; see ``domain.log.LogRecorder``."""

    def related(self, what: Sequence[str], since: Instant, until: Instant) -> list[Related]:
        """List the rows of the index for these, from one instant to another, both included."""
        return [
            Related(*row)
            for part in parts(what)
            for row in self._all(
                f"SELECT what, at, name FROM relations WHERE what IN ({marks(part)}) AND at BETWEEN ? AND ?",  # noqa: S608
                (*part, since, until),
            )
        ]

    def counted(self, what: str, since: Instant, until: Instant) -> int:
        """Add up the counts of days that begin from one instant to before another."""
        rows = self._all(
            "SELECT COALESCE(SUM(number), 0) FROM counts WHERE what = ? AND day >= ? AND day < ?", (what, since, until)
        )
        return int(rows[0][0])

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        raise NotImplementedError


def parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Give values in portions that one statement takes."""
    for start in range(0, len(values), _IN):
        yield tuple(values[start : start + _IN])
