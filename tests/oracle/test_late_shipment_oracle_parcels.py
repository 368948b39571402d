"""Hand-computed cases for the oracle: possession, contents, allocation, tracking numbers."""

from typing import Any

import pytest

from tests.oracle.story import Event, event, findings, late, line, packed, placed, requested, scanned, told

ORDER = (placed(0), requested(0, ship_by=10))
PAIR = (placed(0, lines=(line("1", "A"), line("2", "B"))), requested(0, ship_by=10))
TWO_FULFILMENTS = (
    placed(0, lines=(line("1", "A", 2),)),
    requested(0, "F", ship_by=10, lines=[{"line_id": "1", "quantity": 1}]),
    requested(0, "G", ship_by=8, lines=[{"line_id": "1", "quantity": 1}], key="g"),
)


def labelled(hours: float, parcel: str = "P", number: str = "N", carrier: str = "sf", **more: Any) -> Event:
    """Label a parcel."""
    return event("parcel.labelled", hours, parcel_id=parcel, carrier=carrier, tracking_number=number, **more)


def tracked(hours: float, number: str = "N", carrier: str = "sf", **more: Any) -> Event:
    """Scan by carrier and number only."""
    status = {} if more.keys() & {"raw_code"} else {"status": "picked_up"}
    return event("parcel.scanned", hours, carrier=carrier, tracking_number=number, **(status | more))


def voided(hours: float, parcel: str = "P", **more: Any) -> Event:
    """Void a parcel."""
    return event("parcel.voided", hours, parcel_id=parcel, **more)


@pytest.mark.parametrize("status", ["label_created", "cancelled", "unknown"])
def test_these_statuses_are_no_possession(status: str) -> None:
    assert late(*ORDER, scanned(9, status=status)) == [("F", 10, None)]


@pytest.mark.parametrize("status", ["in_transit", "customs_hold", "delivered", "refused", "lost", "damaged"])
def test_every_other_status_is(status: str) -> None:
    assert late(*ORDER, scanned(9, status=status)) == []


def test_a_label_is_no_possession() -> None:
    assert late(*ORDER, labelled(5, fulfillment_ids=["F"])) == [("F", 10, None)]


def test_a_raw_code_without_a_table_changes_nothing() -> None:
    code_only = event("parcel.scanned", 9, parcel_id="P", raw_code="50", fulfillment_ids=["F"])
    assert late(*ORDER, code_only) == [("F", 10, None)]
    names_nothing = scanned(9, status="picked_up", order_ids=[])
    assert late(*ORDER, code_only, names_nothing) == [("F", 10, None)]


def test_a_status_beside_a_raw_code_counts() -> None:
    assert late(*ORDER, scanned(9, raw_code="50")) == []


def test_possession_is_the_earliest_scan_even_if_delivered_precedes_picked_up() -> None:
    assert late(*ORDER, scanned(9, status="delivered"), scanned(12)) == []
    assert late(*ORDER, scanned(11, status="delivered"), scanned(12)) == [("F", 10, 11)]


def test_a_scan_before_the_order_counts() -> None:
    assert late(*ORDER, scanned(-5)) == []


def test_one_scan_told_under_two_ids_has_one_effect_and_the_least_is_named() -> None:
    [found] = findings(*ORDER, scanned(15, key="y"), scanned(15, key="x"), scanned(15, key="a", source="/t"))
    assert found["ended_by"] == "/s#x"


def test_a_parcel_of_an_unknown_order_says_nothing_of_others() -> None:
    assert late(*ORDER, scanned(5, order_ids=["ghost"])) == [("F", 10, None)]


def test_order_ids_count_only_where_no_fulfilment_is_named() -> None:
    assert late(*ORDER, scanned(5, order_ids=["O"])) == []
    assert late(*ORDER, scanned(5, order_ids=["O"], fulfillment_ids=["other"])) == [("F", 10, None)]


def test_an_order_id_is_no_fulfilment_id() -> None:
    assert late(*ORDER, scanned(5, order_ids=["F"])) == [("F", 10, None)]


def test_names_are_gathered_from_label_and_scans() -> None:
    assert late(*ORDER, labelled(50, fulfillment_ids=["F"]), scanned(5, order_ids=[])) == []
    assert late(*ORDER, labelled(50, fulfillment_ids=["G"]), scanned(5, order_ids=["O"])) == [("F", 10, None)]


def test_an_implicit_fulfilment_can_be_named_by_the_order_s_id() -> None:
    assert late(placed(0, ship_by=10), scanned(5, fulfillment_ids=["O"])) == []


def test_a_parcel_voided_before_the_deadline_covers_nothing() -> None:
    assert late(*ORDER, scanned(5), voided(7)) == [("F", 10, None)]
    assert late(*ORDER, voided(3), scanned(5)) == [("F", 10, None)]
    assert late(*ORDER, scanned(5), voided(5)) == [("F", 10, None)]


def test_a_parcel_voided_at_the_deadline_no_longer_covers_but_after_it_does() -> None:
    assert late(*ORDER, scanned(5), voided(10)) == [("F", 10, None)]
    assert late(*ORDER, scanned(5), voided(11)) == []


def test_a_voided_parcel_is_replaced_by_the_next_one() -> None:
    assert late(*ORDER, scanned(5), voided(7, replaced_by="Q"), scanned(9, "Q")) == []
    assert late(*ORDER, scanned(5), voided(7, replaced_by="Q"), scanned(12, "Q")) == [("F", 10, 12)]


def test_a_void_after_the_end_does_not_reopen() -> None:
    assert late(*ORDER, scanned(12), voided(14)) == [("F", 10, 12)]


def test_every_line_must_be_handed_over() -> None:
    first, second = packed("P", ("O", "A", 1, "1")), packed("Q", ("O", "B", 1, "2"), hours=1)
    assert late(*PAIR, first, scanned(5)) == [("F", 10, None)]
    assert late(*PAIR, first, second, scanned(5), scanned(12, "Q")) == [("F", 10, 12)]
    assert late(*PAIR, first, second, scanned(5), scanned(9, "Q")) == []


def test_every_piece_must_be_handed_over() -> None:
    order = (placed(0, lines=(line("1", "A", 3),)), requested(0, ship_by=10))
    assert late(*order, packed("P", ("O", "A", 2, "1")), scanned(5)) == [("F", 10, None)]
    assert late(*order, packed("P", ("O", "A", 4, "1")), scanned(5)) == []


def test_expected_never_counts() -> None:
    expected = [{"order_id": "O", "sku": "A", "quantity": 1, "line_id": "1"}]
    assert late(*ORDER, packed("P", expected=expected), scanned(5)) == [("F", 10, None)]


def test_a_packing_record_replaces_what_labels_and_scans_name() -> None:
    assert late(*PAIR, packed("P", ("O", "A", 1, None)), scanned(5)) == [("F", 10, None)]


def test_of_several_packing_records_the_last_counts() -> None:
    wrong, right = packed("P", ("O", "X", 1, None)), packed("P", ("O", "A", 1, None), hours=30)
    assert late(*ORDER, right, wrong, scanned(5)) == []


def test_content_goes_to_its_line_else_to_its_sku() -> None:
    twins = (placed(0, lines=(line("1", "A"), line("2", "A"))), requested(0, ship_by=10))
    assert late(*twins, packed("P", ("O", "A", 2, None)), scanned(5)) == []
    assert late(*twins, packed("P", ("O", "A", 2, "1")), scanned(5)) == [("F", 10, None)]
    assert late(*twins, packed("P", ("O", "A", 2, "99")), scanned(5)) == []


def test_contents_are_filled_as_listed_into_the_order_s_lines_in_their_order() -> None:
    twins = placed(0, lines=(line("1", "A"), line("2", "A")))
    asked = requested(0, ship_by=10, lines=[{"line_id": "2"}, {"line_id": "1"}])
    assert late(twins, asked, packed("P", ("O", "A", 1, None), ("O", "A", 1, "1")), scanned(5)) == [("F", 10, None)]
    assert late(twins, asked, packed("P", ("O", "A", 1, "1"), ("O", "A", 1, None)), scanned(5)) == []


def test_a_parcel_may_hold_pieces_of_several_orders() -> None:
    world = (
        placed(0),
        placed(0, order="R", key="r"),
        requested(0, ship_by=10),
        requested(0, "G", order="R", ship_by=10, key="g"),
        packed("P", ("O", "A", 1, None), ("R", "A", 1, None)),
    )
    assert late(*world, scanned(5)) == []
    assert late(*world, packed("P", ("O", "A", 2, None), hours=1), scanned(5)) == [("G", 10, None)]


def test_the_earliest_original_promise_is_filled_first() -> None:
    world = (*TWO_FULFILMENTS, packed("P", ("O", "A", 1, None)), scanned(5))
    assert late(*world) == [("F", 10, None)]
    moved = told("promise_changed", 1, fulfillment_id="G", ship_by=40, agreed_by="customer")
    assert late(*world, moved) == [("F", 10, None)]


def test_a_packing_record_that_names_a_fulfilment_fills_that_one_only() -> None:
    one = packed("P", ("O", "A", 2, None), fulfillment_ids=["F"])
    assert late(*TWO_FULFILMENTS, one, scanned(5)) == [("G", 8, None)]
    of_another_order = packed("P", ("O", "A", 2, None), fulfillment_ids=["elsewhere"])
    assert late(*TWO_FULFILMENTS, of_another_order, scanned(5)) == []


def test_parcels_are_filled_in_the_order_of_their_possession_then_of_their_ids() -> None:
    either, only_g = packed("Q", ("O", "A", 1, None)), packed("P", ("O", "A", 1, None), hours=1, fulfillment_ids=["G"])
    assert late(*TWO_FULFILMENTS, either, only_g, scanned(5, "Q"), scanned(6, "P")) == [("F", 10, None)]
    assert late(*TWO_FULFILMENTS, either, only_g, scanned(5, "Q"), scanned(5, "P", key="p")) == []


def test_a_cancelled_line_leaves_its_pieces_to_the_others() -> None:
    world = (
        placed(0, lines=(line("1"), line("2"))),
        requested(0, "F", ship_by=10, lines=[{"line_id": "1"}]),
        requested(0, "G", ship_by=8, lines=[{"line_id": "2"}], key="g"),
        packed("P", ("O", "A", 1, None)),
        scanned(5),
    )
    assert late(*world) == [("F", 10, None)]
    assert late(*world, told("cancelled", 20, line_ids=["2"])) == [("F", 10, 20)]


def test_overlapping_fulfilments_each_need_their_own_pieces() -> None:
    world = (placed(0), requested(0, ship_by=10), requested(0, "G", ship_by=9, key="g"))
    assert late(*world, packed("P", ("O", "A", 1, None)), scanned(5)) == [("F", 10, None)]


def test_a_line_unknown_to_the_order_is_needed_only_with_a_quantity() -> None:
    assert late(placed(0), requested(0, ship_by=10, lines=[{"line_id": "9"}])) == []
    world = (placed(0), requested(0, ship_by=10, lines=[{"line_id": "9", "quantity": 1}]))
    assert late(*world, packed("P", ("O", "A", 1, "9")), scanned(5)) == [("F", 10, None)]


def test_an_empty_list_of_lines_means_all_of_them() -> None:
    assert late(PAIR[0], requested(0, ship_by=10, lines=[]), packed("P", ("O", "A", 1, None)), scanned(5)) != []


def test_a_scan_by_number_is_joined_to_the_labelled_parcel() -> None:
    assert late(*ORDER, labelled(3, fulfillment_ids=["F"]), tracked(5)) == []
    assert late(*ORDER, labelled(3, fulfillment_ids=["F"]), tracked(5, carrier="yto")) == [("F", 10, None)]


def test_a_scan_before_the_first_label_belongs_to_the_earliest_after() -> None:
    world = (labelled(7, "P", fulfillment_ids=["F"]), labelled(9, "Q", fulfillment_ids=["other"]), tracked(5))
    assert late(*ORDER, *world) == []


def test_a_recycled_number_belongs_to_the_latest_label_by_then() -> None:
    world = (labelled(3, "P", fulfillment_ids=["other"]), labelled(7, "Q", fulfillment_ids=["F"]))
    assert late(*ORDER, *world, tracked(5)) == [("F", 10, None)]
    assert late(*ORDER, *world, tracked(7)) == []


def test_a_parcel_id_beside_a_number_is_believed() -> None:
    world = (labelled(3, "Q", fulfillment_ids=["F"]), tracked(5, parcel_id="P"))
    assert late(*ORDER, *world) == [("F", 10, None)]


def test_the_end_names_the_scan_of_the_last_missing_piece_and_not_its_neighbours() -> None:
    parts = (packed("P", ("O", "A", 1, "1")), packed("Q", ("O", "B", 1, "2"), hours=1))
    spare = packed("R", ("O", "A", 1, "1"), hours=2)
    scans = (scanned(5), scanned(15, "Q", key="q"), scanned(15, "R", key="a"))
    [found] = findings(*PAIR, *parts, spare, *scans)
    assert found["ended_by"] == "/s#q"
