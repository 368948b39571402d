"""damaged_parcel: a carrier says that it damaged what it carries."""

from itertools import permutations

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.damaged_parcel import DETECTOR, findings, look_again
from domain.events import Fact
from domain.incidents.liability import propose
from domain.parcels.events import STATUSES, ParcelScanned
from domain.policies.policy import DEFAULT, load
from tests.story import Given, at, cancelled, hours, labelled, placed, scanned, voided

Seen = list[tuple[float | None, float | None]]


def scan(when: float, status: str | None = "damaged", **more: object) -> ParcelScanned:
    """Scan parcel P, which carries order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 999) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), DEFAULT)


def seen(*facts: Fact, now: float = 999) -> Seen:
    """Say (due, ended) of what was found of parcel P."""
    return [(hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now)]


def test_a_damage_is_found_from_its_own_time_on() -> None:
    assert seen(scan(5)) == [(5, None)]
    assert seen(scan(5), now=5) == []
    assert look_again(Given(scan(5)).parcel(), at(5), DEFAULT) == at(5)
    assert look_again(Given(scan(5)).parcel(), at(5) + 1, DEFAULT) is None


def test_it_says_whose_parcel_it_was_and_what_the_carrier_said() -> None:
    [one] = found(labelled(0, order_ids=("O", "Q")), scan(5, reason="crushed"), scan(7, reason="wet"))
    assert (one.kind, one.subject, one.rule, one.since) == ("damaged_parcel", "P", "damaged", at(5))
    assert (one.order_ids, one.parcel_id, one.carrier) == (("O", "Q"), "P", "SF")
    assert (one.proof, one.detail["reason"], one.state) == (("/s#scanned-P@5",), "crushed", "open")
    assert (one.severity, one.detail["severity"]) == ("medium", {"damage": 1})


def test_of_several_scans_the_first_in_the_world_opens_it() -> None:
    several = (scan(9), scan(5, source="/b"), scan(5, source="/a"))
    for arriving in permutations(several):
        [one] = found(*arriving)
        assert one.proof == ("/a#scanned-P@5",)


@pytest.mark.parametrize("status", STATUSES)
def test_only_its_return_or_loss_ends_it(status: str) -> None:
    assert seen(scan(5), scan(9, status)) == [(5, 9 if status in {"returned", "lost"} else None)]


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_parcel_that_is_back_or_lost_cannot_be_damaged_any_more(status: str) -> None:
    assert seen(scan(5), scan(3, status)) == (
        [] if status in {"returned", "lost"} else [(3 if status == "damaged" else 5, None)]
    )


def test_a_parcel_that_is_made_again_ends_it_and_a_cancellation_does_not() -> None:
    assert seen(scan(5), voided(8)) == [(5, 8)]
    assert seen(scan(5), voided(8), scan(7, "returned")) == [(5, 7)]
    assert seen(scan(5), voided(5)) == []
    assert seen(placed(0), scan(5), cancelled(6)) == [(5, None)]


def test_a_late_word_ends_it_in_the_past_or_takes_it_back() -> None:
    assert seen(scan(5), scan(9, "delivered"), scan(7, "returned")) == [(5, 7)]
    assert seen(scan(5), scan(4, "lost")) == []


def test_a_parcel_of_no_known_order_is_not_judged() -> None:
    assert seen(scan(5, order_ids=())) == []


def test_the_carrier_is_proposed_to_answer_for_it() -> None:
    [one] = found(scan(5))
    proposed = propose(msgspec.to_builtins(one))
    assert proposed is not None
    assert proposed.party == "carrier"


def test_it_is_on_unless_a_policy_names_other_kinds() -> None:
    assert DETECTOR.kind in DEFAULT.kinds.enabled
    assert DETECTOR.kind not in load('[kinds]\nenabled = ["late_shipment"]').kinds.enabled
