"""Who is measured, and how one of them is run once in a process of its own."""

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.result import OURS as OUR_NAME
from tests.benchmarks.workload import SEED, Workload, build
from tests.stores.engine import VARIABLE

Run = Callable[[Workload, Path, int], Outcome]


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to do the job; its module is loaded only where it runs."""

    name: str
    module: str
    detects: bool = True
    """Whether it looks for late shipments at all."""
    needs: str | None = None
    """A package that is not part of the product."""
    slow: bool = False
    """Whether a part of the messages is enough: one after the other, its rate does not depend on their number."""

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


_PEERS: Final = "tests.benchmarks.peers"
OURS: Final = Subject(OUR_NAME, "tests.benchmarks.ours")
SQLITE: Final = (
    OURS,
    Subject("newcomer's eventsourcing", f"{_PEERS}.newcomer", slow=True),
    Subject("eventsourcing in batches", f"{_PEERS}.library_batches"),
    Subject("bytewax with recovery", f"{_PEERS}.bytewax_recovery", needs="bytewax"),
    Subject("CRUD upserts", f"{_PEERS}.crud"),
    Subject("raw rows (ceiling)", f"{_PEERS}.raw_rows", detects=False),
)
POSTGRES: Final = (
    OURS,
    Subject("CRUD, pipelined", f"{_PEERS}.crud_pipelined"),
    Subject("CRUD by unnest", f"{_PEERS}.crud_unnest"),
    Subject("raw rows (ceiling)", f"{_PEERS}.raw_rows_postgres", detects=False),
)
SUBJECTS: Final = {"SQLite": SQLITE, "PostgreSQL": POSTGRES}


def run_apart(
    subject: Subject, messages: int, directory: Path, batch: int, url: str | None = None, *, first: int = 0
) -> Outcome:
    """Do the job once in a fresh process: no subject warms or litters another's memory.

    The database is that of the URL where there is one; ``first`` is the number of the first order.

    Raises:
        SubjectFailed: it could not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chosen = (subject.module, messages, batch, directory, first)
    command = [sys.executable, "-m", __name__, *map(str, chosen)]
    environment = os.environ | {VARIABLE: url or ""}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SubjectFailed(subject.name, done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    return Outcome(**told | {"late": frozenset(told["late"])})


class SubjectFailed(Exception):
    """A subject could not do the job."""

    def __init__(self, name: str, said: str) -> None:
        """Keep what it said."""
        super().__init__(f"{name} failed:\n{said}")


def leave_alone_what_is_there() -> None:
    """Keep Python from looking through the workload for garbage again and again: it is in nobody's memory but ours."""
    gc.collect()
    gc.freeze()


def main() -> None:
    """Run one subject once and print its outcome as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("module", choices=[one.module for subjects in SUBJECTS.values() for one in subjects])
    for name in ("messages", "batch"):
        parser.add_argument(name, type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("first", type=int)
    chosen = parser.parse_args()
    subject = Subject(chosen.module, chosen.module)
    workload = build(chosen.messages, SEED, first=chosen.first)
    leave_alone_what_is_there()
    outcome = subject.run(workload, chosen.directory, chosen.batch)
    told = asdict(outcome) | {"late": sorted(outcome.late)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
