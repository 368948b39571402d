"""Hand-computed cases for which kinds wait for which feeds, and for carriers that do not always work."""

from typing import Any

import pytest

from tests.oracle.hours import worked
from tests.oracle.late_shipment import instant
from tests.oracle.parcels import duration
from tests.oracle.sentences import beat, found, label, scan, voided
from tests.oracle.story import at, placed, requested

FEEDS: dict[str, Any] = {"W": ["/wms"], "sf": ["/carriers/sf"]}
SHIPMENT = (placed(0), requested(0, ship_by=50))
DELIVERY = placed(0, deliver_by=at(50))


def late(
    kind: str, *events: dict[str, Any], waits: tuple[str, ...] = ()
) -> list[tuple[str, float | None, float | None]]:
    """Say (subject, due, ended) where these kinds wait."""
    return found(kind, *events, feeds=FEEDS, feed_silence={"waits": list(waits)})


def test_a_late_shipment_waits_for_its_warehouse_where_it_is_told_to() -> None:
    kind = "late_shipment"
    assert late(kind, *SHIPMENT, beat(40, "/wms")) == [("F", 50, None)]
    assert late(kind, *SHIPMENT, beat(50, "/wms"), waits=(kind,)) == []
    assert late(kind, *SHIPMENT, beat(51, "/wms"), waits=(kind,)) == [("F", 50, None)]


def test_and_for_the_carrier_of_a_parcel_that_lay_ready() -> None:
    kind, alive = "late_shipment", beat(60, "/wms")
    ready = label(10, order_ids=["O"])
    assert late(kind, *SHIPMENT, alive, ready, waits=(kind,)) == []
    assert late(kind, *SHIPMENT, alive, ready, beat(51, "/carriers/sf"), waits=(kind,)) == [("F", 50, None)]
    assert late(kind, *SHIPMENT, alive, ready, voided(20), waits=(kind,)) == [("F", 50, None)]
    assert late(kind, *SHIPMENT, alive, label(51, order_ids=["O"]), waits=(kind,)) == [("F", 50, None)]


def test_a_late_delivery_waits_for_the_carrier_that_has_it() -> None:
    kind, taken = "late_delivery", scan(10, "picked_up", carrier="sf", source="/carriers/sf")
    assert late(kind, DELIVERY, taken) == [("O", 50, None)]
    assert late(kind, DELIVERY, taken, waits=(kind,)) == []
    assert late(kind, DELIVERY, taken, beat(51, "/carriers/sf"), waits=(kind,)) == [("O", 50, None)]
    assert late(kind, DELIVERY, waits=(kind,)) == [("O", 50, None)]


def test_a_stall_that_is_told_not_to_wait_needs_no_life() -> None:
    taken = scan(10, "picked_up", carrier="sf", source="/carriers/sf")
    assert late("stalled_parcel", taken, waits=("stalled_parcel",)) == []
    assert late("stalled_parcel", taken) == [("P", 82, None)]


# Working time: dawn is a Sunday, and eight o'clock in Shanghai

HOURS: dict[str, Any] = {"sf": {"hours": ["mon-fri 09:00-17:00"], "timezone": "UTC"}}


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [(24 + 9, "8h", 24 + 17), (24 + 9, "9h", 48 + 10), (0, "1h", 24 + 10), (5 * 24 + 16, "2h", 8 * 24 + 10)],
)
def test_time_counts_while_the_carrier_works(start: float, span: str, end: float) -> None:
    policy = {"calendars": {"carriers": HOURS}}
    assert worked(policy, "sf", instant(at(start)), duration(span)) == instant(at(end))
    assert worked(policy, "yto", instant(at(start)), duration(span)) == instant(at(start)) + duration(span)


def test_a_star_stands_for_all_carriers_and_the_policy_s_zone_for_a_missing_one() -> None:
    policy = {"calendars": {"carriers": {"*": {"hours": ["mon-sun 09:00-10:00"]}}}}
    assert worked(policy, None, instant(at(0)), duration("2h")) == instant(at(26))


def test_a_stall_and_a_hand_over_are_counted_so_and_a_loss_is_not() -> None:
    calendars = {"carriers": HOURS}
    taken, printed = scan(24 + 9, "picked_up", carrier="sf"), label(24 + 9, "Q", order_ids=["O"])
    rules: dict[str, Any] = {"after": "9h"}
    assert found("stalled_parcel", taken, calendars=calendars, stalled_parcel=rules) == [("P", 58, None)]
    assert found("unconfirmed_handover", printed, calendars=calendars, unconfirmed_handover=rules) == [("Q", 58, None)]
    assert found("presumed_lost", taken, calendars=calendars, presumed_lost=rules) == [("P", 42, None)]
