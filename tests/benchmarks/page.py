"""`docs/performance.md`, made from the figures that runs of `make bench` kept, and from nothing else.

Measures may come from several runs, for the largest take an hour each: where two have one, the later one's counts.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks import report
from tests.benchmarks.report import Kept
from tests.benchmarks.result import Result

LAST: Final = Path(__file__).parent / "last.json"
"""The figures of the page, kept with the code so that anybody can make the page again."""
PAGE: Final = Path("docs/performance.md")
TITLES: Final = {
    "P1": "records in memory → decided, detected, committed",
    "P2": "Kafka → committed → all views → visible in the feed",
    "P3": "latency from the broker to a client of the live feed",
    "P4": "rebuilding every view from the log",
    "P5": "growth",
    "P6": "pages over a grown log",
    "P7": "one change to many clients of the live feed",
    "P8": "deadlines",
    "P9": "two ingest processes on one log",
}


def render(kept: Sequence[Kept]) -> str:
    """Write the page."""
    return "\n\n".join(_blocks(kept)) + "\n"


def publish(kept: Sequence[Kept]) -> None:
    """Make these figures those of the page."""
    LAST.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    PAGE.write_text(render(kept), encoding="utf-8")


def last() -> list[Kept]:
    """Read the figures of the page."""
    return msgspec.json.decode(LAST.read_bytes(), type=list[Kept])


def main() -> None:
    """Make the figures of these runs, or those that are kept, the page again."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__)
    parser.add_argument("json", type=Path, nargs="*")
    paths = parser.parse_args().json
    publish([Kept.load_from(one) for one in paths] if paths else last())


def _by_measure(kept: Sequence[Kept]) -> dict[str, Kept]:
    found = {result.measure: run for run in kept for result in run.results}
    return {measure: found[measure] for measure in TITLES if measure in found}


def _blocks(kept: Sequence[Kept]) -> Iterator[str]:
    runs = _by_measure(kept)
    yield "# Performance"
    yield "<!-- Written by `make bench` from the figures that it measured. Measure again, do not change this page. -->"
    yield (
        "Medians, with the least and the most of all runs; the product and its peers took turns in one run. Only "
        "ratios travel from one machine to another. Durability is as in production everywhere: SQLite in WAL mode with "
        "`synchronous=FULL`, PostgreSQL with its default commit."
    )
    for run in kept:
        if own := [measure for measure in runs if runs[measure] is run]:
            yield _machine(run, own)
    yield "## Goals"
    goals = [one for measure, run in runs.items() for one in run.goals if one.goal.measure == measure]
    yield _table(report.GOAL_HEAD, [report.goal_row(one) for one in goals])
    for measure, run in runs.items():
        yield f"## {measure}: {TITLES[measure]}"
        for result in run.results:
            if result.measure == measure:
                yield from _result(result)


def _machine(kept: Kept, measures: Sequence[str]) -> str:
    names = ", ".join(f"{name} {value}" for name, value in kept.machine.items() if name != "cores")
    cores = f"{kept.machine['cores']} cores, load {kept.load[0]:.1f} before and {kept.load[1]:.1f} after"
    took = f" It {report.say_took(kept)}." if kept.took else ""
    depth = " A quick run, of small sizes: its verdicts are no more than a sign of life." if kept.quick else ""
    return f"{', '.join(measures)}: measured on {kept.at} on {cores}, with {names}.{took}{depth}"


def _result(result: Result) -> Iterator[str]:
    name = f"{result.name[:1].upper()}{result.name[1:]}" or "Not measured"
    yield f"### {name}" + (f", {result.unit}" if result.unit else "")
    yield _table(report.HEAD, report.rows(result))
    if result.notes:
        yield "\n".join(f"- {one}" for one in result.notes)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


if __name__ == "__main__":
    main()
