"""mis_shipment where no list says what should be in the box: what is missing, and from when on."""

import pytest

from domain.detectors.mis_shipment import look_again
from domain.policies.policy import DEFAULT, load
from tests.domain.complaints import opened, resolved
from tests.domain.test_mis_shipment_unlisted import TWO, Wrong, found, missing, scanned, wrong
from tests.story import Given, at, cancelled, hours, labelled, line, packed, piece, placed, requested
from tests.story import scanned as scan


def test_what_is_not_in_the_box_is_not_missing_while_more_may_come() -> None:
    assert wrong(TWO, packed(1, "P", piece())) == []
    assert wrong(TWO, packed(1, "P", piece()), labelled(2, order_ids=("O",))) == []


def test_it_is_missing_at_once_where_no_further_parcel_follows() -> None:
    [one] = found(TWO, packed(1, "P", piece(), last=True), now=1.5)
    assert (one.rule, one.knowable_at, missing(one)) == ("missing_item", None, [("O", "A", 1)])


def test_it_is_missing_so_long_after_the_first_hand_over_and_was_since_the_packing() -> None:
    facts = (TWO, packed(1, "P", piece()), scanned(2))
    assert wrong(*facts, now=50) == []
    assert wrong(*facts, now=51) == [("missing_item", 1, 50, None)]


def test_how_long_is_policy() -> None:
    policy = load('[mis_shipment]\nmissing_after = "3h"')
    assert wrong(TWO, packed(1, "P", piece()), scanned(2), policy=policy) == [("missing_item", 1, 5, None)]


def test_the_tracker_looks_again_then_and_no_sooner() -> None:
    parcel = Given(TWO, packed(1, "P", piece()), scanned(2)).parcel()
    assert [hours(look_again(parcel, at(now), DEFAULT)) for now in (1, 50, 51)] == [50, 50, None]


@pytest.mark.parametrize("when", [3, 49, 50])
def test_with_the_rest_in_a_further_parcel_by_then_nothing_is_missing(when: float) -> None:
    rest = packed(when, "P2", piece())
    assert wrong(TWO, packed(1, "P", piece()), scanned(2), rest) == []
    assert wrong(TWO, packed(1, "P", piece()), scanned(2), rest, parcel="P2") == []


def test_a_further_parcel_that_comes_too_late_ends_it() -> None:
    facts = (TWO, packed(1, "P", piece()), scanned(2), packed(60, "P2", piece()))
    assert wrong(*facts) == [("missing_item", 1, 50, 60)]
    assert found(*facts)[0].detail["ended_by"] == "/s#packed-P2@60"


def test_a_further_parcel_that_is_short_as_well_is_asked_instead() -> None:
    three = placed(0, line("1", quantity=3), ship_by=90)
    facts = (three, packed(1, "P", piece()), scanned(2), packed(10, "P2", piece()))
    assert wrong(*facts) == []
    assert wrong(*facts, parcel="P2") == [("missing_item", 10, 50, None)]


def test_a_further_parcel_without_a_packing_record_carries_the_rest() -> None:
    asked = (placed(0, line("1", quantity=2)), requested(0))
    box = packed(1, "P", piece(), fulfillment_ids=("F",))
    rest = (labelled(3, "P2", fulfillment_ids=("F",)), scan(4, "P2"))
    assert wrong(*asked, box, scanned(2)) == [("missing_item", 1, 50, None)]
    assert wrong(*asked, box, scanned(2), *rest) == []


def test_the_parcel_of_another_fulfilment_is_no_further_one_of_this() -> None:
    asked = [requested(0, f"F{n}", lines=((f"{n}", 1),)) for n in (1, 2)]
    split = (placed(0, line("1"), line("2", "B")), *asked)
    boxes = (
        packed(1, "P", piece("A"), fulfillment_ids=("F1",)),
        packed(2, "P2", piece("B"), fulfillment_ids=("F2",), last=True),
    )
    assert wrong(*split, *boxes, scanned(3)) == wrong(*split, *boxes, parcel="P2") == []
    short = packed(2, "P2", piece("C"), fulfillment_ids=("F2",), last=True)
    assert wrong(*split, boxes[0], short, parcel="P2") == [("wrong_item", 2, None, None)]


def test_a_parcel_that_names_no_fulfilment_is_one_of_those_of_which_it_holds_something() -> None:
    asked = [requested(0, f"F{n}", lines=((f"{n}", 1),)) for n in (1, 2)]
    split = (placed(0, line("1"), line("2", "B")), *asked)
    assert wrong(*split, packed(1, "P", piece("A"), last=True)) == []
    assert wrong(*split, packed(1, "P", piece("X"), last=True)) == [("extra_item", 1, None, None)]


def test_gifts_are_never_missing() -> None:
    order = placed(0, line("1"), line("2", "CARD", gift=True), ship_by=90)
    assert wrong(order, packed(1, "P", piece(), last=True), scanned(2)) == []


def test_what_is_asked_for_of_a_line_that_was_never_ordered_is_not_missing() -> None:
    asked = requested(0, lines=(("1", 1), ("99", 1)), ship_by=90)
    assert wrong(placed(0, line("1")), asked, packed(1, "P", piece(), last=True)) == []


@pytest.mark.parametrize(("when", "expected"), [(30, []), (60, [("missing_item", 1, 50, 60)])])
def test_what_is_cancelled_is_missed_no_more(when: float, expected: Wrong) -> None:
    two = placed(0, line("1"), line("2", "B"), ship_by=90)
    assert wrong(two, packed(1, "P", piece()), scanned(2), cancelled(when, "2")) == expected


def test_an_order_without_any_fulfilment_misses_what_is_not_in_its_last_parcel() -> None:
    assert wrong(placed(0, line("1", quantity=2)), packed(1, "P", piece(), last=True)) == [
        ("missing_item", 1, None, None)
    ]


def test_all_that_several_orders_miss_in_one_box_is_named() -> None:
    both = (TWO, placed(0, line("1", quantity=2), of="Q", ship_by=90))
    box = packed(1, "P", piece(), piece(of="Q"), last=True)
    [one] = found(*both, box)
    assert missing(one) == [("O", "A", 1), ("Q", "A", 1)]
    assert wrong(*both, box, packed(5, "P2", piece())) == [("missing_item", 1, None, None)]
    assert wrong(*both, box, packed(5, "P2", piece()), packed(6, "P3", piece(of="Q"))) == [("missing_item", 1, None, 6)]


def test_what_is_known_first_is_known() -> None:
    both = (TWO, placed(0, line("1", quantity=3), of="Q", ship_by=90))
    box = packed(1, "P", piece(), piece(of="Q"))
    other = (packed(1, "P0", piece(of="Q")), scan(2, "P0", order_ids=("Q",)))
    late_collected = scanned(52, order_ids=("O", "Q"))
    assert wrong(*both, box, *other, late_collected, now=60) == [("missing_item", 1, 50, None)]


def test_two_fulfilments_short_of_the_same_item_are_added_up() -> None:
    order = placed(0, line("1"), line("2"))
    asked = (requested(0, "F1", lines=(("1", 1),)), requested(0, "F2", lines=(("2", 1),)))
    [one] = found(order, *asked, packed(1, "P", piece("X"), last=True, fulfillment_ids=("F1", "F2")))
    assert missing(one) == [("O", "A", 2)]


def test_resolved_before_it_could_be_known_it_was_missing_all_the_same() -> None:
    facts = (TWO, packed(1, "P", piece()), scanned(2), opened(9, "missing_item"), resolved(12))
    assert wrong(*facts, now=50) == []
    assert wrong(*facts, now=51) == [("missing_item", 1, 50, 12)]
