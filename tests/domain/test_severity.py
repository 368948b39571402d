"""Severity: the sum of its shown parts."""

import pytest

from domain.policy import DEFAULT, load
from domain.severity import GRADES, weigh
from tests.story import line, placed


def test_nothing_weighs_low() -> None:
    assert weigh(placed(0), DEFAULT) == ("low", {})


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"currency": "CNY"}, "money"),
        ({"customer_tier": "VIP"}, "customer"),
        ({"customer_tier": "gold"}, "customer"),
    ],
)
def test_each_part_adds_a_grade_and_is_shown(more: dict[str, str], part: str) -> None:
    assert weigh(placed(0, line("1", unit_price="1000"), **more), DEFAULT) == ("medium", {part: 1})


def test_a_platform_s_clock_weighs() -> None:
    assert weigh(placed(0), DEFAULT, clock=1) == ("medium", {"clock": 1})


def test_all_parts_together_are_critical_and_no_more() -> None:
    everything = placed(0, line("1", unit_price="9999"), currency="CNY", customer_tier="Platinum")
    assert weigh(everything, DEFAULT, clock=1)[0] == GRADES[-1] == "critical"
    assert weigh(everything, DEFAULT, clock=9)[0] == "critical"


def test_value_is_price_times_quantity_over_all_lines_exactly() -> None:
    lines = (line("1", quantity=3, unit_price="333.33"), line("2", unit_price="0.01"))
    assert weigh(placed(0, *lines, currency="CNY"), DEFAULT)[0] == "medium"
    assert weigh(placed(0, lines[0], currency="CNY"), DEFAULT)[0] == "low"


def test_an_amount_without_currency_is_unknown_money_and_weighs_nothing() -> None:
    assert weigh(placed(0, line("1", unit_price="99999")), DEFAULT) == ("low", {})


def test_a_line_without_a_price_weighs_nothing() -> None:
    assert weigh(placed(0, line("1", quantity=1_000_000), currency="CNY"), DEFAULT) == ("low", {})


def test_the_policy_sets_what_is_much_and_who_matters() -> None:
    policy = load('[severity]\nhigh_value = 5\nvip_tiers = ["Stammkunde"]')
    assert weigh(placed(0, line("1", unit_price="5"), currency="EUR"), policy)[0] == "medium"
    assert weigh(placed(0, customer_tier="STAMMKUNDE"), policy)[0] == "medium"
    assert weigh(placed(0, customer_tier="vip"), policy)[0] == "low"
