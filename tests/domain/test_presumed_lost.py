"""presumed_lost: silent for longer than its carrier's loss window, or lost by the carrier's own word."""

from typing import Any

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.presumed_lost import DETECTOR, REPORTED, findings, look_again
from domain.events import Fact
from domain.parcels.events import TERMINAL, ParcelScanned
from domain.policies.policy import DEFAULT, Policy, load
from tests.story import Given, at, cancelled, hours, labelled, packed, piece, placed, requested, scanned, voided

THIRTY = load('[presumed_lost]\nafter = "30h"')
Seen = list[tuple[str, float | None, float | None]]


def scan(when: float, status: str | None = "in_transit", **more: Any) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 9999, policy: Policy = THIRTY) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), policy)


def losses(*facts: Fact, now: float = 9999, policy: Policy = THIRTY) -> Seen:
    """Say (rule, due, ended) of every loss of parcel P."""
    return [(one.rule, hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, policy=policy)]


# The window


def test_no_movement_for_the_whole_window_is_presumed_a_loss() -> None:
    assert losses(scan(1), scan(5)) == [("window", 35, None)]


def test_by_default_fifteen_days_are_allowed() -> None:
    assert losses(scan(0), policy=DEFAULT) == [("window", 15 * 24, None)]


def test_time_must_have_passed_the_deadline() -> None:
    assert losses(scan(5), now=35) == []
    assert len(findings(Given(scan(5)).parcel(), at(35) + 1, THIRTY)) == 1


def test_a_carrier_may_have_a_window_of_its_own() -> None:
    own = load('[presumed_lost]\nafter = "30h"\n[presumed_lost.carriers.SF]\nafter = "50h"')
    assert losses(labelled(0), scan(5), policy=own) == [("window", 55, None)]
    assert (
        losses(labelled(0, carrier="YTO"), scan(5), policy=own) == losses(scan(5), policy=own) == [("window", 35, None)]
    )


@pytest.mark.parametrize("status", ["in_transit", "delivered", "damaged", "customs_hold", "returned"])
def test_the_next_movement_ends_it(status: str) -> None:
    assert losses(scan(5), scan(50, status))[:1] == [("window", 35, 50)]


def test_found_again_on_the_dot_it_was_never_lost() -> None:
    assert losses(scan(5), scan(35, "delivered")) == []
    assert losses(scan(5), msgspec.structs.replace(scan(35, "delivered"), at=at(35) + 1))


def test_a_parcel_lost_twice_has_two_losses() -> None:
    facts = (scan(5), scan(50), scan(99, "delivered"))
    assert losses(*facts) == [("window", 35, 50), ("window", 80, 99)]
    assert len({one.key for one in found(*facts)}) == 2


@pytest.mark.parametrize("status", sorted(TERMINAL - {"lost"}))
def test_after_the_end_of_its_way_nothing_is_lost_by_silence(status: str) -> None:
    assert losses(scan(5), scan(9, status)) == losses(scan(5), scan(9, status), scan(20)) == []


@pytest.mark.parametrize("status", ["on_hold", "customs_hold"])
def test_a_hold_stops_the_window(status: str) -> None:
    assert losses(scan(5), scan(9, status, facility_id="A"), scan(90, status, facility_id="A")) == []


def test_before_possession_nothing_is_lost() -> None:
    assert losses(labelled(0, order_ids=("O",)), scan(2, "label_created")) == []


@pytest.mark.parametrize("end", [voided, cancelled])
@pytest.mark.parametrize(("when", "expected"), [(8, []), (35, []), (36, [("window", 35, 36)])])
def test_void_and_cancellation_end_the_window(end: type, when: float, expected: Seen) -> None:
    assert losses(placed(0), scan(5), end(when)) == expected
    assert losses(placed(0), scan(5), end(when), scan(60), scan(200)) == expected


def test_an_older_scan_that_arrives_late_takes_a_loss_back() -> None:
    assert losses(scan(5), scan(50, "delivered")) == [("window", 35, 50)]
    assert losses(scan(5), scan(50, "delivered"), scan(20)) == []


# The carrier's word


def test_what_the_carrier_calls_lost_is_lost_from_then_on() -> None:
    assert losses(scan(5), scan(9, "lost")) == [("status", 9, None)]
    assert losses(scan(5), scan(9, "lost"), now=9) == []


def test_a_loss_that_is_the_first_scan_of_all_counts() -> None:
    assert losses(scan(9, "lost")) == [("status", 9, None)]


@pytest.mark.parametrize("status", ["in_transit", "delivered", "arrived_facility", "returned", "on_hold"])
def test_the_next_movement_by_world_time_ends_it(status: str) -> None:
    assert losses(scan(9, "lost"), scan(30, "delivered"), scan(20, status)) == [("status", 9, 20)]


def test_talk_ends_no_loss() -> None:
    assert losses(scan(9, "lost"), scan(20, "label_created"), scan(21, None)) == [("status", 9, None)]


def test_an_older_scan_that_arrives_late_does_not_find_it_again() -> None:
    assert losses(scan(9, "lost"), scan(8), scan(7)) == [("status", 9, None)]


def test_something_else_at_the_very_instant_does_not_find_it_again() -> None:
    assert losses(scan(9, "lost", source="/a"), scan(9, source="/b")) == [("status", 9, None)]


def test_said_twice_for_one_instant_it_is_one_loss() -> None:
    assert losses(scan(9, "lost", key="x"), scan(9, "lost", key="y")) == [("status", 9, None)]


def test_said_again_later_it_is_movement_and_a_loss_of_its_own() -> None:
    assert losses(scan(9, "lost"), scan(20, "lost")) == [("status", 9, 20), ("status", 20, None)]


def test_lost_after_delivery_is_what_the_carrier_says() -> None:
    assert losses(scan(5, "delivered"), scan(9, "lost")) == [("status", 9, None)]


def test_found_again_its_clocks_stay_stopped() -> None:
    assert losses(scan(5), scan(9, "lost"), scan(20), scan(90)) == [("status", 9, 20)]


def test_silence_until_the_carrier_admits_it_is_two_findings() -> None:
    assert losses(scan(5), scan(50, "lost")) == [("window", 35, 50), ("status", 50, None)]


def test_admitted_when_the_window_ends_it_is_lost_by_status_alone() -> None:
    assert losses(scan(5), scan(35, "lost")) == [("status", 35, None)]


def test_a_void_ends_it_and_after_a_void_nobody_asks() -> None:
    assert losses(scan(9, "lost"), voided(20), scan(30)) == [("status", 9, 20)]
    assert losses(scan(9, "lost"), voided(9)) == losses(scan(9, "lost"), voided(3)) == []


def test_a_cancelled_order_does_not_bring_a_lost_parcel_back() -> None:
    assert losses(placed(0), scan(9, "lost"), cancelled(20)) == [("status", 9, None)]
    assert losses(placed(0), scan(9, "lost"), cancelled(3)) == [("status", 9, None)]


def test_sent_again_the_lost_one_is_over_and_the_new_one_has_its_own_window() -> None:
    reship = msgspec.structs.replace(voided(20), replaced_by="P2")
    known = Given(scan(9, "lost"), reship, scanned(25, "P2", order_ids=("O",)))
    assert [hours(one.ended_at) for one in findings(known.parcel(), at(999), THIRTY)] == [20]
    assert [hours(one.due_at) for one in findings(known.parcel("P2"), at(999), THIRTY)] == [55]


# Odd clocks, unknown orders


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((placed(0), scan(-500)), [("window", -470, None)]),
        ((placed(0), scan(9, "delivered"), scan(11, "picked_up")), []),
        ((placed(0), scan(5), scan(900, "lost")), [("window", 35, 900), ("status", 900, None)]),
    ],
)
def test_impossible_clocks_break_nothing_and_no_span_is_negative(facts: tuple[Fact, ...], expected: Seen) -> None:
    assert losses(*facts) == losses(*reversed(facts)) == expected


@pytest.mark.parametrize("status", ["in_transit", "lost"])
def test_a_parcel_of_which_no_order_is_known_has_no_findings_until_it_is(status: str) -> None:
    early = scan(5, status, order_ids=(), fulfillment_ids=("F",))
    assert losses(early) == []
    assert look_again(Given(early).parcel(), at(0), THIRTY) is None
    assert len(losses(early, requested(6), placed(0))) == 1


def test_hearing_everything_again_changes_nothing() -> None:
    facts = (placed(0), scan(5), scan(5, key="again"), scan(50, "lost"), scan(50, "lost", key="again"))
    assert losses(*facts, *facts) == [("window", 35, 50), ("status", 50, None)]


# What a finding says


def test_a_finding_by_silence_says_whose_it_is_by_what_proof_and_what_would_clear_it() -> None:
    [one] = found(labelled(0), scan(1), scan(5, order_ids=("O", "N")))
    assert (one.kind, one.subject, one.parcel_id, one.order_ids) == ("presumed_lost", "P", "P", ("N", "O"))
    assert (one.carrier, one.policy, one.proof) == ("SF", THIRTY.hash, ("/s#scanned-P@5",))
    assert one.since == one.due_at == at(35)
    assert "cancellation" in one.detail["cleared_by"]
    assert "ended_by" not in one.detail


def test_a_finding_by_status_is_proved_by_that_scan() -> None:
    [one] = found(scan(1), scan(9, "lost", source="/b"), scan(9, "lost", source="/a"), scan(20))
    assert (one.since, one.due_at, one.proof) == (at(9), at(9), ("/a#scanned-P@9",))
    assert one.detail["ended_by"] == "/s#scanned-P@20"
    assert "cancellation" not in one.detail["cleared_by"]


def test_of_what_found_it_again_at_one_instant_the_first_is_named() -> None:
    [one] = found(scan(9, "lost"), scan(20, source="/b"), scan(20, source="/a"))
    assert one.detail["ended_by"] == "/a#scanned-P@20"


def test_a_loss_weighs_and_so_do_its_orders() -> None:
    [one] = found(scan(9, "lost"))
    assert (one.severity, one.detail["severity"]) == ("medium", {"loss": 1})
    both = (placed(0), placed(0, of="Q", customer_tier="vip"), packed(1, "P", piece(), piece(of="Q")))
    [one] = found(*both, scan(5))
    assert (one.severity, one.detail["severity"]) == ("high", {"loss": 1, "customer": 1})


# Timer and feeds


def test_it_asks_to_be_looked_at_when_the_window_is_over_and_no_more_afterwards() -> None:
    parcel = Given(scan(5)).parcel()
    assert look_again(parcel, at(5), THIRTY) == look_again(parcel, at(35), THIRTY) == at(35)
    assert look_again(parcel, at(35) + 1, THIRTY) is None


def test_it_asks_for_a_report_that_is_dated_later() -> None:
    parcel = Given(scan(5), scan(50, "lost")).parcel()
    assert [look_again(parcel, at(when), THIRTY) for when in (2, 40, 51)] == [at(35), at(50), None]


def test_silence_waits_for_the_carrier_s_feed_and_its_word_for_nobody() -> None:
    mapped = load('[feeds]\nSF = ["/sf"]')
    parcel = Given(labelled(0), scan(5, source="/x"), scan(50, "lost", source="/x")).parcel()
    assert (DETECTOR.sources(parcel, mapped), DETECTOR.sources(parcel, DEFAULT)) == (("/sf",), ("/x",))
    assert not hasattr(REPORTED, "sources")
    assert [one.rule for one in DETECTOR.look(parcel, at(99), THIRTY).findings] == ["window"]
    assert [one.rule for one in REPORTED.look(parcel, at(99), THIRTY).findings] == ["status"]
    assert DETECTOR.kind == REPORTED.kind
