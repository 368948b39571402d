"""Incidents: what staff may do, what is refused and why, and what time does alone."""

from collections.abc import Callable

import pytest

from domain.incidents.clock import due, pass_time
from domain.incidents.commands import (
    Acknowledge,
    AnswerPrice,
    Approve,
    Assign,
    Command,
    Compensate,
    Confirm,
    Contact,
    Dismiss,
    Escalate,
    GiveBack,
    Merge,
    Note,
    Reopen,
    Resolve,
    SetLiability,
    Snooze,
    Split,
    Wake,
    Withdraw,
)
from domain.incidents.events import (
    INCIDENT_EVENTS,
    IncidentContactDue,
    IncidentReopened,
    IncidentReturned,
    IncidentWoken,
)
from domain.incidents.incident import Incident, evolve
from domain.incidents.steps import COMMANDS
from tests.domain.handled import Case, acknowledged, dismissed, merged, new, resolved, snoozed
from tests.story import at, hours


@pytest.fixture(name="case")
def an_incident() -> Case:
    return Case()


STATES = (new, acknowledged, snoozed, resolved, dismissed, merged)
CALL = Contact(by="wang", channel="phone", outcome="reached")
PAY = Compensate(by="wang", member="O", amount="50", currency="CNY", form="coupon")
CLOSED = ("already_resolved", "already_dismissed", "merged")

# One row a command, by another person than the one who made the state: what it becomes, or the code of the refusal.
TABLE: dict[Command, tuple[str, str, str, str, str, str]] = {
    Acknowledge(by="wang"): ("acknowledged", "acknowledged_by_other", "acknowledged", *CLOSED),
    GiveBack(by="wang"): ("not_acknowledged", "new", "not_acknowledged", *CLOSED),
    Assign(by="wang", person="zhou"): ("new", "acknowledged", "snoozed", *CLOSED),
    Snooze(by="wang", until=at(9)): ("snoozed", "snoozed", "snoozed", *CLOSED),
    Wake(by="wang"): ("not_snoozed", "not_snoozed", "new", *CLOSED),
    Note(by="wang", text="seen"): ("new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"),
    SetLiability(by="wang", party="carrier"): ("new", "acknowledged", "snoozed", "resolved", "dismissed", "merged!"),
    AnswerPrice(by="wang", mistake=True, why="?"): ("no_question", "no_question", "no_question", *CLOSED),
    Escalate(by="wang", to="lead"): ("new", "acknowledged", "snoozed", *CLOSED),
    CALL: ("new", "acknowledged", "snoozed", *CLOSED),
    PAY: ("new", "acknowledged", "snoozed", *CLOSED),
    Approve(by="wang", member="O"): ("nothing_proposed", "nothing_proposed", "nothing_proposed", *CLOSED),
    Withdraw(by="wang", member="O"): ("nothing_proposed", "nothing_proposed", "nothing_proposed", *CLOSED),
    Confirm(by="wang", contact_id="1", channel="email"): ("nothing_to_confirm",) * 6,
    Resolve(by="wang"): ("resolved", "resolved", "resolved", *CLOSED),
    Dismiss(by="wang", why="wrong"): ("dismissed", "dismissed", "dismissed", *CLOSED),
    Reopen(by="wang"): ("not_closed", "not_closed", "not_closed", "new", "new", "merged!"),
}
STATUSES = ("new", "acknowledged", "snoozed", "resolved", "dismissed", "merged")


def test_every_command_has_its_row() -> None:
    assert {type(command) for command in TABLE} | {Merge, Split} == set(COMMANDS)


@pytest.mark.parametrize(
    ("make", "command", "becomes"),
    [
        pytest.param(make, command, row[place], id=f"{type(command).__name__}-{make.__name__}")
        for command, row in TABLE.items()
        for place, make in enumerate(STATES)
    ],
)
def test_the_table_of_states_holds(make: Callable[[], Case], command: Command, becomes: str) -> None:
    case = make()
    if becomes in STATUSES and not (becomes == "merged" and not isinstance(command, Note)):
        assert case.do(command)
        assert case.status == becomes
    else:
        assert case.refuses(command) == becomes.rstrip("!")


@pytest.mark.parametrize(
    "command",
    [
        Acknowledge(by="li"),
        Assign(by="li", person="zhou"),
        Snooze(by="li", until=at(9)),
        SetLiability(by="li", party="carrier"),
        Escalate(by="li", to="lead"),
        PAY,
        Resolve(by="li"),
        Dismiss(by="li", why="wrong"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_already_so_by_the_same_person_changes_nothing(case: Case, command: Command) -> None:
    assert case.do(command)
    assert case.do(command) == ()


# Time


def test_an_acknowledgement_that_is_not_followed_up_goes_back_to_all(case: Case) -> None:
    case.do(Acknowledge(by="li"), 1)
    assert due(case.state) == at(5)
    assert case.come(5) == ()
    [event] = case.come(6)
    assert isinstance(event, IncidentReturned)
    assert (hours(event.at), event.by, event.was, case.status) == (5, "clock", "li", "new")
    assert due(case.state) is None


def test_an_acknowledgement_can_be_made_longer_and_not_shorter(case: Case) -> None:
    case.do(Acknowledge(by="li"), 0)
    assert case.do(Acknowledge(by="li", until=at(3))) == ()
    assert case.do(Acknowledge(by="li", until=at(8)))
    assert due(case.state) == at(8)


def test_a_snooze_ends_at_its_time_and_whoever_had_it_still_has_it(case: Case) -> None:
    case.do(Acknowledge(by="li", until=at(9)))
    case.do(Snooze(by="li", until=at(2)))
    [woken] = case.come(3)
    assert isinstance(woken, IncidentWoken)
    assert (woken.cause, case.status, due(case.state)) == ("time", "acknowledged", at(9))


def test_an_acknowledgement_that_ran_out_in_a_snooze_is_given_back_when_it_wakes(case: Case) -> None:
    case.do(Acknowledge(by="li", until=at(1)))
    case.do(Snooze(by="li", until=at(2)))
    assert [(type(one), hours(one.at)) for one in case.come(3)] == [(IncidentWoken, 2), (IncidentReturned, 2)]


@pytest.mark.parametrize("until", [-1, 0])
def test_nothing_is_put_aside_until_a_time_that_has_passed(case: Case, until: float) -> None:
    assert case.refuses(Snooze(by="li", until=at(until))) == "in_the_past"
    assert case.refuses(Acknowledge(by="li", until=at(until))) == "in_the_past"


def test_a_snooze_needs_an_end(case: Case) -> None:
    assert case.refuses(Snooze(by="li")) == "endless_snooze"
    assert case.do(Snooze(by="li", next_event=True))
    assert due(case.state) is None


def test_the_time_of_the_next_attempt_calls_for_it_and_an_attempt_answers_the_call(case: Case) -> None:
    case.do(Contact(by="li", channel="phone", outcome="no_answer", next_attempt=at(2)))
    [event] = case.come(3)
    assert isinstance(event, IncidentContactDue)
    assert (hours(event.at), event.contact_id, case.state.attempt_due) == (2, f"{case.state.id}:1", True)
    case.do(CALL, 3)
    assert not case.state.attempt_due
    assert list(case.state.contacts) == [f"{case.state.id}:1", f"{case.state.id}:2"]


def test_closing_stops_every_clock(case: Case) -> None:
    case.do(Acknowledge(by="li"))
    case.do(Contact(by="li", channel="phone", outcome="busy", next_attempt=at(1)))
    case.do(Resolve(by="li"))
    assert due(case.state) is None
    assert case.come(99) == ()


def test_an_attempt_that_was_planned_before_it_was_closed_is_not_called_for_when_it_opens_again(case: Case) -> None:
    case.do(Contact(by="li", channel="phone", outcome="busy", next_attempt=at(1)))
    case.do(Resolve(by="li"))
    case.do(Reopen(by="li"))
    assert due(case.state) is None


def test_time_passes_in_the_order_of_its_instants_and_telling_it_changes_nothing(case: Case) -> None:
    case.do(Acknowledge(by="li", until=at(3)))
    case.do(Contact(by="li", channel="phone", outcome="busy", next_attempt=at(1)))
    told = pass_time(case.state, at(9))
    assert [hours(one.at) for one in told] == [1, 3]
    assert pass_time(case.state, at(9)) == told


# Closing and opening again


def test_a_dismissal_says_why_and_counts_for_its_rule(case: Case) -> None:
    assert case.refuses(Dismiss(by="li", why="  ")) == "reason_missing"
    [event] = case.do(Dismiss(by="li", why="label was reprinted"), rule="ship_by", policy="abc")
    assert (event.rule, event.policy, event.why) == ("ship_by", "abc", "label was reprinted")  # type: ignore[union-attr]  # the last event is of this kind
    assert case.state.false_alarms == 1


def test_staff_open_again_what_was_closed_and_it_keeps_its_assignee(case: Case) -> None:
    case.do(Assign(by="li", person="zhou"))
    case.do(Resolve(by="li"))
    [event] = case.do(Reopen(by="wang"))
    assert isinstance(event, IncidentReopened)
    assert (event.cause, case.status, case.state.assignee, case.state.reopened) == ("staff", "new", "zhou", 1)


# Once


def test_a_command_has_one_effect_under_its_id(case: Case) -> None:
    note = Note(by="li", text="seen", command_id="k1")
    assert case.do(note)
    assert case.do(note) == ()
    assert case.do(Note(by="li", text="seen", command_id="k2"))


def test_another_command_under_the_same_id_is_refused_and_not_swallowed(case: Case) -> None:
    case.do(Note(by="li", text="seen", command_id="k1"))
    assert case.refuses(Note(by="li", text="heard", command_id="k1")) == "command_id_reused"
    assert case.refuses(Resolve(by="li", command_id="k1")) == "command_id_reused"


def test_an_event_of_something_else_is_no_event_of_an_incident() -> None:
    with pytest.raises(TypeError, match="does not belong"):
        evolve(Incident(), object())  # type: ignore[arg-type]  # wrong on purpose
    assert len(INCIDENT_EVENTS) == 25
