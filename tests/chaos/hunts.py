"""Hunts: each planted defect with the habits that bring it out, and the proof that these accuse nobody innocent."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.chaos.control import Phase
from tests.chaos.kills import Habits
from tests.chaos.mutants import MUTANTS
from tests.chaos.nursery import Nursery
from tests.chaos.run import Outcome, run
from tests.chaos.stage import Plan

MESSAGES: Final = 600
ATTEMPTS: Final = 12
"""Runs, each with another seed, within which a defect must show."""
NEVER: Final = 1_000_000


class Prey(NamedTuple):
    """Under which habits a defect comes out, and how many kills one run has."""

    habits: Habits = Habits()
    kills: int = 14
    limit: int = 12


AFTER_COMMIT: Final = Prey(Habits({Phase.COMMITTED: 1}, {Phase.COMMITTED: 1}, zombie_every=NEVER, down_percent=0))
OFTEN_AFTER_COMMIT: Final = AFTER_COMMIT._replace(kills=30)
ZOMBIES: Final = Prey(Habits(zombie_every=2, down_percent=0))
LONG_DOWN: Final = Prey(Habits(zombie_every=NEVER, down_percent=80, slow=True), limit=2)
CALM: Final = Prey(Habits({Phase.POLL: 1}, {Phase.WAIT: 1}, zombie_every=NEVER, down_percent=0), kills=3)
"""So few kills that what children remember grows old."""
PREY: Final[dict[str, Prey]] = {
    "library_tracking": ZOMBIES,
    "no_seek_when_fenced": ZOMBIES,
    "seen_after_commit": AFTER_COMMIT,
    "quarantine_after_commit": AFTER_COMMIT,
    "deadlines_after_commit": OFTEN_AFTER_COMMIT,
    "position_first": AFTER_COMMIT,
    "events_in_halves": AFTER_COMMIT,
    "deadline_deleted_first": AFTER_COMMIT,
    "stale_cache": CALM,
    "clash_taken_for_success": CALM,
    "ticker_without_versions": CALM,
    "ticker_without_reading_again": CALM,
    "ticker_in_its_own_stream": CALM,
    "tick_by_wall_clock": LONG_DOWN,
    "frontier_before_reading": LONG_DOWN,
}
"""Where each defect comes out; those not named do so in an ordinary run."""


CLUMSY: Final = ("AttributeError", "NameError", "TypeError", "has no attribute", "is not defined", "argument")
"""Words of a mutant that no longer fits the product, and proves nothing by falling over."""


class MutantOutdated(Exception):
    """A planted defect trips over itself; it must be written anew."""


class Hunt(NamedTuple):
    """What became of one hunt."""

    mutant: str
    caught_by: str | None
    kills: int
    seconds: float


def hunt(mutant: str, seed: int, nursery: Nursery) -> Hunt:
    """Look for one planted defect.

    Raises:
        MutantOutdated: it breaks by itself.
    """
    began, kills = time.monotonic(), 0
    for attempt in range(ATTEMPTS):
        outcome = _run(mutant, PREY.get(mutant, Prey()), seed + attempt, nursery)
        kills += outcome.killed.total()
        if outcome.violations:
            if any(word in outcome.violations[0] for word in CLUMSY):
                raise MutantOutdated(f"{mutant}: {outcome.violations[0]}")
            return Hunt(mutant, outcome.violations[0], kills, time.monotonic() - began)
    return Hunt(mutant, None, kills, time.monotonic() - began)


def accused(seed: int, nursery: Nursery) -> Iterator[str]:
    """Run the product as it is under all of these habits, and give what it is accused of."""
    for prey in (AFTER_COMMIT, ZOMBIES, LONG_DOWN, CALM, Prey()):
        yield from _run("", prey, seed, nursery).violations


def hunt_all(seed: int, nursery: Nursery) -> Iterator[Hunt]:
    """Hunt every planted defect."""
    for mutant in MUTANTS:
        yield hunt(mutant, seed, nursery)


def _run(mutant: str, prey: Prey, seed: int, nursery: Nursery) -> Outcome:
    plan = Plan(seed, MESSAGES, limit=prey.limit, mutant=mutant, drain=6.0)
    with TemporaryDirectory(prefix="chaos-") as scratch:
        return run(plan, prey.kills, nursery, Path(scratch), habits=prey.habits)
