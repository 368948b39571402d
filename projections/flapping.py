"""Flapping: which incidents have begun and ended too often of late for each time to be news.

Worked out inside the view of incidents, from the world times of its episodes and the policy in force at the last one.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from domain.instant import Instant
from domain.telling.unrest import unrest_of
from projections.subjects import Subjects
from projections.view import Rows, among

TABLES: Final = ("flapping",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS flapping (
        id TEXT PRIMARY KEY, since INTEGER NOT NULL, stable_at INTEGER NOT NULL, changes INTEGER NOT NULL)
        WITHOUT ROWID""",
)
_LEAST: Final = 2
"""Episodes that no policy takes for unrest."""


class Flapping(NamedTuple):
    """An incident's last spell of unrest."""

    since: Instant
    stable_at: Instant
    """It is over then, unless the incident changes before."""
    changes: int


def note(rows: Rows, identity: str, episodes: Sequence[Any], position: int, subjects: Subjects) -> None:
    """Keep the last spell of an incident with these episodes, each of (state, due, ended, ...)."""
    if len(episodes) < _LEAST:
        return
    held = [(due_at, ended_at) for state, due_at, ended_at, *_ in episodes if state != "retracted"]
    found = unrest_of(held, subjects.policies(position))
    rows.execute("DELETE FROM flapping WHERE id = ?", (identity,))
    if found is not None:
        rows.execute("INSERT INTO flapping VALUES (?,?,?,?)", (identity, *found))


def several(rows: Rows, identities: Sequence[str]) -> dict[str, Flapping]:
    """Give the last spell of each of these incidents that ever flapped."""
    found = among(rows, "SELECT id, since, stable_at, changes FROM flapping WHERE id IN ({among})", identities)
    return {identity: Flapping(*spell) for identity, *spell in found}
