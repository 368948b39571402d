"""delivery_failed: tried in vain, refused, or left lying."""

from typing import Any

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.delivery_failed import DETECTOR, findings, look_again
from domain.events import Fact
from domain.parcels.events import STATUSES, ParcelScanned
from domain.policies.policy import DEFAULT, Policy, load
from tests.story import Given, at, cancelled, hours, labelled, placed, requested, scanned, voided

TEN = load('[delivery_failed]\npickup_wait = "10h"')
ENDS = ["delivered", "returned", "lost"]
Seen = list[tuple[str, float | None, float | None, int]]


def scan(when: float, status: str | None = "in_transit", **more: Any) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def failed(when: float, reason: str | None = None, **more: Any) -> ParcelScanned:
    """Try to deliver parcel P, in vain."""
    return scan(when, "delivery_failed", reason=reason, **more)


def ready(when: float, **more: Any) -> ParcelScanned:
    """Lay parcel P out for pick-up."""
    return scan(when, "ready_for_pickup", **more)


def found(*facts: Fact, now: float = 999, policy: Policy = TEN) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), policy)


def failures(*facts: Fact, now: float = 999, policy: Policy = TEN) -> Seen:
    """Say (rule, due, ended, attempts) of parcel P's failure."""
    return [
        (one.rule, hours(one.due_at), hours(one.ended_at), one.detail["attempts"])
        for one in found(*facts, now=now, policy=policy)
    ]


# Attempts and refusals


def test_an_attempt_in_vain_is_found_from_its_own_time_on() -> None:
    assert failures(failed(5)) == [("attempt", 5, None, 1)]
    assert failures(failed(5), now=5) == []
    assert len(findings(Given(failed(5)).parcel(), at(5) + 1, TEN)) == 1


def test_several_attempts_are_one_finding_that_counts_them() -> None:
    assert failures(failed(9), failed(5), failed(30)) == [("attempt", 5, None, 3)]


def test_the_same_attempt_under_another_id_is_one_attempt() -> None:
    assert failures(failed(5, key="x"), failed(5, key="y")) == [("attempt", 5, None, 1)]


def test_a_refusal_counts_as_no_attempt() -> None:
    assert failures(scan(5, "refused")) == [("refused", 5, None, 0)]


def test_whichever_came_first_gives_time_and_rule() -> None:
    assert failures(failed(5), scan(9, "refused")) == [("attempt", 5, None, 1)]
    assert failures(failed(9), scan(5, "refused")) == [("refused", 5, None, 1)]


def test_an_attempt_before_any_pick_up_scan_still_counts() -> None:
    assert failures(failed(1), scan(5, "picked_up")) == [("attempt", 1, None, 1)]


@pytest.mark.parametrize("status", [one for one in STATUSES if one not in {"delivery_failed", "refused"}])
def test_nothing_else_is_a_failure(status: str) -> None:
    assert failures(scan(5, status), now=6) == []


# Pick-up


def test_nobody_came_for_it_in_time() -> None:
    assert failures(ready(5)) == [("pickup_wait", 15, None, 0)]
    assert failures(ready(5), now=15) == []


def test_by_default_three_days_are_allowed() -> None:
    assert failures(ready(5), policy=DEFAULT) == [("pickup_wait", 77, None, 0)]


@pytest.mark.parametrize("status", ["delivered", "in_transit", "return_to_sender", "delivery_delayed"])
def test_the_wait_ends_with_the_next_movement_of_another_status(status: str) -> None:
    assert failures(ready(5), scan(14, status)) == failures(ready(5), scan(15, status)) == []
    assert failures(ready(5), scan(16, status))[0][:2] == ("pickup_wait", 15)


def test_a_reminder_does_not_start_the_wait_again() -> None:
    assert failures(ready(5), ready(9), ready(14)) == [("pickup_wait", 15, None, 0)]


def test_talk_does_not_end_the_wait() -> None:
    assert failures(ready(5), scan(9, "label_created"), scan(10, None)) == [("pickup_wait", 15, None, 0)]


def test_laid_out_again_the_wait_starts_anew() -> None:
    assert failures(ready(5), scan(9), ready(20)) == [("pickup_wait", 30, None, 0)]


def test_the_first_wait_that_was_too_long_counts() -> None:
    assert failures(ready(5), scan(16), ready(50)) == [("pickup_wait", 15, None, 0)]


def test_a_wait_and_an_attempt_are_one_finding_from_the_earlier_of_them() -> None:
    assert failures(ready(5), failed(20)) == [("pickup_wait", 15, None, 1)]
    assert failures(failed(4), ready(5)) == [("attempt", 4, None, 1)]
    assert failures(ready(5), failed(12), ready(13)) == [("attempt", 12, None, 1)]


def test_what_the_carrier_says_comes_before_silence_of_the_same_instant() -> None:
    assert failures(ready(5), scan(15, "refused", source="/a"), ready(15, source="/b")) == [("refused", 15, None, 0)]


def test_at_one_instant_the_last_scan_says_whether_it_waits() -> None:
    assert failures(ready(5, source="/a"), scan(5, source="/b")) == []
    assert failures(scan(5, source="/a"), ready(5, source="/b")) == [("pickup_wait", 15, None, 0)]


# Endings


@pytest.mark.parametrize("status", ENDS)
def test_delivered_returned_or_lost_it_is_over(status: str) -> None:
    assert failures(failed(5), scan(20, status)) == [("attempt", 5, 20, 1)]


@pytest.mark.parametrize("status", ["return_to_sender", "out_for_delivery", "damaged", "refused", "in_transit"])
def test_anything_else_does_not_end_it(status: str) -> None:
    assert failures(failed(5), scan(20, status)) == [("attempt", 5, None, 1)]


def test_the_first_of_them_ends_it() -> None:
    assert failures(failed(5), scan(30, "delivered"), scan(20, "returned")) == [("attempt", 5, 20, 1)]


@pytest.mark.parametrize("status", ENDS)
def test_after_the_end_nothing_fails_any_more(status: str) -> None:
    assert failures(scan(3, status), failed(5), scan(6, "refused"), ready(7), scan(90, "delivered")) == []


def test_a_wait_that_the_end_interrupts_is_none() -> None:
    assert failures(ready(5), voided(9)) == failures(ready(5), voided(15)) == []
    assert failures(ready(5), voided(16)) == [("pickup_wait", 15, 16, 0)]


def test_an_attempt_of_the_instant_of_delivery_is_none() -> None:
    assert failures(failed(5, source="/a"), scan(5, "delivered", source="/b")) == []


def test_an_older_scan_that_arrives_late_leaves_it_delivered() -> None:
    assert failures(failed(5), scan(20, "delivered"), scan(19, "out_for_delivery")) == [("attempt", 5, 20, 1)]


def test_an_older_attempt_that_arrives_late_moves_the_beginning_back() -> None:
    assert failures(failed(5), scan(20, "delivered"), failed(3)) == [("attempt", 3, 20, 2)]


def test_attempts_after_the_end_are_not_counted() -> None:
    assert failures(failed(5), scan(20, "delivered"), failed(25)) == [("attempt", 5, 20, 1)]


def test_a_void_ends_it_and_nothing_fails_afterwards() -> None:
    assert failures(failed(5), voided(8), failed(9)) == [("attempt", 5, 8, 1)]
    assert failures(voided(4), failed(5)) == failures(voided(5), failed(5)) == []


def test_sent_again_the_first_parcel_s_failure_is_over_and_the_second_has_none() -> None:
    known = Given(failed(5), msgspec.structs.replace(voided(8), replaced_by="P2"), scanned(9, "P2", order_ids=("O",)))
    assert [hours(one.ended_at) for one in findings(known.parcel(), at(99), TEN)] == [8]
    assert findings(known.parcel("P2"), at(99), TEN) == ()


def test_a_cancelled_order_does_not_end_it_while_the_parcel_is_out_there() -> None:
    assert failures(placed(0), failed(5), cancelled(8)) == [("attempt", 5, None, 1)]


def test_refused_and_returned_is_over() -> None:
    facts = (scan(5, "refused"), scan(6, "return_to_sender"), scan(60, "returned"))
    assert failures(*facts) == [("refused", 5, 60, 0)]


# Odd clocks, unknown orders


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((placed(0), failed(-300)), [("attempt", -300, None, 1)]),
        ((placed(0), scan(1, "delivered"), scan(5, "picked_up"), failed(6)), []),
        ((placed(0), failed(5), scan(9000, "delivered")), [("attempt", 5, 9000, 1)]),
    ],
)
def test_impossible_clocks_break_nothing_and_no_span_is_negative(facts: tuple[Fact, ...], expected: Seen) -> None:
    assert failures(*facts) == failures(*reversed(facts)) == expected


def test_a_parcel_of_which_no_order_is_known_has_no_findings_until_it_is() -> None:
    early = failed(5, order_ids=(), fulfillment_ids=("F",))
    assert failures(early) == []
    assert failures(early, requested(6), placed(0)) == [("attempt", 5, None, 1)]


# What a finding says


def test_a_finding_says_whose_it_is_by_what_proof_and_what_would_clear_it() -> None:
    [one] = found(labelled(0), failed(5, "nobody home", order_ids=("O", "N")), failed(30, "wrong door"))
    assert (one.kind, one.subject, one.parcel_id, one.order_ids) == ("delivery_failed", "P", "P", ("N", "O"))
    assert (one.carrier, one.policy, one.proof) == ("SF", TEN.hash, ("/s#scanned-P@5", "/s#scanned-P@30"))
    assert one.since == one.due_at == at(5)
    assert one.detail["reason"] == "wrong door"
    assert "delivery" in one.detail["cleared_by"]
    assert "ended_by" not in one.detail


def test_the_reason_is_the_last_attempt_s_else_the_refusal_s() -> None:
    [one] = found(failed(5, "nobody home"), scan(9, "refused", reason="too late"))
    assert one.detail["reason"] == "nobody home"
    [one] = found(scan(9, "refused", reason="too late"))
    assert one.detail["reason"] == "too late"
    [one] = found(failed(5, "nobody home"), failed(9))
    assert "reason" not in one.detail


def test_the_proof_of_a_refusal_or_a_wait_is_its_scan_beside_the_attempts() -> None:
    [one] = found(scan(5, "refused"))
    assert one.proof == ("/s#scanned-P@5",)
    [one] = found(ready(5), ready(9), failed(30))
    assert one.proof == ("/s#scanned-P@5", "/s#scanned-P@30")


def test_what_ended_it_is_named() -> None:
    [one] = found(failed(5), scan(20, "delivered"), scan(21, "delivered"))
    assert one.detail["ended_by"] == "/s#scanned-P@20"


def test_the_second_attempt_in_vain_weighs_more() -> None:
    [one] = found(failed(5))
    assert (one.severity, one.detail["severity"]) == ("low", {})
    [one] = found(placed(0, customer_tier="vip"), failed(5), failed(6))
    assert (one.severity, one.detail["severity"]) == ("high", {"attempts": 1, "customer": 1})


# Timer and feeds


def test_it_asks_to_be_looked_at_when_the_wait_is_over_and_no_more_afterwards() -> None:
    parcel = Given(ready(5)).parcel()
    assert look_again(parcel, at(5), TEN) == look_again(parcel, at(15), TEN) == at(15)
    assert look_again(parcel, at(15) + 1, TEN) is None
    assert look_again(Given(ready(5), scan(9, "delivered")).parcel(), at(9), TEN) is None


def test_it_asks_for_an_attempt_that_is_dated_later() -> None:
    assert look_again(Given(failed(5)).parcel(), at(2), TEN) == at(5)


def test_what_a_carrier_says_is_believed_without_waiting_for_its_feed() -> None:
    assert not hasattr(DETECTOR, "sources")
