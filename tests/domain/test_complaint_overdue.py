"""complaint_overdue: which clock runs when, what stops it or starts it anew, and by what proof."""

import pytest

from domain.detectors.complaint_overdue import findings, look_again
from domain.naming import stream
from domain.policies.policy import DEFAULT, load
from domain.severity import Stake
from tests.domain.complaints import (
    FIRST,
    QUICK,
    answered,
    categorised,
    escalated,
    found,
    given,
    opened,
    overdue,
    reopened,
    resolution,
    resolved,
    sibling,
    told,
    waiting,
)
from tests.story import Given, at, complained, hours

BOTH = [FIRST, ("resolution", 0, 24, None)]


# The time to respond


@pytest.mark.parametrize(
    ("heard", "ends"),
    [
        ((), [None]),
        ((answered(0.5),), []),
        ((answered(1),), []),
        ((answered(1 + 1e-9),), [1 + 1e-9]),
        ((answered(2), answered(3)), [2]),
        ((answered(3), answered(0.5)), []),
        ((resolved(0.5),), []),
        ((resolved(1),), []),
        ((resolved(2), answered(3)), [2]),
        ((answered(0),), []),
        ((answered(0, source="/a"),), []),
        ((answered(-1),), []),
        ((resolved(-1),), []),
        ((answered(-1), answered(5)), []),
        ((resolved(-1), reopened(5)), []),
        ((waiting(0.5),), [None]),
        ((escalated(0.5), categorised(0.5, "late")), [None]),
        ((answered(0.5), resolved(3), reopened(4)), []),
    ],
)
def test_the_first_answer_or_resolution_stops_the_time_to_respond_whenever_it_came(heard, ends) -> None:
    responses = [one for one in found(opened(), *heard) if one.rule == "first_response"]
    assert [(hours(one.since), hours(one.due_at)) for one in responses] == [(0, 1)] * len(ends)
    assert [one.ended_at for one in responses] == [None if end is None else at(end) for end in ends]


def test_nothing_runs_before_the_opening_is_known() -> None:
    assert overdue(answered(1), reopened(2), waiting(3)) == []
    assert look_again(given(answered(1)), at(0), DEFAULT) is None


def test_of_several_openings_the_first_starts_the_clocks() -> None:
    assert overdue(opened(5), opened(0)) == overdue(opened(0), opened(5)) == BOTH


def test_time_must_have_passed_the_deadline() -> None:
    assert overdue(opened(), now=1) == []
    assert overdue(opened(), now=1 + 1e-9) == [FIRST]
    assert overdue(opened(), now=24) == [FIRST]
    assert overdue(opened(), now=25) == BOTH


# The time to resolve


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ((), [(0, 24, None)]),
        ((resolved(10),), []),
        ((resolved(24),), []),
        ((resolved(24 + 1e-9),), [(0, 24, 24 + 1e-9)]),
        ((resolved(30), resolved(40)), [(0, 24, 30)]),
        ((resolved(-1),), []),
        ((resolved(-1), resolved(30)), []),
        ((resolved(-2), reopened(-1)), [(0, 24, None)]),
        ((resolved(-1), reopened(5)), [(5, 29, None)]),
        ((resolved(-1), reopened(5), resolved(40)), [(5, 29, 40)]),
        ((resolved(-1), reopened(0, source="/a")), [(0, 24, None)]),
        ((reopened(5),), [(0, 24, None)]),
        ((resolved(10), reopened(20)), [(20, 44, None)]),
        ((resolved(10), reopened(20), resolved(44)), []),
        ((resolved(10), reopened(20), resolved(50)), [(20, 44, 50)]),
        ((resolved(30), reopened(40), resolved(70)), [(0, 24, 30), (40, 64, 70)]),
        ((resolved(10), reopened(20), reopened(40)), [(20, 44, None)]),
        ((resolved(10), reopened(12), resolved(14), reopened(16)), [(16, 40, None)]),
        ((resolved(10, source="/b"), reopened(10, source="/a")), []),
        ((resolved(10, source="/a"), reopened(10, source="/b")), [(10, 34, None)]),
    ],
)
def test_a_resolution_stops_the_time_to_resolve_and_a_reopening_starts_it_anew(heard, expected) -> None:
    assert [(s, d, None if e is None else round(e, 6)) for s, d, e in resolution(*heard)] == [
        (s, d, None if e is None else round(e, 6)) for s, d, e in expected
    ]


@pytest.mark.parametrize(("complexity", "due"), [(None, 24), ("general", 24), ("complex", 48)])
def test_complex_complaints_have_a_time_of_their_own(complexity, due) -> None:
    policy = load('[complaint_overdue]\ncomplex = "48h"')
    assert overdue(opened(complexity=complexity), QUICK, policy=policy) == [("resolution", 0, due, None)]


def test_thresholds_are_the_policy_s() -> None:
    policy = load('[complaint_overdue]\nfirst_response = "2h"\ngeneral = "3h"')
    assert overdue(opened(), policy=policy) == [("first_response", 0, 2, None), ("resolution", 0, 3, None)]


# What a finding shows


def test_a_finding_says_whose_it_is_and_what_would_clear_it() -> None:
    response, whole = found(opened())
    assert (response.kind, response.subject, response.order_ids) == ("complaint_overdue", "C", ("O",))
    assert (response.rule, whole.rule) == (response.clock, whole.clock) == ("first_response", "resolution")
    assert "answer" in response.detail["cleared_by"]
    assert whole.detail["cleared_by"] == "the resolution"
    assert response.policy == DEFAULT.hash


def test_the_proof_is_what_started_and_moved_the_clock() -> None:
    heard = (opened(), resolved(1), reopened(5), waiting(10), waiting(14, "staff"), waiting(90), answered(1))
    [one] = found(*heard, now=40)
    assert one.proof == (
        "/s#complaint.opened@0",
        "/s#complaint.reopened@5",
        "/s#complaint.waiting@10",
        "/s#complaint.waiting@14",
    )


def test_a_wait_of_no_time_is_no_part_of_the_proof() -> None:
    [one] = found(opened(), QUICK, waiting(10, source="/a"), waiting(10, "staff", source="/b"))
    assert (hours(one.due_at), one.proof) == (24, ("/s#complaint.opened@0",))


def test_the_proof_of_a_duplicate_names_the_first_complaint_and_what_makes_it_one() -> None:
    [one, *_] = found(opened(3), categorised(4, "late"), told(sibling(0)))
    assert one.proof == ("/s#C0", "/s#complaint.opened@3", "/s#complaint.categorised@4")


def test_what_ended_it_is_named() -> None:
    response, whole = found(opened(), answered(2), resolved(30))
    assert (response.detail["ended_by"], whole.detail["ended_by"]) == (
        "/s#complaint.answered@2",
        "/s#complaint.resolved@30",
    )
    assert "ended_by" not in found(opened())[0].detail


@pytest.mark.parametrize(
    ("heard", "severity", "parts"),
    [
        ((), "high", {"clock": 1, "complaint": 1}),
        ((told(),), "high", {"clock": 1, "complaint": 1}),
        ((escalated(5),), "critical", {"clock": 1, "complaint": 1, "escalated": 1}),
        ((told(stake=Stake("5000", None)),), "critical", {"clock": 1, "complaint": 1, "money": 1}),
        ((told(stake=Stake("5", "VIP")),), "critical", {"clock": 1, "complaint": 1, "customer": 1}),
    ],
)
def test_severity_is_made_of_its_parts(heard, severity, parts) -> None:
    [one, *_] = found(opened(), *heard)
    assert (one.severity, one.detail["severity"]) == (severity, parts)


# Looking again


def test_it_asks_for_each_deadline_in_turn() -> None:
    complaint = given(opened())
    asked = [look_again(complaint, at(now), DEFAULT) for now in (0, 1, 1.5, 24)]
    assert asked == [at(1), at(1), at(24), at(24)]
    assert look_again(complaint, at(24) + 1, DEFAULT) is None


def test_it_does_not_ask_for_what_was_in_time() -> None:
    assert look_again(given(opened(), QUICK), at(0), DEFAULT) == at(24)
    assert look_again(given(opened(), resolved(0.5)), at(0), DEFAULT) is None


# Through the desk


@pytest.mark.parametrize("backwards", [False, True])
def test_two_channels_of_one_order_find_each_other_whichever_is_heard_first(backwards) -> None:
    facts = [
        complained(0, "C0", key="first", order_id="O", category="late"),
        opened(3, "not_received"),
        complained(4, "C9", key="another", order_id="Q", category="late"),
    ]
    heard = Given(*(reversed(facts) if backwards else facts))
    lead, part, other = (heard.work.state(stream("complaint", name)) for name in ("C0", "C", "C9"))
    [first, *_] = findings(lead, at(99), DEFAULT)
    [second, *_] = findings(part, at(99), DEFAULT)
    [third, *_] = findings(other, at(99), DEFAULT)
    assert (first.detail["merged"], second.detail["merged_into"], hours(second.since)) == (["C"], "C0", 0)
    assert (hours(third.since), "case" in third.detail) == (4, False)
