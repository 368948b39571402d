"""What a run prints and keeps: the machine is named by its cores and versions only."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.goals import Judged
from tests.benchmarks.result import Figure, Result

PACKAGES = ("bytewax", "crc32c", "eventsourcing", "kafka-python", "msgspec", "orjson", "psycopg", "uvicorn")
HEAD = ("subject", "median", "min-max", "ours/peer")
GOAL_HEAD = ("measure", "goal", "reach", "beyond", "seen", "verdict")


class Kept(msgspec.Struct, kw_only=True):
    """All of a run, as its JSON has it."""

    at: str
    quick: bool
    machine: dict[str, str | int]
    load: tuple[float, float]
    size: dict[str, Any]
    took: dict[str, float] = {}
    """Seconds, by measure."""
    results: list[Result]
    goals: list[Judged]

    def save(self, path: Path) -> None:
        """Write it as JSON for programs and people."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load_from(cls, path: Path) -> "Kept":
        """Read what ``save`` wrote."""
        return msgspec.json.decode(path.read_bytes(), type=cls)


def rows(result: Result) -> list[tuple[str, ...]]:
    """Write a result's figures for people, ours first."""
    return [_row(result, one) for one in result.figures]


def goal_row(judged: Judged) -> tuple[str, ...]:
    """Write a goal and what was found for people."""
    goal = judged.goal
    seen = judged.why_not if judged.value is None else f"{number(judged.value)} {goal.unit}"
    return (
        goal.measure,
        goal.what,
        _wanted(goal.reach, goal.unit),
        _wanted(goal.beyond, goal.unit),
        seen,
        judged.verdict,
    )


def say(result: Result) -> str:
    """Set one result for the terminal."""
    title = f"{result.measure} {result.name}, {result.unit}"
    return "\n".join([title, table(HEAD, rows(result)), *result.notes])


def say_goals(judged: Sequence[Judged]) -> str:
    """Set the goals for the terminal."""
    return table(GOAL_HEAD, [goal_row(one) for one in judged])


def say_took(kept: Kept) -> str:
    """Say how long the whole run took, and which part of it how long."""
    parts = ", ".join(f"{measure} {seconds:,.0f}" for measure, seconds in sorted(kept.took.items()))
    return f"took {sum(kept.took.values()) / 60:.0f} min ({parts} s)"


def table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> str:
    """Set lines in columns."""
    cells = [head, *lines]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def number(value: float) -> str:
    """Write three figures that count.

    >>> [number(one) for one in (12345.6, 123.4, 12.34, 1.234, 0.01234)]
    ['12,346', '123', '12.3', '1.23', '0.0123']
    """
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}" if value >= 1 else f"{value:.3g}"


def machine() -> dict[str, str | int]:
    """Name the machine by what makes figures differ, and by nothing that says whose it is."""
    return {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: _version(name) for name in PACKAGES},
    }


def now() -> datetime:
    """Give the present instant."""
    return datetime.now(UTC).replace(microsecond=0)


def _row(result: Result, one: Figure) -> tuple[str, ...]:
    if one.median is None or one.least is None or one.most is None:
        return (one.subject, "-", one.why_not, "")
    ratio = None if one is result.ours else result.ratio(one)
    spread = f"{number(one.least)}-{number(one.most)}" if len(one.runs) > 1 else "one run"
    return (one.subject, number(one.median), spread, "" if ratio is None else f"{ratio:.2f}")


def _wanted(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
