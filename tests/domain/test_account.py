"""Accounts: one order is not paid twice through two incidents, nor beyond the cap by all of them together."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.account import AlreadyPaid
from domain.incidents.commands import Compensate, Withdraw
from domain.incidents.events import IncidentCompensated, IncidentCompensationProposed
from domain.incidents.incident import Incident
from domain.staff.ledger import Ledger
from tests.domain.paid import F, G, Till, case
from tests.story import Desk, approved, at, file_log, line, placed, requested


@pytest.fixture(name="till")
def a_till(log: Log) -> Till:
    made = Till(log)
    made.late("O", "F", "G")
    return made


def test_a_payment_stands_in_the_incident_and_in_the_account_of_its_order(till: Till) -> None:
    till.pay(F)
    [said] = till.log.stream(F.id)
    [paid] = till.log.stream("account-O")
    assert isinstance(said, IncidentCompensated)
    assert (paid.incident, paid.member, paid.amount, paid.at) == (F.id, "O", "10", at(30))  # type: ignore[attr-defined]  # the last event is of this kind
    assert said.order_id == "O"


def test_an_order_is_paid_once_in_a_form_whichever_incident_pays(till: Till) -> None:
    till.pay(F)
    refused = till.refuses(G, "12")
    assert isinstance(refused, AlreadyPaid)
    assert refused.code == "already_paid"
    assert (refused.paid.incident, refused.paid.amount, refused.paid.by) == (F.id, "10", "li")
    assert all(word in refused.reason for word in (F.id, "10 CNY", "li", "2026-03-02T06:00:00Z"))
    assert refused.shown["paid"] == {
        "incident": F.id,
        "member": "O",
        "amount": "10",
        "currency": "CNY",
        "form": "coupon",
        "by": "li",
        "at": "2026-03-02T06:00:00Z",
    }


def test_another_form_or_another_order_is_another_payment(till: Till) -> None:
    till.late("P", "H")
    till.pay(F)
    till.pay(G, form="refund")
    till.pay(case("H", "P"), member="P")
    assert (till.total("O"), till.total("P")) == (20, 10)


@pytest.mark.parametrize("more", [{"member": "O:1"}, {"member": "li's customer"}, {"member": "x", "order_id": "O"}])
def test_whatever_the_member_is_called_it_counts_for_its_order(till: Till, more: dict[str, str]) -> None:
    till.pay(F)
    assert till.refuses(G, **more).code == "already_paid"


def test_lines_are_told_apart_within_an_incident_only(till: Till) -> None:
    till.pay(F, member="O:1")
    till.pay(F, member="O:2")
    assert till.refuses(F, member="O").code == "already_paid"
    assert till.refuses(G, member="O:2").code == "already_paid"


@pytest.mark.parametrize("invented", ["O:3", "O:", "O:1:1", "O:%31", "O:1 "])
def test_what_is_no_line_of_the_order_is_the_whole_of_it(till: Till, invented: str) -> None:
    till.pay(F, member="O:1")
    assert till.refuses(F, member=invented).code == "already_paid"
    till.pay(F, member=invented, form="refund")
    assert till.refuses(F, member="O:2", form="refund").code == "already_paid"


def test_an_order_whose_placing_nobody_told_is_paid_as_a_whole(till: Till) -> None:
    till.ingest.take(approved(1, of="Q"), until=20)
    till.pay(F, member="Q:1", order_id="Q")
    assert till.refuses(F, member="Q:2", order_id="Q").code == "already_paid"


def test_an_order_that_nobody_knows_is_not_paid(till: Till) -> None:
    assert till.refuses(F, order_id="0").code == "unknown_order"


def test_where_an_incident_has_several_orders_it_must_be_said_which_is_paid(till: Till) -> None:
    till.late("P", "H")
    unnamed = Compensate(by="li", member="the whole hub", amount="1", currency="CNY", form="refund")
    named = [msgspec.structs.replace(unnamed, member="P"), msgspec.structs.replace(unnamed, order_id="P")]
    order_of = Ledger(till.log).order_of
    with pytest.raises(IllegalStep) as refused:
        order_of(Incident(), unnamed, ["O", "P"])
    assert refused.value.code == "order_missing"
    assert [order_of(Incident(), one, ["O", "P"]) for one in named] == ["P", "P"]
    assert order_of(Incident(), unnamed, ["P"]) == "P"


# The cap


def test_the_cap_is_of_the_order_over_all_incidents_and_forms(till: Till) -> None:
    till.pay(F, "50")
    till.pay(G, "50", form="refund")
    assert till.refuses(G, "0.01", form="credit", member="O:1").code == "over_the_cap"
    assert till.total() == 100


def test_a_proposal_counts_once_it_is_approved_and_is_weighed_then(till: Till) -> None:
    till.pay(F, "60")
    till.pay(G, "60", form="refund")
    till.approve(F)
    with pytest.raises(IllegalStep) as refused:
        till.approve(G)
    assert (refused.value.code, till.total()) == ("over_the_cap", 60)


def test_of_two_proposals_of_one_form_only_one_is_paid(till: Till) -> None:
    till.pay(F, "60")
    till.pay(G, "60")
    till.approve(G)
    with pytest.raises(IllegalStep) as refused:
        till.approve(F)
    assert refused.value.code == "already_paid"
    till.do(F, Withdraw(by="wang", member="O"))
    assert till.total() == 60


def test_a_cap_is_kept_in_the_currency_of_the_order(till: Till) -> None:
    assert till.refuses(F, "10", currency="USD").code == "other_currency"


# What one person decides


@pytest.mark.parametrize(
    ("amount", "form", "paid"),
    [("10", "coupon", 50), ("10.01", "coupon", 40), ("45", "refund", 85)],
    ids=["up to the limit", "above it", "another form"],
)
def test_an_incident_pays_an_order_in_lines_no_more_than_one_person_decides(
    till: Till, amount: str, form: str, paid: float
) -> None:
    till.pay(F, "40", member="O:1")
    till.pay(F, amount, member="O:2", form=form)
    assert till.total() == paid
    if paid == 40:
        assert isinstance(till.log.stream(F.id)[-1], IncidentCompensationProposed)
        till.approve(F, member="O:2")
        assert str(till.total()) == "50.01"


# Twice, on purpose


def test_paying_twice_needs_a_reason_and_a_second_person(till: Till) -> None:
    till.pay(F)
    assert till.refuses(G, override="  ").code == "already_paid"
    till.pay(G, override="the first coupon had expired")
    proposed = till.log.stream(G.id)[-1]
    assert isinstance(proposed, IncidentCompensationProposed)
    assert (proposed.override, proposed.despite) == ("the first coupon had expired", (f"{F.id} O",))
    assert till.total() == 10
    with pytest.raises(IllegalStep) as refused:
        till.approve(G, by="li")
    assert refused.value.code == "same_person"
    till.approve(G)
    [_, again] = till.account().payments
    assert (again.override, again.approvals) == ("the first coupon had expired", ("li", "wang"))


def test_a_reason_speaks_of_the_payments_that_were_known_when_it_was_given(till: Till) -> None:
    till.late("O", "H")
    till.pay(F)
    till.pay(G, override="lost")
    till.pay(case("H"), "20", override="lost too")
    till.approve(case("H"))
    with pytest.raises(IllegalStep) as refused:
        till.approve(G)
    assert refused.value.code == "already_paid"


def test_no_reason_lifts_the_cap(till: Till) -> None:
    till.pay(F, "50")
    till.pay(G, "40", override="again")
    till.approve(G)
    till.late("O", "H")
    assert till.refuses(case("H"), "20", override="once more").code == "over_the_cap"


# Several at once


def test_the_same_command_again_answers_the_same_although_the_order_is_paid(till: Till) -> None:
    till.pay(F, command_id="k")
    position = till.log.store.last_position()
    till.pay(F, command_id="k")
    till.pay(F)
    assert till.log.store.last_position() == position


def test_two_people_who_pay_one_order_through_two_incidents_at_once_pay_it_once(tmp_path: Path) -> None:
    with file_log(tmp_path / "log.db") as log:
        till = Till(log)
        till.late("O", *"ABCDEF")
        ready, codes = threading.Barrier(6), []

        def pay(name: str) -> None:
            ready.wait()
            try:
                till.pay(case(name), by=name)
            except IllegalStep as refused:
                codes.append(refused.code)

        threads = [threading.Thread(target=pay, args=(name,)) for name in "ABCDEF"]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert (len(till.account().payments), codes) == (1, ["already_paid"] * 5)


def test_whoever_is_overtaken_by_a_payment_of_another_incident_decides_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = till.log.append

    def overtaken(*what: Any) -> Any:
        monkeypatch.setattr(till.log, "append", append)
        till.pay(G, by="wang")
        return append(*what)

    monkeypatch.setattr(till.log, "append", overtaken)
    with pytest.raises(AlreadyPaid) as refused:
        till.pay(F)
    assert refused.value.paid.incident == G.id
    assert till.log.stream(F.id) == []


def test_ingest_goes_on_past_accounts(till: Till) -> None:
    till.pay(F)
    Desk(till.log).take(placed(31, line("1"), of="Q"), requested(31, "Z", of="Q", ship_by=33), until=40)
    assert ("open", "Z", 33.0, None) in till.ingest.found()
