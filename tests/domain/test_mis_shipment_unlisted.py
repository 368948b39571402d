"""mis_shipment where no list says what should be in the box: its orders say what they still lacked."""

from typing import Any

import pytest

from domain.detection import Finding
from domain.detectors.mis_shipment import findings
from domain.events import Fact
from domain.parcels.events import ParcelVoided
from domain.policies.policy import DEFAULT, Policy
from tests.domain.complaints import opened, resolved
from tests.story import (
    Desk,
    Given,
    at,
    cancelled,
    fact,
    hours,
    line,
    packed,
    piece,
    placed,
    requested,
    voided,
)
from tests.story import scanned as scan

TWO = placed(0, line("1", quantity=2), ship_by=90)
Wrong = list[tuple[str, float | None, float | None, float | None]]


def scanned(when: float, name: str = "P", status: str = "picked_up", **more: Any) -> Fact:
    """Scan a parcel of order O."""
    return scan(when, name, status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 999, parcel: str = "P", policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Look at a parcel."""
    return findings(Given(*facts).parcel(parcel), at(now), policy)


def wrong(*facts: Fact, now: float = 999, parcel: str = "P", policy: Policy = DEFAULT) -> Wrong:
    """Say (rule, due, knowable where later, ended) of every wrong packing of a parcel."""
    return [
        (one.rule, hours(one.due_at), hours(one.knowable_at), hours(one.ended_at))
        for one in found(*facts, now=now, parcel=parcel, policy=policy)
    ]


def missing(finding: Finding) -> list[tuple[str, str, int]]:
    """Say what was missing of which order."""
    return [(one["order_id"], one["sku"], one["quantity"]) for one in finding.detail["missing_item"]]


# Too much: at once


def test_what_the_order_lacks_is_right() -> None:
    assert wrong(TWO, packed(1, "P", piece(quantity=2)), scanned(2)) == []


def test_what_the_order_never_wanted_is_extra_at_once() -> None:
    assert wrong(TWO, packed(1, "P", piece("X")), now=2) == [("extra_item", 1, None, None)]


def test_more_than_it_still_lacks_is_extra() -> None:
    [one] = found(TWO, packed(1, "P", piece(quantity=5)))
    assert [(entry["sku"], entry["quantity"]) for entry in one.detail["extra_item"]] == [("A", 3)]


def test_what_another_box_brought_already_is_extra_in_the_later_one_only() -> None:
    boxes = (packed(1, "P1", piece(quantity=2)), packed(3, "P", piece()))
    assert wrong(TWO, *boxes) == [("extra_item", 3, None, None)]
    assert wrong(TWO, *boxes, parcel="P1") == []


def test_the_order_of_packing_in_the_world_decides_and_not_of_hearing() -> None:
    boxes = (packed(3, "P", piece()), packed(1, "P1", piece(quantity=2)))
    assert wrong(*boxes, TWO) == wrong(TWO, *reversed(boxes)) == [("extra_item", 3, None, None)]


def test_a_planned_separate_gift_is_right_with_and_without_the_rest() -> None:
    order = placed(0, line("1"), line("2", "CARD", gift=True), ship_by=90)
    assert wrong(order, packed(1, "P", piece()), packed(2, "P2", piece("CARD"))) == []
    assert wrong(order, packed(1, "P", piece()), packed(2, "P2", piece("CARD")), parcel="P2") == []


def test_an_agreed_substitution_names_its_line() -> None:
    assert wrong(placed(0, ship_by=90), packed(1, "P", piece("B", line_id="1"), last=True)) == []


@pytest.mark.parametrize(("when", "expected"), [(0.5, [("extra_item", 1, None, None)]), (5, [])])
def test_a_line_cancelled_before_the_packing_is_not_lacked_and_one_cancelled_later_was(
    when: float, expected: Wrong
) -> None:
    two = placed(0, line("1"), line("2", "B"), ship_by=90)
    assert wrong(two, cancelled(when, "2"), packed(1, "P", piece(), piece("B"))) == expected


def test_one_box_for_several_orders_is_held_against_what_they_lack_together() -> None:
    orders = (placed(0, ship_by=90), placed(0, line("1", "B"), of="Q", ship_by=90))
    assert wrong(*orders, packed(1, "P", piece(), piece("B", of="Q"))) == []
    assert wrong(*orders, packed(1, "P", piece("B"), piece("A", of="Q"))) == []
    assert wrong(*orders, packed(1, "P", piece(), piece("A", of="Q")))[0][0] == "extra_item"


def test_as_long_as_one_of_its_orders_is_unknown_nothing_can_be_said() -> None:
    box = packed(1, "P", piece(), piece("B", of="Q"), piece("X"))
    assert wrong(placed(0, ship_by=90), box) == []
    assert wrong(placed(0, ship_by=90), box, placed(5, line("1", "B"), of="Q"))[0][0] == "extra_item"


def test_with_a_shortage_that_is_certain_the_extra_is_a_wrong_item() -> None:
    [one] = found(placed(0), requested(0), packed(1, "P", piece("X"), last=True, fulfillment_ids=("F",)))
    assert (one.rule, missing(one)) == ("wrong_item", [("O", "A", 1)])


def test_a_shortage_that_becomes_certain_later_is_added_to_the_extra() -> None:
    two = placed(0, line("1"), line("2", "B"), ship_by=90)
    facts = (two, packed(1, "P", piece(), piece("X")), scanned(2))
    assert wrong(*facts, now=50) == [("extra_item", 1, None, None)]
    [one] = found(*facts, now=51)
    assert (one.rule, one.since, missing(one)) == ("wrong_item", at(1), [("O", "B", 1)])


# Reships


def test_a_box_made_again_is_right_whether_the_first_is_voided_before_or_after() -> None:
    first, again = packed(1, "P1", piece(quantity=2)), packed(5, "P", piece(quantity=2))
    for when in (4, 5, 7):
        replaced = fact(ParcelVoided, when, parcel_id="P1", replaced_by="P")
        assert wrong(TWO, first, again, replaced) == []


def test_what_is_packed_again_after_a_box_was_voided_is_lacked_again() -> None:
    boxes = (packed(1, "P1", piece(quantity=2)), voided(3, "P1"), packed(5, "P", piece(quantity=2)))
    assert wrong(TWO, *boxes) == []


@pytest.mark.parametrize("status", ["refused", "return_to_sender", "returned", "lost"])
@pytest.mark.parametrize(("when", "expected"), [(4, []), (5, []), (6, [("extra_item", 5, None, None)])])
def test_what_came_back_or_was_lost_by_then_is_lacked_again(status: str, when: float, expected: Wrong) -> None:
    boxes = (packed(1, "P1", piece(quantity=2)), scanned(when, "P1", status), packed(5, "P", piece(quantity=2)))
    assert wrong(TWO, *boxes) == expected


def test_packed_again_rightly_it_was_wrong_until_then() -> None:
    assert wrong(TWO, packed(1, "P", piece("X")), packed(3, "P", piece(quantity=2))) == [("extra_item", 1, None, 3)]


@pytest.mark.parametrize(("when", "expected"), [(1, []), (4, [("extra_item", 1, None, 4)])])
def test_the_void_of_the_box_ends_it(when: float, expected: Wrong) -> None:
    assert wrong(TWO, packed(1, "P", piece("X")), voided(when)) == expected


def test_the_resolution_of_a_complaint_about_it_ends_it() -> None:
    facts = (TWO, packed(1, "P", piece("X")), opened(9, "extra_item"), resolved(12))
    assert wrong(*facts) == [("extra_item", 1, None, 12)]


# Through a real log


def test_it_is_found_by_the_tick_and_ended_by_the_further_parcel(desk: Desk) -> None:
    desk.take(TWO, packed(1, "P", piece()), scanned(2), until=3)
    assert (desk.tick(50), desk.found()) == (0, [])
    desk.tick(51)
    assert ("open", "P", 1, None) in desk.found()
    desk.take(packed(60, "P2", piece()), until=61)
    assert ("ended", "P", 1, 60) in desk.found()


def test_a_further_parcel_heard_of_late_takes_it_back(desk: Desk) -> None:
    desk.take(TWO, packed(1, "P", piece()), scanned(2), until=3)
    desk.tick(51)
    desk.take(packed(40, "P2", piece()), until=61)
    assert ("retracted", "P", 1, None) in desk.found()


def test_a_parcel_heard_of_before_its_order_is_judged_once_that_is_known(desk: Desk) -> None:
    desk.take(packed(1, "P", piece("X")), until=3)
    assert desk.found() == []
    desk.take(TWO, until=3)
    assert desk.found() == [("open", "P", 1, None)]
