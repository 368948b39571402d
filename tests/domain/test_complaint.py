"""Complaints: every fact once, what the order needs to know of them, and what the order says of itself."""

import msgspec
import pytest

from domain.complaints import complaint as module
from domain.complaints.complaint import Complaint, ComplaintAnswered, decide, evolve, spells, unfinished
from domain.detection import Finding, FindingOpened, FindingRetracted
from domain.orders.order import OrderComplaintChanged
from tests.domain.complaints import (
    answered,
    categorised,
    escalated,
    given,
    opened,
    reopened,
    resolved,
    sibling,
    told,
    waiting,
)
from tests.story import at, hours

ALL = (opened(), answered(1), categorised(2, "late"), escalated(3), resolved(4), reopened(5), waiting(6))


def test_every_fact_is_recorded_and_hearing_it_again_changes_nothing() -> None:
    assert {type(one) for one in ALL} == set(module.FACTS)
    for heard in ALL:
        complaint = Complaint("C")
        assert decide(complaint, heard) == (heard,)
        evolve(complaint, heard)
        assert list(complaint.facts.of(type(heard))) == [heard]
        assert decide(complaint, msgspec.structs.replace(heard, via="complaints/0/7")) == ()


def test_a_feed_is_never_refused_whatever_the_complaint_has_been_through() -> None:
    complaint = given(*ALL)
    for heard in (opened(9), answered(9), resolved(9), reopened(9), waiting(9), categorised(9, "other")):
        assert decide(complaint, heard) == (heard,)


def test_an_answer_may_be_heard_before_the_opening() -> None:
    complaint = given(answered(1), resolved(2))
    assert (complaint.opening, complaint.meaning.opened, complaint.meaning.resolved) == (None, None, None)
    evolve(complaint, opened())
    assert complaint.meaning.resolved == resolved(2).stamp
    assert list(complaint.facts.of(ComplaintAnswered)) == [answered(1)]


def test_every_event_counts_into_its_version() -> None:
    finding = Finding(
        kind="k", subject="C", since=1, due_at=1, order_ids=(), rule="r", policy="p", proof=(), severity="low"
    )
    complaint = given(opened(), told())
    evolve(complaint, FindingOpened(finding=finding, known_up_to=2))
    assert (complaint.version, complaint.findings[finding.key].state) == (3, "open")
    evolve(complaint, FindingRetracted(finding=finding, known_up_to=3))
    assert (complaint.version, complaint.findings[finding.key].state) == (4, "retracted")


@pytest.mark.parametrize(
    ("heard", "category"),
    [
        ((opened(),), None),
        ((opened(0, "late"),), "late"),
        ((opened(0, "late"), opened(1, "damaged")), "late"),
        ((opened(1, "damaged"), opened(0, "late")), "late"),
        ((opened(0, "late"), categorised(1, "damaged")), "damaged"),
        ((opened(5, "late"), categorised(1, "damaged")), "damaged"),
        ((categorised(2, "other"), categorised(1, "damaged"), opened(0, "late")), "other"),
        ((categorised(2, "other"),), "other"),
    ],
)
def test_the_last_word_on_the_category_counts_else_the_first_opening_s(heard, category) -> None:
    assert given(*heard).meaning.category == category


def test_the_first_opening_names_the_order_and_the_customer() -> None:
    complaint = given(opened(3, of="P", customer_id="Ben"), opened(1, customer_id="Ann"))
    assert (complaint.meaning.order_id, complaint.meaning.customer_id, complaint.meaning.channel) == (
        "O",
        "Ann",
        "phone",
    )


@pytest.mark.parametrize(
    ("heard", "stretches"),
    [
        ((), [(0, None)]),
        ((resolved(4),), [(0, 4)]),
        ((resolved(4), resolved(6)), [(0, 4)]),
        ((resolved(4), reopened(5)), [(0, 4), (5, None)]),
        ((resolved(4), reopened(5), reopened(6), resolved(7)), [(0, 4), (5, 7)]),
        ((reopened(1), resolved(4)), [(0, 4)]),
        ((resolved(-1),), [(0, -1)]),
        ((resolved(-3), resolved(-1), resolved(4)), [(0, -3)]),
        ((reopened(-2), resolved(-1)), [(0, -1)]),
        ((resolved(-3), reopened(-2), resolved(-1)), [(0, -1)]),
        ((resolved(-2), reopened(-1)), [(0, None)]),
        ((resolved(-2), reopened(1)), [(0, -2), (1, None)]),
        ((resolved(0, source="/a"),), [(0, 0)]),
        ((resolved(-1), reopened(0, source="/a")), [(0, -1), (0, None)]),
        ((reopened(0, source="/a"),), [(0, None)]),
        ((resolved(4, source="/a"), reopened(4, source="/b")), [(0, 4), (4, None)]),
        ((resolved(4, source="/b"), reopened(4, source="/a")), [(0, 4)]),
    ],
)
def test_it_is_unresolved_from_the_opening_and_from_every_reopening_of_what_was_resolved(heard, stretches) -> None:
    complaint = given(*heard, opened())
    found = [(hours(one.started.at), hours(one.settled.at) if one.settled else None) for one in spells(complaint)]
    assert found == stretches
    assert unfinished(complaint) == (stretches[-1][1] is None)


def test_what_was_never_opened_has_nothing_unresolved() -> None:
    assert spells(given(answered(1))) == ()
    assert not unfinished(given(resolved(1), reopened(2)))


def test_the_order_is_told_what_it_needs_to_know() -> None:
    complaint = given(opened(0, "late", customer_id="Ann"), categorised(1, "damaged"), resolved(2))
    assert complaint.share("O") == OrderComplaintChanged(
        complaint_id="C",
        version=3,
        category="damaged",
        opened=opened().stamp,
        resolved=resolved(2).stamp,
        answered=resolved(2).stamp,
        spells=((opened().stamp, resolved(2).stamp),),
        channel="phone",
        customer_id="Ann",
    )


def test_reopening_takes_the_resolution_back() -> None:
    assert given(opened(), resolved(2), reopened(3)).share("O").resolved is None


def test_an_order_that_it_turned_out_not_to_name_is_told_that_it_says_nothing_of_it() -> None:
    complaint = given(opened(3, "late", of="P"), resolved(4), opened(1, "late"))
    shared = complaint.share("P")
    assert (shared.category, shared.resolved, complaint.share("O").category) == (None, None, "late")


def test_no_order_is_told_of_what_was_never_opened() -> None:
    with pytest.raises(ValueError, match="not been opened"):
        given(answered(1)).share("O")


@pytest.mark.parametrize("heard", [escalated(9), waiting(9), told(sibling(1)), reopened(-1)])
def test_what_no_order_needs_to_know_leaves_the_meaning_as_it_is(heard) -> None:
    complaint = given(opened())
    before = complaint.meaning
    evolve(complaint, heard)
    assert complaint.meaning == before


def test_only_the_first_answer_changes_the_meaning() -> None:
    complaint = given(opened(), answered(2))
    before = complaint.meaning
    assert evolve(complaint, answered(3)).meaning == before
    assert evolve(complaint, answered(1)).meaning.answered == answered(1).stamp


@pytest.mark.parametrize("heard", [opened(-1, of="P"), categorised(1, "late"), answered(9), resolved(1), resolved(-1)])
def test_what_an_order_needs_to_know_changes_the_meaning(heard) -> None:
    complaint = given(opened())
    before = complaint.meaning
    evolve(complaint, heard)
    assert complaint.meaning != before


def test_the_order_s_latest_version_wins() -> None:
    complaint = given(opened(), told(sibling(0), version=4))
    assert decide(complaint, told(version=3)) == decide(complaint, told(sibling(0), version=5)) == ()
    later = told(version=5)
    assert evolve(complaint, *decide(complaint, later)).order == later


def test_what_another_order_says_is_kept_for_the_day_it_turns_out_to_be_the_one() -> None:
    complaint = given(opened(3), told(of="P", mis_shipped=("X",)))
    assert complaint.order is None
    evolve(complaint, opened(1, of="P"))
    assert complaint.order is not None
    assert complaint.order.mis_shipped == ("X",)


def test_facts_are_read_in_the_order_of_the_world() -> None:
    assert [one.at for one in given(answered(3), answered(1)).facts.of(ComplaintAnswered)] == [at(1), at(3)]
