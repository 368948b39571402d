"""Allocation: which fulfilment a parcel's quantities fill."""

from domain.events import Fact
from domain.orders.fulfillment import coverage
from tests.story import Given, at, cancelled, labelled, line, packed, piece, placed, requested, scanned, voided


def complete(*facts: Fact, when: float = 99) -> list[str]:
    """Name the fulfilments of order O that are wholly in a carrier's hands."""
    order = Given(*facts).order()
    placing = order.placed
    assert placing is not None
    covered = coverage(order, placing)
    return sorted(one.id for one in covered.fulfillments if covered.complete(one, at(when)))


def shipped(name: str, *contents: object, when: float = 5, **more: object) -> tuple[Fact, ...]:
    """Pack a parcel and hand it over."""
    return packed(1, name, *contents, **more), scanned(when, name, fulfillment_ids=())  # type: ignore[arg-type]  # each test names its own


TWO = (
    placed(0, line("1", "A", 2), line("2", "B", 1)),
    requested(0, "F1", ship_by=10, lines=[("1", 2)]),
    requested(0, "F2", ship_by=20, lines=[("2", 1)]),
)
SAME = (
    placed(0, line("1", "A", 2)),
    requested(0, "F1", ship_by=20, lines=[("1", 1)]),
    requested(0, "F2", ship_by=10, lines=[("1", 1)]),
)


def test_without_a_packing_record_a_parcel_carries_all_lines_of_what_it_names() -> None:
    assert complete(*TWO, scanned(5, fulfillment_ids=("F1",))) == ["F1"]
    assert complete(*TWO, scanned(5, fulfillment_ids=("F1", "F2"))) == ["F1", "F2"]


def test_where_it_names_no_fulfilment_it_carries_all_of_its_orders() -> None:
    assert complete(*TWO, scanned(5, order_ids=("O",))) == ["F1", "F2"]


def test_where_it_names_a_fulfilment_the_order_does_not_add_to_it() -> None:
    assert complete(*TWO, scanned(5, order_ids=("O",), fulfillment_ids=("F2",))) == ["F2"]


def test_where_it_names_another_order_s_fulfilment_it_carries_nothing_of_this_one() -> None:
    other = (placed(0, of="Q"), requested(0, "G", "Q", ship_by=10))
    assert complete(*TWO, *other, scanned(5, order_ids=("O",), fulfillment_ids=("G",))) == []


def test_a_packing_record_replaces_what_the_label_says() -> None:
    parcel = (labelled(1, fulfillment_ids=("F1", "F2")), packed(2, "P", piece("A", 2)), scanned(5, fulfillment_ids=()))
    assert complete(*TWO, *parcel) == ["F1"]


def test_contents_go_to_their_line() -> None:
    lines: tuple[Fact, ...] = (placed(0, line("1", "A"), line("2", "A")), requested(0, "F1", lines=[("1", 1)]))
    lines += (requested(0, "F2", lines=[("2", 1)]),)
    assert complete(*lines, *shipped("P", piece("A", line_id="2"))) == ["F2"]


def test_contents_of_an_unknown_line_go_by_sku() -> None:
    assert complete(*TWO, *shipped("P", piece("B", line_id="77"))) == ["F2"]


def test_a_line_of_the_order_counts_even_if_the_sku_is_another() -> None:
    assert complete(*TWO, *shipped("P", piece("SUBSTITUTE", line_id="2"))) == ["F2"]


def test_contents_of_no_line_and_no_sku_of_the_order_cover_nothing() -> None:
    assert complete(*TWO, *shipped("P", piece("Z", 9))) == []


def test_a_part_of_the_quantity_is_not_complete_and_two_parts_are() -> None:
    assert complete(*TWO, *shipped("P", piece("A", 1))) == []
    assert complete(*TWO, *shipped("P", piece("A", 1)), *shipped("Q", piece("A", 1))) == ["F1"]


def test_too_much_of_one_sku_does_not_stand_for_another() -> None:
    assert complete(*TWO, *shipped("P", piece("A", 9))) == ["F1"]


def test_the_fulfilment_due_first_is_filled_first() -> None:
    assert complete(*SAME, *shipped("P", piece("A", 1))) == ["F2"]
    assert complete(*SAME, *shipped("P", piece("A", 2))) == ["F1", "F2"]


def test_of_two_due_at_once_the_lower_id_is_filled_first_and_one_without_a_date_last() -> None:
    facts: tuple[Fact, ...] = (placed(0, line("1", "A", 3)), requested(0, "F1", lines=[("1", 1)]))
    facts += tuple(requested(0, name, ship_by=10, lines=[("1", 1)]) for name in ("F3", "F2"))
    assert complete(*facts, *shipped("P", piece("A", 1))) == ["F2"]
    assert complete(*facts, *shipped("P", piece("A", 2))) == ["F2", "F3"]


def test_a_packing_record_fills_only_the_fulfilments_it_names() -> None:
    assert complete(*SAME, *shipped("P", piece("A", 2), fulfillment_ids=("F1",))) == ["F1"]


def test_a_packing_record_that_names_only_strange_fulfilments_fills_any_of_the_order() -> None:
    assert complete(*SAME, *shipped("P", piece("A", 1), fulfillment_ids=("G",))) == ["F2"]


def test_the_label_s_fulfilments_do_not_bind_the_packing_record() -> None:
    parcel = (labelled(1, fulfillment_ids=("F1",)), *shipped("P", piece("A", 1)))
    assert complete(*SAME, *parcel) == ["F2"]


def test_a_superseded_packing_record_binds_nothing() -> None:
    old = packed(0.5, "P", piece("A", 1), fulfillment_ids=("F1",), key="old")
    assert complete(*SAME, old, *shipped("P", piece("A", 1))) == ["F2"]


def test_expected_never_counts_as_shipped() -> None:
    assert complete(*TWO, *shipped("P", piece("B"), expected=(piece("A", 2),))) == ["F2"]


def test_contents_for_another_order_cover_nothing_here() -> None:
    assert complete(*TWO, *shipped("P", piece("A", 2, of="Q"))) == []


def test_quantities_are_allotted_anew_for_each_instant() -> None:
    two = (*shipped("P", piece("A", 1)), *shipped("Q", piece("A", 1), when=6))
    facts = (*SAME, *two, voided(7, "P"))
    assert complete(*facts, when=5) == ["F2"]
    assert complete(*facts, when=6) == ["F1", "F2"]
    assert complete(*facts, when=7) == ["F2"]


def test_parcels_are_filled_in_the_order_in_which_carriers_got_them() -> None:
    first, second = shipped("Z", piece("A", 1), when=5), shipped("A", piece("A", 1), when=6, fulfillment_ids=("F2",))
    assert complete(*SAME, *first, *second) == ["F2"]
    earlier = shipped("A", piece("A", 1), when=4, fulfillment_ids=("F2",))
    assert complete(*SAME, *first, *earlier) == ["F1", "F2"]


def test_a_cancelled_line_leaves_its_pieces_to_nobody() -> None:
    assert complete(*TWO, cancelled(3, "1"), when=2) == []
    assert complete(*TWO, cancelled(3, "1"), when=3) == ["F1"]
    assert complete(*TWO, cancelled(3), when=3) == ["F1", "F2"]


def test_a_requested_line_unknown_to_the_order_without_quantity_needs_nothing() -> None:
    assert complete(placed(0), requested(0, lines=[("77", None)])) == ["F"]
    assert complete(placed(0), requested(0, lines=[("77", 2)])) == []


def test_a_requested_line_without_quantity_needs_the_ordered_one() -> None:
    facts: tuple[Fact, ...] = (placed(0, line("1", "A", 2)), requested(0, lines=[("1", None)]))
    assert complete(*facts, *shipped("P", piece("A", 1))) == []
    assert complete(*facts, *shipped("P", piece("A", 2))) == ["F"]


def ready(*facts: Fact) -> list[str]:
    """Name the fulfilments of order O that are at least packed or labelled."""
    order = Given(*facts).order()
    assert order.placed is not None
    covered = coverage(order, order.placed)
    return [one.id for one in covered.fulfillments if covered.packed(one)]


def test_packed_or_labelled_is_ready_and_a_void_undoes_it() -> None:
    assert ready(*TWO) == []
    assert ready(*TWO, labelled(1, fulfillment_ids=("F1",))) == ["F1"]
    assert ready(*TWO, packed(1, "P", piece("B"))) == ["F2"]
    assert ready(*TWO, labelled(1, fulfillment_ids=("F1",)), voided(2)) == []
