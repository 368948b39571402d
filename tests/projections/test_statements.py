"""How many statements a step takes depends on its views, and not on how many events or subjects it brings on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.history.log import Log
from projections import VIEWS
from projections.follower import Follower
from projections.subjects import Subjects
from projections.view import Result, Rows, Streams, View
from projections.views import ViewStore
from tests.generator import files
from tests.shards.side import Side
from tests.stores.engine import file_log, views_at

SMALL, LARGE = 100, 1_000
AT_MOST = 45
"""Statements of one view for a step; those of incidents with all that is worked out with them are the most."""

Season = tuple[Path, Log]
Steps = tuple[dict[str, int], dict[str, int]]
"""The most statements that each view took for a step, of few events and of many."""


class Counting:
    """Rows that count what is asked of them, by the view that asks."""

    def __init__(self, rows: Rows, counter: "Counter[str]", name: str) -> None:
        self.rows, self.counter, self.name = rows, counter, name

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Result:
        self.counter[self.name] += 1
        return self.rows.execute(statement, values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Result:
        self.counter[self.name] += 1
        return self.rows.executemany(statement, values)


class Counted:
    """A view whose statements are counted."""

    def __init__(self, view: View, counter: "Counter[str]") -> None:
        self.view, self.counter = view, counter

    def __getattr__(self, name: str) -> Any:
        return getattr(self.view, name)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        assert isinstance(rows, Counting)
        self.view.apply(streams, Counting(rows.rows, self.counter, self.view.name), subjects)


def count(store: ViewStore) -> "Counter[str]":
    """Count what follows, that of no view under the empty name."""
    counter: Counter[str] = Counter()
    writing = store.writing

    @contextmanager
    def counted() -> Iterator[Rows]:
        with writing() as rows:
            yield Counting(rows, counter, "")

    store.writing = counted  # type: ignore[method-assign]  # this store alone
    return counter


@pytest.fixture(scope="module")
def season(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:  # noqa: ARG001  # made anew on each store
    """A season with findings of every kind, and the log that it made."""
    folder = tmp_path_factory.mktemp("season")
    files.write(60, 3, folder)
    with file_log(folder / "log.db") as log:
        lines = (folder / "events.arrival.jsonl").read_bytes().splitlines()
        side = Side("all", log, views_at(folder / "views.db"), (folder / "policy.toml").read_text("utf-8"), lines)
        side.finish()
        side.views.close()
        yield folder, log


def most(season: Season, batch: int) -> dict[str, int]:
    """Follow all of it in batches of a size; gives the most statements that a view took for one."""
    folder, log = season
    store = views_at(folder / f"batches-{batch}.db")
    counter = count(store)
    follower = Follower(store, log.store, [Counted(view, counter) for view in VIEWS], batch=batch)
    found: Counter[str] = Counter()
    counter.clear()
    while follower.step():
        found |= counter
        counter.clear()
    store.close()
    return dict(found)


@pytest.fixture(scope="module")
def steps(season: Season) -> Steps:
    return most(season, SMALL), most(season, LARGE)


def test_ten_times_the_events_take_about_as_many_statements(season: Season, steps: Steps) -> None:
    assert season[1].store.last_position() > LARGE
    small, large = steps
    assert {name for name in large if large[name] > small[name] + AT_MOST // 3} == set()


def test_no_view_takes_many_statements_for_a_step(steps: Steps) -> None:
    for some in steps:
        assert {name: taken for name, taken in some.items() if taken > AT_MOST} == {}
        assert some["incidents"] > 10


def test_where_the_views_stand_is_written_in_one_statement(steps: Steps) -> None:
    for some in steps:
        # One more lists what is parked, and two keep the frontier at the log's end.
        assert some[""] <= 4
