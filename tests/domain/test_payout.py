"""Batches: drafted by one, approved by another, and who is left out of them, with the reason."""

from typing import Any

import pytest

from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.commands import Resolve
from domain.incidents.events import IncidentCompensated
from domain.payouts.events import PayoutDrafted
from domain.payouts.payout import DraftPayout, Wanted
from domain.policies.policy import PolicyInvalid, load
from tests.domain.bought import CUT, cut
from tests.domain.grouped import settle
from tests.domain.paid import F, G, Till, case, skipped
from tests.story import LATER, at, cancelled


@pytest.fixture(name="till")
def a_till(log: Log) -> Till:
    made = Till(log)
    made.late("O", "F", "G")
    return made


def refused(code: str, act: Any) -> None:
    with pytest.raises(IllegalStep) as error:
        act()
    assert (error.value.code, bool(error.value.reason)) == (code, True)


def test_a_batch_over_a_price_cut_pays_each_buyer_his_own_difference(log: Log) -> None:
    till = cut(log, "O", "P", "Q")
    batch = till.draft(CUT, form="price_difference", currency=None, evidence=("https://shop.example/cut",))
    drafted = till.cashier.read(batch)
    assert batch == "payout-price_difference-A%3Acut-1"
    assert drafted.drafted is not None
    assert (drafted.status, drafted.drafted.total, drafted.drafted.currency, drafted.drafted.members) == (
        "drafted",
        "60",
        "CNY",
        3,
    )
    assert till.release(batch).status == "paid"
    said = [one for one in log.stream(CUT.id) if isinstance(one, IncidentCompensated)]
    paid = sorted(said, key=lambda one: one.member)
    assert [(one.member, one.order_id, one.amount, one.batch, one.evidence) for one in paid] == [
        (f"{name}:1", name, "20", batch, ("https://shop.example/cut",)) for name in "OPQ"
    ]
    assert {one.approvals for one in paid} == {("li", "wang")}
    settle(till.ingest.tracker, LATER)
    assert [state for state, *_ in till.ingest.found()] == ["ended"]


def test_whoever_was_paid_or_cancelled_since_is_left_out_and_it_is_said_why(log: Log) -> None:
    till = cut(log, "O", "P", "Q", "R")
    batch = till.draft(CUT, form="price_difference")
    till.pay(CUT, "20", member="O:1", form="price_difference")
    till.ingest.take(cancelled(36, of="P"), until=37)
    settle(till.ingest.tracker, at(37))
    payout = till.release(batch)
    assert skipped(payout) == {"O:1": "no_longer_owed", "P:1": "no_longer_owed"}
    assert (till.total("O"), till.total("P"), till.total("Q")) == (20, 0, 20)


def test_nothing_is_drafted_for_those_who_are_settled_already(log: Log) -> None:
    till = cut(log, "O", "P")
    till.pay(CUT, "20", member="O:1", form="price_difference")
    settle(till.ingest.tracker, at(40))
    assert list(till.cashier.read(till.draft(CUT, form="price_difference")).members) == ["P:1"]
    till.pay(CUT, "20", member="P:1", form="price_difference")
    settle(till.ingest.tracker, at(40))
    refused("no_members", lambda: till.draft(CUT, form="price_difference"))


def test_a_fixed_amount_goes_to_every_order_of_the_incident_or_to_those_that_are_named(till: Till) -> None:
    batch = till.draft(F, amount="5")
    assert [(one.member, one.amount) for one in till.cashier.read(batch).members.values()] == [("O", "5")]
    named = DraftPayout(by="li", form="credit", currency="CNY", members=(Wanted(member="O:1", amount="7.50"),))
    name, _ = till.cashier.draft(F, named, at=at(30))
    assert [one.amount for one in till.cashier.read(name).members.values()] == ["7.50"]
    assert name.endswith("-2")


@pytest.mark.parametrize(
    ("code", "members", "more"),
    [
        ("amount_missing", (), {}),
        ("currency_missing", (), {"amount": "5", "currency": None}),
        ("not_a_member", ("P",), {"amount": "5"}),
        ("member_twice", ("O", "O"), {"amount": "5"}),
        ("invalid_amount", (), {"amount": "0"}),
    ],
)
def test_a_draft_that_cannot_be_paid_is_refused(
    till: Till, code: str, members: tuple[str, ...], more: dict[str, Any]
) -> None:
    before = till.log.store.last_position()
    refused(code, lambda: till.draft(F, *members, **more))
    assert till.log.store.last_position() == before


def test_there_is_no_batch_without_a_finding_or_of_another_name(till: Till) -> None:
    refused("no_finding", lambda: till.draft(case("X"), amount="5"))
    refused("no_batch", lambda: till.cashier.read("payout-late_shipment-F-1"))
    refused("no_batch", lambda: till.cashier.read("order-O"))


def test_the_same_command_drafts_one_batch(till: Till) -> None:
    first = till.draft(F, amount="5", command_id="k")
    assert till.draft(F, amount="5", command_id="k") == first
    assert till.draft(F, amount="5", command_id="k2") != first
    refused("command_id_reused", lambda: till.draft(F, amount="6", command_id="k"))


# Who decides


@pytest.mark.parametrize(("amount", "another"), [("50", ""), ("50.01", "same_person")])
def test_above_the_limit_of_a_member_another_person_must_approve(till: Till, amount: str, another: str) -> None:
    batch = till.draft(F, amount=amount)
    if another:
        refused(another, lambda: till.release(batch, by="li"))
    assert till.release(batch, by="wang" if another else "li").status == "paid"


@pytest.mark.parametrize(("buyers", "another"), [("OPQR", ""), ("OPQRS", "same_person")])
def test_above_the_limit_of_a_batch_another_person_must_approve(log: Log, buyers: str, another: str) -> None:
    till = cut(log, *buyers, policy='[compensation]\nbatch_approval_above = "80"')
    batch = till.draft(CUT, form="price_difference")
    if another:
        refused(another, lambda: till.release(batch, by="li"))
    assert till.release(batch, by="wang" if another else "li").status == "paid"


def test_the_limit_of_a_batch_is_an_amount() -> None:
    with pytest.raises(PolicyInvalid, match="batch_approval_above: 'much' is no amount"):
        load('[compensation]\nbatch_approval_above = "much"')


def test_a_draft_that_is_withdrawn_pays_nobody(till: Till) -> None:
    batch = till.draft(F, amount="5")
    till.cashier.withdraw(batch, by="wang", why="wrong list", at=at(31))
    assert till.cashier.read(batch).status == "withdrawn"
    refused("already_withdrawn", lambda: till.release(batch))
    assert till.total() == 0
    paid = till.draft(F, amount="5")
    till.release(paid)
    refused("already_paid", lambda: till.cashier.withdraw(paid, by="wang", at=at(31)))


# Who is left out


def test_who_is_paid_elsewhere_or_would_be_over_the_cap_is_left_out(till: Till) -> None:
    till.pay(G, "10")
    assert skipped(till.release(till.draft(F, amount="5"))) == {"O": "already_paid"}
    till.pay(G, "50", form="refund", member="O:1")
    assert skipped(till.release(till.draft(F, amount="50", form="credit"))) == {"O": "over_the_cap"}
    assert till.total() == 60


def test_two_batches_pay_an_order_once(till: Till) -> None:
    first, second = till.draft(F, amount="5"), till.draft(G, amount="5")
    assert skipped(till.release(first)) == {}
    assert skipped(till.release(second)) == {"O": "already_paid"}
    assert till.total() == 5


def test_a_closed_incident_pays_nobody(till: Till) -> None:
    batch = till.draft(F, amount="5")
    till.do(F, Resolve(by="li"))
    assert skipped(till.release(batch)) == {"O": "already_resolved"}
    assert till.total() == 0


def test_what_was_drafted_says_what_it_comes_to(till: Till) -> None:
    batch = till.draft(F, amount="51", why="late for the feast")
    [drafted, listed] = till.log.stream(batch)
    assert isinstance(drafted, PayoutDrafted)
    assert (drafted.why, drafted.second, drafted.total, drafted.about) == ("late for the feast", True, "51", F.stream)
    assert listed.TOPIC == "payout.listed.v1"
