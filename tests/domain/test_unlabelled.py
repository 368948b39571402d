"""Tracking numbers that nobody has labelled: whose goods they stand for, their own scans may say."""

from itertools import permutations
from typing import Any

import pytest

from domain.parcels.events import ParcelScanned
from tests.story import Desk, Given, at, labelled, late, memory_log, packed, piece, placed, requested, scanned

ORDER = (placed(0), requested(0, ship_by=10))


def by_number(when: float, status: str = "picked_up", number: str = "N", **more: Any) -> ParcelScanned:
    """Scan a number of carrier SF."""
    names = {"fulfillment_ids": ()} if not more.keys() & {"order_ids", "fulfillment_ids"} else {}
    members = {"key": f"{number}@{when:g}", "carrier": "SF", "tracking_number": number} | names | more
    return scanned(when, None, status, **members)


@pytest.mark.parametrize("names", [{"order_ids": ("O",)}, {"fulfillment_ids": ("F",)}])
def test_a_scan_that_names_whose_goods_they_are_reaches_the_order(names: dict[str, Any]) -> None:
    told = (*ORDER, by_number(5, **names))
    assert [late(*order) for order in permutations(told)] == [[]] * 6


def test_a_number_that_says_nothing_of_its_goods_reaches_nobody() -> None:
    assert late(*ORDER, by_number(5)) == [("F", 10, None)]
    assert late(*ORDER, by_number(5, order_ids=("O",), status="unknown")) == [("F", 10, None)]


def test_what_one_scan_names_holds_for_all_of_its_number_whatever_the_order_of_arrival() -> None:
    told = (by_number(5), by_number(30, "in_transit", order_ids=("O",)), by_number(40, "delivered"))
    for order in permutations(told):
        known = Given(*ORDER, *order)
        assert [one.at for one in known.parcel("SF:N").facts.of(ParcelScanned)] == [at(5), at(30), at(40)]
        assert late(*ORDER, *order) == []


def test_another_number_and_another_carrier_s_are_other_parcels() -> None:
    known = Given(by_number(5, order_ids=("O",)), by_number(6, number="N2"), by_number(7, carrier="YTO", key="y"))
    assert [one.at for one in known.parcel("SF:N").facts.of(ParcelScanned)] == [at(5)]
    assert not known.parcel("SF:N2").facts.of(ParcelScanned)


def test_once_the_number_is_labelled_its_scans_are_that_parcel_s_alone() -> None:
    told = (by_number(5, order_ids=("O",)), by_number(6, "in_transit"), labelled(8, "P", "N"))
    for order in permutations(told):
        known = Given(*ORDER, *order)
        assert [one.at for one in known.parcel("P").facts.of(ParcelScanned)] == [at(5), at(6)]
        assert not known.parcel("SF:N").facts.of(ParcelScanned)
        assert known.parcel("SF:N").meaning.order_ids == ()


def test_a_label_of_another_box_takes_the_goods_from_the_order() -> None:
    known = Given(*ORDER, by_number(5, order_ids=("O",)))
    assert known.order().parcels["SF:N"].possessed is not None
    known.hear(packed(1, "P", piece("B", of="Q")), labelled(2, "P", "N"))
    assert known.order().parcels["SF:N"].possessed is None
    assert known.parcel("P").meaning.order_ids == ("O", "Q")


def test_what_was_found_of_such_a_parcel_is_taken_back_when_its_label_comes() -> None:
    with memory_log() as log:
        desk = Desk(log, '[kinds]\nenabled = ["stalled_parcel"]\n[feed_silence]\nwaits = []')
        desk.take(*ORDER, by_number(5, order_ids=("O",)), until=5)
        desk.tick(100)
        assert desk.found() == [("open", "SF:N", 77, None)]
        desk.take(labelled(4, "P", "N", order_ids=("O",)), until=100)
        assert sorted(desk.found()) == [("open", "P", 77, None), ("retracted", "SF:N", 77, None)]
