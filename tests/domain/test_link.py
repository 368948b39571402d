"""Links: facts whose parent is unknown are kept, and joined when it comes."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.parcels.events import ParcelScanned
from domain.parcels.link import (
    FulfillmentAwaited,
    FulfillmentLink,
    FulfillmentOwned,
    TrackingLabelled,
    TrackingLink,
    TrackingScanned,
    decide_fulfillment,
    decide_tracking,
    evolve_fulfillment,
    evolve_tracking,
    reassigned,
)
from tests.story import Given, at, labelled, late, packed, piece, placed, requested, scanned


def by_number(when: float, number: str = "N", **more: Any) -> ParcelScanned:
    """Scan a tracking number of carrier SF, whose parcel the carrier does not know."""
    key = f"{number}@{when:g}"
    return scanned(when, None, key=key, carrier="SF", tracking_number=number, **({"fulfillment_ids": ()} | more))


def test_each_side_of_a_fulfilment_is_noted_once() -> None:
    link = FulfillmentLink("F")
    for heard in (FulfillmentOwned(order_id="O"), FulfillmentAwaited(parcel_id="P")):
        assert decide_fulfillment(link, heard) == (heard,)
        evolve_fulfillment(link, heard)
        assert decide_fulfillment(link, heard) == ()
    assert (link.order_ids, link.parcel_ids) == (("O",), ("P",))


def test_labels_and_scans_of_a_number_are_noted_once() -> None:
    link = TrackingLink("N")
    for heard in (TrackingLabelled(label=labelled(1)), TrackingScanned(scan=by_number(2))):
        assert decide_tracking(link, heard) == (heard,)
        evolve_tracking(link, heard)
        assert decide_tracking(link, heard) == ()


def test_a_recycled_number_means_the_latest_label_by_then_else_the_first_one_after() -> None:
    link = TrackingLink("N")
    for label in (labelled(10, "P1"), labelled(20, "P2")):
        evolve_tracking(link, TrackingLabelled(label=label))
    owners = {when: link.owner(by_number(when)) for when in (5, 10, 19, 20, 30)}
    assert owners == {5: "P1", 10: "P1", 19: "P1", 20: "P2", 30: "P2"}


def test_an_unknown_number_belongs_to_nobody() -> None:
    assert TrackingLink("N").owner(by_number(1)) is None


def test_a_label_takes_over_the_scans_that_are_its_own() -> None:
    link = TrackingLink("N")
    for heard in (TrackingLabelled(label=labelled(10, "P1")), *(TrackingScanned(scan=by_number(t)) for t in (12, 22))):
        evolve_tracking(link, heard)
    second = TrackingLabelled(label=labelled(20, "P2"))
    before = link.owners(second)
    evolve_tracking(link, second)
    [moved] = reassigned(link, second, before)
    assert (moved.scan.at, moved.before, moved.after) == (at(22), "P1", "P2")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=12))
def test_every_scan_that_gets_another_parcel_is_named_and_no_other(told: list[tuple[bool, int]]) -> None:
    link = TrackingLink("N")
    owners: dict[str, str | None] = {}
    for turn, (is_label, when) in enumerate(told):
        heard = (
            TrackingLabelled(label=labelled(when, f"P{turn}"))
            if is_label
            else TrackingScanned(scan=by_number(when, f"N{turn}"))
        )
        before = link.owners(heard)
        evolve_tracking(link, heard)
        now = {scan.id: link.owner(scan) for scan in link.facts.of(ParcelScanned)}
        moved = {one.scan.id: (one.before, one.after) for one in reassigned(link, heard, before)}
        assert moved == {
            name: (owners.get(name), owner) for name, owner in now.items() if owner not in (None, owners.get(name))
        }
        owners = now


@pytest.mark.parametrize("facts", [*permutations((placed(0), requested(0, ship_by=10), scanned(5)))])
def test_a_parcel_that_names_a_fulfilment_covers_it_whatever_comes_first(facts: tuple[object, ...]) -> None:
    assert late(*facts) == []  # type: ignore[arg-type]  # facts


def test_a_scan_before_its_order_is_known_is_kept_and_joined() -> None:
    given = Given(scanned(5))
    assert given.order().parcels == {}
    given.hear(requested(0))
    assert given.order().parcels["P"].possessed == scanned(5).stamp


def test_an_implicit_fulfilment_is_found_by_the_order_s_id() -> None:
    assert late(scanned(5, fulfillment_ids=("O",)), placed(0, ship_by=10)) == []


LABEL = labelled(1, fulfillment_ids=("F",))
WORLD = (placed(0), requested(0, ship_by=10), LABEL, by_number(5))


@pytest.mark.parametrize("facts", [*permutations(WORLD)])
def test_a_scan_by_number_joins_its_label_whatever_comes_first(facts: tuple[object, ...]) -> None:
    assert late(*facts) == []  # type: ignore[arg-type]  # facts


RECYCLED = (
    placed(0),
    requested(0, ship_by=10),
    labelled(1, "P1", fulfillment_ids=("F",)),
    labelled(4, "P2"),
    by_number(5),
)


@pytest.mark.parametrize("facts", [*permutations(RECYCLED)])
def test_a_scan_of_a_number_given_out_again_is_not_the_old_parcel_s(facts: tuple[object, ...]) -> None:
    assert late(*facts) == [("F", 10, None)]  # type: ignore[arg-type]  # facts


NAMING = (
    placed(0),
    requested(0, ship_by=10),
    labelled(1, "P1"),
    labelled(4, "P2"),
    by_number(5, fulfillment_ids=("F",)),
    scanned(6, "P1", fulfillment_ids=()),
)


@pytest.mark.parametrize("facts", [*permutations(NAMING)][::7])
def test_what_a_scan_names_goes_where_the_scan_goes(facts: tuple[object, ...]) -> None:
    given = Given(*facts)  # type: ignore[arg-type]  # facts
    assert given.parcel("P1").meaning.fulfillment_ids == ()
    assert given.parcel("P2").meaning.fulfillment_ids == ("F",)
    assert late(*facts) == []  # type: ignore[arg-type]  # facts


def test_a_scan_with_both_parcel_and_number_is_the_parcel_s() -> None:
    scan = scanned(5, "P9", carrier="SF", tracking_number="N")
    given = Given(labelled(1, "P1"), scan)
    assert given.parcel("P1").meaning.possessed is None
    assert given.parcel("P9").meaning.possessed == scan.stamp


def test_equal_numbers_of_two_carriers_are_two_numbers() -> None:
    other = scanned(5, None, carrier="YTO", tracking_number="N", fulfillment_ids=())
    assert Given(labelled(1), other).parcel().meaning.possessed is None


def test_a_parcel_may_hold_several_orders_and_an_order_may_travel_in_several_parcels() -> None:
    first = packed(1, "P1", piece("A", of="O"), piece("B", of="Q"))
    second = packed(2, "P2", piece("C", of="O"))
    given = Given(first, second)
    assert set(given.order("O").parcels) == {"P1", "P2"}
    assert set(given.order("Q").parcels) == {"P1"}


def test_one_fulfilment_id_claimed_by_two_orders_reaches_both() -> None:
    given = Given(requested(0, "F", "O"), scanned(5), requested(0, "F", "Q", key="q"))
    assert given.order("O").parcels["P"].possessed == given.order("Q").parcels["P"].possessed == scanned(5).stamp
