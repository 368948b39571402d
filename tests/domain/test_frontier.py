"""The frontier: no deadline fires beyond what has been read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.feeds.frontier import EventTimeFrontier, live
from domain.instant import FOREVER


def test_nothing_read_nothing_known() -> None:
    frontier = EventTimeFrontier(("a", "b"), 6)
    assert frontier.until < -(10**17)
    frontier.note("a", 100)
    assert frontier.until < -(10**17)


def test_time_stands_behind_the_slowest_partition_less_the_lateness() -> None:
    frontier = EventTimeFrontier(("a", "b"), 6)
    frontier.note("a", 100)
    frontier.note("b", 40)
    assert frontier.until == 34


def test_it_is_the_largest_time_of_a_partition_not_the_last() -> None:
    frontier = EventTimeFrontier(("a",), 6)
    for when in (50, 100, 70):
        frontier.note("a", when)
    assert (frontier.until, frontier.end) == (94, 100)


def test_it_names_whom_it_waits_for() -> None:
    frontier = EventTimeFrontier(("a", "b"), 6)
    assert frontier.waiting == {"a", "b"}
    frontier.close("a")
    assert frontier.waiting == {"b"}


def test_a_closed_partition_holds_nothing_back() -> None:
    frontier = EventTimeFrontier(("a", "b"), 6)
    frontier.note("a", 100)
    frontier.note("b", 40)
    frontier.close("b")
    assert frontier.until == 94


def test_once_all_are_closed_time_stands_at_the_largest_event() -> None:
    frontier = EventTimeFrontier(("a", "b"), 6)
    frontier.note("a", 100)
    for name in "ab":
        frontier.close(name)
    assert frontier.until == frontier.end == 100


def test_an_empty_input_has_no_end() -> None:
    frontier = EventTimeFrontier(("a",), 6)
    frontier.close("a")
    assert frontier.until == -FOREVER


@pytest.mark.parametrize(
    ("now", "read", "expected"),
    [(100, (), 100), (100, (90, 95), 90), (100, (200, 300), 100), (100, (90, None), -FOREVER)],
)
def test_live_time_is_the_clock_but_never_beyond_what_was_read_of_every_partition(
    now: int, read: tuple[int | None, ...], expected: int
) -> None:
    assert live(now, read) == expected


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-9, 60), st.booleans()), max_size=30), st.integers(0, 12))
def test_wherever_it_is_asked_it_stands_where_all_that_was_noted_puts_it(
    noted: list[tuple[str, int, bool]], lateness: int
) -> None:
    frontier = EventTimeFrontier("abc", lateness)
    largest, waiting = dict.fromkeys("abc", -FOREVER), set("abc")
    for name, when, closes in noted:
        stands = min(largest[one] for one in waiting) - lateness if waiting else max(largest.values())
        assert frontier.until == stands
        assert frontier.note(name, when) == (when < stands)
        largest[name] = max(largest[name], when)
        if closes:
            frontier.close(name)
            waiting.discard(name)
