"""Hand-computed cases for the oracle: what counts, cancellations, approval, proof."""

import ast
import sys
from pathlib import Path

import pytest

from tests.oracle import late_shipment
from tests.oracle.late_shipment import oracle
from tests.oracle.story import (
    at,
    event,
    findings,
    held,
    late,
    line,
    moved,
    packed,
    placed,
    released,
    requested,
    scanned,
    told,
)

MOST_LINES = 215
ORDER = (placed(0), requested(0, ship_by=10))


def test_nothing_handed_over_is_late_from_ship_by_on() -> None:
    assert late(*ORDER) == [("F", 10, None)]


def test_handed_over_before_ship_by_is_on_time() -> None:
    assert late(*ORDER, scanned(9)) == []


def test_handed_over_on_the_dot_is_on_time() -> None:
    assert late(*ORDER, scanned(10)) == []


def test_handed_over_a_microsecond_later_is_late_until_then() -> None:
    scan = scanned(10) | {"time": "2026-03-01T10:00:00.000001Z"}
    [found] = findings(*ORDER, scan)
    assert (found["due_at"], found["ended_at"]) == ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000001Z")


def test_a_deadline_is_not_reported_before_time_has_passed_it() -> None:
    assert late(*ORDER, now=10) == []
    assert late(*ORDER, now=10.5) == [("F", 10, None)]


def test_time_stands_at_the_last_event_of_any_family() -> None:
    foreign = event("weather.changed", 11) | {"data": "not even an object"}
    assert oracle([*ORDER, foreign], {}) != []
    assert oracle([*ORDER], {}) == []


def test_an_order_never_placed_is_partial_and_never_late() -> None:
    assert late(requested(0, ship_by=10)) == []


def test_an_order_with_its_own_ship_by_and_no_request_has_one_implicit_fulfilment() -> None:
    [found] = findings(placed(0, ship_by=10))
    assert (found["subject"], found["warehouse_id"], found["proof"]) == ("O", None, ["/s#placed@0"])


def test_one_request_however_late_leaves_no_implicit_fulfilment() -> None:
    assert late(placed(0, ship_by=10), requested(50, ship_by=60)) == [("F", 60, None)]


def test_a_fulfilment_without_ship_by_takes_the_order_s() -> None:
    assert late(placed(0, ship_by=10), requested(20)) == [("F", 10, None)]


def test_without_any_promise_nothing_is_late() -> None:
    assert late(placed(0), requested(0)) == []


def test_of_several_placings_the_first_in_sorted_order_counts() -> None:
    edit = placed(1, lines=(line("1", quantity=5),), ship_by=3)
    same_instant = placed(0, ship_by=2, key="zz")
    assert late(same_instant, edit, placed(0, ship_by=10), scanned(5, order_ids=["O"])) == []


def test_of_several_requests_the_first_promises_and_the_last_names_the_warehouse() -> None:
    first = requested(1, ship_by=10, lines=[{"line_id": "1"}])
    again = requested(2, ship_by=50, warehouse_id="W2", starts_at=40, lines=[{"line_id": "2"}])
    [found] = findings(placed(0, lines=(line("1"), line("2"))), again, first)
    assert (found["due_at"], found["warehouse_id"], found["proof"]) == (at(10), "W2", ["/s#placed@0", "/s#requested@1"])


def test_an_event_seen_twice_is_one_event() -> None:
    assert findings(*ORDER, *ORDER) == findings(*ORDER)


def test_the_order_of_arrival_does_not_matter() -> None:
    world = [*ORDER, told("approved", 1), held(2), released(4), moved(5, 20), scanned(30)]
    assert findings(*world) == findings(*reversed(world)) != []


def test_approval_after_ship_by_keeps_due_at_and_says_when_it_could_be_known() -> None:
    [found] = findings(*ORDER, told("approved", 20))
    assert (found["due_at"], found["knowable_at"]) == (at(10), at(20))


def test_approved_late_it_is_found_even_if_it_was_handed_over_in_between() -> None:
    assert late(*ORDER, scanned(15), told("approved", 20)) == [("F", 10, 15)]


def test_the_earliest_approval_counts_and_a_timely_one_leaves_knowable_at_empty() -> None:
    [found] = findings(*ORDER, told("approved", 20), told("approved", 3))
    assert found["knowable_at"] is None
    assert found["proof"] == ["/s#placed@0", "/s#requested@0", "/s#approved@3"]


def test_without_approval_an_order_counts_as_approved_when_placed() -> None:
    [found] = findings(placed(12, ship_by=10))
    assert (found["due_at"], found["knowable_at"]) == (at(10), at(12))


def test_without_approval_policy_may_say_that_it_is_never_late() -> None:
    assert late(*ORDER, approval="required") == []
    assert late(*ORDER, told("approved", 50), approval="required") == [("F", 10, None)]


@pytest.mark.parametrize("hours", [5, 10])
def test_an_order_cancelled_by_its_deadline_is_never_late(hours: float) -> None:
    assert late(*ORDER, told("cancelled", hours)) == []


def test_a_cancellation_after_the_deadline_ends_it() -> None:
    [found] = findings(*ORDER, told("cancelled", 15))
    assert (found["ended_at"], found["ended_by"], found["state"]) == (at(15), "/s#cancelled@15", "ended")


def test_only_the_cancelled_line_needs_nothing() -> None:
    world = (placed(0, lines=(line("1"), line("2"))), requested(0, ship_by=10))
    assert late(*world, told("cancelled", 5, line_ids=["2"])) == [("F", 10, None)]
    assert late(*world, told("cancelled", 5, line_ids=["2"]), told("cancelled", 12, line_ids=["1"])) == [("F", 10, 12)]
    assert late(*world, told("cancelled", 5, line_ids=[])) == []


def test_of_events_at_one_instant_the_one_that_completed_it_is_named() -> None:
    tie = (scanned(15, key="b"), told("cancelled", 15, key="c"), moved(15, 20) | {"id": "a"})
    assert [one["ended_by"] for one in findings(*ORDER, *tie)] == ["/s#a"]
    assert [one["ended_by"] for one in findings(*ORDER, *tie[:2])] == ["/s#b"]
    assert [one["ended_by"] for one in findings(*ORDER, *tie[1:2])] == ["/s#c"]


def test_where_two_events_of_one_instant_were_both_needed_the_second_is_named() -> None:
    order = (placed(0, lines=(line("1"), line("2"))), requested(0, ship_by=10))
    scan = scanned(15, key="a", fulfillment_ids=["F"])
    part = packed("P", ("O", "A", 1, "1"))
    assert [
        one["ended_by"] for one in findings(*order, part, scan, told("cancelled", 15, line_ids=["2"], key="b"))
    ] == ["/s#b"]
    assert [
        one["ended_by"] for one in findings(*order, part, scan, told("cancelled", 15, line_ids=["2"], key="0"))
    ] == ["/s#a"]


def test_a_kind_that_is_not_enabled_is_not_reported() -> None:
    assert oracle([*ORDER, event("feed.heartbeat", 99)], {"kinds": {"enabled": ["late_delivery"]}}) == []


def test_findings_are_sorted_by_subject_then_since() -> None:
    world = (placed(0), requested(0, "Z", ship_by=5), requested(0, "B", ship_by=7, key="b"), moved(20, 30))
    assert late(*world) == [("B", 7, 20), ("B", 30, None), ("Z", 5, 20), ("Z", 30, None)]


def test_times_are_read_with_their_offset() -> None:
    order = placed(0)
    order["data"]["ship_by"] = "2026-03-01T18:00:00.500+08:00"
    [found] = findings(order)
    assert found["due_at"] == "2026-03-01T10:00:00.500000Z"


def test_the_oracle_is_short_and_leans_on_nothing_but_the_standard_library() -> None:
    text = Path(late_shipment.__file__).read_text(encoding="utf8")
    nodes = list(ast.walk(ast.parse(text)))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert text.count("\n") <= MOST_LINES
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names
