"""Freshness: an end that was there when asked, and is taken in now, was read up to then."""

from consumers.freshness import Freshness


def test_an_end_that_is_taken_in_means_read_up_to_when_it_was_asked_for() -> None:
    fresh = Freshness()
    fresh.asked({"a": 10}, {"a": 5}, 1000, 0)
    assert fresh.read({"a": 9}) == {}
    assert fresh.read({"a": 10}) == {"a": 1000}
    assert fresh.read({"a": 10}) == {}


def test_an_idle_partition_at_its_end_is_read_up_to_then() -> None:
    fresh = Freshness()
    fresh.asked({"a": 10}, {"a": 10}, 1000, 0)
    assert fresh.read({"a": 10}) == {"a": 1000}


def test_the_first_question_counts_until_it_is_answered() -> None:
    fresh = Freshness()
    fresh.asked({"a": 10}, {"a": 5}, 1000, 0)
    fresh.asked({"a": 20}, {"a": 5}, 2000, 1)
    assert fresh.read({"a": 10}) == {"a": 1000}
    fresh.asked({"a": 20}, {"a": 10}, 3000, 2)
    assert fresh.read({"a": 19}) == {}


def test_a_partition_that_went_to_somebody_else_is_forgotten() -> None:
    fresh = Freshness()
    fresh.asked({"a": 10, "x": 3}, {"a": 5}, 1000, 0)
    assert fresh.read({}) == {}
    assert fresh.behind({"a": 5}, 9) == {}


def test_who_is_behind_and_for_how_long() -> None:
    fresh = Freshness()
    fresh.asked({"a": 10, "b": 10}, {"a": 5, "b": 10}, 1000, 1)
    assert fresh.behind({"a": 5, "b": 10}, 4) == {"a": 3}
