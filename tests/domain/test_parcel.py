"""Parcels: what is in them, when a carrier has them, and what that means for each order."""

import pytest

from domain.events import Fact
from domain.parcels.events import NO_POSSESSION, STATUSES, ParcelOrderLinked, ParcelScanMoved
from domain.parcels.parcel import Parcel, decide, evolve
from tests.story import Given, at, labelled, late, packed, piece, placed, requested, scanned, voided

POSSESSING = [status for status in STATUSES if status not in {"label_created", "cancelled", "unknown"}]


def possessed_at(*facts: object) -> int | None:
    """Say since when a carrier has parcel P."""
    possessed = Given(*facts).parcel().meaning.possessed  # type: ignore[arg-type]  # facts
    return None if possessed is None else possessed.at


def test_the_contract_s_nineteen_statuses_are_known() -> None:
    assert len(STATUSES) == len(set(STATUSES)) == 19
    assert {"label_created", "cancelled", "unknown"} == NO_POSSESSION


@pytest.mark.parametrize("status", POSSESSING)
def test_a_carrier_s_scan_is_possession(status: str) -> None:
    assert possessed_at(scanned(1, status=status)) == at(1)


@pytest.mark.parametrize("status", [*sorted(NO_POSSESSION), None])
def test_talk_is_not_possession(status: str | None) -> None:
    assert possessed_at(scanned(1, status=status)) is None


def test_neither_a_label_nor_a_packing_record_is_possession() -> None:
    assert possessed_at(labelled(1), packed(2, "P", piece())) is None


def test_possession_is_the_earliest_such_scan_even_if_delivered_comes_before_picked_up() -> None:
    assert possessed_at(scanned(5), scanned(3, status="delivered"), scanned(1, status="label_created")) == at(3)


def test_an_older_scan_that_arrives_late_moves_possession_back() -> None:
    assert possessed_at(scanned(5), scanned(2)) == at(2)


def test_of_several_packing_records_the_last_in_the_world_counts() -> None:
    parcel = Given(packed(2, "P", piece("B")), packed(1, "P", piece("A"))).parcel()
    assert parcel.share("O").contents == (piece("B"),)


def test_an_order_hears_only_of_its_own_contents() -> None:
    parcel = Given(packed(1, "P", piece("A"), piece("B", of="Q"))).parcel()
    assert parcel.share("O").contents == (piece("A"),)
    assert parcel.share("Q").contents == (piece("B", of="Q"),)


def test_without_a_packing_record_contents_are_unknown_and_not_empty() -> None:
    assert Given(labelled(1, order_ids=("O",))).parcel().share("O").contents is None


def test_expected_contents_never_travel() -> None:
    parcel = Given(packed(1, "P", piece("A"), expected=(piece("B"), piece("C", of="Q")))).parcel()
    assert parcel.share("O").contents == (piece("A"),)
    assert parcel.meaning.order_ids == ("O",)


def test_the_earliest_void_counts() -> None:
    assert Given(voided(9), voided(4)).parcel().meaning.voided_at == at(4)


def test_the_carrier_is_the_label_s_else_the_possession_scan_s() -> None:
    assert Given(scanned(1, carrier="YTO")).parcel().meaning.carrier == "YTO"
    assert Given(scanned(1, carrier="YTO"), labelled(2)).parcel().meaning.carrier == "SF"
    assert Given(scanned(1)).parcel().meaning.carrier is None


def test_what_label_and_scans_name_is_joined() -> None:
    facts = (labelled(1, fulfillment_ids=("F2",), order_ids=("O2",)), scanned(2, fulfillment_ids=("F1",)))
    meaning = Given(*facts).parcel().meaning
    assert (meaning.fulfillment_ids, meaning.order_ids) == (("F1", "F2"), ("O2",))


def test_hearing_the_same_again_changes_nothing() -> None:
    parcel = Given(labelled(1), scanned(2), voided(3), packed(4, "P", piece())).parcel()
    for heard in (labelled(1), scanned(2), voided(3), packed(4, "P", piece())):
        assert decide(parcel, heard) == ()


def test_an_order_is_linked_once() -> None:
    linked = ParcelOrderLinked(fulfillment_id="F", order_id="O")
    parcel = Parcel("P")
    assert decide(parcel, linked) == (linked,)
    assert decide(evolve(parcel, linked), linked) == ()


def test_its_version_grows_with_every_event_so_that_the_latest_copy_wins() -> None:
    given = Given(labelled(1, order_ids=("O",)), scanned(2))
    first = given.order().parcels["P"]
    given.hear(scanned(3, status="delivered"))
    assert given.order().parcels["P"].version > first.version == 2
    assert given.order().parcels["P"].says_more_than(first)


def test_a_scan_that_moved_away_takes_its_possession_with_it() -> None:
    parcel = evolve(Parcel("P"), scanned(2))
    assert evolve(parcel, ParcelScanMoved(source="/s", id="scanned-P@2")).meaning.possessed is None


def test_a_scan_that_moved_away_takes_with_it_what_it_named() -> None:
    parcel = evolve(evolve(Parcel("P"), labelled(0, fulfillment_ids=("F0",))), scanned(2, order_ids=("O2",)))
    evolve(parcel, scanned(3, fulfillment_ids=("F2",)))
    for when in (2, 3):
        evolve(parcel, ParcelScanMoved(source="/s", id=f"scanned-P@{when}"))
    assert (parcel.meaning.fulfillment_ids, parcel.meaning.order_ids) == (("F0",), ())


def test_a_parcel_covers_nothing_of_an_order_that_it_no_longer_names() -> None:
    by_number = scanned(10, None, carrier="SF", tracking_number="N", order_ids=("O",))
    facts: tuple[Fact, ...] = (placed(0), requested(0, ship_by=20), labelled(0, "P1"), by_number)
    facts += (scanned(11, "P1", fulfillment_ids=()),)
    assert late(*facts) == []
    reprinted = (labelled(5, "P2"), voided(12, "P2"))
    assert late(*facts, *reprinted) == late(*facts[:2], *reprinted, *facts[2:]) == [("F", 20, None)]
