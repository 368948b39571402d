"""A price cut: first a question, then a list of buyers with what each is owed, then settled one by one."""

from typing import Any

import pytest

from domain.instant import iso
from tests.generator.product import SMOOTH, Trouble, judged
from tests.stories import prices
from tests.story import at

Finding = dict[str, Any]
TEA = f"{prices.TEA}:price.changed%3A{prices.TEA}@400"
POT = f"{prices.POT}:price.changed%3A{prices.POT}@400"


def found(events: list[dict[str, Any]], trouble: Trouble = SMOOTH, batch: int = 7) -> dict[str, Finding]:
    findings = judged(events, [batch] * (len(events) // batch + 1), prices.POLICY, trouble)
    assert {one["kind"] for one in findings} == {"price_difference"}
    return {one["subject"]: one for one in findings}


def test_a_fall_is_first_questioned_as_a_page_error() -> None:
    findings = found(prices.questioned())
    assert set(findings) == {TEA, POT}
    assert all(one["detail"]["ask"] == "is the new price meant?" for one in findings.values())
    assert [one["due_at"] for one in findings.values()] == [iso(at(prices.CUT))] * 2


def test_once_it_is_meant_every_buyer_in_the_window_is_owed_the_difference() -> None:
    tea = found(prices.questioned() + prices.answered())[TEA]
    assert "ask" not in tea["detail"]
    assert tea["detail"]["amounts"] == prices.OWED
    assert (tea["detail"]["total"], tea["detail"]["unsettled"]) == ("75.00", "75.00")
    assert tea["detail"]["unpriced"] == 1
    assert tea["order_ids"] == ["E0", "E1", "E2", "E3"]


def test_a_mistake_owes_nobody_anything_from_when_that_was_said() -> None:
    pot = found(prices.questioned() + prices.answered())[POT]
    assert (pot["state"], pot["ended_at"]) == ("ended", iso(at(prices.CUT + 2)))


def test_it_ends_once_every_buyer_is_settled() -> None:
    tea = found(prices.questioned() + prices.answered() + prices.paid())[TEA]
    assert (tea["state"], tea["ended_at"]) == ("ended", iso(at(440)))
    assert tea["detail"]["unsettled"] == "0"


@pytest.mark.parametrize("trouble", [Trouble(by_topic=True), Trouble(by_topic=True, restarts=True, redelivers=True)])
@pytest.mark.parametrize("batch", [1, 100])
def test_it_is_the_same_however_it_comes(trouble: Trouble, batch: int) -> None:
    events = prices.questioned() + prices.answered() + prices.paid()
    assert found(events, trouble, batch) == found(events)
