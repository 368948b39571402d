"""Silent feeds whatever happens on the way: two processes, deaths, any order, and the same from a file."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.backtest import run
from consumers.translate import Translator
from domain.events import Fact
from domain.history.log import Log
from domain.judging.adoption import adopt
from domain.judging.report import final
from domain.tracker import Tracker
from tests.domain.feeds import SILENCE, Works, about
from tests.story import LATER, at, file_log, heartbeat, hours, memory_log, placed, written

Step = tuple[str, Any]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(
        st.just("take"),
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40) | st.integers(0, 6)), min_size=1, max_size=4),
    ),
    st.tuples(st.sampled_from(("tick", "group", "other", "restart")), st.just(None)),
)


def expected(said: list[tuple[str, int]], until: float) -> list[tuple[str, str, float, float | None]]:
    found: list[tuple[str, str, float, float | None]] = []
    for source in sorted({name for name, _ in said}):
        mine = sorted({when / 2 for name, when in said if name == source})
        for last, following in zip(mine, [*mine[1:], None], strict=True):
            if last + 2 < until and (following is None or last + 2 < following):
                state = "open" if following is None else "ended"
                found.append((state, f"/{source}", last + 2, following))
    return found


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, max_size=14))
def test_two_processes_that_die_and_come_back_find_what_brute_force_finds(steps: list[Step]) -> None:
    said: list[tuple[str, int]] = []
    with TemporaryDirectory() as folder, file_log(Path(folder) / "log.db") as log:
        one, other = Works(log, SILENCE), Works(log, SILENCE)
        for what, told in steps:
            if what == "take":
                said += told
                one.take(*(heartbeat(when / 2, f"/{name}") for name, when in told))
            elif what == "tick":
                one.tick(9)
            elif what == "group":
                one.tracker.group(at(9))
            elif what == "other":
                one, other = other, one
            else:
                one = Works(log, SILENCE)
        one.look(15)
        other.look(15)
        assert [found for found in one.found() if found[0] != "retracted"] == expected(said, 15)
        before = about(log)
        Works(log, SILENCE).look(15)
        assert about(log) == before


@settings(max_examples=25, deadline=None)
@given(gaps=st.lists(st.sampled_from((0.25, 1, 2, 2.5, 5)), max_size=12), data=st.data())
def test_in_order_each_silence_is_opened_once_and_never_taken_back(gaps: list[float], data: st.DataObject) -> None:
    with memory_log() as log:
        desk, now, said = Works(log, SILENCE), 0.0, [0.0]
        desk.take(heartbeat(0))
        for gap in gaps:
            now += gap
            if data.draw(st.booleans()):
                desk.look(now)
            if data.draw(st.booleans()):
                desk = Works(log, SILENCE)
            desk.take(heartbeat(now))
            said.append(now)
        desk.look(now + 1)
        news = about(log)
        assert {name for name, *_ in news} <= {"FindingOpened", "FindingEnded"}
        silences = [one + 2 for one, following in pairwise(said) if one + 2 < following]
        assert [due for name, _, due in news if name == "FindingOpened"] == silences


# The backtest


def backtest(log: Log, *said: Fact, policy: str = SILENCE, batch: int = 500) -> list[Any]:
    tracker = Tracker(log, adopt(log, policy, LATER))
    run([written(one) for one in said], tracker, Translator({}), LATER, batch)
    return [
        (one.state, one.finding.subject, hours(one.finding.due_at), hours(one.finding.ended_at)) for one in final(log)
    ]


@pytest.mark.parametrize("batch", [1, 2, 3, 500])
def test_a_file_is_judged_to_its_largest_event_time(log: Log, batch: int) -> None:
    said = [heartbeat(0), heartbeat(0, "/t"), heartbeat(5), heartbeat(1.5), heartbeat(9, "/t"), heartbeat(7)]
    found = backtest(log, *said, batch=batch)
    assert [one for one in found if one[0] != "retracted"] == [
        ("ended", "/s", 3.5, 5),
        ("ended", "/t", 2, 9),
    ]


def test_a_file_whose_sources_promise_nothing_finds_no_silence(log: Log) -> None:
    assert backtest(log, placed(0), placed(500, of="P")) == []
