"""Unrest: when something ends and begins so often that it is no news each time."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted, in_force
from domain.policies.policy import DEFAULT
from domain.policies.staffing import Flapping


class Spell(NamedTuple):
    """A stretch in which something began and ended too often for each time to be news."""

    since: Instant
    """The change that was one too many."""
    stable_at: Instant
    """From then on it is news again, unless it changes before."""
    changes: int
    """All beginnings and ends that belong to it, those before ``since`` included."""


Episode = tuple[Instant, Instant | None]
"""When something came due, and when it ended if it has."""


def unrest_of(episodes: Iterable[Episode], policies: Sequence[Adopted], until: Instant = FOREVER) -> Spell | None:
    """Give the last spell of unrest as of an instant, by the policy in force when the last episode by then came due.

    What begins and ends after that instant is not known yet, however late it is asked.
    """
    begun = [(due_at, ends) for due_at, ends in episodes if due_at <= until]
    if not begun:
        return None
    known = ((due_at, None if ends is None or ends > until else ends) for due_at, ends in begun)
    policy = in_force(policies, max(due_at for due_at, _ in begun)) if policies else DEFAULT
    return unrest(known, policy.incidents.flapping)


def unrest(episodes: Iterable[Episode], rule: Flapping) -> Spell | None:
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
