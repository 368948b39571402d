"""The page is made from the figures that were kept, says where they come from, and nothing of whose machine it was."""

import os
import platform
import re
import socket
from pathlib import Path

import msgspec

from tests.benchmarks import page, report
from tests.benchmarks.goals import GOALS, MEASURES, judge
from tests.benchmarks.page import render
from tests.benchmarks.report import Kept
from tests.benchmarks.result import OURS, Figure, Result, not_measured

RESULTS = [
    Result(
        measure="P1",
        name="SQLite, batches of 500",
        unit="events/s",
        ours=Figure.of(OURS, [1000.0, 1200.0, 1100.0]),
        peers=(Figure.of("bytewax with recovery", [2000.0, 2200.0, 2100.0]),),
        notes=("40,000 messages",),
    ),
    *(not_measured(one, "", "", "Kafka needs Java") for one in MEASURES if one != "P1"),
]
KEPT = Kept(
    at="2026-01-02",
    quick=False,
    machine={"cores": 2, "python": "3.11.7", "kafka": "Apache Kafka 4.3.1"},
    load=(0.1, 1.9),
    size={"runs": 3},
    results=RESULTS,
    goals=judge(RESULTS),
)


def test_figures_go_through_their_file_unchanged(tmp_path: Path) -> None:
    KEPT.save(tmp_path / "kept.json")
    assert Kept.load_from(tmp_path / "kept.json") == KEPT


def test_the_page_shows_every_figure_its_spread_and_its_peers() -> None:
    told = render([KEPT])
    assert "### SQLite, batches of 500, events/s" in told
    assert "| ours | 1,100 | 1,000-1,200 |  |" in told
    assert "| bytewax with recovery | 2,100 | 2,000-2,200 | 0.52 |" in told
    assert "- 40,000 messages" in told


def test_the_page_says_why_something_was_not_measured() -> None:
    assert "| ours | - | Kafka needs Java |  |" in render([KEPT])


def test_the_page_answers_every_goal() -> None:
    told = render([KEPT])
    assert [one.what for one in GOALS if f"| {one.measure} | {one.what} |" not in told] == []
    assert "| P1 | SQLite: times bytewax with recovery | 1 × | 1.3 × | 0.524 × | missed |" in told
    assert [f"## {measure}: " in told for measure in page.TITLES] == [True] * len(page.TITLES)


def test_the_page_says_what_it_was_measured_on() -> None:
    told = render([KEPT])
    assert "P1, P2, P3, P4, P5, P6, P7, P8, P9: measured on 2026-01-02 on 2 cores" in told
    assert "on 2 cores, load 0.1 before and 1.9 after, with python 3.11.7, kafka" in told


def test_the_page_says_how_long_the_measures_took() -> None:
    told = render([msgspec.structs.replace(KEPT, took={"P2": 61.2, "P1": 180.0})])
    assert "kafka Apache Kafka 4.3.1. It took 4 min (P1 180, P2 61 s)." in told
    assert "It took" not in render([KEPT])


def test_a_later_run_of_a_measure_takes_the_place_of_the_earlier_one() -> None:
    later = Result(measure="P4", name="SQLite", unit="events/s", ours=Figure.of(OURS, [77_000.0]))
    again = msgspec.structs.replace(KEPT, at="2026-01-03", results=[later], goals=judge([later], ["P4"]))
    told = render([KEPT, again])
    assert "P1, P2, P3, P5, P6, P7, P8, P9: measured on 2026-01-02" in told
    assert "P4: measured on 2026-01-03" in told
    assert "| ours | 77,000 |" in told
    assert told.count("## P4: ") == 1
    assert told.count("| P4 | SQLite: share") == 1
    assert render([again, KEPT]) == render([KEPT])


def test_the_page_is_made_of_the_figures_that_are_kept_with_the_code() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == render(page.last())


def test_neither_the_page_nor_its_figures_say_whose_machine_it_was() -> None:
    assert set(report.machine()) == {"cores", "python", "sqlite", *report.PACKAGES}
    for text in (page.PAGE.read_text(encoding="utf-8"), page.LAST.read_text(encoding="utf-8")):
        assert not re.search(r"(?<![\w/])/(?:home|root|tmp|work|var|Users)/", text)
        assert not [name for name in (socket.gethostname(), platform.node(), os.uname().release) if name in text]
