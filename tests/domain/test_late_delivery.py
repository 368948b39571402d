"""late_delivery: what counts as delivered, what ends it, and what a finding says."""

import pytest

from domain.detectors.late_delivery import DETECTOR, findings, look_again
from domain.events import Fact
from domain.judging.standing import order_is_open
from domain.policies.policy import DEFAULT
from tests.domain.deliveries import PROMISED, Late, arrived, found, late, redated
from tests.story import (
    Given,
    at,
    cancelled,
    hours,
    labelled,
    line,
    packed,
    piece,
    placed,
    requested,
    scanned,
    voided,
)

TWO_LINES = placed(0, line("1"), line("2", "B"), deliver_by=10)


# When it is late


def test_the_date_passes_with_everything_undelivered() -> None:
    assert late(PROMISED) == [(10, None)]


def test_time_must_have_passed_the_date() -> None:
    assert late(PROMISED, now=10) == []
    [one] = findings(Given(PROMISED).order(), at(10) + 1, DEFAULT)
    assert (one.since, one.due_at, one.subject, one.order_ids) == (at(10), at(10), "O", ("O",))


def test_without_a_date_nothing_is_late() -> None:
    assert late(placed(0)) == []
    assert late(placed(0, ship_by=5)) == []


def test_an_order_that_is_not_placed_yet_has_no_promise() -> None:
    assert late(requested(0), redated(1, 5)) == []
    assert late(requested(0), redated(1, 5), placed(0)) == [(5, None)]


def test_delivered_on_the_dot_is_in_time() -> None:
    assert late(PROMISED, arrived(10)) == []


@pytest.mark.parametrize("status", ["picked_up", "out_for_delivery", "ready_for_pickup", "delivery_failed", "on_hold"])
def test_on_its_way_is_not_delivered(status: str) -> None:
    assert late(PROMISED, arrived(5, status=status)) == [(10, None)]


def test_shipped_says_the_shop_and_a_label_is_no_delivery() -> None:
    assert late(PROMISED, labelled(2, order_ids=("O",)), packed(1, "P", piece())) == [(10, None)]


@pytest.mark.parametrize("status", ["delivered", "refused", "return_to_sender", "returned", "damaged"])
def test_what_comes_to_the_customer_or_goes_back_settles_it_before_and_after_the_date(status: str) -> None:
    assert late(PROMISED, arrived(5, status=status)) == []
    assert late(PROMISED, arrived(15, status=status)) == [(10, 15)]


def test_what_is_lost_is_still_owed() -> None:
    assert late(PROMISED, arrived(5, status="lost")) == [(10, None)]
    assert late(PROMISED, arrived(5, status="lost"), arrived(20, "P2")) == [(10, 20)]


@pytest.mark.parametrize("status", ["lost", "in_transit", "delivery_failed"])
def test_delivered_stays_delivered_whatever_the_carrier_says_later(status: str) -> None:
    assert late(PROMISED, arrived(5), arrived(6, status=status)) == []


def test_an_older_scan_that_arrives_late_does_not_undo_it() -> None:
    assert late(PROMISED, arrived(9), arrived(8, status="out_for_delivery")) == []


def test_a_delivery_heard_of_late_takes_the_finding_back() -> None:
    assert late(PROMISED, arrived(15)) == [(10, 15)]
    assert late(PROMISED, arrived(15), arrived(9)) == []


def test_a_scan_that_precedes_its_order_counts() -> None:
    by_fulfilment = scanned(5, status="delivered", fulfillment_ids=("F",))
    assert late(by_fulfilment, requested(0), PROMISED) == late(PROMISED, requested(0), by_fulfilment) == []


# How much of it


def test_split_it_is_late_until_the_last_parcel() -> None:
    one, other = packed(1, "P1", piece()), packed(1, "P2", piece("B"))
    assert late(TWO_LINES, one, other, arrived(5, "P1"), arrived(12, "P2")) == [(10, 12)]
    assert late(TWO_LINES, one, other, arrived(5, "P1"), arrived(10, "P2")) == []
    assert late(TWO_LINES, one, other, arrived(5, "P1")) == [(10, None)]


def test_quantities_count_and_not_lines() -> None:
    three = placed(0, line("1", quantity=3), deliver_by=10)
    assert late(three, packed(1, "P1", piece(quantity=2)), arrived(5, "P1")) == [(10, None)]
    more = (packed(1, "P1", piece(quantity=2)), packed(1, "P2", piece()), arrived(5, "P1"), arrived(20, "P2"))
    assert late(three, *more) == [(10, 20)]


def test_what_no_warehouse_was_asked_for_is_owed_as_well() -> None:
    first_line = requested(0, lines=(("1", 1),))
    assert late(TWO_LINES, first_line, arrived(5, fulfillment_ids=("F",), order_ids=())) == [(10, None)]
    rest = (packed(2, "P2", piece("B")), arrived(14, "P2"))
    assert late(TWO_LINES, first_line, arrived(5, fulfillment_ids=("F",), order_ids=()), *rest) == [(10, 14)]


def test_a_parcel_without_a_packing_record_carries_all_lines_of_its_fulfilments() -> None:
    assert late(TWO_LINES, requested(0), arrived(5, fulfillment_ids=("F",), order_ids=())) == []


def test_a_parcel_of_two_orders_settles_of_each_what_it_carries() -> None:
    other = placed(0, line("1", quantity=2), of="Q", deliver_by=10)
    both = packed(1, "P", piece(), piece(of="Q"))
    known = Given(PROMISED, other, both, arrived(5, order_ids=("O", "Q")))
    assert findings(known.order(), at(99), DEFAULT) == ()
    assert [one.subject for one in findings(known.order("Q"), at(99), DEFAULT)] == ["Q"]


def test_an_order_whose_line_two_fulfilments_ship_is_delivered_once_it_has_what_was_ordered() -> None:
    rerouted = (requested(0, "F1"), requested(1, "F2"))
    box = packed(2, "P", piece(), fulfillment_ids=("F2",))
    assert late(PROMISED, *rerouted, box, arrived(15)) == [(10, 15)]


@pytest.mark.parametrize("when", [2, 10])
def test_a_parcel_voided_before_it_arrived_brings_nothing(when: float) -> None:
    assert late(PROMISED, voided(when), arrived(12)) == [(10, None)]


def test_the_label_of_a_delivered_parcel_may_be_voided_afterwards() -> None:
    assert late(PROMISED, arrived(5), voided(6)) == []
    assert late(PROMISED, arrived(15), voided(16)) == [(10, 15)]


def test_a_reship_ends_it() -> None:
    assert late(PROMISED, arrived(5, status="lost"), voided(6), arrived(12, "P2")) == [(10, 12)]


# Cancellation


@pytest.mark.parametrize(("when", "expected"), [(5, []), (10, []), (12, [(10, 12)])])
def test_a_cancelled_order_is_owed_nothing_from_then_on(when: float, expected: Late) -> None:
    assert late(PROMISED, cancelled(when)) == expected


def test_a_cancelled_line_is_owed_no_more_and_the_others_are() -> None:
    box = (packed(1, "P", piece()), arrived(5))
    assert late(TWO_LINES, *box, cancelled(8, "2")) == []
    assert late(TWO_LINES, *box, cancelled(12, "2")) == [(10, 12)]
    assert late(TWO_LINES, cancelled(8, "2")) == [(10, None)]


def test_the_last_of_what_is_missing_ends_it_whether_it_comes_or_is_cancelled() -> None:
    box = packed(1, "P", piece())
    assert late(TWO_LINES, box, arrived(12), cancelled(15, "2")) == [(10, 15)]
    assert late(TWO_LINES, box, arrived(15), cancelled(12, "2")) == [(10, 15)]


# What a finding says


def test_a_finding_says_what_proves_it_what_would_clear_it_and_what_ended_it() -> None:
    [one] = found(PROMISED, redated(8, 9), arrived(12))
    assert (one.kind, one.rule, one.policy) == ("late_delivery", "deliver_by", DEFAULT.hash)
    assert one.proof == ("/s#order.placed@0", "/s#order.promise_changed@8")
    assert one.detail["ended_by"] == "/s#scanned-P@12"
    assert one.detail["promised_first"] == "2026-03-01T10:00:00Z"
    assert "delivered" in one.detail["cleared_by"]


def test_only_the_change_that_is_in_force_proves_it() -> None:
    [one] = found(PROMISED, redated(3, 9), redated(4, 8), redated(5, 30, "merchant"))
    assert one.proof == ("/s#order.placed@0", "/s#order.promise_changed@4")


def test_the_promise_that_came_first_is_kept_even_where_it_came_by_a_change() -> None:
    [one] = found(placed(0), redated(1, 9), redated(2, 20))
    assert one.detail["promised_first"] == "2026-03-01T09:00:00Z"
    assert "promised_first" not in found(PROMISED)[0].detail


def test_a_promise_that_had_passed_before_the_order_could_be_known_of_from_its_placing() -> None:
    [one] = found(placed(12, deliver_by=10))
    assert (hours(one.due_at), hours(one.knowable_at)) == (10, 12)
    assert found(placed(10, deliver_by=10))[0].knowable_at is None
    assert late(placed(12, deliver_by=10), now=11.99) == []
    assert late(placed(12, deliver_by=10), now=12) == [(10, None)]
    assert look_again(Given(placed(12, deliver_by=10)).order(), at(11), DEFAULT) == at(12) - 1


def test_it_weighs_by_the_order_and_the_clock() -> None:
    much = placed(0, line("1", unit_price="2000"), currency="CNY", customer_tier="vip", deliver_by=10)
    assert found(much)[0].detail["severity"] == {"clock": 1, "money": 1, "customer": 1}
    assert (found(much)[0].severity, found(PROMISED)[0].severity) == ("critical", "medium")


# When to look


def test_it_is_looked_at_again_when_the_date_passes_and_never_after() -> None:
    order = Given(PROMISED, redated(4, 20)).order()
    assert [hours(look_again(order, at(now), DEFAULT)) for now in (0, 20)] == [20, 20]
    assert look_again(order, at(20) + 1, DEFAULT) is None
    assert DETECTOR.look(order, at(20) + 1, DEFAULT).findings != ()


def test_what_is_all_delivered_is_not_looked_at_again() -> None:
    assert look_again(Given(PROMISED, arrived(5)).order(), at(6), DEFAULT) is None


# Whether the order is still open


@pytest.mark.parametrize("fact_", [arrived(5), arrived(5, status="refused"), cancelled(5), cancelled(5, "1")])
def test_a_promised_order_is_open_until_it_is_settled(fact_: Fact) -> None:
    asked = (PROMISED, requested(0), scanned(2, order_ids=("O",)))
    assert order_is_open(Given(*asked).order())
    assert not order_is_open(Given(*asked, fact_).order())


def test_one_without_a_promise_is_done_when_it_is_shipped() -> None:
    assert not order_is_open(Given(placed(0), requested(0), scanned(2)).order())
