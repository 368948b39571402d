"""unconfirmed_handover: the shop says 'shipped' and nobody came."""

from typing import Any

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.unconfirmed_handover import DETECTOR, findings, look_again
from domain.events import Fact
from domain.parcels.events import NO_POSSESSION, STATUSES, ParcelLabelled, ParcelScanned
from domain.policies.policy import DEFAULT, Policy, load
from tests.story import Given, at, cancelled, hours, labelled, line, packed, piece, placed, requested, scanned, voided

TEN = load('[unconfirmed_handover]\nafter = "10h"')
POSSESSING = [status for status in STATUSES if status not in NO_POSSESSION]
Seen = list[tuple[float | None, float | None]]


def label(when: float, **more: Any) -> ParcelLabelled:
    """Print a label for parcel P, which carries order O."""
    return labelled(when, **({"order_ids": ("O",)} | more))


def scan(when: float, status: str | None = "picked_up", **more: Any) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 99, policy: Policy = TEN) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), policy)


def waits(*facts: Fact, now: float = 99, policy: Policy = TEN) -> Seen:
    """Say (due, ended) of parcel P's wait for its carrier."""
    return [(hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, policy=policy)]


def test_labelled_and_not_picked_up_in_time_is_found() -> None:
    assert waits(label(1)) == [(11, None)]


def test_by_default_a_day_is_allowed() -> None:
    assert waits(label(1), policy=DEFAULT) == [(25, None)]


def test_time_must_have_passed_the_deadline() -> None:
    assert waits(label(1), now=11) == []
    assert len(findings(Given(label(1)).parcel(), at(11) + 1, TEN)) == 1


@pytest.mark.parametrize("when", [-5, 0, 1, 10, 11])
def test_picked_up_before_or_on_the_dot_is_in_time(when: float) -> None:
    assert waits(label(1), scan(when)) == []


def test_picked_up_later_it_was_unconfirmed_until_then() -> None:
    assert waits(label(1), scan(15), scan(12)) == [(11, 12)]


def test_a_microsecond_late_is_late() -> None:
    [one] = found(label(1), msgspec.structs.replace(scan(11), at=at(11) + 1))
    assert (one.due_at, one.ended_at) == (at(11), at(11) + 1)


@pytest.mark.parametrize("status", POSSESSING)
def test_any_scan_of_the_thing_itself_confirms(status: str) -> None:
    assert waits(label(1), scan(5, status)) == []


@pytest.mark.parametrize("status", [*sorted(NO_POSSESSION), None])
def test_a_manifest_or_label_echo_confirms_nothing(status: str | None) -> None:
    assert waits(label(1), scan(5, status)) == [(11, None)]


def test_an_older_scan_that_arrives_late_takes_it_back() -> None:
    assert waits(label(1), scan(15)) == [(11, 15)]
    assert waits(label(1), scan(15), scan(9)) == []


def test_a_parcel_without_a_label_is_not_waited_for() -> None:
    assert waits(packed(1, "P", piece()), scan(2, "label_created")) == []


def test_a_parcel_of_which_no_order_is_known_has_no_findings() -> None:
    assert waits(labelled(1)) == []
    assert look_again(Given(labelled(1)).parcel(), at(0), TEN) is None


def test_a_label_that_came_before_its_order_counts_once_the_order_is_known() -> None:
    early = labelled(1, fulfillment_ids=("F",))
    assert waits(early) == []
    assert waits(early, requested(2), placed(0)) == [(11, None)]


def test_of_several_labels_the_first_starts_the_clock() -> None:
    assert waits(label(8), label(1, carrier="YTO")) == [(11, None)]


@pytest.mark.parametrize(("when", "expected"), [(-2, []), (5, []), (11, []), (14, [(11, 14)])])
@pytest.mark.parametrize("end", [voided, cancelled])
def test_a_void_or_the_cancellation_of_its_order_stops_it(end: type, when: float, expected: Seen) -> None:
    assert waits(placed(-3), label(1), end(when)) == expected


def test_after_a_void_a_late_pick_up_opens_nothing() -> None:
    assert waits(label(1), voided(5), scan(20)) == []


def test_voided_and_printed_again_the_new_parcel_has_its_own_clock() -> None:
    reprinted = msgspec.structs.replace(voided(5), replaced_by="P2")
    known = Given(label(1), reprinted, label(6, name="P2", number="N2"))
    assert findings(known.parcel(), at(99), TEN) == ()
    assert [hours(one.due_at) for one in findings(known.parcel("P2"), at(99), TEN)] == [16]


def test_a_label_printed_again_under_the_same_id_stays_voided() -> None:
    assert waits(label(1), voided(5), label(6, number="N2")) == []


def test_cancelled_in_part_it_is_still_waited_for() -> None:
    assert waits(placed(0, line("1"), line("2")), label(1), cancelled(5, "1")) == [(11, None)]
    two = (placed(0), placed(0, of="Q"), label(1, order_ids=("O", "Q")))
    assert waits(*two, cancelled(5)) == [(11, None)]
    assert waits(*two, cancelled(5), cancelled(14, of="Q")) == [(11, 14)]


@pytest.mark.parametrize(
    "facts",
    [
        (placed(50), label(1), scan(-400, "delivered"), scan(900)),
        (placed(0), label(1), scan(-5, "delivered"), scan(3)),
    ],
)
def test_impossible_clocks_break_nothing(facts: tuple[Fact, ...]) -> None:
    assert waits(*facts) == waits(*reversed(facts)) == []


def test_a_pick_up_dated_in_the_future_ends_it_then() -> None:
    assert waits(label(1), scan(900)) == [(11, 900)]


def test_hearing_everything_again_changes_nothing() -> None:
    facts = (placed(0), label(1), label(1, key="again"), scan(12), scan(12, key="again"))
    assert waits(*facts, *facts) == [(11, 12)]


def test_a_finding_says_whose_it_is_by_what_proof_and_what_would_clear_it() -> None:
    [one] = found(label(4), label(1, order_ids=("O", "N")))
    assert (one.kind, one.subject, one.parcel_id, one.order_ids) == ("unconfirmed_handover", "P", "P", ("N", "O"))
    assert (one.carrier, one.rule, one.policy, one.proof) == ("SF", "label", TEN.hash, ("/s#labelled-P@1",))
    assert one.since == one.due_at == at(11)
    assert "possession" in one.detail["cleared_by"]
    assert "ended_by" not in one.detail


def test_what_ended_it_is_named() -> None:
    [one] = found(label(1), scan(15), scan(12), voided(13))
    assert one.detail["ended_by"] == "/s#scanned-P@12"


def test_the_order_weighs() -> None:
    [one] = found(placed(0, customer_tier="vip"), label(1))
    assert (one.severity, one.detail["severity"]) == ("medium", {"customer": 1})


def test_it_asks_to_be_looked_at_when_the_time_is_over_and_no_more_afterwards() -> None:
    parcel = Given(label(1)).parcel()
    assert look_again(parcel, at(1), TEN) == look_again(parcel, at(11), TEN) == at(11)
    assert look_again(parcel, at(11) + 1, TEN) is None
    for end in (scan(5), voided(5), cancelled(5)):
        assert look_again(Given(placed(0), label(1), end).parcel(), at(6), TEN) is None


def test_it_waits_for_the_carrier_s_feed_or_for_whoever_printed_the_label() -> None:
    mapped = load('[feeds]\nSF = ["/sf"]')
    parcel = Given(label(1, source="/wms")).parcel()
    assert (DETECTOR.sources(parcel, mapped), DETECTOR.sources(parcel, DEFAULT)) == (("/sf",), ("/wms",))
