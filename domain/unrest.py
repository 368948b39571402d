"""Unrest: when something ends and begins so often that it is no news each time."""

from collections.abc import Iterable
from typing import NamedTuple

from domain.instant import Instant
from domain.staffing import Flapping


class Spell(NamedTuple):
    """A stretch in which something began and ended too often for each time to be news."""

    since: Instant
    """The change that was one too many."""
    stable_at: Instant
    """From then on it is news again, unless it changes before."""
    changes: int
    """All beginnings and ends that belong to it, those before ``since`` included."""


def unrest(episodes: Iterable[tuple[Instant, Instant | None]], rule: Flapping) -> Spell | None:
    """Give the last spell of unrest in the beginnings and ends of an incident's episodes; it may be long over.

    >>> from domain.instant import HOUR, Duration
    >>> rule = Flapping(changes=4, within=Duration(24 * HOUR), hold=Duration(6 * HOUR))
    >>> unrest([(0, HOUR), (2 * HOUR, 3 * HOUR), (8 * HOUR, None)], rule)
    Spell(since=10800000000, stable_at=50400000000, changes=5)
    """
    changes = sorted(at for episode in episodes for at in episode if at is not None)
    found: Spell | None = None
    for place, at in enumerate(changes, 1):
        if found is not None and at <= found.stable_at:
            found = Spell(found.since, at + rule.hold, found.changes + 1)
        elif 0 < rule.changes <= place and at - changes[place - rule.changes] <= rule.within:
            found = Spell(at, at + rule.hold, rule.changes)
    return found
