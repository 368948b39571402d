"""Hand-computed cases for wrong contents, with and without a list of what was expected."""

from typing import Any

import pytest

from tests.oracle.sentences import beat, box, case, found, label, opened, scan, voided, whole
from tests.oracle.story import at, line, placed, requested, told

ONE = placed(0)
TWO = placed(0, lines=(line("1", "A"), line("2", "B")))


def wrong(*events: dict[str, Any], **more: Any) -> list[tuple[str, float | None, float | None]]:
    return found("mis_shipment", *events, **more)


# --- with a list


def test_contents_that_differ_from_what_was_expected_are_wrong_from_packing_on() -> None:
    assert wrong(box(5, "P", "O:B:1", expected=("O:A:1",))) == [("P", 5, None)]
    assert wrong(box(5, "P", "O:A:1", expected=("O:A:1",))) == []


def test_quantities_are_added_up_whatever_their_lines() -> None:
    assert wrong(box(5, "P", "O:A:1:1", "O:A:1:2", expected=("O:A:2",))) == []
    assert wrong(box(5, "P", "O:A:2", expected=("O:A:1",))) == [("P", 5, None)]
    assert wrong(box(5, "P", "O:A:1", expected=("O:A:1", "O:B:1"))) == [("P", 5, None)]


def test_goods_of_another_order_in_the_box_concern_both_orders() -> None:
    [one] = [x for x in whole(box(5, "P", "X:A:1", expected=("O:A:1",))) if x["kind"] == "mis_shipment"]
    assert (one["order_ids"], one["since"], one["state"]) == (["O", "X"], at(5), "open")


def test_what_was_expected_beats_what_was_ordered() -> None:
    agreed_substitution = box(5, "P", "O:C:1", expected=("O:C:1",))
    parts_of_a_bundle = box(5, "P", "O:X:1", "O:Y:2", expected=("O:X:1", "O:Y:2"), last=True)
    assert wrong(ONE, agreed_substitution) == wrong(ONE, parts_of_a_bundle) == []


def test_another_parcel_does_not_end_a_listed_shortage() -> None:
    short = box(5, "P", "O:A:1", expected=("O:A:1", "O:B:1"))
    assert wrong(TWO, short, box(9, "Q", "O:B:1", expected=("O:B:1",))) == [("P", 5, None)]
    assert wrong(TWO, short, box(9, "Q", "O:B:1")) == [("P", 5, None)]


def test_the_next_packing_that_agrees_ends_it() -> None:
    bad, worse = (box(time, "P", "O:B:1", expected=("O:A:1",)) for time in (5, 6))
    good = box(9, "P", "O:A:1", expected=("O:A:1",))
    assert wrong(bad, worse, good) == [("P", 5, 9)]
    assert wrong(bad, good, box(12, "P", "O:B:1", expected=("O:A:1",))) == [("P", 5, 9), ("P", 12, None)]
    assert wrong(good, bad) == [("P", 5, 9)]


def test_void_ends_it_and_what_is_packed_afterwards_does_not_count() -> None:
    bad = box(5, "P", "O:B:1", expected=("O:A:1",))
    assert wrong(bad, voided(8)) == [("P", 5, 8)]
    assert wrong(bad, voided(4)) == []


def test_the_resolution_of_a_complaint_about_it_ends_it() -> None:
    bad = box(5, "P", "O:B:1", expected=("O:A:1",))
    report = opened(20, category="wrong_item")
    assert wrong(bad, report) == [("P", 5, None)]
    assert wrong(bad, report, case("resolved", 30)) == [("P", 5, 30)]
    assert wrong(bad, report, case("resolved", 30), case("reopened", 40)) == [("P", 5, None)]
    assert wrong(bad, opened(20, category="late"), case("resolved", 30)) == [("P", 5, None)]
    assert wrong(bad, opened(1, category="wrong_item"), case("resolved", 3)) == [("P", 5, None)]


# --- without a list


def test_a_sku_that_no_order_lacks_is_wrong_at_once() -> None:
    assert wrong(ONE, box(5, "P", "O:B:1"), now=6) == [("P", 5, None)]
    assert wrong(ONE, box(5, "P", "O:A:2"), now=6) == [("P", 5, None)]
    assert wrong(ONE, box(5, "P", "O:A:1")) == []


def test_what_was_packed_before_is_no_longer_lacking_unless_it_was_voided() -> None:
    assert wrong(ONE, box(5, "P", "O:A:1"), box(6, "Q", "O:A:1")) == [("Q", 6, None)]
    assert wrong(ONE, box(5, "P", "O:A:1"), voided(5.5), box(6, "Q", "O:A:1")) == []
    assert wrong(ONE, box(5, "P", "O:A:1"), voided(7), box(6, "Q", "O:A:1")) == [("Q", 6, None)]


def test_a_parcel_packed_again_does_not_count_against_itself() -> None:
    assert wrong(ONE, box(5, "P", "O:A:1"), box(6, "P", "O:A:1")) == []
    assert wrong(ONE, box(5, "P", "O:B:1"), box(6, "P", "O:A:1")) == [("P", 5, 6)]


def test_several_orders_of_one_parcel_lack_together() -> None:
    other = placed(0, order="Q", lines=(line("1", "B"),), key="q")
    assert wrong(ONE, other, box(5, "P", "O:A:1", "Q:B:1")) == []
    assert wrong(ONE, other, box(5, "P", "O:B:1", "Q:A:1")) == []
    assert wrong(ONE, other, box(5, "P", "O:A:1", "Q:B:2")) == [("P", 5, None)]


def test_with_an_order_unknown_nothing_can_be_said_until_it_comes() -> None:
    assert wrong(ONE, box(5, "P", "O:B:1", "Q:B:1")) == []
    assert wrong(box(5, "P", "O:B:1"), placed(80)) == [("P", 5, None)]


def test_cancelled_goods_are_not_lacking_from_then_on() -> None:
    assert wrong(TWO, told("cancelled", 4, line_ids=["2"]), box(5, "P", "O:A:1", "O:B:1")) == [("P", 5, None)]
    assert wrong(TWO, told("cancelled", 6, line_ids=["2"]), box(5, "P", "O:A:1", "O:B:1")) == []


def test_what_was_agreed_on_instead_names_its_line() -> None:
    assert wrong(ONE, box(5, "P", "O:C:1:1", last=True)) == []
    assert wrong(ONE, box(5, "P", "O:C:2:1", last=True)) == [("P", 5, None)]


@pytest.mark.parametrize("status", ["refused", "return_to_sender", "returned", "lost"])
def test_what_came_back_or_was_lost_by_then_is_lacking_again(status: str) -> None:
    assert wrong(ONE, box(5, "P", "O:A:1"), scan(6, status), box(6, "Q", "O:A:1")) == []
    assert wrong(ONE, box(5, "P", "O:A:1"), scan(7, status), box(6, "Q", "O:A:1")) == [("Q", 6, None)]


def test_what_a_parcel_replaces_does_not_count_whenever_that_was_voided() -> None:
    assert wrong(ONE, box(5, "P", "O:A:1"), box(6, "Q", "O:A:1"), voided(7, replaced_by="Q")) == []
    assert wrong(ONE, box(5, "P", "O:A:1"), box(6, "Q", "O:A:1"), voided(7, replaced_by="R")) == [("Q", 6, None)]


# --- without a list, missing


def test_the_last_parcel_must_complete_its_fulfilment() -> None:
    assert wrong(TWO, box(5, "P", "O:A:1", last=True), now=6) == [("P", 5, None)]
    assert wrong(TWO, box(4, "P", "O:A:1"), box(5, "Q", "O:B:1", last=True)) == []


def test_a_later_parcel_ends_what_the_last_one_left_out() -> None:
    assert wrong(TWO, box(5, "P", "O:A:1", last=True), box(20, "Q", "O:B:1")) == [("P", 5, 20)]


def test_a_split_delivery_is_nothing_missing_while_more_may_come() -> None:
    assert wrong(TWO, box(5, "P", "O:A:1")) == []  # not handed over
    assert wrong(TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"), now=58) == []
    assert wrong(TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"), now=58.5) == [("P", 5, None)]


def test_missing_pieces_say_since_when_they_could_be_known() -> None:
    some = whole(TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    [one] = [x for x in some if x["kind"] == "mis_shipment"]
    assert (one["due_at"], one["knowable_at"]) == (at(5), at(58))


def test_a_further_parcel_in_time_leaves_nothing_missing() -> None:
    world = (TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    assert wrong(*world, box(58, "Q", "O:B:1")) == []
    assert wrong(*world, box(59, "Q", "O:B:1")) == [("P", 5, 59)]


def test_the_last_parcel_packed_is_the_one_that_leaves_pieces_out() -> None:
    three = placed(0, lines=(line("1", "A"), line("2", "B"), line("3", "C")))
    world = (three, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    assert wrong(*world, box(20, "Q", "O:B:1")) == [("Q", 20, None)]
    assert wrong(*world, box(60, "Q", "O:B:1")) == [("P", 5, None)]


def test_the_first_hand_over_of_any_of_its_parcels_starts_the_wait() -> None:
    three = placed(0, lines=(line("1", "A"), line("2", "B"), line("3", "C")))
    world = (three, box(5, "P", "O:A:1"), box(20, "Q", "O:B:1"), scan(10, "picked_up"), scan(40, "picked_up", "Q"))
    assert wrong(*world, now=58) == []
    assert wrong(*world, now=59) == [("Q", 20, None)]


def test_a_gift_that_travels_apart_is_not_missing() -> None:
    gift = placed(0, lines=(line("1", "A"), dict(line("2", "G")) | {"gift": True}))
    assert wrong(gift, box(5, "P", "O:A:1", last=True)) == []
    assert wrong(gift, box(5, "P", "O:G:1", last=True)) == [("P", 5, None)]


def test_each_fulfilment_is_asked_for_its_own_lines() -> None:
    split = [requested(0, name, lines=[{"line_id": x}], key=name) for name, x in (("F", "1"), ("G", "2"))]
    assert wrong(TWO, *split, box(5, "P", "O:A:1", fulfillment_ids=["F"], last=True)) == []
    assert wrong(TWO, *split, box(5, "P", "O:A:1", fulfillment_ids=["G"], last=True)) == [("P", 5, None)]
    assert wrong(TWO, *split, box(5, "P", "O:A:1", last=True)) == []  # it holds nothing of G
    by_label = (label(6, fulfillment_ids=["F"]), box(5, "P", "O:A:1", last=True))
    assert wrong(TWO, *split, *by_label) == []


def test_a_cancelled_line_is_not_missing() -> None:
    world = (TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    assert wrong(*world, told("cancelled", 30, line_ids=["2"])) == []
    assert wrong(*world, told("cancelled", 70, line_ids=["2"])) == [("P", 5, 70)]


def test_a_voided_parcel_supplies_nothing_and_is_blamed_for_nothing() -> None:
    world = (TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    assert wrong(*world, voided(30)) == []
    assert wrong(*world, voided(70)) == [("P", 5, 70)]
    assert wrong(*world, box(20, "Q", "O:B:1"), voided(20, "Q")) == [("P", 5, None)]
    assert wrong(*world, box(20, "Q", "O:B:1"), voided(30, "Q")) == [("P", 5, None)]
    assert wrong(*world, box(20, "Q", "O:B:1"), voided(70, "Q")) == [("P", 5, None)]


def test_an_expected_list_settles_what_is_missing() -> None:
    assert wrong(TWO, box(5, "P", "O:A:1", expected=("O:A:1",), last=True), scan(10, "picked_up")) == []


def test_a_parcel_without_a_packing_record_supplies_all_of_its_fulfilment() -> None:
    world = (TWO, requested(0, "F"), box(5, "P", "O:A:1", fulfillment_ids=["F"]), scan(10, "picked_up"))
    assert wrong(*world) == [("P", 5, None)]
    assert wrong(*world, label(20, "Q", "M", fulfillment_ids=["F"])) == []
    assert wrong(*world, label(70, "Q", "M", fulfillment_ids=["F"])) == [("P", 5, 70)]
    assert wrong(*world, label(20, "Q", "M", fulfillment_ids=["G"])) == [("P", 5, None)]


def test_resolved_before_it_could_be_known_it_is_a_finding_all_the_same() -> None:
    world = (TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    settled = (opened(20, category="missing_item"), case("resolved", 30))
    assert wrong(*world, *settled, now=58) == [("C", 20, 30)]  # until then it is the customer's word
    assert wrong(*world, *settled) == [("P", 5, 30)]


def test_how_long_to_wait_is_policy() -> None:
    world = (TWO, box(5, "P", "O:A:1"), scan(10, "picked_up"), beat(12))
    assert wrong(*world, now=12, mis_shipment={"missing_after": "1h"}) == [("P", 5, None)]


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_arrival_does_not_matter(order: int) -> None:
    world = [TWO, box(5, "P", "O:B:2"), voided(30), box(31, "Q", "O:A:1", "O:B:1", last=True)]
    assert wrong(*world[::order]) == [("P", 5, 30)]


# --- on the dot, and several things at once


def test_two_parcels_packed_in_one_instant_are_packed_by_id_of_their_records() -> None:
    assert wrong(ONE, box(5, "P", "O:A:1", key="b"), box(5, "Q", "O:A:1", key="a")) == [("P", 5, None)]


def test_void_at_the_instant_of_packing_comes_first() -> None:
    assert wrong(ONE, box(5, "P", "O:A:1"), voided(6), box(6, "Q", "O:A:1")) == []
    assert wrong(TWO, box(5, "P", "O:A:1"), voided(6), box(6, "Q", "O:B:1", last=True)) == [("Q", 6, None)]


def test_a_parcel_in_the_last_instant_of_the_wait_is_the_one_to_blame() -> None:
    three = placed(0, lines=(line("1", "A"), line("2", "B"), line("3", "C")))
    world = (three, box(5, "P", "O:A:1"), scan(10, "picked_up"))
    assert wrong(*world, box(58, "Q", "O:B:1")) == [("Q", 58, None)]


def test_what_one_parcel_is_blamed_for_another_may_be_once_that_is_void() -> None:
    three = placed(0, lines=(line("1", "A"), line("2", "B"), line("3", "C")))
    world = (three, box(5, "P", "O:A:1"), scan(10, "picked_up"), voided(70), box(80, "Q", "O:B:1"))
    assert wrong(*world) == [("P", 5, 70), ("Q", 80, None)]


def test_a_parcel_both_wrong_and_incomplete_is_one_finding_until_both_are_mended() -> None:
    world = (TWO, box(5, "P", "O:A:2"), scan(10, "picked_up"))
    assert wrong(*world, now=20) == [("P", 5, None)]
    assert wrong(*world, box(70, "Q", "O:B:1")) == [("P", 5, None)]
    assert wrong(*world, box(70, "P", "O:A:1", "O:B:1")) == [("P", 5, 70)]


def test_the_first_complaint_resolved_ends_it() -> None:
    bad = box(5, "P", "O:B:1", expected=("O:A:1",))
    both = (opened(20, category="wrong_item"), opened(21, "D", category="missing_item"))
    assert wrong(bad, *both, case("resolved", 40), case("resolved", 30, "D")) == [("P", 5, 30)]


def test_a_parcel_for_an_unknown_order_too_is_not_asked_for_missing_pieces() -> None:
    both = box(5, "P", "O:A:1", "Q:B:1", last=True)
    assert wrong(TWO, both) == []
    assert wrong(TWO, told("cancelled", 900, order_id="Q"), both) == []


def test_what_shows_at_once_is_known_at_once_though_pieces_are_missing_too() -> None:
    some = whole(TWO, box(5, "P", "O:A:2"), scan(10, "picked_up"))
    assert [(x["subject"], x["knowable_at"]) for x in some if x["kind"] == "mis_shipment"] == [("P", None)]


def test_an_order_heard_of_but_never_placed_leaves_contents_unjudged() -> None:
    assert wrong(ONE, told("cancelled", 900, order_id="Q"), box(5, "P", "O:B:1", "Q:B:1")) == []
