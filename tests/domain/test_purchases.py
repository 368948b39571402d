"""Purchases: who bought what has become cheaper is told to the price cut, whichever comes first."""

from typing import Any

import pytest

from domain.catalogue import PriceChanged
from domain.complaints.complaint import ComplaintResolved
from domain.events import Fact
from domain.history.log import Log
from domain.incidents.commands import Compensate
from domain.judging.adoption import adopt
from domain.staff.desk import Case
from domain.staff.desk import Desk as StaffDesk
from domain.tracker import Tracker
from tests.domain.grouped import Finding, found, lines, settle
from tests.story import LATER, Desk, at, cancelled, complained, fact, line, placed, topics

CUTS = '[kinds]\nenabled = ["price_difference"]\n[price_protection]\nwindow = "48h"'
OTHERS = '[kinds]\nenabled = ["late_shipment"]'


def priced(when: float, price: str, name: str = "", **more: Any) -> Fact:
    said = {"sku": "A", "currency": "CNY"} | more
    return fact(PriceChanged, when, key=name or f"{price}@{when:g}", price=price, **said)


def bought(when: float, of: str, price: str = "100", **more: Any) -> Fact:
    return placed(when, line("1", unit_price=price), of=of, currency="CNY", **more)


def amounts(*facts: Fact) -> dict[str, dict[str, str]]:
    """Say what buyers are owed, by price change."""
    return {one["subject"].removeprefix("A:"): one["detail"]["amounts"] for one in found(facts, CUTS)}


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    return Desk(log, CUTS)


def take(desk: Desk, *said: Fact, until: float = 500) -> None:
    desk.take(*said, until=until)
    settle(desk.tracker, at(until))


def only(log: Log) -> Finding:
    [one] = lines(log)
    return one


# Who is owed


@pytest.mark.parametrize("late", [0, 1, 2])
def test_whichever_comes_last_the_same_is_owed(late: int) -> None:
    facts = [bought(1, "O"), bought(2, "P", "90"), priced(30, "80", "cut")]
    facts.append(facts.pop(late))
    assert amounts(*facts) == {"cut": {"O:1": "20", "P:1": "10"}}


def test_a_second_fall_is_owed_from_the_first_one_on() -> None:
    assert amounts(bought(1, "O"), priced(10, "80", "first"), priced(20, "70", "second")) == {
        "first": {"O:1": "20"},
        "second": {"O:1": "10"},
    }


def test_a_fall_to_what_somebody_once_paid_is_owed_by_nobody() -> None:
    assert amounts(bought(1, "O", "80"), priced(10, "120"), priced(20, "80", "back")) == {}


def test_the_same_price_again_is_no_other_fall() -> None:
    assert amounts(bought(1, "O"), priced(10, "80", "cut"), priced(20, "80.00", "again")) == {"cut": {"O:1": "20"}}


def test_a_rise_owes_nobody_anything_even_who_paid_more_before_it() -> None:
    assert amounts(priced(0, "60"), bought(1, "O"), priced(10, "80", "rise")) == {}


def test_a_price_in_another_channel_is_not_theirs() -> None:
    web = {"sales_channel": "web"}
    assert amounts(bought(1, "O"), bought(1, "P", **web), priced(10, "80", "cut", **web)) == {"cut": {"P:1": "20"}}


# Mistakes


def test_a_price_that_was_said_to_be_a_mistake_at_once_owes_nobody_anything(log: Log, desk: Desk) -> None:
    take(desk, bought(1, "O"), priced(10, "1", mistaken=True))
    assert lines(log) == []
    assert not [name for name in topics(log) if name.startswith("price_cut.")]


def test_a_price_that_goes_back_as_a_mistake_ends_it(log: Log, desk: Desk) -> None:
    take(desk, priced(0, "100"), bought(1, "O"), priced(10, "1", "slip"))
    assert only(log)["detail"]["ask"] == "is the new price meant?"
    take(desk, priced(11, "100", "back", mistaken=True))
    assert (only(log)["state"], only(log)["detail"]["ended_by"]) == ("ended", "/s#back")


def test_one_that_is_said_to_be_meant_is_not_questioned(log: Log, desk: Desk) -> None:
    take(desk, bought(1, "O"), priced(10, "80"), priced(11, "80", mistaken=False))
    assert "ask" not in only(log)["detail"]


def test_a_late_price_that_shows_that_nothing_fell_takes_it_back(log: Log, desk: Desk) -> None:
    take(desk, bought(1, "O"), priced(10, "80", "cut"))
    assert len(lines(log)) == 1
    take(desk, priced(0.5, "70"))
    assert lines(log) == []


# How it is settled


def test_a_cancellation_a_resolved_complaint_and_a_payment_each_settle_a_buyer(log: Log, desk: Desk) -> None:
    take(desk, *[bought(1, name) for name in "OPQ"], priced(10, "80", "cut"), cancelled(12, of="O"))
    said = complained(20, "K", order_id="P", category="price_difference")
    take(desk, said, fact(ComplaintResolved, 21, complaint_id="K"))
    assert (only(log)["state"], only(log)["detail"]["unsettled"]) == ("open", "20")
    money = Compensate(by="li", member="Q:1", order_id="Q", amount="20", currency="CNY", form="price_difference")
    StaffDesk(log).handle(Case("incident-price_difference-A%3Acut", "price_cut-A%3Acut"), money, at=at(100))
    settle(desk.tracker, at(200))
    assert (only(log)["state"], only(log)["detail"]["ended_by"]) == ("ended", "staff#li")


def test_an_order_that_was_cancelled_before_the_fall_is_owed_nothing() -> None:
    assert amounts(bought(1, "O"), cancelled(5, of="O"), priced(10, "80")) == {}


# What it costs, and whoever tells


def test_what_nobody_has_asked_for_costs_nothing(log: Log) -> None:
    take(Desk(log, OTHERS), bought(1, "O"), priced(10, "80", "cut"))
    assert log.store.related(["sold sku-A"], -LATER, LATER) == []
    settle(Tracker(log, adopt(log, CUTS, at(5))), at(600))
    assert [one["subject"] for one in lines(log)] == ["A:cut"]


def test_an_order_costs_no_event_before_a_price_falls(log: Log, desk: Desk) -> None:
    take(desk, *[bought(n, f"O{n}") for n in range(9)])
    assert not [name for name in topics(log) if name.startswith("price_cut.")]


def test_two_processes_that_tell_in_turn_tell_everything_once(log: Log, desk: Desk) -> None:
    other = Desk(log, CUTS)
    for number, one in enumerate([bought(1, "O"), priced(10, "80", "cut"), bought(2, "P"), priced(11, "80", "again")]):
        take((desk, other)[number % 2], one)
    assert topics(log).count("price_cut.buyer_changed.v1") == 2
    assert only(log)["detail"]["total"] == "40"


def test_a_restart_after_every_message_changes_nothing(log: Log) -> None:
    for one in (bought(1, "O"), priced(10, "80", "cut"), bought(2, "P")):
        take(Desk(log, CUTS), one)
    assert only(log)["detail"]["total"] == "40"
