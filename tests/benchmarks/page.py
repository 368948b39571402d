"""`docs/performance.md`, made from the figures that a full run of `make bench` kept, and from nothing else."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

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


def render(kept: Kept) -> str:
    """Write the page."""
    return "\n\n".join(_blocks(kept)) + "\n"


def publish(kept: Kept) -> None:
    """Make these figures those of the page."""
    kept.save(LAST)
    PAGE.write_text(render(kept), encoding="utf-8")


def main() -> None:
    """Make a run's figures, or those that are kept, the page again."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__)
    parser.add_argument("json", type=Path, nargs="?", default=LAST)
    publish(Kept.load_from(parser.parse_args().json))


def _blocks(kept: Kept) -> Iterator[str]:
    yield "# Performance"
    yield "<!-- Written by `make bench` from the figures that it measured. Measure again, do not change this page. -->"
    yield (
        "Medians, with the least and the most of all runs; the product and its peers took turns in one run. Only "
        "ratios travel from one machine to another. Durability is as in production everywhere: SQLite in WAL mode with "
        "`synchronous=FULL`, PostgreSQL with its default commit."
    )
    yield _machine(kept)
    yield "## Goals"
    yield _table(report.GOAL_HEAD, [report.goal_row(one) for one in kept.goals])
    for measure, title in TITLES.items():
        yield f"## {measure}: {title}"
        for result in kept.results:
            if result.measure == measure:
                yield from _result(result)


def _machine(kept: Kept) -> str:
    names = ", ".join(f"{name} {value}" for name, value in kept.machine.items() if name != "cores")
    cores = f"{kept.machine['cores']} cores, load {kept.load[0]:.1f} before and {kept.load[1]:.1f} after"
    depth = " A quick run, of small sizes: its verdicts are no more than a sign of life." if kept.quick else ""
    return f"Measured on {kept.at} on {cores}, with {names}.{depth}"


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
