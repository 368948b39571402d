"""Repeats subjects in turn, so that what else the machine does falls on all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.subjects import Subject

T = TypeVar("T")
RunOnce = Callable[[Subject, Path], tuple[int, Outcome]]
"""Does the job once; returns how many events it was, and the outcome."""


@dataclass(slots=True)
class Measured:
    """One subject's repetitions."""

    subject: Subject
    rates: list[float] = field(default_factory=list)
    """Events a second, one figure a repetition."""
    rows: int = 0


class ResultsDiffer(Exception):
    """A subject found something else than the workload holds, so its speed is worth nothing."""

    def __init__(self, name: str, found: frozenset[str], expected: frozenset[str]) -> None:
        """Name what was missed and what was made up."""
        missed, made_up = sorted(expected - found), sorted(found - expected)
        super().__init__(
            f"{name} found {len(found)} late shipments, {len(expected)} are: "
            f"{len(missed)} missed {missed[:5]}, {len(made_up)} wrong {made_up[:5]}"
        )


def check(name: str, found: frozenset[str], least: frozenset[str], most: frozenset[str] | None = None) -> None:
    """Accept exactly ``least``; with ``most``, anything between, for a clock that moved meanwhile.

    Raises:
        ResultsDiffer: otherwise.

    """
    expected = least if most is None else least | (found & most)
    if found != expected:
        raise ResultsDiffer(name, found, expected)


def interleave(subjects: Sequence[Subject], repetitions: int, run_once: RunOnce, root: Path) -> list[Measured]:
    """Run every subject once, then every subject again, each time on an empty directory."""
    measured = [Measured(one) for one in subjects]
    for repetition in range(repetitions):
        for one in turned(measured, repetition):
            directory = root / "run"
            rmtree(directory, ignore_errors=True)
            events, outcome = run_once(one.subject, directory)
            one.rates.append(events / outcome.seconds)
            one.rows = outcome.rows
    rmtree(root / "run", ignore_errors=True)
    return measured


def turned(subjects: Sequence[T], repetition: int) -> Sequence[T]:
    """Give them in another order each time, so that nobody is always the one that follows the slowest."""
    start = repetition % len(subjects)
    return [*subjects[start:], *subjects[:start]]
