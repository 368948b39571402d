"""Dealings of an incident: what customers are told and paid, and which incidents are handled together."""

from collections.abc import Callable

import pytest

from domain.errors import IllegalStep
from domain.incidents.clock import due
from domain.incidents.commands import (
    Approve,
    Command,
    Compensate,
    Confirm,
    Contact,
    Dismiss,
    Resolve,
    Terms,
    Withdraw,
)
from domain.incidents.events import (
    IncidentCompensated,
    IncidentCompensationProposed,
    IncidentContacted,
    Promise,
)
from tests.domain.handled import Case, acknowledged, dismissed, merged, resolved
from tests.story import at


@pytest.fixture(name="case")
def an_incident() -> Case:
    return Case()


CALL = Contact(by="wang", channel="phone", outcome="reached")


# Contact


def test_a_contact_keeps_what_was_true_when_it_was_said(case: Case) -> None:
    [event] = case.do(CALL, position=41, holds=False)
    assert isinstance(event, IncidentContacted)
    assert (event.true_at, event.cleared, event.contact_id) == (41, True, f"{case.state.id}:1")
    assert case.refuses(Contact(by="li", channel="sms", outcome="sent", true_at=42), position=41) == "position_unknown"


def test_a_contact_is_recorded_once_under_its_id(case: Case) -> None:
    call = Contact(by="li", channel="phone", outcome="reached", contact_id="call-7")
    case.do(call)
    assert case.refuses(call) == "contact_known"


def test_nothing_is_promised_for_yesterday(case: Case) -> None:
    late = Promise(what="shipped", until=at(0))
    assert case.refuses(Contact(by="li", channel="sms", outcome="sent", promise=late)) == "in_the_past"


def agreed(case: Case) -> None:
    case.do(Contact(by="li", channel="phone", outcome="agreed", agreement="refund", contact_id="call-7"))


@pytest.mark.parametrize("command", [Resolve(by="li"), Dismiss(by="li", why="wrong")])
def test_a_phone_agreement_is_not_closed_before_its_written_confirmation(case: Case, command: Command) -> None:
    agreed(case)
    assert case.refuses(command) == "awaits_confirmation"
    assert case.refuses(Confirm(by="li", contact_id="call-7", channel="phone")) == "not_in_writing"
    case.do(Confirm(by="li", contact_id="call-7", channel="email", evidence="mail-9"))
    assert case.do(Confirm(by="li", contact_id="call-7", channel="email")) == ()
    assert case.refuses(Confirm(by="wang", contact_id="call-7", channel="email")) == "already_confirmed"
    assert case.do(command)


def test_what_was_agreed_in_writing_needs_no_confirmation(case: Case) -> None:
    case.do(Contact(by="li", channel="chat", outcome="agreed", agreement="refund", contact_id="chat-1"))
    assert case.state.unconfirmed == ()
    assert case.do(Resolve(by="li"))


# Money


def pays(amount: str, *, by: str = "li", member: str = "O", currency: str = "CNY") -> Compensate:
    return Compensate(by=by, member=member, amount=amount, currency=currency, form="refund")


@pytest.mark.parametrize(("amount", "kind"), [("200", IncidentCompensated), ("200.01", IncidentCompensationProposed)])
def test_above_the_limit_two_people_decide(case: Case, amount: str, kind: type) -> None:
    [event] = case.do(pays(amount))
    assert type(event) is kind


def test_the_second_approval_comes_from_somebody_else(case: Case) -> None:
    case.do(pays("300"))
    assert case.refuses(Approve(by="li", member="O")) == "same_person"
    assert case.refuses(Resolve(by="li")) == "awaits_approval"
    [paid] = case.do(Approve(by="wang", member="O"))
    assert isinstance(paid, IncidentCompensated)
    assert (paid.approvals, paid.amount, paid.form) == (("li", "wang"), "300", "refund")
    assert case.do(Approve(by="wang", member="O")) == ()
    assert case.refuses(Approve(by="zhou", member="O")) == "already_paid"


@pytest.mark.parametrize("command", [pays("60"), pays("50", by="wang")])
def test_a_member_is_paid_once(case: Case, command: Compensate) -> None:
    case.do(pays("50"))
    assert case.refuses(command) == "already_paid"
    assert case.do(pays("50", member="O2"))


def test_a_proposal_is_settled_before_another_is_made(case: Case) -> None:
    case.do(pays("300"))
    assert case.refuses(pays("250")) == "already_proposed"
    case.do(Withdraw(by="wang", member="O"))
    assert case.refuses(Approve(by="wang", member="O")) == "nothing_proposed"
    assert case.do(pays("250"))


def test_no_member_gets_more_than_the_cap_even_where_two_agree(case: Case) -> None:
    assert case.refuses(pays("1000.01")) == "over_the_cap"
    case.do(pays("1000"))
    lower = Terms(cap="900")
    assert case.refuses(Approve(by="wang", member="O"), terms=lower) == "over_the_cap"


def test_without_a_limit_one_person_decides_and_nothing_is_too_much(case: Case) -> None:
    [event] = case.do(pays("100000"), terms=Terms())
    assert isinstance(event, IncidentCompensated)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "", "ten", "1e3", " 5", "٣"])
def test_an_amount_is_a_number_above_zero(case: Case, amount: str) -> None:
    assert case.refuses(pays(amount)) == "invalid_amount"


# Groups


def test_a_merged_incident_is_handled_as_part_of_the_other_until_it_is_split() -> None:
    part, whole = acknowledged(), Case("incident-warehouse_backlog-W")
    part.join(whole)
    assert (part.status, whole.state.parts) == ("merged", [part.state.id])
    assert due(part.state) is None
    part.part(whole)
    assert (part.status, whole.state.parts) == ("acknowledged", [])


@pytest.mark.parametrize(
    ("make", "code"), [(merged, "target_closed"), (resolved, "target_closed"), (dismissed, "target_closed")]
)
def test_nothing_is_merged_into_what_is_not_open(make: Callable[[], Case], code: str) -> None:
    part = Case("incident-late_shipment-G")
    with pytest.raises(IllegalStep) as refused:
        part.join(make())
    assert refused.value.code == code


def test_an_incident_is_not_merged_into_itself_nor_with_parts_nor_twice() -> None:
    part, whole, third = Case("a"), Case("b"), Case("c")
    part.join(whole)
    codes = []
    for one, other in ((third, third), (whole, third), (part, third)):
        with pytest.raises(IllegalStep) as refused:
            one.join(other)
        codes.append(refused.value.code)
    assert codes == ["same_incident", "has_parts", "merged"]
    part.join(whole)
    assert whole.state.parts == ["a"]


def test_what_a_customer_waits_for_is_not_merged_away() -> None:
    part = Case()
    agreed(part)
    with pytest.raises(IllegalStep) as refused:
        part.join(Case("incident-warehouse_backlog-W"))
    assert refused.value.code == "awaits_confirmation"


def test_only_a_part_can_be_split() -> None:
    with pytest.raises(IllegalStep) as refused:
        Case().part(Case("b"))
    assert refused.value.code == "not_merged"
