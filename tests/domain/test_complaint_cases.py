"""complaint_overdue: complaints of one order about the same trouble are one case, which has waited since its first."""

import pytest

from domain.detectors.complaint_overdue import findings, look_again
from domain.policies.policy import DEFAULT, load
from tests.domain.complaints import (
    answered,
    categorised,
    found,
    given,
    opened,
    overdue,
    reopened,
    resolved,
    sibling,
    told,
    waiting,
)
from tests.story import at, complained, hours


def test_a_duplicate_has_waited_since_the_first_complaint() -> None:
    late_one = opened(3, "late")
    [response, whole] = found(late_one, told(sibling(0)))
    assert (hours(response.since), hours(response.due_at), response.detail["knowable_at"]) == (
        0,
        1,
        "2026-03-01T03:00:00Z",
    )
    assert (hours(whole.since), hours(whole.due_at), "knowable_at" in whole.detail) == (0, 24, False)
    for one in (response, whole):
        assert (one.subject, one.detail["case"], one.detail["merged_into"]) == ("C", "C0", "C0")
        assert "merged" not in one.detail


def test_a_duplicate_is_not_found_before_it_is_opened() -> None:
    duplicate = given(opened(3, "late"), told(sibling(0)))
    assert findings(duplicate, at(3), DEFAULT) == ()
    assert look_again(duplicate, at(0), DEFAULT) == at(3)
    assert [one.rule for one in findings(duplicate, at(3) + 1, DEFAULT)] == ["first_response"]


def test_a_duplicate_answered_as_it_is_opened_was_late_all_the_same() -> None:
    assert overdue(opened(3, "late"), answered(3), told(sibling(0)), now=5) == [("first_response", 0, 1, 3)]
    assert overdue(opened(0.5, "late"), answered(0.8), told(sibling(0)), now=5) == []


def test_the_first_complaint_lists_its_parts_and_keeps_its_own_clocks() -> None:
    parts = told(sibling(0, "C", "late"), sibling(2, "C2", "not_received"), sibling(1, "C1"))
    for one in found(opened(0, "late"), parts):
        assert (hours(one.since), one.detail["case"], one.detail["merged"]) == (0, "C", ["C1", "C2"])
        assert "merged_into" not in one.detail


@pytest.mark.parametrize(
    ("own", "other", "merges"),
    [
        ("late", "late", True),
        ("late", "not_received", True),
        ("wrong_item", "missing_item", True),
        ("extra_item", "wrong_item", True),
        ("damaged", "defective", True),
        ("price_difference", "price_difference", True),
        ("other", "other", False),
        ("late", "damaged", False),
        ("late", None, False),
        (None, "late", False),
        (None, None, False),
        ("wrong_item", "defective", False),
    ],
)
def test_only_the_same_trouble_of_one_order_is_one_case(own, other, merges) -> None:
    [one, *_] = found(opened(3, own), told(sibling(2.5, category=other)))
    assert (hours(one.since), "case" in one.detail) == ((2.5, True) if merges else (3, False))


def test_complaints_that_name_no_order_are_no_case() -> None:
    [one, *_] = found(complained(3, category="late"), told(sibling(0)))
    assert (hours(one.since), one.order_ids, one.severity) == (3, (), "high")


def test_another_word_on_the_category_moves_it_out_of_the_case() -> None:
    [one, *_] = found(opened(3, "late"), told(sibling(0)), categorised(4, "damaged"))
    assert (hours(one.since), "case" in one.detail) == (3, False)


@pytest.mark.parametrize(("when", "since"), [(3, 0), (3 + 1e-9, None), (4, None)])
def test_a_case_takes_in_what_is_opened_within_the_window_of_its_first_complaint(when, since) -> None:
    policy = load('[complaint_overdue]\nmerge_within = "3h"')
    [one, *_] = found(opened(when, "late"), told(sibling(0), sibling(2, "C1")), policy=policy)
    assert one.since == (at(when) if since is None else at(since))


def test_what_comes_after_the_window_begins_another_case() -> None:
    policy = load('[complaint_overdue]\nmerge_within = "3h"')
    several = told(sibling(0), sibling(2, "C1"), sibling(4, "C2"), sibling(7, "C3"), sibling(8, "C4"))
    [one, *_] = found(opened(6, "late"), several, policy=policy)
    assert (hours(one.since), one.detail["case"]) == (4, "C2")


def test_complaints_of_one_instant_are_led_by_the_same_one_whoever_asks() -> None:
    own = opened(0, "late")
    [one, *_] = found(own, told(sibling(0, "A1")))
    assert (one.detail["case"], own.stamp.id) == ("A1", "complaint.opened@0")


def test_a_reopened_duplicate_has_its_own_start_and_stays_in_its_case() -> None:
    [one] = found(opened(3, "late"), answered(3), resolved(4), reopened(5), told(sibling(2.5)))
    assert (one.rule, hours(one.since), hours(one.due_at), one.detail["case"]) == ("resolution", 5, 29, "C0")


def test_a_duplicate_s_own_waiting_moves_the_time_since_the_first_complaint() -> None:
    heard = (opened(3, "late"), answered(3), waiting(10), waiting(14, "staff"), told(sibling(2.5)))
    assert overdue(*heard) == [("resolution", 2.5, 30.5, None)]


def test_what_is_complained_of_again_once_it_was_answered_is_to_be_answered_again_from_then_on() -> None:
    before = told(sibling(0, answer=0.2))
    assert overdue(opened(5, "late"), answered(5.2), before, now=23) == []
    assert overdue(opened(5, "late"), before, now=23) == [("first_response", 5, 6, None)]


@pytest.mark.parametrize(("answer", "since"), [(4, 5), (5, 5), (5 + 1e-6, 0), (6, 0), (None, 0)])
def test_a_duplicate_has_waited_as_long_as_its_case_was_unanswered_when_it_was_opened(answer, since) -> None:
    [response, *_] = found(opened(5, "late"), told(sibling(0, answer=answer)), now=23)
    assert (response.rule, hours(response.since), response.detail["case"]) == ("first_response", since, "C0")


def test_a_clock_taken_over_is_handed_on() -> None:
    parts = (sibling(0, answer=3), sibling(2, "C1"), sibling(1, "C2", answer=4))
    [response, *_] = found(opened(5, "late"), told(*parts), now=23)
    assert hours(response.since) == 0
    assert response.proof == ("/s#C0", "/s#complaint.opened@5")


@pytest.mark.parametrize(
    ("spells", "since"),
    [
        ((), 0),
        (((0, 4),), 60),
        (((0, 60),), 60),
        (((0, 61),), 0),
        (((0, 4), (50, None)), 50),
        (((0, 4), (50, 59)), 60),
        (((0, 4), (61, None)), 60),
    ],
)
def test_the_time_to_resolve_a_duplicate_runs_since_what_was_unresolved_as_it_was_opened(spells, since) -> None:
    [whole] = found(opened(60, "late"), answered(60), told(sibling(0, answer=0.2, spells=spells)))
    assert (whole.rule, hours(whole.since), hours(whole.due_at)) == ("resolution", since, since + 24)
