"""What a view is: tables, the events they are made of, and how a batch of them changes the rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, Protocol

from domain.events import Event
from domain.history.log import Row, decode
from projections.subjects import Subjects

_AMONG: Final = 512
"""Values in one ``IN (…)``."""


class Result(Protocol):
    """The rows a statement gave."""

    @property
    def rowcount(self) -> int:
        """Count the rows that a change changed."""

    def fetchone(self) -> Any:
        """Give the next row, or none."""

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Give row by row."""


class Rows(Protocol):
    """A database inside one transaction. Statements are plain SQL with ``?`` for values."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Result:
        """Run one statement."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Result:
        """Run one statement for every row of values; no two rows that are put in have the same key."""


class Column(NamedTuple):
    """A column of a table."""

    name: str
    key: int
    """Its place in the primary key, from 1; 0 where it is not part of it."""


class Entry:
    """One event of the log, decoded when first asked for."""

    __slots__ = ("_event", "position", "row")

    def __init__(self, row: Row) -> None:
        """Keep the stored row; decoding it may fail, and then fails for whoever needs it."""
        self.row: Final = row
        self.position: Final = row.position
        self._event: Event | None = None

    @property
    def event(self) -> Event:
        """Give the event itself."""
        if self._event is None:
            self._event = decode(self.row.topic, self.row.state)
        return self._event


Streams = Mapping[str, Sequence[Entry]]
"""Events of a batch by their streams, as each was first touched."""


class View(Protocol):
    """A read model. Its rows are a function of the log up to a position and of nothing else."""

    @property
    def name(self) -> str:
        """Name it in checkpoints; never renamed."""

    @property
    def version(self) -> int:
        """Number its tables and what they mean; another version begins anew."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Name its tables."""

    @property
    def schema(self) -> tuple[str, ...]:
        """Give the statements that make its tables and indexes where they are missing."""

    @property
    def topics(self) -> frozenset[str]:
        """Name the events it is made of."""

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Bring the rows up to these events; those of one stream come together, once each, in order."""


class Checkpoint(NamedTuple):
    """How far a view has come, in which log."""

    view: str
    version: int
    epoch: str
    position: int
    revision: int
    """Grows when rows were put in behind the position, so that followers of the view must begin anew."""


class Parked(NamedTuple):
    """A stream that waits because one of its events could not be applied to a view."""

    view: str
    stream: str
    position: int
    """The first event that waits."""
    attempts: int
    error: str


def among(rows: Rows, statement: str, values: Sequence[Any]) -> Iterator[Any]:
    """Yield what a statement with ``IN ({among})`` finds for any number of values."""
    for some in _portions(values):
        yield from rows.execute(statement.format(among=",".join("?" * len(some))), some)


def among_pairs(rows: Rows, statement: str, pairs: Sequence[tuple[Any, Any]]) -> Iterator[Any]:
    """Yield what a statement with ``FROM {among} CROSS JOIN`` finds for any number of pairs.

    They are ``column1`` and ``column2``. Crossed, because SQLite then looks for them one by one, along the index.
    """
    for some in _portions(pairs):
        asked = f"(SELECT DISTINCT column1, column2 FROM (VALUES {','.join(['(?,?)'] * len(some))}) AS padded) AS asked"  # noqa: S608
        yield from rows.execute(statement.format(among=asked), [*chain.from_iterable(some)])


def _portions(values: Sequence[Any]) -> Iterator[list[Any]]:
    """Cut values up; the last one is said again until there is a power of two, so that few texts are prepared."""
    for first in range(0, len(values), _AMONG):
        some = values[first : first + _AMONG]
        yield [*some, *repeat(some[-1], (1 << (len(some) - 1).bit_length()) - len(some))]
