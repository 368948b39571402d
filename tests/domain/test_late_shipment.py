"""late_shipment: when it holds, from when, until when, and by what proof."""

import msgspec
import pytest

from domain.detection import Finding
from domain.detectors.late_shipment import findings, look_again
from domain.events import Fact
from domain.judging.report import final
from domain.policies.policy import DEFAULT, Policy
from tests.story import (
    Desk,
    Given,
    approved,
    at,
    cancelled,
    counting,
    held,
    hours,
    labelled,
    late,
    line,
    memory_log,
    moved,
    packed,
    piece,
    placed,
    released,
    requested,
    scanned,
    topics,
    voided,
)

ORDER = (placed(0), requested(0, ship_by=10))
REQUIRED = counting("approval", "required")


def found(*facts: Fact, now: float = 99, policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Look at order O."""
    return findings(Given(*facts).order(), at(now), policy)


def test_nothing_handed_over_is_late_from_ship_by_on() -> None:
    assert late(*ORDER) == [("F", 10, None)]


def test_time_must_have_passed_the_deadline() -> None:
    assert late(*ORDER, now=10) == []
    assert found(*ORDER, now=10 + 1e-9)


@pytest.mark.parametrize("when", [1, 9, 10])
def test_handed_over_in_time_or_on_the_dot_is_on_time(when: float) -> None:
    assert late(*ORDER, scanned(when)) == []


def test_handed_over_later_it_was_late_until_then() -> None:
    assert late(*ORDER, scanned(12)) == [("F", 10, 12)]


def test_a_microsecond_late_is_late() -> None:
    scan = msgspec.structs.replace(scanned(10), at=at(10) + 1)
    [one] = found(*ORDER, scan)
    assert (one.due_at, one.ended_at) == (at(10), at(10) + 1)


def test_a_label_and_a_packing_record_do_not_help() -> None:
    assert late(*ORDER, labelled(1, fulfillment_ids=("F",)), packed(2, "P", piece())) == [("F", 10, None)]


def test_a_partial_order_has_no_findings() -> None:
    assert late(requested(0, ship_by=10), approved(1)) == []


def test_an_order_without_any_promise_is_never_late() -> None:
    assert late(placed(0), requested(0)) == []
    assert late(placed(0)) == []


def test_an_order_with_its_own_promise_and_no_request_has_one_implicit_fulfilment() -> None:
    [one] = found(placed(0, ship_by=10))
    assert (one.subject, one.warehouse_id, one.proof) == ("O", None, ("/s#order.placed@0",))


def test_a_request_however_late_leaves_no_implicit_fulfilment() -> None:
    assert late(placed(0, ship_by=10), requested(50, ship_by=60)) == [("F", 60, None)]


def test_a_fulfilment_without_a_promise_takes_the_order_s() -> None:
    assert late(placed(0, ship_by=10), requested(20)) == [("F", 10, None)]


def test_every_fulfilment_is_judged_by_itself() -> None:
    facts: tuple[Fact, ...] = (placed(0, line("1"), line("2")), requested(0, "F1", ship_by=10, lines=[("1", 1)]))
    facts += (requested(0, "F2", ship_by=20, lines=[("2", 1)]),)
    assert late(*facts) == [("F1", 10, None), ("F2", 20, None)]
    assert late(*facts, scanned(9, fulfillment_ids=("F1",))) == [("F2", 20, None)]


# Approval


def test_without_approval_an_order_counts_as_approved_when_placed() -> None:
    [one] = found(placed(12, ship_by=10))
    assert (hours(one.due_at), one.detail["knowable_at"]) == (10, "2026-03-01T12:00:00Z")


def test_approved_too_late_keeps_due_at_and_says_when_it_could_be_known() -> None:
    [one] = found(*ORDER, approved(20))
    assert (hours(one.due_at), one.detail["knowable_at"]) == (10, "2026-03-01T20:00:00Z")


def test_approved_too_late_is_found_even_if_handed_over_in_between() -> None:
    assert late(*ORDER, scanned(15), approved(20)) == [("F", 10, 15)]


def test_what_only_the_approval_makes_knowable_is_found_from_its_instant_on_and_not_before() -> None:
    told = Given(*ORDER, approved(20)).order()
    assert [findings(told, at(now), DEFAULT) != () for now in (11, 15, 19.99, 20, 21)] == [
        *[False] * 3,
        *[True] * 2,
    ]
    assert look_again(told, at(11), DEFAULT) == at(20) - 1
    assert look_again(told, at(20), DEFAULT) is None


def test_what_was_found_before_a_late_approval_was_heard_of_stands_and_says_since_when_it_is_known() -> None:
    with memory_log() as log:
        desk = Desk(log)
        desk.take(*ORDER, until=11)
        desk.take(approved(20), until=12)
        assert topics(log).count("finding.retracted.v1") == 0
        [one] = final(log)
        assert (one.state, hours(one.finding.due_at), hours(one.finding.knowable_at)) == ("open", 10, 20)


def test_the_earliest_approval_counts_and_a_timely_one_needs_no_knowable_at() -> None:
    [one] = found(*ORDER, approved(20), approved(3))
    assert "knowable_at" not in one.detail
    assert one.proof == ("/s#F@0", "/s#order.placed@0", "/s#order.approved@3")


def test_where_approval_is_required_an_unapproved_order_is_never_late() -> None:
    assert late(*ORDER, policy=REQUIRED) == []
    assert late(*ORDER, approved(3), policy=REQUIRED) == [("F", 10, None)]


# Cancellation


@pytest.mark.parametrize("when", [1, 9, 10])
def test_cancelled_by_the_deadline_is_not_late(when: float) -> None:
    assert late(*ORDER, cancelled(when)) == []


def test_cancelled_after_the_deadline_it_was_late_until_then() -> None:
    [one] = found(*ORDER, cancelled(12))
    assert (hours(one.ended_at), one.state) == (12, "ended")
    assert one.detail["ended_by"] == "/s#order.cancelled@12"


def test_a_cancelled_line_is_not_waited_for() -> None:
    facts: tuple[Fact, ...] = (placed(0, line("1"), line("2", "B")), requested(0, ship_by=10))
    facts += (packed(1, "P", piece("A")), scanned(5, fulfillment_ids=()))
    assert late(*facts) == [("F", 10, None)]
    assert late(*facts, cancelled(8, "2")) == []
    assert late(*facts, cancelled(14, "2")) == [("F", 10, 14)]


# Voids


def test_a_parcel_voided_after_possession_no_longer_covers() -> None:
    assert late(*ORDER, scanned(5), voided(8)) == [("F", 10, None)]
    assert late(*ORDER, scanned(5), voided(8), scanned(14, "P2")) == [("F", 10, 14)]


def test_voided_at_or_before_possession_it_never_covered() -> None:
    assert late(*ORDER, scanned(5), voided(5)) == late(*ORDER, scanned(5), voided(3)) == [("F", 10, None)]


def test_voided_after_the_deadline_changes_nothing_that_was_in_time() -> None:
    assert late(*ORDER, scanned(5), voided(12)) == []


def test_voided_at_the_deadline_it_no_longer_covers() -> None:
    assert late(*ORDER, scanned(5), voided(10)) == [("F", 10, None)]


# Proof, endings, keys


def test_the_proof_is_what_made_it_true_in_the_order_of_the_world() -> None:
    paused = (held(2, source="/r"), released(4, source="/r"))
    facts = (*ORDER, approved(1), *paused, moved(5, 20), scanned(30))
    [one] = found(*facts)
    assert one.proof == ("/s#F@0", "/s#order.placed@0", "/s#order.approved@1", "/s#order.promise_changed@5")
    [one] = found(*facts[:5])
    holds = ("/r#order.held@2", "/r#order.released@4")
    assert one.proof == ("/s#F@0", "/s#order.placed@0", "/s#order.approved@1", *holds)


def test_what_ended_it_is_named() -> None:
    [one] = found(*ORDER, scanned(12), scanned(13))
    assert one.detail["ended_by"] == "/s#scanned-P@12"


def test_events_of_one_instant_happen_one_by_one_and_the_one_that_completed_it_is_named() -> None:
    facts: tuple[Fact, ...] = (placed(0, line("1", "A", 2)), requested(0, ship_by=10))
    for name in "PQ":
        facts += (packed(1, name, piece("A")), scanned(12, name, fulfillment_ids=(), source=f"/{name}"))
    [one] = found(*facts)
    assert one.detail["ended_by"] == "/Q#scanned-Q@12"


def test_of_two_that_could_have_ended_it_the_first_is_named() -> None:
    facts: tuple[Fact, ...] = (*ORDER, scanned(12, source="/t"), scanned(12, "P2", source="/r"), cancelled(12))
    [one] = found(*facts)
    assert one.detail["ended_by"] == "/r#scanned-P2@12"


def test_a_cancellation_of_that_instant_that_comes_after_does_not_help_before_it_happened() -> None:
    facts = (placed(0, line("1"), line("2", "B")), requested(0, ship_by=10), packed(1, "P", piece("A")))
    scan = scanned(12, fulfillment_ids=(), source="/a")
    [one] = found(*facts, scan, cancelled(12, "2"))
    assert one.detail["ended_by"] == "/s#order.cancelled@12"
    [one] = found(*facts, msgspec.structs.replace(scan, source="/z"), cancelled(12, "2"))
    assert one.detail["ended_by"] == "/z#scanned-P@12"


def test_an_event_of_that_instant_that_has_nothing_to_do_with_it_is_not_named() -> None:
    other = scanned(12, "P0", order_ids=("O",), fulfillment_ids=("G",), source="/a")
    [one] = found(*ORDER, other, scanned(12))
    assert one.detail["ended_by"] == "/s#scanned-P@12"


def test_a_hand_over_before_a_new_date_of_the_same_instant_is_named_and_one_after_it_is_not() -> None:
    [early, *_] = found(*ORDER, scanned(12, source="/a"), moved(12, 20, source="/m"))
    [late_one, *_] = found(*ORDER, scanned(12, source="/z"), moved(12, 20, source="/m"))
    assert (early.detail["ended_by"], late_one.detail["ended_by"]) == ("/a#scanned-P@12", "/m#order.promise_changed@12")


def test_a_finding_says_whose_it_is_and_what_would_clear_it() -> None:
    [one] = found(*ORDER)
    assert (one.kind, one.subject, one.order_ids, one.warehouse_id) == ("late_shipment", "F", ("O",), "W")
    assert one.policy == DEFAULT.hash
    assert one.since == one.due_at
    assert "cleared_by" in one.detail


def test_of_several_requests_the_first_promises_and_the_last_names_the_warehouse() -> None:
    first = requested(1, ship_by=10, lines=[("1", None)])
    again = requested(2, ship_by=50, warehouse_id="W2", starts_at=40, lines=[("2", None)])
    facts: tuple[Fact, ...] = (placed(0, line("1"), line("2")), again, first)
    [one] = found(*facts)
    assert (hours(one.due_at), one.warehouse_id, one.proof) == (10, "W2", ("/s#order.placed@0", "/s#F@1"))


# Looking again


def test_it_asks_to_be_looked_at_when_the_deadline_comes() -> None:
    assert look_again(Given(*ORDER).order(), at(0), DEFAULT) == at(10)


def test_it_asks_for_the_very_instant_when_time_stands_there() -> None:
    assert look_again(Given(*ORDER).order(), at(10), DEFAULT) == at(10)


def test_it_asks_no_more_once_everything_is_found_or_handed_over() -> None:
    assert look_again(Given(*ORDER).order(), at(11), DEFAULT) is None
    assert look_again(Given(*ORDER, scanned(5)).order(), at(6), DEFAULT) is None


def test_it_asks_for_a_parcel_s_void_that_will_leave_the_deadline_uncovered() -> None:
    assert look_again(Given(*ORDER, scanned(5), voided(8)).order(), at(6), DEFAULT) == at(10)
