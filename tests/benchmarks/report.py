"""What a run prints and keeps: the machine is named by its cores and versions only."""

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmarks.measure import Measured

PACKAGES = ("bytewax", "crc32c", "eventsourcing", "kafka-python", "msgspec", "orjson")
HEAD = ("measure", "subject", "events/s", "min-max", "ours/peer", "goal")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    measure: str
    subject: str
    rate: float | None
    least: float | None = None
    most: float | None = None
    ratio: float | None = None
    goal: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Write the line for people."""
        if self.rate is None:
            return (self.measure, self.subject, "-", self.note, "", self.goal)
        spread = "" if self.least is None else f"{self.least:,.0f}-{self.most:,.0f}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.measure, self.subject, f"{self.rate:,.0f}", spread, ratio, self.goal)


def compare(measure: str, measured: Sequence[Measured]) -> list[Line]:
    """Set the first subject against each of the others."""
    ours = measured[0].rate
    lines = []
    for place, one in enumerate(measured):
        ratio = ours / one.rate if place else None
        lines.append(Line(measure, one.subject.name, one.rate, one.rates[0], one.rates[-1], ratio, goal(one)))
    return lines


def goal(one: Measured) -> str:
    """Write what ratio is to be reached, and what beyond it."""
    subject = one.subject
    if subject.goal is None:
        return ""
    return f"{subject.goal:g}" + (f" (beyond {subject.beyond:g})" if subject.beyond else "")


def table(lines: Sequence[Line]) -> str:
    """Set the lines in columns."""
    rows = [HEAD, *(one.cells() for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            _fit(cell, width, place) for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _fit(cell: str, width: int, column: int) -> str:
    # Figures stand to the right.
    return cell.rjust(width) if column in {2, 4} else cell.ljust(width)


def machine() -> dict[str, str | int]:
    """Name the machine by what makes figures differ, and by nothing that says whose it is."""
    return {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: _version(name) for name in PACKAGES},
    }


def keep(path: Path, kept: dict[str, object]) -> None:
    """Write a run's figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1) + "\n")


def now_as_name() -> str:
    """Name a file after the present instant."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
