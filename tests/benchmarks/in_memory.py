"""P1: records in memory → decoded, decided, late ones detected, committed with positions and deadlines."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.measure import check, interleave
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.result import OURS, Figure, Result, not_measured
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SUBJECTS, Subject, SubjectFailed, run_apart
from tests.benchmarks.workload import build
from tests.benchmarks.written import Written
from tests.stores.cluster import StoreMissingError
from tests.stores.engine import VARIABLE

MEASURE: Final = "P1"
UNIT: Final = "events/s"


def measure(stand: Stand) -> list[Result]:
    """Measure on every store and with every size of batch; every subject in turn.

    Raises:
        ResultsDiffer: one of them found something else than is in the workload.
    """
    results = []
    for batch in stand.size.batches:
        written = record(stand.size.messages, batch, stand.root)
        for store, subjects in SUBJECTS.items():
            name = f"{store}, batches of {batch:,}"
            try:
                results.append(_Comparison(stand, store, batch, written).result(name, subjects))
            except StoreMissingError as missing:
                results.append(not_measured(MEASURE, name, UNIT, str(missing)))
    return results


def record(messages: int, batch: int, root: Path) -> Written:
    """Let the product do the job once while every row it writes is copied."""
    directory, path = root / "recorded", root / f"written-{messages}-{batch}"
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.ours", str(messages), str(batch), str(directory), str(path)]
    environment = os.environ | {VARIABLE: ""}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SubjectFailed(OURS, done.stderr)
    for one in directory.iterdir():
        one.unlink()
    return Written.load(path)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """All subjects of one store, with one size of batch."""

    stand: Stand
    store: str
    batch: int
    written: Written

    def result(self, name: str, subjects: Sequence[Subject]) -> Result:
        present = [one for one in subjects if one.missing is None]
        measured = interleave(present, self.stand.size.runs, self._run_once, self.stand.root)
        figures = {one.subject.name: Figure.of(one.subject.name, one.rates) for one in measured}
        absent = {one.name: Figure.absent(one.name, one.missing) for one in subjects if one.missing}
        ours, *peers = [(figures | absent)[one.name] for one in subjects]
        notes = self._notes(subjects)
        return Result(measure=MEASURE, name=name, unit=UNIT, ours=ours, peers=tuple(peers), notes=notes)

    def _run_once(self, subject: Subject, directory: Path) -> tuple[int, Outcome]:
        messages = self._messages(subject)
        self.stand.tell(f"{MEASURE} {self.store} {self.batch} {subject.name} …")
        if self.store == "SQLite":
            outcome = run_apart(subject, messages, directory, self.batch)
        else:
            with self.stand.cluster.database() as url:
                outcome = run_apart(subject, messages, directory, self.batch, url)
        if subject.detects:
            check(subject.name, outcome.late, build(messages).late)
        return messages, outcome

    def _messages(self, subject: Subject) -> int:
        size = self.stand.size
        return size.messages // size.slow_share if subject.slow else size.messages

    def _notes(self, subjects: Sequence[Subject]) -> tuple[str, ...]:
        messages = self.stand.size.messages
        workload = build(messages)
        size = sum(len(one.value) for one in workload.messages) / messages
        counted = self.written.count()
        tables = ", ".join(f"{name} {number / messages:.2f}" for name, number in counted.items())
        measured = f"{messages:,} messages of {size:.0f} bytes, {len(workload.late)} late shipments found alike by all"
        slow = [f"{one.name}: {self._messages(one):,} messages" for one in subjects if one.slow]
        rows = f"rows written per message: {sum(counted.values()) / messages:.2f} ({tables})"
        return "; ".join([measured, *slow]), f"{rows}, {self.written.count_bytes() / messages:.0f} bytes"
