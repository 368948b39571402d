"""Who is measured, and how one of them is run once in a process of its own."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import SEED, Workload, build

Run = Callable[[Workload, Path, int], Outcome]


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to do the job; its module is loaded only where it runs."""

    name: str
    module: str
    goal: float | None = None
    """How many times as fast as this one the product is to be."""
    beyond: float | None = None
    detects: bool = True
    """Whether it looks for late shipments at all."""
    needs: str | None = None
    """A package that is not part of the product."""

    @property
    def missing(self) -> str | None:
        """Say why this one cannot be measured here, if so."""
        if self.needs is None or find_spec(self.needs):
            return None
        return f"{self.needs} is not installed: pip install --require-hashes -r requirements-bench.lock"

    def run(self, workload: Workload, directory: Path, batch: int) -> Outcome:
        """Do the job once, here."""
        run: Run = import_module(self.module).run
        return run(workload, directory, batch)


OURS: Final = Subject("ours", "tests.benchmarks.ours")
PEERS: Final = (
    Subject("newcomer's eventsourcing", "tests.benchmarks.peers.newcomer", goal=10, beyond=25),
    Subject("eventsourcing in batches", "tests.benchmarks.peers.library_batches"),
    Subject("bytewax with recovery", "tests.benchmarks.peers.bytewax_recovery", goal=1.0, beyond=1.3, needs="bytewax"),
    Subject("CRUD upserts", "tests.benchmarks.peers.crud"),
    Subject("raw rows (ceiling)", "tests.benchmarks.peers.raw_rows", goal=0.5, detects=False),
)
SUBJECTS: Final = (OURS, *PEERS)


def run_apart(subject: Subject, messages: int, directory: Path, batch: int) -> Outcome:
    """Do the job once in a fresh process: no subject warms or litters another's memory."""
    directory.mkdir(parents=True)
    chosen = (subject.name, messages, batch, directory)
    command = [sys.executable, "-m", __name__, *map(str, chosen)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SubjectFailed(subject.name, done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    return Outcome(frozenset(told["late"]), told["seconds"], told["rows"])


class SubjectFailed(Exception):
    """A subject could not do the job."""

    def __init__(self, name: str, said: str) -> None:
        """Keep what it said."""
        super().__init__(f"{name} failed:\n{said}")


def main() -> None:
    """Run one subject once and print its outcome as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=[one.name for one in SUBJECTS])
    for name in ("messages", "batch"):
        parser.add_argument(name, type=int)
    parser.add_argument("directory", type=Path)
    chosen = parser.parse_args()
    (subject,) = (one for one in SUBJECTS if one.name == chosen.subject)
    outcome = subject.run(build(chosen.messages, SEED), chosen.directory, chosen.batch)
    told = {"late": sorted(outcome.late), "seconds": outcome.seconds, "rows": outcome.rows}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
