"""Movement: what of a parcel's scans moves it, what stops its clocks, and who would tell of the next scan."""

from random import Random
from typing import Any

import pytest

from domain.events import Fact
from domain.instant import HOUR
from domain.parcels.events import NO_POSSESSION, STATUSES, TERMINAL, ParcelScanned
from domain.parcels.movement import REPEATED, feeds, movements, silences, stop
from domain.policies.policy import DEFAULT, load
from tests.story import Given, cancelled, hours, labelled, packed, piece, placed, scanned, voided

MOVING = [status for status in STATUSES if status not in NO_POSSESSION]
MAPPED = load('[feeds]\nSF = ["/carriers/sf", "/carriers/sf-intl"]\nYTO = []')


def moved(*scans: Fact) -> list[tuple[float | None, str | None]]:
    """Say (when, status) of what moved parcel P."""
    return [(hours(one.at), one.status) for one in movements(Given(*scans).parcel().facts.of(ParcelScanned))]


def silent(*facts: Fact, after: float = 10) -> list[tuple[float | None, float | None, float | None]]:
    """Say (since, due, ended) of every silence of parcel P."""
    found = silences(Given(placed(0), *facts).parcel(), round(after * HOUR))
    return [(hours(one.last.at), hours(one.due_at), hours(one.ended_by and one.ended_by.at)) for one in found]


def scan(when: float, status: str = "in_transit", **more: Any) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


# What moves


@pytest.mark.parametrize("status", MOVING)
def test_every_scan_that_a_carrier_makes_of_the_thing_itself_is_movement(status: str) -> None:
    assert moved(scan(1, status)) == [(1, status)]


@pytest.mark.parametrize("status", [*sorted(NO_POSSESSION), None])
def test_labels_cancellations_and_what_nobody_understands_are_talk(status: str | None) -> None:
    assert moved(scan(1), scan(2, status)) == [(1, "in_transit")]  # type: ignore[arg-type]  # null where raw


@pytest.mark.parametrize("status", sorted(REPEATED))
def test_a_hold_or_delay_said_again_at_the_same_place_is_no_movement(status: str) -> None:
    assert moved(*(scan(when, status, facility_id="H", region="R") for when in (1, 2, 3))) == [(1, status)]


@pytest.mark.parametrize("status", sorted(REPEATED))
def test_a_hold_or_delay_said_again_where_no_place_is_named_is_no_movement(status: str) -> None:
    assert moved(scan(1, status), scan(2, status)) == [(1, status)]


@pytest.mark.parametrize("place", [{"facility_id": "H2"}, {"region": "R2"}, {"facility_id": None}])
def test_a_hold_at_another_place_is_movement(place: dict[str, str | None]) -> None:
    here = {"facility_id": "H", "region": "R"}
    assert moved(scan(1, "on_hold", **here), scan(2, "on_hold", **(here | place))) == [(1, "on_hold"), (2, "on_hold")]


def test_a_hold_that_comes_back_after_something_else_is_movement() -> None:
    assert [when for when, _ in moved(scan(1, "on_hold"), scan(2), scan(3, "on_hold"))] == [1, 2, 3]


def test_another_hold_at_the_same_place_is_movement() -> None:
    assert [when for when, _ in moved(scan(1, "on_hold"), scan(2, "customs_hold"), scan(3, "on_hold"))] == [1, 2, 3]


def test_talk_between_two_holds_does_not_make_the_second_one_new() -> None:
    assert moved(scan(1, "on_hold"), scan(2, "label_created"), scan(3, "on_hold")) == [(1, "on_hold")]


@pytest.mark.parametrize("status", [one for one in MOVING if one not in REPEATED])
def test_whatever_else_is_said_again_is_movement(status: str) -> None:
    assert moved(scan(1, status), scan(2, status)) == [(1, status), (2, status)]


def test_scans_of_one_instant_are_one_movement_with_the_status_of_the_last() -> None:
    here = scan(1, "arrived_facility", source="/a"), scan(1, "customs_hold", source="/b")
    [one] = movements(Given(*reversed(here)).parcel().facts.of(ParcelScanned))
    assert (one.status, one.first.source, one.last.source) == ("customs_hold", "/a", "/b")


def test_the_same_scan_under_another_id_is_no_further_movement() -> None:
    assert moved(scan(1, key="x"), scan(1, key="y"), scan(1, key="x")) == [(1, "in_transit")]


def test_an_older_scan_that_arrives_late_takes_its_place() -> None:
    assert [when for when, _ in moved(scan(9), scan(2))] == [2, 9]


# Silence


def test_silence_begins_with_the_last_movement_and_has_no_end_yet() -> None:
    assert silent(scan(1)) == [(1, 11, None)]


@pytest.mark.parametrize(("following", "found"), [(10, []), (11, []), (12, [(1, 11, 12)])])
def test_a_movement_in_time_or_on_the_dot_breaks_it(following: float, found: list[object]) -> None:
    assert silent(scan(1), scan(following, "delivered")) == found


def test_every_silence_is_found() -> None:
    assert silent(scan(1), scan(20), scan(25), scan(50, "delivered")) == [(1, 11, 20), (25, 35, 50)]


def test_nobody_waits_for_a_parcel_that_no_carrier_has() -> None:
    assert silent(labelled(1, order_ids=("O",)), scan(2, "label_created")) == []


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_nothing_is_silent_after_the_end(status: str) -> None:
    assert silent(scan(1), scan(5, status)) == silent(scan(1), scan(5, status), scan(6), scan(90)) == []


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_the_first_end_counts_whatever_else_is_said_later(status: str) -> None:
    assert silent(scan(1), scan(90, "delivered"), scan(30, status), scan(60)) == [(1, 11, 30)]


def test_damage_is_no_end_of_the_way() -> None:
    assert silent(scan(1, "damaged")) == [(1, 11, None)]


def test_the_end_counts_even_where_something_else_of_that_instant_is_read_last() -> None:
    assert silent(scan(5, "delivered", source="/a"), scan(5, source="/b")) == []


@pytest.mark.parametrize("status", ["on_hold", "customs_hold"])
def test_a_hold_stops_the_clock_and_what_follows_starts_it_again(status: str) -> None:
    assert silent(scan(1), scan(5, status), scan(90, status)) == []
    assert silent(scan(1), scan(5, status), scan(90)) == [(90, 100, None)]


def test_a_delay_does_not_stop_the_clock_however_often_it_is_said() -> None:
    assert silent(*(scan(when, "delivery_delayed") for when in (1, 9, 17))) == [(1, 11, None)]


@pytest.mark.parametrize("end", [voided, cancelled])
@pytest.mark.parametrize(("when", "found"), [(0.5, []), (11, []), (12, [(1, 11, 12)])])
def test_void_and_cancellation_end_it(end: type, when: float, found: list[object]) -> None:
    assert silent(scan(1), end(when)) == found


def test_of_several_voids_the_first_counts() -> None:
    assert silent(scan(1), voided(20), voided(12)) == [(1, 11, 12)]


@pytest.mark.parametrize("end", [voided, cancelled])
def test_nothing_begins_after_void_or_cancellation(end: type) -> None:
    assert silent(end(3), scan(1), scan(5), scan(40)) == []


def test_of_what_could_end_it_the_first_in_the_world_is_named() -> None:
    [one] = silences(Given(placed(0), scan(1), scan(15, source="/z"), voided(15), cancelled(16)).parcel(), HOUR)
    assert one.ended_by is not None
    assert one.ended_by.ref == "/s#voided-P@15"


def test_a_cancelled_order_stops_nothing_while_another_in_the_parcel_is_wanted() -> None:
    both = (placed(0, of="Q"), packed(0, "P", piece(), piece(of="Q")), scan(1, order_ids=()))
    assert silent(*both, cancelled(15)) == [(1, 11, None)]
    assert silent(*both, cancelled(15), cancelled(17, of="Q")) == [(1, 11, 17)]
    assert stop(Given(placed(0), *both, cancelled(15)).parcel()) is None


def test_an_order_that_is_named_but_not_known_is_still_wanted() -> None:
    both = (packed(0, "P", piece(), piece(of="Q")), scan(1, order_ids=()))
    assert silent(*both, cancelled(15)) == [(1, 11, None)]


def test_delivered_before_it_was_picked_up_it_is_at_its_end() -> None:
    assert silent(scan(5, "delivered"), scan(8, "picked_up"), scan(30)) == []


def test_hundreds_of_scans_are_read_in_one_pass_and_every_silence_between_them_is_found() -> None:
    parcel = Given(placed(0), *(scan(11 * when) for when in range(400))).parcel()
    assert len(movements(iter(parcel.facts.of(ParcelScanned)))) == 400
    assert len(list(silences(parcel, 10 * HOUR))) == 400


def test_the_order_of_arrival_changes_nothing() -> None:
    chance = Random(3)
    facts: list[Fact] = [scan(when, chance.choice(MOVING), facility_id=chance.choice("AB")) for when in range(0, 90, 9)]
    expected = (moved(*facts), silent(*facts, voided(50), after=5))
    assert expected[1]
    for _ in range(9):
        chance.shuffle(facts)
        assert (moved(*facts), silent(voided(50), *facts, after=5)) == expected


# Who would tell


def test_the_policy_names_the_carrier_s_feeds() -> None:
    parcel = Given(labelled(1), scan(2, source="/x")).parcel()
    assert feeds(parcel, MAPPED) == ("/carriers/sf", "/carriers/sf-intl")


def test_unmapped_the_last_to_scan_stands_for_the_carrier() -> None:
    parcel = Given(labelled(1), scan(3, source="/x"), scan(2, source="/y")).parcel()
    assert feeds(parcel, DEFAULT) == ("/x",)


def test_a_carrier_that_is_mapped_to_nothing_is_not_mapped() -> None:
    assert feeds(Given(labelled(1, carrier="YTO"), scan(2, source="/x")).parcel(), MAPPED) == ("/x",)


def test_a_code_that_nobody_understands_still_comes_from_somewhere() -> None:
    assert feeds(Given(scan(2, source="/x"), scan(3, None, source="/y")).parcel(), DEFAULT) == ("/y",)  # type: ignore[arg-type]  # null where raw


def test_without_a_scan_the_label_s_source_stands_for_it_and_without_anything_nobody() -> None:
    assert feeds(Given(labelled(1, source="/wms")).parcel(), DEFAULT) == ("/wms",)
    assert feeds(Given(voided(1)).parcel(), MAPPED) == ()
