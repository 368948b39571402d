"""Checkpoints: which view stands where in which log. A view of another log is never continued."""

from collections.abc import Sequence
from typing import Final

from projections.view import Checkpoint, Parked, Rows, View

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS checkpoints (
        view TEXT PRIMARY KEY, version INTEGER NOT NULL, epoch TEXT NOT NULL, position INTEGER NOT NULL,
        revision INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS parked (
        view TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL,
        error TEXT NOT NULL, PRIMARY KEY (view, stream)) WITHOUT ROWID""",
    # Copied from the log's positions, which move without an event too; belongs to no view.
    """CREATE TABLE IF NOT EXISTS frontier (
        partition TEXT PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
        largest INTEGER, taken_up_to INTEGER) WITHOUT ROWID""",
)
_ERROR: Final = 500
"""Characters of an error that are kept."""


class Overtaken(Exception):
    """Another follower has moved the view: drop what was done and read its checkpoint again."""


def prepare(rows: Rows, views: Sequence[View], epoch: str, last: int) -> list[str]:
    """Make what is missing; a view of another log or version begins anew. Returns the names of those that do.

    A view that is ahead of the log's ``last`` position followed a log that was since restored from an older copy.
    """
    for statement in SCHEMA:
        rows.execute(statement)
    known = read(rows)
    if any(one.epoch != epoch for one in known.values()):
        rows.execute("DELETE FROM frontier")
    begun = []
    for view in views:
        old = known.get(view.name)
        if old is None or (old.version, old.epoch) != (view.version, epoch) or old.position > last:
            begun.append(view.name)
            begin(rows, view, epoch)
        else:
            create(rows, view)
    return begun


def begin(rows: Rows, view: View, epoch: str) -> None:
    """Empty a view and put it at the beginning of this log."""
    for table in view.tables:
        rows.execute(f"DROP TABLE IF EXISTS {table}")
    create(rows, view)
    rows.execute("DELETE FROM parked WHERE view = ?", (view.name,))
    rows.execute("DELETE FROM checkpoints WHERE view = ?", (view.name,))
    rows.execute("INSERT INTO checkpoints VALUES (?,?,?,0,0)", (view.name, view.version, epoch))


def create(rows: Rows, view: View) -> None:
    """Make a view's tables where they are missing."""
    for statement in view.schema:
        rows.execute(statement)


def read(rows: Rows) -> dict[str, Checkpoint]:
    """Give every view's checkpoint by its name."""
    found = rows.execute("SELECT view, version, epoch, position, revision FROM checkpoints")
    return {row[0]: Checkpoint(*row) for row in found}


def advance(rows: Rows, before: Sequence[Checkpoint], position: int) -> None:
    """Move views from where they stood together, in one log; compare and swap.

    Raises:
        Overtaken: one of them does not stand there any more.
    """
    stood = before[0]
    moved = rows.execute(
        "UPDATE checkpoints SET position = ? WHERE epoch = ? AND position = ? "  # noqa: S608  # question marks
        f"AND (view, version) IN (VALUES {','.join(['(?,?)'] * len(before))})",
        (position, stood.epoch, stood.position, *(value for one in before for value in (one.view, one.version))),
    )
    if moved.rowcount != len(before):
        raise Overtaken(f"{', '.join(one.view for one in before)}: no longer all at {stood.position}")


def revise(rows: Rows, view: str) -> None:
    """Tell the followers of a view that rows were put in behind them."""
    rows.execute("UPDATE checkpoints SET revision = revision + 1 WHERE view = ?", (view,))


def park(rows: Rows, parked: Parked) -> None:
    """Keep a stream of a view waiting, or count another attempt at it."""
    rows.execute(
        "INSERT INTO parked VALUES (?,?,?,?,?) ON CONFLICT (view, stream) "
        "DO UPDATE SET attempts = parked.attempts + excluded.attempts, error = excluded.error",
        (*parked[:4], parked.error[:_ERROR]),
    )


def unpark(rows: Rows, view: str, stream: str) -> None:
    """Let a stream go on."""
    rows.execute("DELETE FROM parked WHERE view = ? AND stream = ?", (view, stream))


def parked(rows: Rows) -> list[Parked]:
    """List what waits, by view and stream."""
    found = rows.execute("SELECT view, stream, position, attempts, error FROM parked ORDER BY view, stream")
    return [Parked(*row) for row in found]


def waiting(rows: Rows, view: str) -> set[str]:
    """Name the streams of a view that wait."""
    return {row[0] for row in rows.execute("SELECT stream FROM parked WHERE view = ?", (view,))}
