"""P1: records in memory → decoded, decided, late ones detected, committed with positions and deadlines."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

from tests.benchmarks import report
from tests.benchmarks.measure import Measured, check, interleave
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.report import Line
from tests.benchmarks.subjects import SUBJECTS, Subject, SubjectFailed, run_apart
from tests.benchmarks.workload import build
from tests.benchmarks.written import Written

MEASURE = "P1"


@dataclass(frozen=True, slots=True)
class Notes:
    """What stands under the table."""

    messages: int
    message_bytes: float
    late: int
    batch: int
    rows_by_table: dict[str, int]
    row_bytes: int
    ceiling_share: float

    def say(self) -> list[str]:
        """Write it for people."""
        rows = sum(self.rows_by_table.values())
        tables = ", ".join(f"{name} {count / self.messages:.2f}" for name, count in self.rows_by_table.items())
        measured = f"{self.messages:,} messages of {self.message_bytes:.0f} bytes in batches of {self.batch}"
        written = f"rows written per input event: {rows / self.messages:.2f} ({tables})"
        return [
            f"{measured}, {self.late} late shipments found alike by every subject",
            f"{written}, {self.row_bytes / self.messages:.0f} bytes",
            f"share of the raw-row ceiling: {self.ceiling_share:.2f}",
        ]


def measure(messages: int, batch: int, repetitions: int, root: Path) -> tuple[list[Line], Notes]:
    """Measure every subject that can run here, in turn.

    Raises:
        ResultsDiffer: one of them found something else than is in the workload.

    """
    workload = build(messages)
    written = record(messages, batch, root)
    present = [one for one in SUBJECTS if one.missing is None]
    run_once = partial(_run_once, messages=messages, batch=batch, late=workload.late)
    measured = interleave(present, messages, repetitions, run_once, root)
    absent = [Line(MEASURE, one.name, None, goal="", note=one.missing) for one in SUBJECTS if one.missing]
    size = sum(len(one.value) for one in workload.messages) / messages
    counted = written.count()
    share = measured[0].rate / _ceiling(measured).rate
    notes = Notes(messages, size, len(workload.late), batch, counted, written.count_bytes(), share)
    return [*report.compare(f"{MEASURE}/{batch}", measured), *absent], notes


def record(messages: int, batch: int, root: Path) -> Written:
    """Let the product do the job once while every row it writes is copied."""
    directory, path = root / "recorded", root / f"written-{messages}-{batch}"
    directory.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.ours", str(messages), str(batch), str(directory), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SubjectFailed("ours", done.stderr)
    rmtree(directory)
    return Written.load(path)


def _run_once(subject: Subject, directory: Path, *, messages: int, batch: int, late: frozenset[str]) -> Outcome:
    sys.stderr.write(f"{MEASURE} {subject.name} …\n")
    outcome = run_apart(subject, messages, directory, batch)
    if subject.detects:
        check(subject.name, outcome.late, late)
    return outcome


def _ceiling(measured: list[Measured]) -> Measured:
    (ceiling,) = (one for one in measured if not one.subject.detects)
    return ceiling
