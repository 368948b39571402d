"""Flapping: which incidents have begun and ended too often of late for each time to be news.

Worked out inside the view of incidents, from the world times of its episodes and the policy in force at the last one.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

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


class Span(NamedTuple):
    """What one episode brings to unrest."""

    state: str
    due_at: Instant
    ended_at: Instant | None


class Flapping(NamedTuple):
    """An incident's last spell of unrest."""

    since: Instant
    stable_at: Instant
    """It is over then, unless the incident changes before."""
    changes: int


def note(rows: Rows, told: Mapping[str, Sequence[Span]], positions: Mapping[str, int], subjects: Subjects) -> None:
    """Keep the last spell of each incident, by its episodes and the policies known at its last position."""
    often = {identity: episodes for identity, episodes in told.items() if len(episodes) >= _LEAST}
    found = []
    for identity, episodes in often.items():
        held = [(one.due_at, one.ended_at) for one in episodes if one.state != "retracted"]
        spell = unrest_of(held, subjects.policies(positions[identity]))
        found += [] if spell is None else [(identity, *spell)]
    rows.executemany("DELETE FROM flapping WHERE id = ?", [(identity,) for identity in often])
    rows.executemany("INSERT INTO flapping VALUES (?,?,?,?)", found)


def several(rows: Rows, identities: Sequence[str]) -> dict[str, Flapping]:
    """Give the last spell of each of these incidents that ever flapped."""
    found = among(rows, "SELECT id, since, stable_at, changes FROM flapping WHERE id IN ({among})", identities)
    return {identity: Flapping(*spell) for identity, *spell in found}
