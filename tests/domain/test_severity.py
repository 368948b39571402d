"""Severity: the sum of its shown parts."""

import pytest

from domain.policies.policy import DEFAULT, load
from domain.severity import GRADES, Stake, weigh
from tests.story import line, placed


def test_nothing_weighs_low() -> None:
    assert weigh(placed(0).stake, DEFAULT) == ("low", {})


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"currency": "CNY"}, "money"),
        ({"customer_tier": "VIP"}, "customer"),
        ({"customer_tier": "gold"}, "customer"),
    ],
)
def test_each_part_adds_a_grade_and_is_shown(more: dict[str, str], part: str) -> None:
    assert weigh(placed(0, line("1", unit_price="1000"), **more).stake, DEFAULT) == ("medium", {part: 1})


def test_a_platform_s_clock_weighs() -> None:
    assert weigh(placed(0).stake, DEFAULT, clock=1) == ("medium", {"clock": 1})


def test_all_parts_together_are_critical_and_no_more() -> None:
    everything = placed(0, line("1", unit_price="9999"), currency="CNY", customer_tier="Platinum")
    assert weigh(everything.stake, DEFAULT, clock=1)[0] == GRADES[-1] == "critical"
    assert weigh(everything.stake, DEFAULT, clock=9)[0] == "critical"


def test_value_is_price_times_quantity_over_all_lines_exactly() -> None:
    lines = (line("1", quantity=3, unit_price="333.33"), line("2", unit_price="0.01"))
    assert weigh(placed(0, *lines, currency="CNY").stake, DEFAULT)[0] == "medium"
    assert weigh(placed(0, lines[0], currency="CNY").stake, DEFAULT)[0] == "low"


def test_an_amount_without_currency_is_unknown_money_and_weighs_nothing() -> None:
    assert weigh(placed(0, line("1", unit_price="99999")).stake, DEFAULT) == ("low", {})


def test_a_line_without_a_price_weighs_nothing() -> None:
    assert weigh(placed(0, line("1", quantity=1_000_000), currency="CNY").stake, DEFAULT) == ("low", {})


def test_the_policy_sets_what_is_much_and_who_matters() -> None:
    policy = load('[severity]\nhigh_value = 5\nvip_tiers = ["Stammkunde"]')
    assert weigh(placed(0, line("1", unit_price="5"), currency="EUR").stake, policy)[0] == "medium"
    assert weigh(placed(0, customer_tier="STAMMKUNDE").stake, policy)[0] == "medium"
    assert weigh(placed(0, customer_tier="vip").stake, policy)[0] == "low"


# Several orders


def test_of_several_orders_the_heaviest_counts_part_by_part() -> None:
    assert weigh([Stake("10", "vip"), Stake("5000", None)], DEFAULT) == ("high", {"money": 1, "customer": 1})
    assert weigh([Stake("400"), Stake("700")], DEFAULT) == ("low", {})


def test_no_order_that_is_known_weighs_nothing() -> None:
    assert weigh((), DEFAULT) == ("low", {})
    assert weigh(Stake(), DEFAULT, complaint=1) == ("medium", {"complaint": 1})


def test_a_part_of_no_points_is_not_shown() -> None:
    assert weigh(Stake(), DEFAULT, clock=0) == ("low", {})


def test_parts_are_shown_whole_where_the_grade_can_go_no_higher() -> None:
    assert weigh(Stake("1000", "gold"), DEFAULT, clock=2)[1] == {"clock": 2, "money": 1, "customer": 1}
