"""The arithmetic of docs/scaling.md: ``python -m tests.shards.arithmetic`` writes its tables from its own figures.

Measure again, put the new figures into the page's first table, and run this.
"""

import re
from math import ceil
from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = Path(__file__).parents[2] / "docs" / "scaling.md"
RATES: Final = (1_000, 10_000, 100_000, 1_000_000)
SHARE: Final = 0.5
"""Of what a shard can do: the other half is for catching up."""
DAY: Final = 86_400
REPLICAS: Final = 3
OUTAGE: Final = 60
"""Minutes."""
_FIGURE: Final = re.compile(r"^\| `(\w+)` \| ([\d,.]+) \|", re.MULTILINE)
_BLOCK: Final = re.compile(r"<!-- (measured|goal) -->\n.*?<!-- end -->", re.DOTALL)
_HEAD: Final = (
    "| messages/s | shards = PostgreSQL servers | ingest processes a shard | in all | partitions of a topic "
    "| log a day | views a day | Kafka a day | after an hour's outage |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


class Plan(NamedTuple):
    """What a rate of messages takes."""

    shards: int
    processes: int
    partitions: int
    log: float
    views: float
    kafka: float
    minutes: float


def figures(text: str) -> dict[str, float]:
    """Read the figures that a page gives by name."""
    return {name: float(value.replace(",", "")) for name, value in _FIGURE.findall(text)}


def capacity(known: dict[str, float], follow: float) -> float:
    """Give the messages a second that one shard can do: what its log can take and its views can follow."""
    return min(known["append"], follow / known["events_per_message"])


def plan(rate: float, known: dict[str, float], follow: float) -> Plan:
    """Work out what a rate takes."""
    most = capacity(known, follow)
    shards = ceil(rate / (SHARE * most))
    own = rate / shards
    processes = ceil(own / (SHARE * known["decide"]))
    return Plan(
        shards=shards,
        processes=processes,
        partitions=2 * processes * shards,
        log=rate * known["log_bytes"] * DAY,
        views=rate * known["view_bytes"] * DAY,
        kafka=rate * known["message_bytes"] * DAY * REPLICAS,
        minutes=OUTAGE * own / (most - own),
    )


def table(known: dict[str, float], follow: float) -> str:
    """Write a row for every rate."""
    rows = [_HEAD]
    for rate in RATES:
        one = plan(rate, known, follow)
        cells = (
            f"{rate:,}",
            f"{one.shards:,}",
            f"{one.processes:,}",
            f"{one.processes * one.shards:,}",
            f"{one.partitions:,}",
            *map(_size, (one.log, one.views, one.kafka)),
            f"{one.minutes:.0f} min",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def written(text: str) -> str:
    """Give a page with its tables as its figures have them."""
    known = figures(text)
    made = {"measured": known["follow"], "goal": known["follow_goal"]}
    return _BLOCK.sub(lambda block: f"<!-- {block[1]} -->\n{table(known, made[block[1]])}\n<!-- end -->", text)


def _size(count: float) -> str:
    for unit in ("GB", "TB"):
        amount = count / (1e9 if unit == "GB" else 1e12)
        if amount < 1000 or unit == "TB":
            return f"{amount:,.0f} {unit}" if amount >= 10 else f"{amount:.1f} {unit}"
    raise AssertionError


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
