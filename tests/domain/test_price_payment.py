"""Differences to a lower price: paid to whom the finding names, in its money, and to nobody once it was a mistake."""

from typing import Any, Final

import pytest

from domain.errors import IllegalStep
from domain.history.log import Beside, Log, Recorded
from domain.incidents.account import AccountPaid
from domain.incidents.commands import AnswerPrice
from domain.incidents.events import IncidentCompensated, IncidentCompensationProposed
from domain.staff import cashier as cashiers
from domain.staff.desk import Case
from tests.domain.grouped import lines, settle
from tests.domain.paid import F, G, Till, skipped
from tests.domain.test_purchases import bought, priced
from tests.story import at, cancelled

CUT: Final = Case("incident-price_difference-A%3Acut", "price_cut-A%3Acut")
PRICES: Final = '[kinds]\nenabled = ["price_difference"]\n[price_protection]\nwindow = "{}"\n'
ANOTHER: Final = '[[version]]\nvalid_from = "2026-03-10T00:00:00Z"\n[version.price_protection]\nwindow = "{}"\n'
LATER: Final = 24 * 20
"""Hours: after the other version has begun to judge."""


def cut(log: Log, *buyers: str, policy: str = PRICES.format("48h")) -> Till:
    """Let a price fall by 20 at hour 30, some hours after each of these bought: the first 10, the next 9 ..."""
    till = Till(log, policy)
    till.now = 40
    till.ingest.take(*(bought(20 + n, one) for n, one in enumerate(buyers)), priced(30, "80", "cut"), until=35)
    settle(till.ingest.tracker, at(35))
    return till


def answer(till: Till, *, mistake: bool = True) -> None:
    till.do(CUT, AnswerPrice(by="li", mistake=mistake, why="asked the shop"))


def code_of(act: Any) -> str:
    with pytest.raises(IllegalStep) as refused:
        act()
    assert refused.value.reason
    return refused.value.code


# By the policy of the price change


@pytest.mark.parametrize(("window", "another"), [("5h", "15d"), ("15d", "5h")])
def test_a_batch_pays_whom_the_finding_owes_whatever_the_policy_says_since(log: Log, window: str, another: str) -> None:
    till = cut(log, *"OPQRSTUV", policy=PRICES.format(window) + ANOTHER.format(another))
    till.now = LATER
    [found] = lines(log)
    assert len(found["detail"]["amounts"]) == {"5h": 3, "15d": 8}[window]
    batch = till.draft(CUT, form="price_difference")
    assert {one.member: one.amount for one in till.cashier.read(batch).members.values()} == found["detail"]["amounts"]
    assert skipped(till.release(batch)) == {}


def test_limits_are_those_of_today(log: Log) -> None:
    limit = '[version.compensation]\nbatch_approval_above = "30"\n'
    till = cut(log, "O", "P", policy=PRICES.format("48h") + ANOTHER.format("48h") + limit)
    first = till.draft(CUT, form="price_difference")
    till.now = LATER
    second = till.draft(CUT, form="price_difference")
    needs = [till.cashier.read(one).drafted.second for one in (first, second)]  # type: ignore[union-attr]  # both were drafted
    assert needs == [False, True]
    assert code_of(lambda: till.release(first, by="li")) == "same_person"


# After staff called it a mistake


def test_a_batch_pays_no_difference_to_a_price_that_staff_called_a_mistake_the_moment_before(log: Log) -> None:
    till = cut(log, "O", "P")
    batch = till.draft(CUT, form="price_difference")
    answer(till)
    assert skipped(till.release(batch)) == {"O:1": "no_longer_owed", "P:1": "no_longer_owed"}
    assert (till.total("O"), till.total("P")) == (0, 0)


def test_nor_does_anybody_by_hand_or_by_agreeing_to_what_was_proposed_before(log: Log) -> None:
    till = cut(log, "O", "P", policy=PRICES.format("48h") + '[compensation]\nsecond_approval_above = "10"')
    difference = {"form": "price_difference", "member": "O:1"}
    till.pay(CUT, "20", **difference)
    answer(till)
    assert code_of(lambda: till.approve(CUT, member="O:1")) == "no_longer_owed"
    assert till.refuses(CUT, "5", form="price_difference", member="P:1").code == "no_longer_owed"
    till.pay(CUT, "5", form="coupon", member="P:1")
    answer(till, mistake=False)
    till.approve(CUT, member="O:1")
    assert (till.total("O"), till.total("P")) == (20, 5)


# In the money of the finding


def test_what_a_finding_owes_is_not_paid_in_another_currency_at_the_same_number(log: Log) -> None:
    till = cut(log, "O", "P")
    assert code_of(lambda: till.draft(CUT, form="price_difference", currency="USD")) == "other_currency"
    assert code_of(lambda: till.draft(CUT, "O:1", form="price_difference", currency="USD")) == "other_currency"
    named = till.draft(CUT, form="price_difference", currency="USD", amount="3")
    assert [one.amount for one in till.cashier.read(named).members.values()] == ["3", "3"]


# Proposed before there were accounts


def test_what_was_proposed_before_accounts_is_paid_to_the_account_of_its_order(log: Log) -> None:
    till = Till(log)
    till.late("O", "F", "G")
    old = IncidentCompensationProposed(at=at(25), by="li", member="K-1", amount="60", currency="CNY", form="coupon")
    log.append([Recorded(F.id, 1, old)], Beside())
    till.approve(F, member="K-1")
    [paid] = log.stream("account-O")
    assert isinstance(paid, AccountPaid)
    assert (paid.order_id, paid.member, paid.amount) == ("O", "K-1", "60")
    said = log.stream(F.id)[-1]
    assert isinstance(said, IncidentCompensated)
    assert said.order_id == "O"
    assert till.refuses(G, "50").code == "already_paid"


# Slices


@pytest.fixture(name="small")
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cashiers, "SLICE", 2)


@pytest.mark.usefixtures("small")
def test_however_many_slices_a_batch_has_its_streams_are_read_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    till = cut(log, *"OPQRSTUV")
    batch = till.draft(CUT, form="price_difference")
    select, read = log.store.select_streams, []

    def noted(names: Any, *more: Any, **named: Any) -> Any:
        read.extend(names)
        return select(names, *more, **named)

    monkeypatch.setattr(log.store, "select_streams", noted)
    till.cashier.approve(batch, by="wang", at=at(40))
    monkeypatch.undo()
    assert till.cashier.read(batch).status == "paid"
    assert (read.count(CUT.id), read.count(CUT.stream), read.count("account-O")) == (1, 1, 1)
    assert read.count(batch) == 2  # once to approve it, and once to pay all of it


@pytest.mark.usefixtures("small")
def test_what_others_write_between_two_slices_is_heard(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    till = cut(log, *"OPQRS")
    batch = till.draft(CUT, form="price_difference")
    pay_on, paid = till.cashier.pay_on, []

    def meanwhile(*what: Any, **how: Any) -> Any:
        position = pay_on(*what, **how)
        paid.append(position)
        if len(paid) == 1:
            till.ingest.take(cancelled(36, of="Q"), until=37)
            settle(till.ingest.tracker, at(37))
        if len(paid) == 2:
            till.pay(CUT, "20", member="S:1", form="price_difference")
        return position

    monkeypatch.setattr(till.cashier, "pay_on", meanwhile)
    payout = till.release(batch)
    assert (payout.status, skipped(payout)) == ("paid", {"Q:1": "no_longer_owed", "S:1": "already_paid"})
    assert [till.total(name) for name in "OPQRS"] == [20, 20, 0, 20, 20]
