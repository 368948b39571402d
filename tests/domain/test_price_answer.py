"""The question whether a lower price is a mistake, answered by staff."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.catalogue import PriceChanged
from domain.errors import IllegalStep
from domain.groups.price_cut import PriceAnswered
from domain.history.log import Log
from domain.incidents.commands import AnswerPrice
from domain.instant import iso
from domain.judging.adoption import adopt
from domain.staff.desk import Case
from domain.staff.desk import Desk as Staff
from domain.tracker import Tracker
from tests.domain.grouped import lines, settle
from tests.story import Desk, at, fact, line, memory_log, placed, requested

POLICY = '[kinds]\nenabled = ["price_difference"]'
CUT = Case("incident-price_difference-TEA%3Acut", "price_cut-TEA%3Acut")
LATER_CUT = "TEA:again"


def priced(when: float, price: str, key: str, **more: Any) -> PriceChanged:
    return fact(PriceChanged, when, key=key, sku="TEA", price=price, currency="CNY", **more)


def bought(when: float, of: str) -> Any:
    return placed(when, line("1", "TEA", 1, unit_price="100"), of=of, currency="CNY")


@pytest.fixture(name="log")
def a_price_that_fell() -> Iterator[Log]:
    with memory_log() as log:
        Desk(log, POLICY).take(priced(0, "100", "first"), bought(1, "A"), bought(2, "B"), priced(10, "1", "cut"))
        settle(Tracker(log, adopt(log, POLICY, 0)), at(20))
        yield log


def answer(log: Log, when: float, *, mistake: bool, by: str = "li") -> int:
    return Staff(log).handle(CUT, AnswerPrice(by=by, mistake=mistake, why="asked the shop"), at=at(when))


def told(log: Log, until: float = 99) -> dict[str, dict[str, Any]]:
    """Let the groups hear, in a process that has just begun."""
    settle(Tracker(log, adopt(log, POLICY, 0)), at(until))
    return {one["subject"]: one for one in lines(log)}


def test_until_it_is_answered_the_finding_asks(log: Log) -> None:
    [one] = told(log).values()
    assert (one["state"], one["detail"]["ask"]) == ("open", "is the new price meant?")


def test_a_mistake_ends_it_when_staff_said_so_and_keeps_who_and_why(log: Log) -> None:
    answer(log, 30, mistake=True)
    one = told(log)["TEA:cut"]
    assert (one["state"], one["ended_at"]) == ("ended", iso(at(30)))
    assert one["detail"]["ended_by"].startswith("/desk#price:cut:")
    [said] = [event for event in log.stream("sku-TEA") if isinstance(event, PriceAnswered)]
    assert (said.by, said.why, said.mistake, said.change) == ("li", "asked the shop", True, "cut")


def test_of_two_answers_at_one_instant_the_later_one_counts(log: Log) -> None:
    answer(log, 30, mistake=False)
    answer(log, 30, mistake=True)
    assert told(log)["TEA:cut"]["state"] == "ended"
    answer(log, 30, mistake=False)
    assert told(log)["TEA:cut"]["state"] == "open"


def test_a_price_that_is_meant_owes_as_before_and_asks_no_more(log: Log) -> None:
    before = told(log)["TEA:cut"]
    answer(log, 30, mistake=False)
    one = told(log)["TEA:cut"]
    assert "ask" not in one["detail"]
    assert (one["state"], one["detail"]["amounts"]) == ("open", {"A:1": "99", "B:1": "99"})
    assert {**one["detail"], "ask": before["detail"]["ask"]} == before["detail"]


def test_the_last_word_counts_and_the_same_word_again_is_none(log: Log) -> None:
    first = answer(log, 30, mistake=True)
    assert answer(log, 31, mistake=True, by="wang") == first
    assert told(log)["TEA:cut"]["state"] == "ended"
    answer(log, 32, mistake=False, by="wang")
    one = told(log)["TEA:cut"]
    assert (one["state"], one["ended_at"]) == ("open", None)


def test_the_feed_has_the_last_word_when_it_calls_it_a_mistake_later(log: Log) -> None:
    answer(log, 30, mistake=False)
    Desk(log, POLICY).take(priced(40, "100", "back", mistaken=True), until=41)
    one = told(log)["TEA:cut"]
    assert (one["state"], one["ended_at"], one["detail"]["ended_by"]) == ("ended", iso(at(40)), "/s#back")


def test_a_mistake_lowers_nothing_for_the_next_fall(log: Log) -> None:
    Desk(log, POLICY).take(priced(50, "100", "back"), priced(60, "90", "again"), until=61)
    assert LATER_CUT not in told(log)
    answer(log, 70, mistake=True)
    assert told(log)[LATER_CUT]["detail"]["amounts"] == {"A:1": "10", "B:1": "10"}


def test_it_needs_a_reason_and_a_question(log: Log) -> None:
    with pytest.raises(IllegalStep) as refused:
        Staff(log).handle(CUT, AnswerPrice(by="li", mistake=True, why=" "), at=at(30))
    assert refused.value.code == "reason_missing"
    Desk(log, "").take(placed(0), requested(0, ship_by=10), until=99)
    with pytest.raises(IllegalStep) as refused:
        Staff(log).handle(
            Case("incident-late_shipment-F", "order-O"), AnswerPrice(by="li", mistake=True, why="?"), at=at(100)
        )
    assert refused.value.code == "no_question"
