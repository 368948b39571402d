"""The frontier as people see it: up to when the world is known, no further than the views have come."""

from collections.abc import Mapping
from typing import NamedTuple

from domain.history.batch import Position
from domain.instant import Instant
from projections.view import Rows


class Partition(NamedTuple):
    """How far one partition had been read when the views had applied all of it."""

    partition: str
    topic: str
    number: int
    next: int
    largest: Instant | None
    taken_up_to: Instant | None


def partitions(positions: Mapping[str, Position]) -> list[Partition]:
    """Take from the log's positions what people see, in a stable order."""
    return [
        Partition(one.partition, one.topic, one.number, one.next, one.largest, one.taken_up_to)
        for _, one in sorted(positions.items())
    ]


def store(rows: Rows, found: list[Partition]) -> None:
    """Replace what was known."""
    rows.execute("DELETE FROM frontier")
    rows.executemany("INSERT INTO frontier VALUES (?,?,?,?,?,?)", found)


def read(rows: Rows) -> list[Partition]:
    """List the partitions by topic and number."""
    found = rows.execute(
        "SELECT partition, topic, number, next, largest, taken_up_to FROM frontier ORDER BY topic, number, partition"
    )
    return [Partition(*row) for row in found]


def known_up_to(found: list[Partition], decided: Instant | None) -> Instant | None:
    """Give where time stands: the slowest partition's, and without live partitions what was last decided.

    A partition of which nothing is known to have been read leaves it unknown.
    """
    taken = [one.taken_up_to for one in found]
    if not any(at is not None for at in taken):
        return decided
    known = [at for at in taken if at is not None]
    return min(known) if len(known) == len(taken) else None
