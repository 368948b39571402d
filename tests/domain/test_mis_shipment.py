"""mis_shipment by its packing list: what was in the box against what should have been, and what puts it right."""

import pytest

from domain.detection import Finding
from domain.detectors.mis_shipment import findings, look_again
from domain.events import Fact
from domain.orders.order import Content
from domain.policies.policy import DEFAULT
from tests.domain.complaints import opened, reopened, resolved
from tests.story import Desk, Given, at, cancelled, hours, labelled, line, packed, piece, placed, scanned, voided

Wrong = list[tuple[str, float | None, float | None]]
TEA_FOR_COFFEE = packed(5, "P", piece("COFFEE"), expected=(piece("TEA"),))


def found(*facts: Fact, now: float = 999, parcel: str = "P") -> tuple[Finding, ...]:
    """Look at a parcel."""
    return findings(Given(*facts).parcel(parcel), at(now), DEFAULT)


def wrong(*facts: Fact, now: float = 999, parcel: str = "P") -> Wrong:
    """Say (rule, due, ended) of every wrong packing of a parcel."""
    return [(one.rule, hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, parcel=parcel)]


def items(finding: Finding) -> dict[str, list[tuple[str, int]]]:
    """Say what was wrong, extra and missing."""
    kinds = [kind for kind in ("wrong_item", "extra_item", "missing_item") if kind in finding.detail]
    return {
        kind: [(one["sku"], one["quantity"]) for one in finding.detail[kind]]
        for kind in kinds
        if kind in finding.detail
    }


# What differs


def test_what_should_be_in_it_is() -> None:
    assert wrong(packed(5, "P", piece("A", 2), piece("B"), expected=(piece("B"), piece("A", 2)))) == []


def test_something_else_instead_is_a_wrong_item() -> None:
    [one] = found(TEA_FOR_COFFEE)
    assert (one.rule, hours(one.since), hours(one.due_at), one.ended_at) == ("wrong_item", 5, 5, None)
    assert items(one) == {"wrong_item": [("COFFEE", 1)], "missing_item": [("TEA", 1)]}


def test_too_little_is_a_missing_item_at_once_for_the_list_says_so() -> None:
    [one] = found(packed(5, "P", piece("A"), expected=(piece("A", 3), piece("B"))), now=6)
    assert (one.rule, items(one)) == ("missing_item", {"missing_item": [("A", 2), ("B", 1)]})
    assert one.knowable_at is None


def test_too_much_is_an_extra_item() -> None:
    [one] = found(packed(5, "P", piece("A", 3), piece("GIFT"), expected=(piece("A"),)))
    assert (one.rule, items(one)) == ("extra_item", {"extra_item": [("A", 2), ("GIFT", 1)]})


def test_the_list_decides_whatever_the_order_says() -> None:
    substituted = packed(5, "P", piece("B"), expected=(piece("B"),))
    parts = packed(5, "P", piece("CUP"), piece("SAUCER"), expected=(piece("CUP"), piece("SAUCER")))
    assert wrong(placed(0), substituted) == wrong(placed(0), parts) == []


def test_entries_of_one_sku_are_added_up() -> None:
    assert wrong(packed(5, "P", piece("A"), piece("A"), expected=(piece("A", 2),))) == []


def test_two_orders_items_swapped_in_one_box_are_wrong_where_the_list_says_whose_is_whose() -> None:
    swapped = packed(5, "P", piece("A"), piece("B", of="Q"), expected=(piece("B"), piece("A", of="Q")))
    [one] = found(swapped)
    assert one.order_ids == ("O", "Q")
    assert {entry["order_id"] for entry in one.detail["wrong_item"]} == {"O", "Q"}


def test_a_split_delivery_is_right_as_each_list_is() -> None:
    boxes = [packed(n, f"P{n}", piece("A"), expected=(piece("A"),)) for n in (1, 2)]
    order = placed(0, line("1", quantity=2))
    assert [wrong(order, *boxes, parcel=f"P{n}") for n in (1, 2)] == [[], []]


def test_it_is_known_from_its_packing_on() -> None:
    assert wrong(TEA_FOR_COFFEE, now=5) == []
    parcel = Given(TEA_FOR_COFFEE).parcel()
    assert [hours(look_again(parcel, at(now), DEFAULT)) for now in (0, 5, 6)] == [5, 5, None]


def test_a_label_or_a_scan_packs_nothing() -> None:
    assert wrong(placed(0), labelled(1, order_ids=("O",)), scanned(2, order_ids=("O",))) == []


# What puts it right


@pytest.mark.parametrize("contents", [(piece("TEA"),), (piece("TEA"), piece("GIFT"))])
def test_packed_again_as_it_should_be_it_is_right_again(contents: tuple[object, ...]) -> None:
    again = packed(9, "P", *contents, expected=contents)  # type: ignore[arg-type]  # pieces
    assert wrong(TEA_FOR_COFFEE, again) == [("wrong_item", 5, 9)]


def test_packed_again_and_wrong_again_it_is_the_same_trouble() -> None:
    again = packed(9, "P", piece("MILK"), expected=(piece("TEA"),))
    right = packed(12, "P", piece("TEA"), expected=(piece("TEA"),))
    assert wrong(TEA_FOR_COFFEE, again) == [("wrong_item", 5, None)]
    assert wrong(TEA_FOR_COFFEE, again, right) == [("wrong_item", 5, 12)]


def test_right_and_then_wrong_again_it_is_another_trouble() -> None:
    right = packed(9, "P", piece("TEA"), expected=(piece("TEA"),))
    again = packed(12, "P", piece("MILK"), expected=(piece("TEA"),))
    assert wrong(TEA_FOR_COFFEE, right, again) == [("wrong_item", 5, 9), ("wrong_item", 12, None)]
    assert len({one.key for one in found(TEA_FOR_COFFEE, right, again)}) == 2


def test_a_packing_record_that_arrives_late_finds_its_place() -> None:
    right = packed(9, "P", piece("TEA"), expected=(piece("TEA"),))
    assert wrong(right, TEA_FOR_COFFEE) == wrong(TEA_FOR_COFFEE, right) == [("wrong_item", 5, 9)]


@pytest.mark.parametrize(("when", "expected"), [(3, []), (5, []), (8, [("wrong_item", 5, 8)])])
def test_the_void_of_the_parcel_ends_it(when: float, expected: Wrong) -> None:
    assert wrong(TEA_FOR_COFFEE, voided(when)) == expected


def test_delivery_does_not_end_it() -> None:
    assert wrong(TEA_FOR_COFFEE, scanned(9, status="delivered")) == [("wrong_item", 5, None)]


def test_the_cancellation_of_the_order_does_not_put_the_box_right() -> None:
    assert wrong(placed(0, line("1", "TEA")), TEA_FOR_COFFEE, cancelled(9)) == [("wrong_item", 5, None)]


@pytest.mark.parametrize("category", ["wrong_item", "missing_item", "extra_item"])
def test_the_resolution_of_a_complaint_about_it_ends_it(category: str) -> None:
    assert wrong(TEA_FOR_COFFEE, opened(20, category), resolved(30)) == [("wrong_item", 5, 30)]
    assert wrong(TEA_FOR_COFFEE, opened(20, category)) == [("wrong_item", 5, None)]


@pytest.mark.parametrize("category", ["late", "damaged", None])
def test_the_resolution_of_another_complaint_does_not(category: str | None) -> None:
    assert wrong(TEA_FOR_COFFEE, opened(20, category), resolved(30)) == [("wrong_item", 5, None)]


def test_a_complaint_reopened_reopens_it() -> None:
    settled = (TEA_FOR_COFFEE, opened(20, "wrong_item"), resolved(30))
    assert wrong(*settled, reopened(40)) == [("wrong_item", 5, None)]
    assert wrong(*settled, reopened(40), resolved(50, key="again")) == [("wrong_item", 5, 50)]


def test_a_complaint_resolved_before_the_box_was_packed_is_about_something_else() -> None:
    assert wrong(TEA_FOR_COFFEE, opened(1, "wrong_item"), resolved(3)) == [("wrong_item", 5, None)]


@pytest.mark.parametrize("listed", [(), (piece("A"),)])
def test_another_parcel_that_brings_what_was_missing_does_not_put_the_list_of_this_one_right(
    listed: tuple[Content, ...],
) -> None:
    short = packed(5, "P", piece("A"), expected=(piece("A", 2),))
    facts = (placed(0, line("1", quantity=2), ship_by=90), short, packed(9, "P2", piece("A"), expected=listed))
    assert wrong(*facts) == [("missing_item", 5, None)]
    assert wrong(*facts, opened(20, "missing_item"), resolved(30)) == [("missing_item", 5, 30)]
    assert wrong(*facts, voided(40)) == [("missing_item", 5, 40)]
    assert wrong(*facts, packed(50, "P", piece("A", 2))) == [("wrong_item", 5, None)]  # one is too many by then
    assert wrong(*facts, packed(50, "P", piece("A"))) == [("missing_item", 5, 50)]


# What a finding says


def test_a_finding_says_where_by_which_binding_and_what_ended_it() -> None:
    facts = packed(5, "P", piece("B"), expected=(piece("A"),), warehouse_id="W", binding_version="v7"), voided(9)
    [one] = found(*facts, labelled(6))
    assert (one.kind, one.subject, one.parcel_id, one.warehouse_id) == ("mis_shipment", "P", "P", "W")
    assert (one.carrier, one.detail["binding_version"], one.detail["ended_by"]) == ("SF", "v7", "/s#voided-P@9")
    assert one.proof == ("/s#packed-P@5",)
    assert "corrected parcel" in one.detail["cleared_by"]


def test_it_names_its_sku_where_there_is_one() -> None:
    assert found(packed(5, "P", piece("A", 2), expected=(piece("A"),)))[0].sku == "A"
    assert found(TEA_FOR_COFFEE)[0].sku is None


def test_it_weighs_by_its_heaviest_order() -> None:
    rich = placed(0, line("1", unit_price="2000"), of="Q", currency="CNY")
    box = packed(5, "P", piece("A"), piece("A", of="Q"), expected=(piece("A", 2), piece("A", of="Q")))
    assert found(placed(0, customer_tier="vip"), rich, box)[0].detail["severity"] == {"money": 1, "customer": 1}


# Beside complaints, through a real log


def test_what_a_customer_reports_is_no_finding_of_its_own_once_the_box_shows_it(desk: Desk) -> None:
    desk.take(placed(0), opened(20, "wrong_item"), until=21)
    assert _mis_shipped(desk) == [("open", "C", 20, None)]
    desk.take(TEA_FOR_COFFEE, until=22)
    assert _mis_shipped(desk) == [("retracted", "C", 20, None), ("open", "P", 5, None)]


def test_a_complaint_that_comes_second_is_joined_from_the_start(desk: Desk) -> None:
    desk.take(placed(0), TEA_FOR_COFFEE, until=6)
    desk.take(opened(20, "wrong_item"), until=21)
    assert _mis_shipped(desk) == [("open", "P", 5, None)]
    desk.take(resolved(30), until=31)
    assert _mis_shipped(desk) == [("ended", "P", 5, 30)]


def test_a_report_counts_again_when_the_box_turns_out_to_have_been_right(desk: Desk) -> None:
    desk.take(placed(0), TEA_FOR_COFFEE, opened(20, "wrong_item"), until=21)
    desk.take(voided(4), until=22)
    assert _mis_shipped(desk) == [("open", "C", 20, None), ("retracted", "P", 5, None)]


def test_a_complaint_of_another_order_is_not_joined(desk: Desk) -> None:
    desk.take(placed(0), placed(0, of="Q"), TEA_FOR_COFFEE, opened(20, "wrong_item", of="Q"), until=21)
    assert _mis_shipped(desk) == [("open", "C", 20, None), ("open", "P", 5, None)]


def _mis_shipped(desk: Desk) -> list[tuple[str, str, float | None, float | None]]:
    return [one for one in desk.found() if one[1] in {"P", "C"} and one[2] in {5, 20}]
