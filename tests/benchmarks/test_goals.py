"""Every goal is answered in every run, from what was measured in it, if only with why not."""

from importlib import import_module

import pytest

from tests.benchmarks import goals
from tests.benchmarks.__main__ import MODULES
from tests.benchmarks.goals import GOALS, MEASURES, Goal, judge
from tests.benchmarks.result import OURS, Figure, Result, not_measured, percentile


def result(name="SQLite, batches of 500", rate=100.0, **peers: float) -> Result:
    figures = tuple(Figure.of(peer, [value]) for peer, value in peers.items())
    return Result(measure="P1", name=name, unit="events/s", ours=Figure.of(OURS, [rate]), peers=figures)


def against(peer: str | None, reach=None, beyond=None) -> Goal:
    return Goal(measure="P1", what="-", result="SQLite", against=peer, reach=reach, beyond=beyond)


def judged(monkeypatch, goal, *results):
    monkeypatch.setattr(goals, "GOALS", (goal,))
    (found,) = judge(results)
    return found


def test_every_measure_of_the_goals_exists():
    assert tuple(f"P{number}" for number in range(1, 10)) == MEASURES
    assert set(MODULES) == set(MEASURES)
    for module in MODULES.values():
        assert callable(import_module(f"tests.benchmarks.{module}").measure)


def test_every_goal_is_answered_even_when_nothing_was_measured():
    found = judge([])
    assert [one.goal for one in found] == list(GOALS)
    assert {one.verdict for one in found} == {"not measured"}
    assert all(one.why_not for one in found)


def test_only_the_goals_of_what_was_asked_for_are_answered():
    assert {one.goal.measure for one in judge([], ["P3", "P7"])} == {"P3", "P7"}


@pytest.mark.parametrize(
    ("peer", "verdict", "share"), [(50.0, "beyond", 2.0), (80.0, "reached", 1.25), (200.0, "missed", 0.5)]
)
def test_of_a_ratio_more_is_better(monkeypatch, peer, verdict, share):
    found = judged(monkeypatch, against("peer", 1.0, 1.5), result(peer=peer))
    assert (found.verdict, found.share) == (verdict, share)
    assert found.value == 100 / peer


@pytest.mark.parametrize(("own", "verdict"), [(40.0, "beyond"), (50.0, "beyond"), (99.0, "reached"), (101.0, "missed")])
def test_of_a_figure_itself_less_is_better(monkeypatch, own, verdict):
    assert judged(monkeypatch, against(None, 100, 50), result(rate=own)).verdict == verdict


def test_of_several_results_the_best_counts(monkeypatch):
    results = [result("SQLite, batches of 500", 100, peer=100), result("SQLite, batches of 2,000", 300, peer=100)]
    other = result("PostgreSQL, batches of 500", 900, peer=100)
    assert judged(monkeypatch, against("peer", 1.0), *results, other).value == 3.0


def test_what_has_only_a_figure_beyond_is_missed_below_it(monkeypatch):
    assert judged(monkeypatch, against("peer", beyond=2.0), result(peer=100)).verdict == "missed"
    assert judged(monkeypatch, against("peer", beyond=1.0), result(peer=100)).verdict == "beyond"


def test_a_goal_says_why_its_peer_or_its_measure_is_missing(monkeypatch):
    absent = Result(
        measure="P1",
        name="SQLite",
        unit="events/s",
        ours=Figure.of(OURS, [1.0]),
        peers=(Figure.absent("peer", "not installed"),),
    )
    assert judged(monkeypatch, against("peer", 1.0), absent).why_not == "not installed"
    assert judged(monkeypatch, against("peer", 1.0), not_measured("P1", "SQLite", "", "no disk")).why_not == "no disk"


def test_a_result_without_a_name_answers_every_goal_of_its_measure():
    """A measure that cannot run at all does not know its results' names."""
    found = judge([not_measured("P2", "", "", "Kafka needs Java")], ["P2"])
    assert {one.why_not for one in found} == {"Kafka needs Java"}


def test_a_percentile_is_a_value_that_was_measured():
    waits = [float(one) for one in range(1, 201)]
    assert (percentile(waits, 0.5), percentile(waits, 0.99), percentile(waits, 1.0)) == (100, 198, 200)
    assert percentile([7.0], 0.99) == 7.0
