"""Hand-computed cases for late deliveries."""

from typing import Any

import pytest

from tests.oracle.sentences import box, found, promised, scan, voided, whole
from tests.oracle.story import at, event, line, placed, requested, told

ORDER = placed(0, deliver_by=at(50))
PAIR = placed(0, deliver_by=at(50), lines=(line("1", "A"), line("2", "B")))
DATES: dict[str, Any] = {"late_delivery": {"date_promises": "end_of_day"}, "timezone": "Asia/Shanghai"}


def late(*events: dict[str, Any], **more: Any) -> list[tuple[str, float | None, float | None]]:
    return found("late_delivery", *events, **more)


def test_nothing_delivered_is_late_from_the_promise_on() -> None:
    assert late(ORDER) == [("O", 50, None)]
    assert late(ORDER, now=50) == []


def test_a_promise_that_had_passed_when_it_was_placed_is_known_from_the_placing_on() -> None:
    late_comer = placed(60, deliver_by=at(50))
    assert late(late_comer, now=60) == [("O", 50, None)]  # the placing is the last that was heard, and is heard
    [one] = [x for x in whole(late_comer, now=61) if x["kind"] == "late_delivery"]
    assert (one["due_at"], one["knowable_at"]) == (at(50), at(60))


def test_delivered_on_the_dot_is_on_time_and_later_ends_it() -> None:
    assert late(ORDER, scan(50, "delivered")) == []
    assert late(ORDER, scan(60, "delivered")) == [("O", 50, 60)]


def test_an_order_not_placed_or_without_a_date_is_never_late() -> None:
    assert late(promised(0, 50), scan(1, "picked_up")) == []
    assert late(placed(0)) == []


def test_approval_and_holds_do_not_matter() -> None:
    assert late(ORDER, told("held", 1, reason="payment"), late_shipment={"approval": "required"}) == [("O", 50, None)]


@pytest.mark.parametrize("end", ["delivered", "refused", "return_to_sender", "returned", "damaged"])
def test_these_settle_what_a_parcel_carries(end: str) -> None:
    assert late(ORDER, scan(60, end)) == [("O", 50, 60)]
    assert late(ORDER, scan(40, end), scan(45, "in_transit")) == []


@pytest.mark.parametrize("status", ["lost", "out_for_delivery", "ready_for_pickup", "delivery_failed"])
def test_these_do_not(status: str) -> None:
    assert late(ORDER, scan(40, status)) == [("O", 50, None)]


def test_an_older_scan_that_comes_late_does_not_undo_a_delivery() -> None:
    assert late(ORDER, scan(40, "delivered"), scan(30, "in_transit")) == []


def test_a_parcel_voided_before_it_came_does_not_count() -> None:
    assert late(ORDER, voided(30), scan(40, "delivered")) == [("O", 50, None)]
    assert late(ORDER, voided(40), scan(40, "delivered")) == [("O", 50, None)]
    assert late(ORDER, scan(40, "delivered"), voided(45)) == []


def test_a_replacement_delivers_what_the_first_parcel_did_not() -> None:
    assert late(ORDER, scan(5, "picked_up"), voided(30, replaced_by="Q"), scan(60, "delivered", "Q")) == [("O", 50, 60)]


def test_cancellation_before_and_after_the_deadline() -> None:
    assert late(ORDER, told("cancelled", 40)) == []
    assert late(ORDER, told("cancelled", 50)) == []
    assert late(ORDER, told("cancelled", 60)) == [("O", 50, 60)]


def test_a_cancelled_line_needs_nothing() -> None:
    half = box(1, "P", "O:A:1:1")
    assert late(PAIR, half, scan(40, "delivered"), told("cancelled", 45, line_ids=["2"])) == []
    assert late(PAIR, half, scan(60, "delivered"), told("cancelled", 55, line_ids=["2"])) == [("O", 50, 60)]
    assert late(PAIR, half, scan(55, "delivered"), told("cancelled", 60, line_ids=["2"])) == [("O", 50, 60)]


def test_a_split_delivery_is_late_until_the_last_piece_has_come() -> None:
    world = (PAIR, box(1, "P", "O:A:1"), box(1, "Q", "O:B:1"), scan(40, "delivered"))
    assert late(*world) == [("O", 50, None)]
    assert late(*world, scan(70, "delivered", "Q")) == [("O", 50, 70)]
    assert late(*world, scan(45, "delivered", "Q")) == []


def test_a_second_parcel_does_not_replace_the_first() -> None:
    two = placed(0, deliver_by=at(50), lines=(line("1", "A", 2),))
    world = (two, box(1, "P", "O:A:1"), box(2, "Q", "O:A:1"))
    assert late(*world, scan(40, "delivered"), scan(41, "delivered", "Q")) == []
    assert late(*world, scan(40, "delivered"), scan(41, "delivered")) == [("O", 50, None)]


def test_without_packing_a_parcel_carries_its_fulfilments_once() -> None:
    two = placed(0, deliver_by=at(50), lines=(line("1", "A", 2),))
    split = [requested(0, name, lines=[{"line_id": "1", "quantity": 1}], key=name) for name in ("F", "G")]
    first = scan(40, "delivered", fulfillment_ids=["F"])
    assert late(two, *split, first, scan(41, "delivered", "Q", fulfillment_ids=["F"])) == [("O", 50, None)]
    assert late(two, *split, first, scan(41, "delivered", "Q", fulfillment_ids=["G"])) == []
    assert late(two, *split, scan(40, "delivered", order_ids=["O"])) == []


def test_all_ordered_lines_count_whether_in_a_fulfilment_or_not() -> None:
    part = requested(0, "F", lines=[{"line_id": "1"}])
    assert late(PAIR, part, scan(40, "delivered", order_ids=["O"])) == [("O", 50, None)]


def test_a_packing_record_replaces_what_a_parcel_is_thought_to_carry() -> None:
    assert late(ORDER, box(1, "P", "O:B:1", expected=("O:A:1",)), scan(40, "delivered")) == [("O", 50, None)]
    assert late(
        PAIR, box(1, "P", "O:B:1:1"), scan(40, "delivered"), box(2, "Q", "O:B:1"), scan(60, "delivered", "Q")
    ) == [("O", 50, 60)]


def test_parcels_are_filled_in_the_order_of_their_possession() -> None:
    order = placed(0, deliver_by=at(50), lines=(line("1", "A"), line("2", "A")))
    boxes = (box(1, "P", "O:A:1:1"), box(1, "Q", "O:A:1"))
    ends = (scan(40, "delivered"), scan(40, "delivered", "Q"))
    assert late(order, *boxes, *ends, scan(10, "picked_up"), scan(11, "picked_up", "Q")) == []
    assert late(order, *boxes, *ends, scan(11, "picked_up"), scan(10, "picked_up", "Q")) == [("O", 50, None)]


def test_the_last_packing_record_counts() -> None:
    world = (ORDER, box(1, "P", "O:B:1"), box(2, "P", "O:A:1"), scan(40, "delivered"))
    assert late(*world) == []
    assert late(*world, box(3, "P", "O:B:1")) == [("O", 50, None)]


def test_a_scan_before_the_order_is_kept() -> None:
    assert late(scan(-5, "delivered"), ORDER) == []
    assert late(scan(-5, "delivered", fulfillment_ids=["F"]), ORDER, requested(1, "F")) == []


def test_a_promise_agreed_before_the_old_one_passed_moves_it() -> None:
    assert late(ORDER, promised(10, 80)) == [("O", 80, None)]
    assert late(ORDER, promised(10, 80, "platform"), scan(70, "delivered")) == []
    assert late(ORDER, promised(50, 80)) == [("O", 80, None)]


def test_a_promise_moved_by_the_merchant_alone_hides_nothing() -> None:
    assert late(ORDER, promised(10, 80, "merchant")) == [("O", 50, None)]
    rules = {"promise": "latest"}
    assert late(ORDER, promised(10, 80, "merchant"), late_delivery=rules) == [("O", 80, None)]
    assert late(ORDER, promised(10, 80), late_delivery={"promise": "original"}) == [("O", 50, None)]


def test_a_promise_that_comes_too_late_neither_ends_nor_moves_the_finding() -> None:
    assert late(ORDER, promised(60, 80)) == [("O", 50, None)]
    assert late(ORDER, promised(60, 80), scan(70, "delivered")) == [("O", 50, 70)]


def test_a_date_past_when_it_is_agreed_is_due_at_the_agreement() -> None:
    assert late(ORDER, promised(40, 30)) == [("O", 40, None)]
    assert late(ORDER, promised(40, 30), scan(35, "delivered")) == []


def test_an_order_without_a_date_takes_the_first_given_by_anyone() -> None:
    assert late(placed(0), promised(10, 60, "merchant"), promised(20, 70, "merchant")) == [("O", 60, None)]


def test_a_date_holds_as_that_instant_unless_policy_gives_it_the_day() -> None:
    midnight = placed(0, deliver_by="2026-03-03T00:00:00+08:00")  # 40 hours after dawn
    assert late(midnight) == [("O", 40, None)]
    assert late(midnight, **DATES) == [("O", 64, None)]
    assert late(midnight, scan(64, "delivered"), **DATES) == []
    assert late(placed(0, deliver_by="2026-03-03T00:00:01+08:00"), now=41, **DATES) == [("O", 40 + 1 / 3600, None)]


def test_a_day_of_23_hours_ends_at_its_midnight() -> None:
    day = placed(0, deliver_by="2026-03-29T00:00:00+01:00")
    [one] = [x for x in whole(day, **{**DATES, "timezone": "Europe/Berlin"}) if x["kind"] == "late_delivery"]
    assert one["due_at"] == "2026-03-29T22:00:00Z"


def test_a_feed_in_silence_does_not_make_a_delivery_less_late() -> None:
    silent = scan(5, "picked_up") | {"source": "/carriers/sf"}
    assert late(ORDER, silent, feeds={"sf": ["/carriers/sf"]}) == [("O", 50, None)]


def test_an_order_delivered_before_its_pickup_does_no_harm() -> None:
    assert late(ORDER, scan(40, "delivered"), scan(60, "picked_up")) == []


def test_a_code_that_nobody_knows_changes_nothing() -> None:
    assert late(ORDER, event("parcel.scanned", 40, parcel_id="P", raw_code="80", order_ids=["O"])) == [("O", 50, None)]
