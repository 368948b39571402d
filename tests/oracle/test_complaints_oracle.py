"""Hand-computed cases for complaints: both clocks, cases, and what is only reported."""

from typing import Any

import pytest

from tests.oracle.sentences import box, case, opened, whole
from tests.oracle.story import at, event, hours

Clock = tuple[str, str, float | None, float | None, float | None]


def overdue(*events: dict[str, Any], now: float = 999, **policy: Any) -> list[Clock]:
    some = [x for x in whole(*events, now=now, **policy) if x["kind"] == "complaint_overdue"]
    return [(x["subject"], x["clock"], hours(x["since"]), hours(x["due_at"]), hours(x["ended_at"])) for x in some]


def answer(*events: dict[str, Any], **more: Any) -> list[tuple[float | None, float | None]]:
    return [x[3:] for x in overdue(*events, **more) if x[1] == "first_response"]


def resolution(*events: dict[str, Any], **more: Any) -> list[tuple[float | None, float | None]]:
    return [x[3:] for x in overdue(*events, **more) if x[1] == "resolution"]


def test_both_clocks_start_at_the_opening() -> None:
    assert overdue(opened(10)) == [("C", "first_response", 10, 11, None), ("C", "resolution", 10, 34, None)]
    assert overdue(opened(10), now=11) == []


def test_the_first_answer_stops_the_first_clock_only() -> None:
    assert overdue(opened(10), case("answered", 11)) == [("C", "resolution", 10, 34, None)]
    assert answer(opened(10), case("answered", 12), case("answered", 15)) == [(11, 12)]


def test_a_resolution_stops_both() -> None:
    assert overdue(opened(10), case("resolved", 11)) == []
    assert overdue(opened(10), case("resolved", 40)) == [
        ("C", "first_response", 10, 11, 40),
        ("C", "resolution", 10, 34, 40),
    ]


def test_resolved_on_the_dot_is_in_time() -> None:
    assert resolution(opened(10), case("resolved", 34)) == []


def test_a_reopening_after_a_resolution_starts_a_clock_of_its_own() -> None:
    world = (opened(0), case("answered", 0.5), case("resolved", 5), case("reopened", 50))
    assert overdue(*world) == [("C", "resolution", 50, 74, None)]
    assert overdue(*world, case("resolved", 80)) == [("C", "resolution", 50, 74, 80)]
    assert answer(*world) == []


def test_a_reopening_of_what_is_open_changes_nothing() -> None:
    assert resolution(opened(0), case("reopened", 5)) == [(24, None)]


def test_waiting_on_the_customer_moves_the_deadline() -> None:
    waiting = (case("waiting", 5, on="customer"), case("waiting", 15, on="staff"))
    assert resolution(opened(0), *waiting) == [(34, None)]
    assert resolution(opened(0), *waiting, case("waiting", 30, on="customer"), case("waiting", 36, on="carrier")) == [
        (40, None)
    ]
    assert answer(opened(0), case("waiting", 0.5, on="customer")) == [(1, None)]


def test_waiting_twice_on_the_customer_is_one_pause() -> None:
    twice = (case("waiting", 5, on="customer"), case("waiting", 8, on="customer"), case("reopened", 15))
    assert resolution(opened(0), *twice) == [(34, None)]


@pytest.mark.parametrize("on", ["carrier", "staff"])
def test_waiting_on_anybody_else_does_not(on: str) -> None:
    assert resolution(opened(0), case("waiting", 5, on=on)) == [(24, None)]


def test_an_open_pause_makes_the_deadline_unknown_but_not_one_that_begins_behind_it() -> None:
    assert resolution(opened(0), case("waiting", 5, on="customer")) == []
    assert resolution(opened(0), case("waiting", 24, on="customer")) == []
    assert resolution(opened(0), case("waiting", 25, on="customer")) == [(24, None)]


def test_an_answer_does_not_end_a_pause() -> None:
    assert resolution(opened(0), case("waiting", 5, on="customer"), case("answered", 6)) == []


def test_each_class_has_its_time() -> None:
    rules = {"general": "10h", "complex": "3d", "first_response": "30m"}
    assert overdue(opened(0), complaint_overdue=rules)[0][3] == 0.5
    assert resolution(opened(0), complaint_overdue=rules) == [(10, None)]
    assert resolution(opened(0, complexity="general"), complaint_overdue=rules) == [(10, None)]
    assert resolution(opened(0, complexity="complex"), complaint_overdue=rules) == [(72, None)]


def test_of_several_openings_the_first_counts() -> None:
    twice = (opened(0, category="late"), opened(5, category="wrong_item", complexity="complex"))
    assert overdue(*twice) == [("C", "first_response", 0, 1, None), ("C", "resolution", 0, 24, None)]
    assert reported(*twice) == []


def test_what_is_resolved_before_the_opening_is_settled_until_it_is_reopened() -> None:
    assert overdue(case("resolved", -5), opened(0)) == []
    assert resolution(case("resolved", -5), case("reopened", -4), opened(0)) == [(24, None)]
    assert resolution(case("resolved", -5), opened(0), case("reopened", 10)) == [(34, None)]


def test_an_answer_from_before_the_opening_is_an_answer() -> None:
    assert overdue(case("answered", -5), opened(0)) == [("C", "resolution", 0, 24, None)]


def test_a_wait_from_before_the_opening_begins_with_it() -> None:
    assert resolution(case("waiting", -5, on="customer"), opened(0), case("waiting", 3, on="staff")) == [(27, None)]
    assert resolution(case("waiting", -5, on="customer"), opened(0)) == []


def test_a_complaint_never_opened_has_no_clock() -> None:
    assert overdue(case("answered", 5), case("reopened", 6)) == []


def test_a_complaint_about_no_order_has_clocks_and_no_orders() -> None:
    lone = event("complaint.opened", 0, complaint_id="C", channel="phone", category="other")
    assert [x["order_ids"] for x in whole(lone)] == [[], []]


def test_a_merged_duplicate_keeps_the_earliest_start() -> None:
    world = (opened(0, "C", category="late"), opened(10, "D", category="not_received"))
    mine = [x for x in whole(*world) if x["subject"] == "D"]
    assert [(x["since"], x["due_at"], x["knowable_at"]) for x in mine] == [
        (at(0), at(1), at(10)),
        (at(0), at(24), None),
    ]
    assert [x[0] for x in overdue(*world, now=10)] == ["C"]
    assert resolution(*world, case("resolved", 20, "C"), case("resolved", 23, "D")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("late", "wrong_item"),
        ("other", "other"),
        (None, None),
        ("damaged", "missing_item"),
        ("late", "price_difference"),
    ],
)
def test_other_troubles_are_other_cases(one: str | None, other: str | None) -> None:
    members = [{"category": x} if x else {} for x in (one, other)]
    some = overdue(opened(0, "C", **members[0]), opened(10, "D", **members[1]))
    assert [x[2] for x in some if x[0] == "D"] == [10, 10]


def test_staff_decide_what_the_trouble_is() -> None:
    world = (opened(0, "C", category="late"), opened(10, "D", category="other"))
    assert overdue(*world, case("categorised", 12, "D", category="late"))[2][2] == 0


def test_other_orders_and_later_complaints_are_other_cases() -> None:
    first = opened(0, "C", category="damaged")
    assert [x[2] for x in overdue(first, opened(72, "D", category="defective")) if x[0] == "D"] == [0, 0]
    assert [x[2] for x in overdue(first, opened(72.5, "D", category="defective")) if x[0] == "D"] == [72.5, 72.5]
    assert [x[2] for x in overdue(first, opened(5, "D", category="damaged", order_id="X")) if x[0] == "D"] == [5, 5]


def test_the_window_of_a_case_is_counted_from_its_first() -> None:
    three = [opened(time, key, category="late") for time, key in ((0, "C"), (60, "D"), (80, "E"))]
    assert [x[2] for x in overdue(*three) if x[1] == "resolution"] == [0, 0, 80]


def test_what_comes_after_the_answer_is_to_be_answered_anew() -> None:
    again = (opened(0, "C", category="late"), opened(5, "D", category="late"))
    assert answer(*again, case("answered", 0.2, "C"), case("answered", 5.2, "D")) == []
    assert answer(*again, case("answered", 0.2, "C")) == [(6, None)]
    assert answer(*again, case("answered", 5, "C")) == [(1, 5), (6, None)]
    assert answer(*again, case("answered", 5.2, "C")) == [(1, 5.2), (1, None)]


def test_what_comes_after_the_resolution_is_to_be_resolved_anew() -> None:
    again = (opened(0, "C", category="late"), opened(60, "D", category="late"), case("resolved", 0.2, "C"))
    assert resolution(*again) == [(84, None)]
    assert resolution(*again, case("reopened", 50, "C")) == [(74, None), (74, None)]
    assert resolution(*again, case("reopened", 61, "C")) == [(85, None), (84, None)]


def test_a_start_that_was_taken_over_is_kept() -> None:
    three = [opened(time, key, category="late") for time, key in ((0, "C"), (1, "D"), (5, "E"))]
    assert answer(*three, case("answered", 2, "C"))[2] == (1, None)


def test_a_reopened_duplicate_counts_from_its_own_reopening() -> None:
    world = (opened(0, "C", category="late"), opened(10, "D", category="late"))
    again = (case("resolved", 12, "D"), case("reopened", 30, "D"))
    some = [x for x in overdue(*world, *again) if x[0] == "D" and x[1] == "resolution"]
    assert some == [("D", "resolution", 30, 54, None)]


# --- a mis-shipment that is only reported


def reported(*events: dict[str, Any], now: float = 999) -> list[tuple[str, float | None, float | None]]:
    some = [x for x in whole(*events, now=now) if x["kind"] == "mis_shipment"]
    return [(x["subject"], hours(x["due_at"]), hours(x["ended_at"])) for x in some]


@pytest.mark.parametrize("category", ["wrong_item", "missing_item", "extra_item"])
def test_a_complaint_about_the_contents_reports_a_mis_shipment(category: str) -> None:
    assert reported(opened(5, category=category)) == [("C", 5, None)]


@pytest.mark.parametrize("category", ["late", "damaged", "other"])
def test_other_complaints_do_not(category: str) -> None:
    assert reported(opened(5, category=category)) == []


def test_the_latest_category_counts() -> None:
    assert reported(opened(5, category="other"), case("categorised", 9, category="wrong_item")) == [("C", 5, None)]
    assert reported(opened(5, category="wrong_item"), case("categorised", 9, category="late")) == []


def test_a_complaint_that_names_no_order_reports_none() -> None:
    assert reported(event("complaint.opened", 5, complaint_id="C", channel="chat", category="wrong_item")) == []


def test_a_resolution_ends_it_unless_it_was_reopened() -> None:
    world = (opened(5, category="wrong_item"), case("resolved", 9))
    assert reported(*world) == [("C", 5, 9)]
    assert reported(*world, case("reopened", 12)) == [("C", 5, None)]
    assert reported(*world, case("reopened", 12), case("resolved", 20)) == [("C", 5, 20)]


def test_a_report_is_joined_to_what_packing_shows() -> None:
    bad = box(1, "P", "O:B:1", expected=("O:A:1",))
    assert reported(opened(5, category="wrong_item"), bad) == [("P", 1, None)]
    assert reported(opened(5, category="wrong_item", order_id="X"), bad) == [("C", 5, None), ("P", 1, None)]
