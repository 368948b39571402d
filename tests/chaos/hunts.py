"""Hunts: each planted defect with the habits that bring it out, and the proof that these accuse nobody innocent."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.chaos import postgres_mutants
from tests.chaos.control import Phase
from tests.chaos.kills import Habits
from tests.chaos.mutants import MUTANTS
from tests.chaos.nursery import Nursery
from tests.chaos.run import Outcome, run
from tests.chaos.server import Target
from tests.chaos.stage import Plan

MESSAGES: Final = 600
ATTEMPTS: Final = 12
"""Runs, each with another seed, within which a defect must show."""
NEVER: Final = 1_000_000
DRAIN: Final = 6.0
"""Seconds in which sound code has gone on, whatever else the machine does."""
BACK: Final = 20.0
"""Seconds in which it has gone on after an outage."""


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
    "deadline_deleted_first": AFTER_COMMIT._replace(limit=48),
    "stale_cache": CALM,
    "clash_decided_in_part": ZOMBIES._replace(limit=30),
    "clash_taken_for_success": CALM,
    "ticker_without_versions": CALM,
    "ticker_without_reading_again": CALM,
    "ticker_in_its_own_stream": CALM,
    "tick_by_wall_clock": LONG_DOWN,
    "frontier_before_reading": LONG_DOWN,
}
"""Where each defect comes out; those not named do so in an ordinary run."""
FEW: Final = 8
"""Kills of a run in which every other one ends the server, and costs seconds."""
POSTGRES_USUAL: Final = Prey(kills=FEW)
POSTGRES_PREY: Final[dict[str, Prey]] = {
    "position_not_compared": ZOMBIES._replace(kills=FEW),
    "events_committed_on_their_own": AFTER_COMMIT._replace(kills=FEW),
    "without_the_lock": Prey(
        Habits({Phase.WRITTEN: 1}, {Phase.WRITTEN: 1}, zombie_every=NEVER, down_percent=0), kills=FEW
    ),
}
"""Likewise, where the log is on a server."""


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


def planted(target: Target | None) -> Mapping[str, object]:
    """Name the defects that can be planted where a log is on a server, or in a file."""
    return postgres_mutants.MUTANTS if target else MUTANTS


def hunt(mutant: str, seed: int, nursery: Nursery, target: Target | None = None) -> Hunt:
    """Look for one planted defect.

    Raises:
        MutantOutdated: it breaks by itself.
    """
    began, kills = time.monotonic(), 0
    prey = POSTGRES_PREY.get(mutant, POSTGRES_USUAL) if target else PREY.get(mutant, Prey())
    for attempt in range(ATTEMPTS):
        outcome = _run(mutant, prey, seed + attempt, nursery, target)
        kills += outcome.killed.total()
        if outcome.violations:
            if any(word in outcome.violations[0] for word in CLUMSY):
                raise MutantOutdated(f"{mutant}: {outcome.violations[0]}")
            return Hunt(mutant, outcome.violations[0], kills, time.monotonic() - began)
    return Hunt(mutant, None, kills, time.monotonic() - began)


def accused(seed: int, nursery: Nursery, target: Target | None = None) -> Iterator[str]:
    """Run the product as it is under all of these habits, and give what it is accused of."""
    usual = (*POSTGRES_PREY.values(), POSTGRES_USUAL)
    for prey in usual if target else (AFTER_COMMIT, ZOMBIES, LONG_DOWN, CALM, Prey()):
        yield from _run("", prey, seed, nursery, target).violations


def hunt_all(seed: int, nursery: Nursery, target: Target | None = None) -> Iterator[Hunt]:
    """Hunt every planted defect."""
    for mutant in planted(target):
        yield hunt(mutant, seed, nursery, target)


def _run(mutant: str, prey: Prey, seed: int, nursery: Nursery, target: Target | None) -> Outcome:
    plan = Plan(seed, MESSAGES, limit=prey.limit, mutant=mutant, drain=DRAIN)
    aimed = target and target._replace(back_within=BACK)
    with TemporaryDirectory(prefix="chaos-") as scratch:
        return run(plan, prey.kills, nursery, Path(scratch), habits=prey.habits, target=aimed)
