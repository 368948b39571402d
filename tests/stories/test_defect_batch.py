"""A defect batch is found by its share of complaints; a best-seller and a customer who complains a lot are not one."""

from typing import Any

import pytest

from domain.instant import iso
from tests.generator.product import SMOOTH, Trouble, judged
from tests.stories import defects
from tests.story import at

Finding = dict[str, Any]


def found(events: list[dict[str, Any]], trouble: Trouble = SMOOTH) -> list[Finding]:
    return judged(events, [500] * (len(events) // 500 + 1), defects.POLICY, trouble)


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return found(defects.batch())


def test_only_the_lamps_are_no_chance(findings: list[Finding]) -> None:
    assert [(one["kind"], one["subject"], one["state"]) for one in findings] == [
        ("product_defect", defects.LAMP, "open")
    ]


def test_it_names_who_complained_and_who_bought_the_same_since_the_first_of_them(findings: list[Finding]) -> None:
    [one] = findings
    assert one["detail"]["proven"] == defects.BROKEN
    assert one["order_ids"] == [f"L{number:02}" for number in range(3, 80)]
    assert one["detail"]["silent"] == 77 - len(defects.BROKEN)
    assert one["since"] == iso(at(80))
    assert float(one["detail"]["likelihood"]) <= 0.001


def test_without_the_weeks_before_the_minimum_decides_alone() -> None:
    young = [one for one in defects.batch() if one["time"] >= iso(at(0))]
    sold = [one for one in young if one["data"].get("order_id", "")[:1] in {"L", "A", ""}]
    [one] = found(sold)
    assert (one["subject"], "likelihood" in one["detail"]) == (defects.LAMP, False)


@pytest.mark.parametrize("trouble", [Trouble(by_topic=True), Trouble(by_topic=True, restarts=True, redelivers=True)])
def test_it_is_the_same_however_it_comes(findings: list[Finding], trouble: Trouble) -> None:
    assert found(defects.batch(), trouble) == findings
