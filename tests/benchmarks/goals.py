"""What is to be reached, and whether it was: every goal is answered in every run, if only with why not."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from tests.benchmarks.place import STORES, named
from tests.benchmarks.result import Result

Verdict = Literal["beyond", "reached", "missed", "not measured"]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One figure to reach: how often a peer's ours is, or ours itself."""

    measure: str
    what: str
    result: str
    """How the names of the results begin that this is about; of several the best counts."""
    against: str | None = None
    """The peer; without one our own figure counts, of which less is better."""
    reach: float | None = None
    beyond: float | None = None
    unit: str = "×"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A goal and what was found."""

    goal: Goal
    verdict: Verdict
    value: float | None = None
    share: float | None = None
    """How much of the goal that is; 1 and more is all of it."""
    why_not: str = ""


def on_each_store(*, what: str, result: str, **rest: Any) -> Iterator[Goal]:
    """Ask for the same on every store."""
    for store in STORES:
        yield Goal(what=f"{store}: {what}", result=named(store, result), **rest)


GOALS: Final = (
    Goal(
        measure="P1",
        what="SQLite: times bytewax with recovery",
        result="SQLite",
        against="bytewax with recovery",
        reach=1.0,
        beyond=1.3,
    ),
    Goal(
        measure="P1",
        what="SQLite: times the newcomer's version",
        result="SQLite",
        against="newcomer's eventsourcing",
        reach=25,
    ),
    Goal(
        measure="P1",
        what="SQLite: share of the raw-row ceiling",
        result="SQLite",
        against="raw rows (ceiling)",
        reach=0.5,
    ),
    Goal(
        measure="P1",
        what="PostgreSQL: times pipelined CRUD",
        result="PostgreSQL",
        against="CRUD, pipelined",
        reach=1.0,
    ),
    Goal(
        measure="P1",
        what="PostgreSQL: times CRUD by unnest",
        result="PostgreSQL",
        against="CRUD by unnest",
        beyond=1.0,
    ),
    Goal(
        measure="P1",
        what="PostgreSQL: share of the raw-row ceiling",
        result="PostgreSQL",
        against="raw rows (ceiling)",
        reach=0.5,
    ),
    Goal(
        measure="P2",
        what="times the newcomer's version end to end",
        result="end to end on SQLite",
        against="newcomer end to end",
        reach=20,
    ),
    Goal(
        measure="P2",
        what="SQLite: share of P1",
        result="end to end on SQLite",
        against="ours from memory (P1)",
        reach=0.75,
        beyond=0.9,
    ),
    Goal(
        measure="P2",
        what="PostgreSQL: share of P1",
        result="end to end on PostgreSQL",
        against="ours from memory (P1)",
        reach=0.75,
        beyond=0.9,
    ),
    *on_each_store(measure="P3", what="append to SSE client, p99", result="p99", reach=250, beyond=100, unit="ms"),
    *on_each_store(measure="P3", what="append to SSE client, p50", result="p50", reach=100, unit="ms"),
    Goal(
        measure="P4",
        what="SQLite: share of streaming the rows",
        result="SQLite",
        against="the same rows streamed by SQL",
        reach=0.4,
        beyond=0.7,
    ),
    Goal(
        measure="P4",
        what="PostgreSQL: share of streaming the rows",
        result="PostgreSQL",
        against="the same rows streamed by SQL",
        reach=0.4,
        beyond=0.7,
    ),
    *on_each_store(
        measure="P5",
        what="P1 on the grown log, share of P1 at the start",
        result="rate",
        against="at the start",
        reach=0.9,
        beyond=1.0,
    ),
    *on_each_store(measure="P5", what="resident memory of ingest", result="memory", reach=600, unit="MiB"),
    *on_each_store(
        measure="P6", what="one order's history and state, p99", result="order", reach=10, beyond=3, unit="ms"
    ),
    *on_each_store(measure="P6", what="worklist page, p99", result="worklist", reach=20, beyond=5, unit="ms"),
    *on_each_store(measure="P6", what="incident page, p99", result="incident", reach=20, beyond=5, unit="ms"),
    *on_each_store(
        measure="P7", what="one change to 1,000 SSE clients, p99", result="fan-out", reach=150, beyond=75, unit="ms"
    ),
    *on_each_store(measure="P7", what="memory of one SSE client", result="memory", reach=64, unit="KiB"),
    *on_each_store(
        measure="P8", what="10,000 due in one second, all fired", result="fired", reach=2, beyond=1, unit="s"
    ),
    *on_each_store(measure="P8", what="an idle ticker's share of a core", result="idle", reach=1, unit="%"),
    Goal(
        measure="P9",
        what="two ingest processes, times one",
        result="two processes",
        against="one process",
        reach=1.5,
        beyond=1.8,
    ),
)
MEASURES: Final = tuple(dict.fromkeys(one.measure for one in GOALS))


def judge(results: Sequence[Result], measures: Sequence[str] = MEASURES) -> list[Judged]:
    """Answer every goal of these measures."""
    return [_judge(goal, results) for goal in GOALS if goal.measure in measures]


def _judge(goal: Goal, results: Sequence[Result]) -> Judged:
    # What could not be measured at all has no name.
    about = [
        one for one in results if one.measure == goal.measure and (not one.name or one.name.startswith(goal.result))
    ]
    values = [value for one in about if (value := _value(goal, one)) is not None]
    if not values:
        return Judged(goal=goal, verdict="not measured", why_not=_why_not(goal, about))
    less_is_better = goal.against is None
    value = min(values) if less_is_better else max(values)
    wanted = goal.beyond if goal.reach is None else goal.reach
    assert wanted is not None
    share = (wanted / value if value else float("inf")) if less_is_better else value / wanted
    return Judged(goal=goal, verdict=_verdict(goal, value), value=value, share=share)


def _value(goal: Goal, result: Result) -> float | None:
    if goal.against is None:
        return result.ours.median
    peer = result.peer(goal.against)
    return None if peer is None else result.ratio(peer)


def _verdict(goal: Goal, value: float) -> Verdict:
    def holds(wanted: float | None) -> bool:
        if wanted is None:
            return False
        return value <= wanted if goal.against is None else value >= wanted

    if holds(goal.beyond):
        return "beyond"
    return "reached" if holds(goal.reach) else "missed"


def _why_not(goal: Goal, about: Sequence[Result]) -> str:
    figures = [figure for one in about for figure in one.figures if figure.subject in {one.ours.subject, goal.against}]
    found = (one.why_not for one in figures if one.why_not)
    return next(found, "no result of this name")
