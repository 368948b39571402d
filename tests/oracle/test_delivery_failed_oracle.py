"""Hand-computed cases for parcels that could not be delivered."""

from typing import Any

import pytest

from tests.oracle.sentences import scan, voided, whole
from tests.oracle.story import at


def failed(*events: dict[str, Any], now: float = 999) -> list[tuple[str, str, str | None]]:
    some = [x for x in whole(*events, now=now) if x["kind"] == "delivery_failed"]
    return [(x["rule"], x["due_at"], x["ended_at"]) for x in some]


def test_a_failed_attempt_counts_once_until_the_parcel_is_delivered() -> None:
    assert failed(scan(5, "delivery_failed"), scan(9, "delivery_failed")) == [("attempt", at(5), None)]
    assert failed(scan(5, "delivery_failed"), scan(9, "delivered")) == [("attempt", at(5), at(9))]


@pytest.mark.parametrize("end", ["delivered", "returned", "lost"])
def test_these_end_it_and_let_none_begin(end: str) -> None:
    assert failed(scan(5, "refused"), scan(9, end)) == [("refused", at(5), at(9))]
    assert failed(scan(5, "refused"), scan(3, end), scan(9, end)) == []


def test_a_parcel_on_its_way_back_has_still_failed() -> None:
    assert failed(scan(5, "delivery_failed"), scan(9, "return_to_sender")) == [("attempt", at(5), None)]


def test_void_ends_it() -> None:
    assert failed(scan(5, "delivery_failed"), voided(9)) == [("attempt", at(5), at(9))]
    assert failed(scan(5, "delivery_failed"), voided(5)) == []


def test_a_parcel_that_waits_for_its_customer_too_long_has_failed() -> None:
    assert failed(scan(5, "ready_for_pickup"), scan(50, "ready_for_pickup")) == [("pickup_wait", at(77), None)]
    assert failed(scan(5, "ready_for_pickup"), scan(80, "delivered")) == [("pickup_wait", at(77), at(80))]
    assert failed(scan(5, "ready_for_pickup"), scan(77, "delivered")) == []


def test_a_wait_ends_with_a_movement_of_another_status_and_begins_anew() -> None:
    world = (scan(5, "ready_for_pickup"), scan(50, "in_transit"), scan(60, "ready_for_pickup"))
    assert failed(*world) == [("pickup_wait", at(132), None)]
    assert failed(scan(5, "ready_for_pickup"), scan(77, "in_transit")) == []
    assert failed(scan(5, "ready_for_pickup", key="a"), scan(5, "in_transit", key="b")) == []
    assert failed(scan(5, "ready_for_pickup"), scan(50, "label_created")) == [("pickup_wait", at(77), None)]


def test_the_first_of_all_reasons_counts() -> None:
    assert failed(scan(5, "ready_for_pickup"), scan(78, "refused"), scan(79, "delivery_failed")) == [
        ("pickup_wait", at(77), None)
    ]
