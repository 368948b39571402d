"""A price cut, live: questioned as a page error, answered by staff, and paid back to every buyer in one batch."""

import csv
from pathlib import Path
from typing import Any

import pytest

from domain.instant import iso
from tests.brokers.broker import Broker
from tests.stories import prices
from tests.stories.live import Live, live
from tests.story import at

pytestmark = pytest.mark.timeout(180)
DAWN, ASKED, ANSWERED, PAID, OVER = -1.0, 401.5, 402.0, 402.5, 402.75
POLICY = '[compensation]\nbatch_approval_above = "50"'
QUESTION = "is the new price meant?"
FORM = "price_difference"


def test_a_price_cut_is_questioned_answered_and_paid_back(broker: Broker, tmp_path: Path) -> None:
    with live(broker, tmp_path, DAWN, POLICY) as told:
        told.tell(prices.questioned(), ASKED)
        both_falls_are_first_questioned(told)
        told.tell([], ANSWERED)
        staff_say_what_is_meant(told)
        a_mistake_owes_nobody_anything(told)
        every_buyer_in_the_window_is_owed_the_difference(told)
        told.tell([], PAID)
        pay_everybody_once_two_agree(told)
        told.tell([], OVER)
        it_ends_once_everybody_is_paid(told)


def cut(told: Live, sku: str) -> Any:
    [found] = told.all_of("clusters", kind="price_difference", sku=sku)
    return found


def both_falls_are_first_questioned(told: Live) -> None:
    found = told.incidents(kind="price_difference")
    assert sorted(one["sku"] for one in found) == [prices.POT, prices.TEA]
    assert [(one["due_at"], one["detail"]["ask"]) for one in found] == [(iso(at(prices.CUT)), QUESTION)] * 2
    opened = [one for one in told.changes() if one["incident"]["kind"] == "price_difference"]
    assert [(one["change"], one["incident"]["detail"]["ask"]) for one in opened] == [("opened", QUESTION)] * 2


def staff_say_what_is_meant(told: Live) -> None:
    for sku, mistake, why in ((prices.POT, True, "a digit was left out"), (prices.TEA, False, "spring sale")):
        done = told.post("incidents", cut(told, sku)["id"], "answer", by="wang", mistake=mistake, why=why)
        said = {"mistake": mistake, "by": "wang", "at": iso(at(ANSWERED)), "why": why}
        assert done["price_answer"] == said
    told.settle()


def a_mistake_owes_nobody_anything(told: Live) -> None:
    pot = cut(told, prices.POT)
    assert (pot["state"], pot["ended_at"], pot["owed"]) == ("ended", iso(at(ANSWERED)), {})
    assert [one["customer_id"] for one in told.tasks() if one["customer_id"].startswith("C-POT")] == []


def every_buyer_in_the_window_is_owed_the_difference(told: Live) -> None:
    tea = cut(told, prices.TEA)
    assert (tea["state"], tea["owed"]) == ("open", {"CNY": "75.00"})
    assert "ask" not in tea["incident"]["detail"]
    members = told.all_of("members", "clusters", tea["id"], "members")
    assert {one["member"]: one["amount"] for one in members if one["amount"] is not None} == prices.OWED
    assert sorted(one["customer_id"] for one in told.tasks()) == sorted(f"C-{name}" for name in tea_buyers())


def tea_buyers() -> list[str]:
    return [member.partition(":")[0] for member in prices.OWED]


def pay_everybody_once_two_agree(told: Live) -> None:
    batch = told.post("incidents", cut(told, prices.TEA)["id"], "batches", form=FORM, why="spring sale")
    assert (batch["state"], batch["total"], batch["members"]) == ("drafted", "75.00", 4)
    assert batch["needs_second_approval"]
    assert told.refused("batches", batch["id"], "approve") == "same_person"
    assert told.post("batches", batch["id"], "approve", by="wang")["state"] == "paid"
    assert told.post("batches", batch["id"], "approve", by="wang")["paid_total"] == "75.00"
    told.settle()
    lines = list(csv.DictReader(told.text("batches", batch["id"], "export", format="csv").splitlines()))
    assert {one["member"]: (one["amount"], one["state"]) for one in lines} == {
        member: (amount, "paid") for member, amount in prices.OWED.items()
    }
    again = {"member": "E0:1", "order_id": "E0", "amount": "20.00", "currency": "CNY", "form": FORM}
    assert told.refused("incidents", cut(told, prices.TEA)["id"], "compensate", **again) in {"already_paid", "closed"}


def it_ends_once_everybody_is_paid(told: Live) -> None:
    tea = cut(told, prices.TEA)
    assert (tea["state"], tea["ended_at"], tea["owed"]) == ("ended", iso(at(PAID)), {})
    assert tea["counts"]["settled"] == len(prices.OWED)
    assert told.tasks() == []
    assert told.read("metrics", "summary")["paid"] == {"CNY": "75.00"}
    said = [one["change"] for one in told.changes() if one["incident"]["sku"] == prices.TEA]
    assert (said[0], said[-1]) == ("opened", "ended")
