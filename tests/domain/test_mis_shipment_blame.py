"""mis_shipment where several boxes of a fulfilment could be to blame for what is missing."""

from tests.domain.test_mis_shipment_unlisted import TWO, wrong
from tests.story import line, packed, piece, placed, requested, scanned, voided

THREE = placed(0, line("1", quantity=3), ship_by=90)
LEFT = scanned(2, order_ids=("O",))


def test_a_box_packed_when_the_time_is_over_is_not_blamed_for_what_an_earlier_one_is_blamed_for() -> None:
    facts = (THREE, packed(1, "P", piece()), LEFT, packed(60, "P2", piece()))
    assert wrong(*facts) == [("missing_item", 1, 50, None)]
    assert wrong(*facts, parcel="P2") == []


def test_it_is_blamed_when_the_earlier_box_was_voided_before() -> None:
    facts = (THREE, packed(1, "P", piece()), LEFT, voided(55), packed(60, "P2", piece()))
    left = scanned(61, "P2", order_ids=("O",))
    assert wrong(*facts, left) == [("missing_item", 1, 50, 55)]
    assert wrong(*facts, left, parcel="P2") == [("missing_item", 60, None, None)]


def test_it_is_blamed_when_a_list_speaks_for_the_earlier_box() -> None:
    asked = (placed(0, line("1"), line("2", "C")), requested(0))
    listed = packed(1, "P", piece("B"), expected=(piece("A"),), fulfillment_ids=("F",))
    facts = (*asked, listed, LEFT, packed(60, "P2", piece("C"), fulfillment_ids=("F",)))
    assert wrong(*facts) == [("wrong_item", 1, None, None)]
    assert wrong(*facts, parcel="P2") == [("missing_item", 60, None, None)]


def test_whoever_says_that_nothing_follows_is_blamed_beside_an_earlier_box() -> None:
    facts = (THREE, packed(1, "P", piece()), LEFT, packed(60, "P2", piece(), last=True))
    assert wrong(*facts) == [("missing_item", 1, 50, None)]
    assert wrong(*facts, parcel="P2") == [("missing_item", 60, None, None)]


def test_a_further_box_that_was_voided_in_time_is_none() -> None:
    facts = (TWO, packed(1, "P", piece()), LEFT, packed(10, "P2", piece()), voided(20, "P2"))
    assert wrong(*facts) == [("missing_item", 1, 50, None)]


def test_a_further_box_that_is_voided_after_the_time_is_over_makes_it_missing_from_then_on() -> None:
    facts = (TWO, packed(1, "P", piece()), LEFT, packed(10, "P2", piece()), voided(70, "P2"))
    assert wrong(*facts, now=70) == []
    assert wrong(*facts) == [("missing_item", 1, 70, None)]


def test_what_was_lost_on_its_way_is_no_fault_of_the_next_box() -> None:
    lost = scanned(5, status="lost", order_ids=("O",))
    facts = (TWO, packed(1, "P", piece()), LEFT, lost, packed(60, "P2", piece(), last=True))
    assert wrong(*facts, parcel="P2") == []


def test_a_scan_dated_before_the_packing_does_not_empty_the_box() -> None:
    refused = scanned(-500, status="refused", order_ids=("O",))
    assert wrong(TWO, packed(1, "P", piece(quantity=2)), refused) == []
