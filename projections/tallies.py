"""Tallies: how many things of a place fall into each stretch of time, kept by adding and taking away.

A tally that comes to nothing has no row, so that the rows do not tell in which steps they came about.
"""

from collections import Counter
from typing import Final, Literal, NamedTuple

from domain.instant import DAY, HOUR, Instant
from projections.view import Rows

QUARTER: Final = HOUR // 4
"""No midnight of any zone falls within a quarter of an hour."""
Axis = Literal["entered", "promised", "left", "late", "late_day"]
"""What is counted by when: open things by when they came and by their promise; what left; what was late from and until.
"""
SLOTS: Final[dict[Axis, int]] = {
    "entered": QUARTER,
    "promised": QUARTER,
    "left": HOUR,
    "late": QUARTER,
    "late_day": DAY,
}
TABLES: Final = ("tallies",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS tallies (
        what TEXT NOT NULL, place TEXT NOT NULL, axis TEXT NOT NULL, slot INTEGER NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (what, place, axis, slot)) WITHOUT ROWID""",
)


class Place(NamedTuple):
    """Where things lie."""

    what: str
    name: str


class Change:
    """What is to be added to tallies and taken away, written in one go."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._by: Counter[tuple[str, str, Axis, int]] = Counter()

    def add(self, place: Place, axis: Axis, at: Instant, by: int) -> None:
        """Count ``by`` more at an instant; a slot holds what lies after the one before it and not after itself."""
        size = SLOTS[axis]
        self._by[(*place, axis, -(-at // size))] += by

    def write(self, rows: Rows) -> None:
        """Bring the rows up to date."""
        changes = sorted((*key, by) for key, by in self._by.items() if by)
        rows.executemany(
            "INSERT INTO tallies VALUES (?,?,?,?,?) ON CONFLICT (what, place, axis, slot) "
            "DO UPDATE SET n = tallies.n + excluded.n",
            changes,
        )
        rows.executemany(
            "DELETE FROM tallies WHERE what = ? AND place = ? AND axis = ? AND slot = ? AND n = 0",
            [one[:4] for one in changes],
        )


def between(rows: Rows, place: Place, axis: Axis, after: Instant | None, until: Instant) -> int:
    """Count what lies after one instant, or at any time, and not after another; both stand between slots."""
    size = SLOTS[axis]
    first = "" if after is None else "AND slot > ?"
    values = () if after is None else (after // size,)
    found = rows.execute(
        f"SELECT SUM(n) FROM tallies WHERE what = ? AND place = ? AND axis = ? AND slot <= ? {first}",  # noqa: S608  # ours
        (*place, axis, until // size, *values),
    ).fetchone()
    return int(found[0] or 0)


def first(rows: Rows, place: Place, axis: Axis) -> Instant | None:
    """Give the end of the first slot that holds anything."""
    found = rows.execute(
        "SELECT MIN(slot) FROM tallies WHERE what = ? AND place = ? AND axis = ?", (*place, axis)
    ).fetchone()[0]
    return None if found is None else int(found) * SLOTS[axis]


def ahead(rows: Rows, place: Place, after: Instant) -> list[tuple[Instant, int]]:
    """List the ends of the slots of promises after an instant, each with how many promises it holds."""
    size = SLOTS["promised"]
    found = rows.execute(
        "SELECT slot, n FROM tallies WHERE what = ? AND place = ? AND axis = 'promised' AND slot > ? ORDER BY slot",
        (*place, after // size),
    )
    return [(row[0] * size, row[1]) for row in found]
