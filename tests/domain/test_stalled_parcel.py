"""stalled_parcel: since when, until when, on which lane, and by what proof."""

from typing import Any

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.stalled_parcel import DETECTOR, findings, look_again
from domain.events import Fact
from domain.parcels.events import TERMINAL, ParcelScanned
from domain.policies.policy import DEFAULT, Policy, load
from tests.story import Given, at, cancelled, hours, labelled, line, packed, piece, placed, requested, scanned, voided

TEN = load('[stalled_parcel]\nafter = "10h"')
LANES = load('[stalled_parcel]\nafter = "10h"\n[stalled_parcel.lanes."SF:310000-510000"]\nafter = "20h"')
TO_510000 = placed(0, destination="510000")
Seen = list[tuple[float | None, float | None, float | None]]


def scan(when: float, status: str | None = "in_transit", **more: Any) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 999, policy: Policy = TEN) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), policy)


def stalls(*facts: Fact, now: float = 999, policy: Policy = TEN) -> Seen:
    """Say (since, due, ended) of every stall of parcel P."""
    return [(hours(one.since), hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, policy=policy)]


def test_no_movement_for_longer_than_the_threshold_is_a_stall() -> None:
    assert stalls(scan(1), scan(3)) == [(3, 13, None)]


def test_by_default_three_days_are_allowed() -> None:
    assert stalls(scan(1), policy=DEFAULT) == [(1, 73, None)]


def test_time_must_have_passed_the_deadline() -> None:
    assert stalls(scan(1), now=11) == []
    [one] = findings(Given(scan(1)).parcel(), at(11) + 1, TEN)
    assert one.due_at == at(11)


@pytest.mark.parametrize("status", ["in_transit", "delivery_failed", "damaged", "delivered", "lost", "refused"])
def test_the_next_movement_ends_it_delivery_and_attempts_included(status: str) -> None:
    assert stalls(scan(1), scan(20, status))[:1] == [(1, 11, 20)]


def test_a_microsecond_too_late_is_a_stall_and_on_the_dot_is_none() -> None:
    late = msgspec.structs.replace(scan(11), at=at(11) + 1)
    [one, _] = found(scan(1), late)
    assert (one.due_at, one.ended_at) == (at(11), at(11) + 1)
    assert stalls(scan(1), scan(11, "delivered")) == []


def test_a_parcel_that_stalls_twice_has_two_stalls() -> None:
    facts = (scan(1), scan(20), scan(25), scan(70, "delivered"))
    assert stalls(*facts) == [(1, 11, 20), (25, 35, 70)]
    assert len({one.key for one in found(*facts)}) == 2


def test_damage_is_movement_and_no_end() -> None:
    assert stalls(scan(1), scan(5, "damaged")) == [(5, 15, None)]


# Who is watched


def test_without_possession_nothing_stalls() -> None:
    assert stalls(labelled(1, order_ids=("O",)), scan(2, "label_created")) == []


def test_a_label_echo_or_manifest_neither_starts_nor_breaks_a_stall() -> None:
    assert stalls(scan(1), scan(9, "label_created"), scan(10, "unknown"), scan(10.5, None)) == [(1, 11, None)]


def test_a_parcel_of_which_no_order_is_known_has_no_findings() -> None:
    assert stalls(scan(1, order_ids=())) == []
    assert look_again(Given(scan(1, order_ids=())).parcel(), at(0), TEN) is None


def test_a_scan_that_came_before_its_order_counts_once_the_order_is_known() -> None:
    early = scan(1, order_ids=(), fulfillment_ids=("F",))
    assert stalls(early) == []
    assert stalls(early, requested(2), placed(0)) == stalls(placed(0), requested(2), early) == [(1, 11, None)]


def test_each_parcel_of_an_order_is_watched_by_itself() -> None:
    known = Given(placed(0), scan(1), scanned(1, "P2", order_ids=("O",)), scanned(9, "P2", order_ids=("O",)))
    assert [hours(findings(known.parcel(name), at(99), TEN)[0].since) for name in ("P", "P2")] == [1, 9]


# What stops the clock


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_after_the_end_of_its_way_nothing_stalls_whatever_is_scanned_later(status: str) -> None:
    assert stalls(scan(1), scan(5, status)) == []
    assert stalls(scan(1), scan(5, status), scan(30), scan(90)) == []


def test_refused_and_on_its_way_back_it_does_not_stall() -> None:
    assert stalls(scan(1), scan(5, "refused"), scan(6, "return_to_sender"), scan(90, "returned")) == []


def test_an_older_scan_that_arrives_late_leaves_it_delivered() -> None:
    assert stalls(scan(1), scan(5, "delivered"), scan(3), scan(4, "out_for_delivery")) == []


def test_an_older_scan_that_arrives_late_takes_a_stall_back() -> None:
    assert stalls(scan(1), scan(20)) == [(1, 11, 20), (20, 30, None)]
    assert stalls(scan(1), scan(20), scan(11)) == [(20, 30, None)]


@pytest.mark.parametrize("status", ["customs_hold", "on_hold"])
def test_a_hold_is_no_stall_however_long_it_lasts(status: str) -> None:
    held = [scan(when, status, facility_id="PORT") for when in (5, 30, 60)]
    assert stalls(scan(1), *held) == []
    assert stalls(scan(1), *held, scan(80)) == [(80, 90, None)]


def test_a_delay_said_every_day_at_the_same_place_is_a_stall_since_the_first() -> None:
    delays = [scan(when, "delivery_delayed", facility_id="HUB") for when in (5, 9, 14, 19)]
    assert stalls(scan(1), *delays) == [(5, 15, None)]


@pytest.mark.parametrize(("when", "expected"), [(5, []), (11, []), (14, [(1, 11, 14)])])
def test_the_void_of_its_label_stops_it(when: float, expected: Seen) -> None:
    assert stalls(scan(1), voided(when)) == expected


def test_a_voided_parcel_does_not_stall_again_and_the_reprinted_one_has_its_own_clock() -> None:
    known = Given(scan(1), voided(3), scan(4), scan(90), scanned(5, "P2", order_ids=("O",)))
    assert findings(known.parcel(), at(999), TEN) == ()
    assert [hours(one.since) for one in findings(known.parcel("P2"), at(999), TEN)] == [5]


def test_a_parcel_replaced_by_another_stalls_no_longer() -> None:
    replaced = msgspec.structs.replace(voided(14), replaced_by="P2")
    assert stalls(scan(1), replaced, scanned(15, "P2", order_ids=("O",))) == [(1, 11, 14)]


@pytest.mark.parametrize(("when", "expected"), [(5, []), (11, []), (14, [(1, 11, 14)])])
def test_the_cancellation_of_its_order_stops_it(when: float, expected: Seen) -> None:
    assert stalls(placed(0), scan(1), cancelled(when)) == expected
    assert stalls(placed(0), scan(1), cancelled(when), scan(40), scan(90)) == expected


def test_a_cancelled_line_stops_nothing() -> None:
    assert stalls(placed(0, line("1"), line("2")), scan(1), cancelled(5, "1")) == [(1, 11, None)]


def test_of_two_orders_both_must_be_cancelled() -> None:
    facts = (placed(0), placed(0, of="Q"), packed(0, "P", piece(), piece(of="Q")), scan(1, order_ids=()))
    assert stalls(*facts, cancelled(5)) == [(1, 11, None)]
    assert stalls(*facts, cancelled(5), cancelled(14, of="Q")) == [(1, 11, 14)]


# Lanes


def test_a_lane_has_its_own_patience() -> None:
    assert stalls(TO_510000, labelled(0), scan(1, region="310000"), policy=LANES) == [(1, 21, None)]


@pytest.mark.parametrize(
    "facts",
    [
        (placed(0, destination="520000"), labelled(0), scan(1, region="310000")),
        (placed(0), labelled(0), scan(1, region="310000")),
        (labelled(0), scan(1, region="310000")),
        (TO_510000, labelled(0), scan(1, region="320000")),
        (TO_510000, labelled(0), scan(1)),
        (TO_510000, labelled(0, carrier="YTO"), scan(1, region="310000")),
        (TO_510000, scan(1, region="310000")),
    ],
)
def test_any_other_lane_has_the_default(facts: tuple[Fact, ...]) -> None:
    assert stalls(*facts, policy=LANES) == [(1, 11, None)]


@pytest.mark.parametrize("lane", ["None:310000-510000", "SF:None-510000", "SF:310000-None", "None:None-None"])
@pytest.mark.parametrize("order", [(), (placed(0),), (TO_510000,)])
@pytest.mark.parametrize("label", [(), (labelled(0),)])
@pytest.mark.parametrize("region", [None, "310000"])
def test_no_lane_is_named_after_what_is_not_known(
    lane: str, order: tuple[Fact, ...], label: tuple[Fact, ...], region: str | None
) -> None:
    odd = load(f'[stalled_parcel]\nafter = "10h"\n[stalled_parcel.lanes."{lane}"]\nafter = "20h"')
    assert stalls(*order, *label, scan(1, region=region), policy=odd) == [(1, 11, None)]


def test_a_lane_begins_where_the_carrier_first_had_it_and_not_where_it_is_now() -> None:
    echo, first, later = scan(0, "label_created", region="X"), scan(1, region="310000"), scan(2, region="X")
    assert stalls(TO_510000, labelled(0), echo, first, later, policy=LANES) == [(2, 22, None)]


def test_a_lane_ends_where_the_first_of_its_orders_goes() -> None:
    others = (placed(0, of="N", destination="X"), placed(0, of="Z", destination="X"), TO_510000, labelled(0))
    scans = scan(1, region="310000", order_ids=("Z", "O")), scan(1, region="310000", order_ids=("N", "O"))
    assert stalls(*others, scans[0], policy=LANES) == [(1, 21, None)]
    assert stalls(*others, scans[1], policy=LANES) == [(1, 11, None)]


# Odd clocks and repeats


def test_the_same_scan_again_under_another_id_changes_nothing() -> None:
    again = (scan(1, key="x"), scan(1, key="y"), scan(20, key="z"), scan(20, key="zz"))
    assert stalls(*again) == [(1, 11, 20), (20, 30, None)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((placed(0), scan(-500)), [(-500, -490, None)]),
        ((placed(0), scan(900), scan(1)), [(1, 11, 900), (900, 910, None)]),
        ((placed(0), scan(5, "delivered"), scan(8, "picked_up")), []),
        ((placed(5), scan(1), cancelled(-3)), []),
    ],
)
def test_impossible_clocks_break_nothing_and_no_span_is_negative(facts: tuple[Fact, ...], expected: Seen) -> None:
    assert stalls(*facts) == stalls(*reversed(facts)) == expected


def test_a_carrier_s_clock_in_the_future_is_looked_at_when_its_time_comes() -> None:
    assert stalls(scan(900), now=20) == []
    assert look_again(Given(scan(900)).parcel(), at(20), TEN) == at(910)


# What a finding says


def test_a_finding_says_whose_it_is_by_what_proof_and_what_would_clear_it() -> None:
    [one] = found(labelled(0), scan(1, order_ids=("O", "N")), scan(3, facility_id="HUB", region="310000"))
    assert (one.kind, one.subject, one.parcel_id, one.order_ids) == ("stalled_parcel", "P", "P", ("N", "O"))
    assert (one.carrier, one.rule, one.policy, one.proof) == ("SF", "no_movement", TEN.hash, ("/s#scanned-P@3",))
    assert (one.since, one.due_at, one.state) == (at(3), at(13), "open")
    assert one.detail["last_seen"] == {"status": "in_transit", "facility_id": "HUB", "region": "310000"}
    assert "movement" in one.detail["cleared_by"]
    assert one.detail["severity"] == {}
    assert "ended_by" not in one.detail


def test_the_proof_of_an_instant_with_several_scans_is_the_last_of_them() -> None:
    [one] = found(scan(1, source="/b"), scan(1, source="/a"))
    assert one.proof == ("/b#scanned-P@1",)


def test_what_ended_it_is_named_and_of_one_instant_the_first() -> None:
    [one, _] = found(scan(1), scan(20, source="/b"), scan(20, source="/a"))
    assert one.detail["ended_by"] == "/a#scanned-P@20"
    [one] = found(placed(0), scan(1), cancelled(14))
    assert one.detail["ended_by"] == "/s#order.cancelled@14"


def test_the_heaviest_of_its_orders_weighs() -> None:
    dear = placed(0, line("1", unit_price="5000"), currency="CNY", customer_tier="vip")
    facts = (dear, placed(0, of="N"), scan(1, order_ids=("O", "N")))
    [one] = found(*facts)
    assert (one.severity, one.detail["severity"]) == ("high", {"money": 1, "customer": 1})


# Timer and feeds


def test_it_asks_to_be_looked_at_when_the_threshold_is_reached_and_no_more_afterwards() -> None:
    parcel = Given(scan(1)).parcel()
    assert look_again(parcel, at(1), TEN) == look_again(parcel, at(11), TEN) == at(11)
    assert look_again(parcel, at(11) + 1, TEN) is None


def test_a_parcel_at_its_end_on_hold_voided_or_cancelled_is_left_alone() -> None:
    for end in (scan(5, "delivered"), scan(5, "customs_hold"), voided(5), cancelled(5)):
        assert look_again(Given(placed(0), scan(1), end).parcel(), at(6), TEN) is None


def test_it_waits_for_the_carrier_s_feeds() -> None:
    mapped = load('[feeds]\nSF = ["/sf", "/sf2"]')
    parcel = Given(labelled(0), scan(1, source="/x")).parcel()
    assert (DETECTOR.sources(parcel, mapped), DETECTOR.sources(parcel, DEFAULT)) == (("/sf", "/sf2"), ("/x",))
