"""Hand-computed cases for parcels under way: stalled, lost, never handed over."""

from typing import Any

import pytest

from tests.oracle.sentences import beat, box, found, label, scan, voided, whole
from tests.oracle.story import at, event, placed, requested, told

LANES: dict[str, Any] = {"stalled_parcel": {"lanes": {"sf:310000-510000": {"after": "120h"}}}}


def stalls(*events: dict[str, Any], **more: Any) -> list[tuple[str, float | None, float | None]]:
    return found("stalled_parcel", *events, **more)


def lost(*events: dict[str, Any], now: float = 999) -> list[tuple[str, str | None, str, str | None]]:
    some = [x for x in whole(*events, now=now) if x["kind"] == "presumed_lost"]
    return [(x["rule"], x["since"], x["due_at"], x["ended_at"]) for x in some]


# --- stalled_parcel


def test_a_parcel_without_movement_stalls_after_the_threshold_until_it_moves() -> None:
    assert stalls(scan(1, "picked_up")) == [("P", 73, None)]
    assert stalls(scan(1, "picked_up"), scan(90, "in_transit"), scan(91, "delivered")) == [("P", 73, 90)]


def test_a_movement_on_the_dot_is_no_stall() -> None:
    assert stalls(scan(1, "picked_up"), scan(73, "delivered")) == []


def test_a_parcel_that_stalls_twice_has_two_episodes_that_say_since_when() -> None:
    some = whole(scan(0, "picked_up"), scan(100, "in_transit"), now=200)
    some = [one for one in some if one["kind"] == "stalled_parcel"]
    assert [(x["since"], x["due_at"], x["state"]) for x in some] == [
        (at(0), at(72), "ended"),
        (at(100), at(172), "open"),
    ]


def test_a_label_alone_never_stalls() -> None:
    assert stalls(label(0), scan(1, "label_created"), scan(2, "cancelled"), scan(3, "unknown")) == []


@pytest.mark.parametrize("talk", ["label_created", "cancelled", "unknown"])
def test_talk_is_no_movement(talk: str) -> None:
    assert stalls(scan(0, "picked_up"), scan(50, talk)) == [("P", 72, None)]


@pytest.mark.parametrize("move", ["picked_up", "delivery_failed", "out_for_delivery", "damaged", "delivery_delayed"])
def test_every_other_scan_is_movement_even_a_repeated_one(move: str) -> None:
    assert stalls(scan(0, "picked_up"), scan(50, move), scan(51, "in_transit"), now=120) == []


def test_a_delay_told_again_at_the_same_place_is_talk_and_elsewhere_movement() -> None:
    first, again = scan(0, "delivery_delayed", facility_id="X"), scan(50, "delivery_delayed", facility_id="X")
    assert stalls(first, again) == [("P", 72, None)]
    assert stalls(first, scan(50, "delivery_delayed", facility_id="Y")) == [("P", 122, None)]
    assert stalls(first, scan(40, "in_transit"), again) == [("P", 122, None)]


@pytest.mark.parametrize("hold", ["on_hold", "customs_hold"])
def test_a_hold_stops_the_clock_until_something_else_moves(hold: str) -> None:
    assert stalls(scan(0, "picked_up"), scan(10, hold)) == []
    assert stalls(scan(0, "picked_up"), scan(10, hold), scan(200, hold), scan(300, "in_transit")) == [("P", 372, None)]


@pytest.mark.parametrize("end", ["delivered", "refused", "return_to_sender", "returned", "lost"])
def test_after_a_terminal_status_nothing_stalls_and_older_scans_that_come_late_undo_nothing(end: str) -> None:
    assert stalls(scan(5, end), scan(0, "picked_up")) == []
    assert stalls(scan(0, "picked_up"), scan(5, end), scan(6, "in_transit")) == []


def test_damaged_is_not_terminal_for_the_stall() -> None:
    assert stalls(scan(0, "picked_up"), scan(5, "damaged")) == [("P", 77, None)]


def test_scans_at_one_instant_are_one_movement_and_the_last_of_them_counts() -> None:
    assert stalls(scan(0, "picked_up", key="b"), scan(0, "on_hold", key="a")) == [("P", 72, None)]
    assert stalls(scan(0, "picked_up", key="a"), scan(0, "on_hold", key="b")) == []
    assert stalls(scan(0, "delivered", key="a"), scan(0, "in_transit", key="b")) == []


def test_voiding_stops_a_stall_that_may_come_and_ends_one_that_has() -> None:
    assert stalls(scan(0, "picked_up"), voided(50)) == []
    assert stalls(scan(0, "picked_up"), voided(80)) == [("P", 72, 80)]
    assert stalls(scan(0, "picked_up"), voided(50), scan(60, "in_transit")) == []


def test_a_stall_ends_when_the_last_of_its_orders_is_wholly_cancelled() -> None:
    world = (placed(0), placed(0, order="Q", key="q"), scan(0, "picked_up", order_ids=["O", "Q"]))
    assert stalls(*world, told("cancelled", 80)) == [("P", 72, None)]
    both = (told("cancelled", 80), told("cancelled", 90, order_id="Q"))
    assert stalls(*world, *both) == [("P", 72, 90)]
    assert stalls(*world, *both, scan(95, "in_transit")) == [("P", 72, 90)]


def test_an_order_whose_lines_are_all_cancelled_is_wholly_cancelled() -> None:
    assert stalls(placed(0), scan(0, "picked_up"), told("cancelled", 80, line_ids=["1"])) == [("P", 72, 80)]


def test_a_parcel_of_no_known_order_waits_for_one() -> None:
    unknown = scan(0, "picked_up", fulfillment_ids=["F"])
    assert stalls(unknown) == []
    assert stalls(unknown, requested(300, "F")) == [("P", 72, None)]
    assert stalls(scan(0, "picked_up", order_ids=[]), box(300, "P", "O:A:1")) == [("P", 72, None)]


def test_a_lane_has_its_own_threshold() -> None:
    order = placed(0, destination="510000")
    assert stalls(order, label(0), scan(1, "picked_up", region="310000"), **LANES) == [("P", 121, None)]
    assert stalls(order, label(0), scan(1, "picked_up", region="310001"), **LANES) == [("P", 73, None)]
    assert stalls(order, label(0, carrier="yto"), scan(1, "picked_up", region="310000"), **LANES) == [("P", 73, None)]
    assert stalls(label(0), scan(1, "picked_up", region="310000"), **LANES) == [("P", 73, None)]


def test_the_lane_goes_from_the_first_possession_to_the_first_order() -> None:
    orders = (placed(0, destination="510000"), placed(0, order="Z", destination="1", key="z"))
    scans = (scan(1, "picked_up", region="310000", order_ids=["O", "Z"]), scan(2, "in_transit", region="7"))
    assert stalls(*orders, label(0), *scans, **LANES) == [("P", 122, None)]


def test_the_default_threshold_is_policy() -> None:
    assert stalls(scan(0, "picked_up"), stalled_parcel={"after": "2d"}) == [("P", 48, None)]


def test_silence_of_the_source_is_no_stall() -> None:
    quiet = scan(0, "picked_up") | {"source": "/carriers/sf"}
    assert stalls(quiet) == []
    assert stalls(quiet, beat(72, "/carriers/sf")) == []
    assert stalls(quiet, beat(73, "/carriers/sf")) == [("P", 72, None)]


def test_a_mapped_carrier_must_be_heard_through_all_of_its_feeds() -> None:
    quiet = scan(0, "picked_up", carrier="sf")
    feeds = {"sf": ["/sf/north", "/sf/south"]}
    assert stalls(quiet, beat(100, "/sf/north"), feeds=feeds) == []
    assert stalls(quiet, beat(100, "/sf/north"), beat(73, "/sf/south"), feeds=feeds) == [("P", 72, None)]


def test_an_unknown_status_proves_that_the_feed_is_alive_and_changes_nothing_else() -> None:
    quiet = scan(0, "picked_up") | {"source": "/carriers/sf"}
    talk = event("parcel.scanned", 100, source="/carriers/sf", parcel_id="P", raw_code="50")
    assert stalls(quiet, talk) == [("P", 72, None)]


def test_a_feed_that_comes_back_shows_only_what_is_really_late() -> None:
    quiet = [scan(0, "picked_up", name) | {"source": "/carriers/sf"} for name in ("P", "Q")]
    back = scan(60, "in_transit", "Q") | {"source": "/carriers/sf"}
    assert stalls(*quiet, back, now=100) == []
    assert stalls(*quiet, back, beat(100, "/carriers/sf"), now=100) == [("P", 72, None)]


def test_a_manifest_echo_after_the_label_is_not_shown_as_moving() -> None:
    assert stalls(label(0), scan(1, "label_created"), scan(200, "label_created", key="echo")) == []


def test_a_reshipped_parcel_leaves_the_first_one_s_clocks_behind() -> None:
    world = (
        label(0),
        scan(1, "picked_up"),
        voided(30, replaced_by="Q"),
        label(31, "Q", "M"),
        scan(32, "picked_up", "Q"),
    )
    assert stalls(*world) == [("Q", 104, None)]


def test_the_same_scan_under_another_id_has_one_effect() -> None:
    assert stalls(scan(0, "picked_up"), scan(0, "picked_up", key="again")) == [("P", 72, None)]


def test_a_scan_by_number_moves_the_labelled_parcel() -> None:
    tracked = event("parcel.scanned", 50, carrier="sf", tracking_number="N", status="in_transit")
    assert stalls(label(0), scan(1, "picked_up"), tracked) == [("P", 122, None)]


def test_delivered_before_pickup_is_no_stall_and_no_crash() -> None:
    world = (placed(10), scan(3, "delivered"), scan(5, "picked_up"))
    assert stalls(*world) == []


# --- presumed_lost


def test_a_stall_beyond_the_window_is_presumed_lost_until_it_moves() -> None:
    world = (scan(0, "picked_up"), scan(10, "in_transit"))
    assert lost(*world) == [("window", at(370), at(370), None)]
    assert lost(*world, scan(400, "in_transit"), now=500) == [("window", at(370), at(370), at(400))]
    assert lost(*world, scan(370, "in_transit"), now=500) == []


@pytest.mark.parametrize("end", [voided(400), told("cancelled", 400)])
def test_void_and_cancellation_end_the_window(end: dict[str, Any]) -> None:
    assert lost(placed(0), scan(0, "picked_up"), end) == [("window", at(360), at(360), at(400))]


def test_a_held_parcel_or_a_silent_feed_loses_nothing() -> None:
    assert lost(scan(0, "customs_hold")) == []
    assert lost(scan(0, "picked_up") | {"source": "/carriers/sf"}) == []


def test_a_parcel_called_lost_is_lost_at_once_until_it_moves() -> None:
    assert lost(scan(0, "picked_up"), scan(20, "lost")) == [("status", at(20), at(20), None)]
    assert lost(scan(20, "lost"), scan(30, "label_created"), scan(40, "delivered")) == [
        ("status", at(20), at(20), at(40))
    ]
    assert lost(scan(20, "lost"), voided(30), scan(40, "delivered")) == [("status", at(20), at(20), at(30))]
    assert lost(scan(20, "lost"), voided(20)) == []


# --- unconfirmed_handover


def unconfirmed(*events: dict[str, Any], **more: Any) -> list[tuple[str, float | None, float | None]]:
    return found("unconfirmed_handover", *events, **more)


def test_a_label_that_nobody_collects_is_unconfirmed_until_possession() -> None:
    assert unconfirmed(label(1)) == [("P", 25, None)]
    assert unconfirmed(label(1), scan(2, "label_created"), scan(30, "in_transit")) == [("P", 25, 30)]
    assert unconfirmed(label(1), scan(25, "picked_up")) == []
    assert unconfirmed(label(5), scan(1, "picked_up")) == []


def test_the_first_label_starts_the_clock() -> None:
    assert unconfirmed(label(1), label(20, key="again", number="M")) == [("P", 25, None)]


def test_void_or_cancellation_of_all_orders_ends_it() -> None:
    assert unconfirmed(label(1), voided(10)) == []
    assert unconfirmed(label(1), voided(30)) == [("P", 25, 30)]
    assert unconfirmed(placed(0), label(1), told("cancelled", 40)) == [("P", 25, 40)]


def test_a_label_voided_and_reprinted_alarms_for_the_new_one_only() -> None:
    world = (label(1), voided(10, replaced_by="Q"), label(11, "Q", "M"))
    assert unconfirmed(*world) == [("Q", 35, None)]


def test_it_waits_for_the_carrier_s_feed_else_for_the_label_s_source() -> None:
    assert unconfirmed(label(1), feeds={"sf": ["/carriers/sf"]}) == []
    assert unconfirmed(label(1), beat(26, "/carriers/sf"), feeds={"sf": ["/carriers/sf"]}) == [("P", 25, None)]
    assert unconfirmed(label(1) | {"source": "/w"}, beat(25, "/w")) == []
    assert unconfirmed(label(1) | {"source": "/w"}, beat(26, "/w")) == [("P", 25, None)]


def test_an_unmapped_carrier_s_last_scan_beats_every_label() -> None:
    world = (label(1) | {"source": "/w"}, scan(2, "label_created") | {"source": "/c"}, label(3, key="x", number="M"))
    assert unconfirmed(*world) == []
    assert unconfirmed(*world, beat(26, "/w")) == []
    assert unconfirmed(*world, beat(26, "/c")) == [("P", 25, None)]
    reprinted = (label(1) | {"source": "/w"}, label(3, key="x", number="M") | {"source": "/v"})
    assert unconfirmed(*reprinted, beat(26, "/w")) == []
    assert unconfirmed(*reprinted, beat(26, "/v")) == [("P", 25, None)]
