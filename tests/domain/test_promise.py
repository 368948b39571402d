"""Promises: which date counts when, and how holds move it."""

import msgspec
import pytest

from domain.events import Fact
from domain.orders.fulfillment import fulfillments
from domain.orders.order import OrderHeld, OrderReleased
from domain.orders.promise import holds, promises
from domain.policies.policy import DEFAULT, Policy
from tests.story import (
    Given,
    at,
    cancelled,
    counting,
    fact,
    held,
    hours,
    late,
    moved,
    placed,
    released,
    requested,
    scanned,
)

ORDER = (placed(0), requested(0, ship_by=10))


def deadlines(*facts: Fact, policy: Policy = DEFAULT) -> list[float | None]:
    """List the deadlines of the first fulfilment of order O, one promise after the other."""
    order = Given(*facts).order()
    assert order.placed is not None
    first = fulfillments(order, order.placed)[0]
    return [hours(one.deadline) for one in promises(order, first, policy)]


def stretches(*facts: Fact) -> list[tuple[float, float]]:
    """List the stretches during which fulfilment F of order O was held."""
    return [(float(hours(one.begun) or 0), float(hours(one.over) or 0)) for one in holds(Given(*facts).order(), "F")]


# Which date counts


@pytest.mark.parametrize("agreed_by", ["customer", "platform"])
def test_a_date_agreed_with_somebody_moves_the_deadline(agreed_by: str) -> None:
    facts = (*ORDER, moved(5, 20, agreed_by))
    assert late(*facts, scanned(15)) == []
    assert late(*facts) == [("F", 20, None)]


def test_a_date_that_the_merchant_moved_alone_does_not() -> None:
    assert late(*ORDER, moved(5, 20, "merchant"), scanned(15)) == [("F", 10, 15)]


def test_policy_may_read_the_original_or_the_latest() -> None:
    facts = (*ORDER, moved(4, 30), moved(5, 20, "merchant"))
    assert late(*facts, policy=counting("promise", "original")) == [("F", 10, None)]
    assert late(*facts, policy=counting("promise", "agreed")) == [("F", 30, None)]
    assert late(*facts, policy=counting("promise", "latest")) == [("F", 20, None)]


@pytest.mark.parametrize("counts", ["original", "agreed", "latest"])
def test_where_there_was_no_promise_the_first_date_given_by_anyone_is_the_promise(counts: str) -> None:
    facts = (placed(0), requested(0), moved(3, 12, "merchant"), moved(4, 30, "merchant"))
    expected = {"original": 12, "agreed": 12, "latest": 30}[counts]
    assert late(*facts, policy=counting("promise", counts)) == [("F", expected, None)]


def test_a_date_agreed_after_the_deadline_ends_the_lateness_and_can_be_broken_again() -> None:
    assert late(*ORDER, moved(15, 20), scanned(30)) == [("F", 10, 15), ("F", 20, 30)]


def test_what_was_late_stays_late_up_to_the_new_date_s_agreement_however_short() -> None:
    assert late(*ORDER, moved(10, 20)) == [("F", 20, None)]
    assert late(*ORDER, moved(10.5, 20)) == [("F", 10, 10.5), ("F", 20, None)]


def test_handed_over_before_the_new_date_was_agreed_it_ended_then() -> None:
    assert late(*ORDER, scanned(12), moved(15, 20)) == [("F", 10, 12)]


def test_a_date_that_had_passed_when_it_was_agreed_is_due_then() -> None:
    assert late(*ORDER, moved(15, 12)) == [("F", 10, 15), ("F", 15, None)]
    assert late(*ORDER, scanned(13), moved(15, 12)) == [("F", 10, 13)]


def test_a_request_that_comes_after_its_own_date_keeps_it() -> None:
    assert late(placed(0), requested(30, ship_by=10)) == [("F", 10, None)]


def test_a_promise_for_another_fulfilment_moves_nothing_here() -> None:
    assert late(*ORDER, moved(5, 20, fulfillment_id="G")) == [("F", 10, None)]
    assert late(*ORDER, moved(5, 20, fulfillment_id="F")) == [("F", 20, None)]


def test_a_change_of_the_delivery_date_alone_moves_nothing() -> None:
    change = msgspec.structs.replace(moved(5, 20), ship_by=None, deliver_by=at(50))
    assert late(*ORDER, change) == [("F", 10, None)]


def test_of_two_dates_agreed_at_one_instant_the_later_by_source_and_id_counts() -> None:
    facts = (*ORDER, moved(5, 20, source="/b"), moved(5, 30, source="/a"))
    assert late(*facts) == [("F", 20, None)]


def test_a_shorter_promise_counts_as_well() -> None:
    assert late(*ORDER, moved(2, 5), scanned(8)) == [("F", 5, 8)]


# Own clock start


def test_a_start_later_than_the_date_makes_the_deadline_unknown() -> None:
    assert late(placed(0), requested(0, ship_by=10, starts_at=11)) == []
    assert late(placed(0), requested(0, ship_by=10, starts_at=10)) == [("F", 10, None)]


def test_until_a_new_promise_comes() -> None:
    facts = (placed(0), requested(0, ship_by=10, starts_at=11), moved(12, 20))
    assert late(*facts) == [("F", 20, None)]
    assert late(*facts[:2], moved(2, 10.5)) == []


# Holds


def test_a_hold_moves_the_deadline_by_its_length() -> None:
    assert deadlines(*ORDER, held(2), released(5)) == [13]


def test_a_hold_that_begins_at_the_very_deadline_moves_it_and_one_after_does_not() -> None:
    assert deadlines(*ORDER, held(10), released(14)) == [14]
    assert deadlines(*ORDER, held(10.001), released(14)) == [10]


def test_a_hold_that_begins_before_the_deadline_as_moved_so_far_moves_it_further() -> None:
    assert deadlines(*ORDER, held(2), released(5), held(12), released(20)) == [21]


def test_while_held_past_its_date_nothing_is_late() -> None:
    assert deadlines(*ORDER, held(9)) == [None]
    assert late(*ORDER, held(9)) == []


def test_a_hold_that_begins_after_the_deadline_does_not_end_lateness() -> None:
    assert late(*ORDER, held(12)) == [("F", 10, None)]


def test_holds_for_two_reasons_count_once_while_they_overlap() -> None:
    facts = (held(2, "payment"), held(3, "fraud"), released(4, "payment"), released(7, "fraud"))
    assert deadlines(*ORDER, *facts) == [15]


def test_holding_twice_for_a_reason_is_one_hold_and_releasing_what_is_not_held_is_none() -> None:
    assert stretches(*ORDER, released(1), held(2), held(3), released(4), released(5)) == [(2, 4)]


def test_a_release_for_another_reason_does_not_release() -> None:
    assert stretches(*ORDER, held(2, "payment"), released(4, "fraud"), released(6, "payment")) == [(2, 6)]


def test_a_fulfilment_is_held_with_its_order_and_by_itself_but_not_with_another() -> None:
    assert deadlines(*ORDER, held(2, fulfillment_id="F"), released(5, fulfillment_id="F")) == [13]
    assert deadlines(*ORDER, held(2, fulfillment_id="G"), released(5, fulfillment_id="G")) == [10]
    assert deadlines(*ORDER, held(2), released(5, fulfillment_id="F")) == [None]


def test_the_order_s_hold_and_the_fulfilment_s_own_overlap() -> None:
    facts = (held(2), held(4, fulfillment_id="F"), released(5), released(8, fulfillment_id="F"))
    assert deadlines(*ORDER, *facts) == [16]


def test_a_new_promise_made_in_knowledge_of_earlier_holds_is_not_moved_by_them() -> None:
    assert deadlines(*ORDER, held(2), released(5), moved(6, 20)) == [13, 20]


def test_a_hold_counts_for_a_new_promise_only_from_its_own_time_on() -> None:
    assert deadlines(*ORDER, held(2), moved(6, 20), released(9)) == [17, 23]


def test_a_hold_before_the_request_counts_only_from_the_request_on() -> None:
    assert deadlines(placed(0), held(2), requested(5, ship_by=10), released(7)) == [12]
    assert deadlines(placed(0), held(2), released(4), requested(5, ship_by=10)) == [10]


def test_a_date_of_the_order_counts_holds_from_the_placing_on_whenever_the_request_comes() -> None:
    assert deadlines(placed(0, ship_by=10), held(2), released(4), requested(5)) == [12]


def test_held_when_a_passed_date_is_agreed_it_is_late_only_from_the_release_on() -> None:
    assert late(*ORDER, moved(15, 12), held(15), released(18)) == [("F", 10, 15), ("F", 18, None)]
    assert late(*ORDER, moved(15, 12), held(14), released(18)) == [("F", 10, 15), ("F", 18, None)]
    assert late(*ORDER, moved(15, 12), held(14)) == [("F", 10, 15)]


def test_held_over_a_date_that_is_given_only_afterwards_it_is_late_from_the_release_on() -> None:
    assert deadlines(placed(0), held(5), requested(12, ship_by=10), released(15)) == [15]
    assert deadlines(placed(0), held(5), released(8), requested(12, ship_by=10)) == [10]
    assert deadlines(placed(0), held(5), requested(12, ship_by=10)) == [None]


def test_an_open_hold_makes_every_promise_it_reaches_unknown() -> None:
    assert deadlines(*ORDER, held(2), moved(6, 20)) == [None, None]
    assert deadlines(*ORDER, moved(6, 20), held(12)) == [10, None]


def test_a_hold_of_no_length_moves_nothing_and_proves_nothing() -> None:
    facts = (*ORDER, fact(OrderHeld, 5, order_id="O", reason="x"), fact(OrderReleased, 5, order_id="O", reason="x"))
    order = Given(*facts).order()
    assert order.placed is not None
    [one] = promises(order, fulfillments(order, order.placed)[0], DEFAULT)
    assert (hours(one.deadline), one.proof) == (10, ())


def test_only_the_holds_that_moved_it_are_its_proof() -> None:
    order = Given(*ORDER, held(2), released(3), held(20), released(30)).order()
    assert order.placed is not None
    [one] = promises(order, fulfillments(order, order.placed)[0], DEFAULT)
    assert [stamp.id for stamp in one.proof] == ["order.held@2", "order.released@3"]


def test_a_hold_of_a_cancelled_order_is_no_trouble() -> None:
    assert late(*ORDER, held(2), cancelled(5)) == []
