"""Repeats subjects in turn, so that what else the machine does falls on all of them alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from statistics import median

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.subjects import Subject

RunOnce = Callable[[Subject, Path], Outcome]


@dataclass(slots=True)
class Measured:
    """One subject's repetitions."""

    subject: Subject
    events: int
    seconds: list[float] = field(default_factory=list)
    rows: int = 0

    @property
    def rates(self) -> list[float]:
        """Events a second, one figure a repetition, slowest first."""
        return sorted(self.events / one for one in self.seconds)

    @property
    def rate(self) -> float:
        """The median of the repetitions."""
        return median(self.rates)


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


def interleave(
    subjects: Sequence[Subject], events: int, repetitions: int, run_once: RunOnce, root: Path
) -> list[Measured]:
    """Run every subject once, then every subject again, each time on an empty directory."""
    measured = [Measured(one, events) for one in subjects]
    for repetition in range(repetitions):
        for one in _turned(measured, repetition):
            directory = root / "run"
            rmtree(directory, ignore_errors=True)
            outcome = run_once(one.subject, directory)
            one.seconds.append(outcome.seconds)
            one.rows = outcome.rows
    rmtree(root / "run", ignore_errors=True)
    return measured


def _turned(measured: list[Measured], repetition: int) -> Iterable[Measured]:
    # Nobody is always the one that follows the slowest.
    start = repetition % len(measured)
    return measured[start:] + measured[:start]
