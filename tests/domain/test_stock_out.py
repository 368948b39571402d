"""stock_out: an open order's item that was not on its shelf, until it is picked or cancelled."""

from typing import Any

import pytest

from domain.detection import Finding
from domain.detectors.stock_out import findings, look_again
from domain.events import Fact
from domain.orders.order import ItemOutOfStock, ItemPicked, ItemRestocked
from domain.policies.policy import DEFAULT
from tests.story import Desk, Given, at, cancelled, fact, hours, line, placed, topics

Out = list[tuple[str, float | None, float | None]]


def missed(when: float, sku: str = "A", **more: Any) -> ItemOutOfStock:
    """Find the shelf empty."""
    return fact(ItemOutOfStock, when, **({"key": f"out-{sku}@{when:g}", "order_id": "O", "sku": sku} | more))


def picked(when: float, sku: str = "A", quantity: int | None = None) -> ItemPicked:
    """Take it from its shelf."""
    return fact(ItemPicked, when, key=f"picked-{sku}@{when:g}", order_id="O", sku=sku, quantity=quantity)


def restocked(when: float, sku: str = "A") -> ItemRestocked:
    """Fill the shelf."""
    return fact(ItemRestocked, when, key=f"restocked-{sku}@{when:g}", order_id="O", sku=sku)


def found(*facts: Fact, now: float = 999) -> tuple[Finding, ...]:
    """Look at order O."""
    return findings(Given(*facts).order(), at(now), DEFAULT)


def out(*facts: Fact, now: float = 999) -> Out:
    """Say (subject, due, ended) of every item of order O that was out of stock."""
    return [(one.subject, hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now)]


def test_an_empty_shelf_is_found_from_its_own_time_on() -> None:
    assert out(placed(0), missed(5)) == [("O:A", 5, None)]
    assert out(placed(0), missed(5), now=5) == []


def test_the_item_s_picking_ends_it() -> None:
    assert out(placed(0), missed(5), picked(9)) == [("O:A", 5, 9)]


def test_a_part_that_is_picked_ends_it_says_how_much_and_a_shelf_that_is_empty_again_is_another() -> None:
    three = placed(0, line("1", quantity=3))
    assert out(three, missed(5, quantity=3), picked(9, quantity=1)) == [("O:A", 5, 9)]
    [one] = found(three, missed(5, quantity=3), picked(9, quantity=1))
    assert (one.detail["quantity"], one.detail["picked"]) == (3, 1)
    again = missed(10, quantity=2)
    assert out(three, missed(5, quantity=3), picked(9, quantity=1), again) == [("O:A", 5, 9), ("O:A", 10, None)]


def test_picked_before_the_shelf_was_empty_does_not_end_it() -> None:
    assert out(placed(0), missed(5), picked(4)) == [("O:A", 5, None)]


def test_another_item_s_picking_does_not_end_it() -> None:
    assert out(placed(0, line("1"), line("2", "B")), missed(5), picked(9, "B")) == [("O:A", 5, None)]


def test_a_restock_alone_does_not_end_it() -> None:
    assert out(placed(0), missed(5), restocked(7)) == [("O:A", 5, None)]
    assert out(placed(0), missed(5), restocked(7), picked(9)) == [("O:A", 5, 9)]


def test_picked_at_the_very_instant_it_never_held() -> None:
    assert out(placed(0), missed(5), picked(5)) == []


@pytest.mark.parametrize("lines", [(), ("1",)])
def test_its_cancellation_ends_it(lines: tuple[str, ...]) -> None:
    assert out(placed(0), missed(5), cancelled(9, *lines)) == [("O:A", 5, 9)]


def test_the_cancellation_of_another_line_does_not() -> None:
    two = placed(0, line("1"), line("2", "B"))
    assert out(two, missed(5), cancelled(9, "2")) == [("O:A", 5, None)]


def test_two_lines_of_one_item_end_with_the_second_cancellation() -> None:
    two = placed(0, line("1"), line("2"))
    assert out(two, missed(5), cancelled(9, "1")) == [("O:A", 5, None)]
    assert out(two, missed(5), cancelled(9, "1"), cancelled(12, "2")) == [("O:A", 5, 12)]


def test_an_order_that_wants_nothing_of_it_any_more_misses_nothing() -> None:
    assert out(placed(0), cancelled(4), missed(5)) == []
    assert out(placed(0), cancelled(4, "1"), missed(5)) == []
    assert out(placed(0), cancelled(5), missed(5)) == []


def test_a_cancellation_heard_of_late_takes_it_back() -> None:
    assert out(placed(0), missed(5)) == [("O:A", 5, None)]
    assert out(placed(0), missed(5), cancelled(4)) == []


def test_said_again_before_it_is_picked_it_is_the_same_trouble() -> None:
    assert out(placed(0), missed(5), missed(7), missed(8), picked(9)) == [("O:A", 5, 9)]


def test_empty_again_after_the_picking_is_another_trouble() -> None:
    assert out(placed(0), missed(5), picked(9), missed(12), picked(20)) == [("O:A", 5, 9), ("O:A", 12, 20)]
    assert len({one.key for one in found(placed(0), missed(5), picked(9), missed(12))}) == 2


def test_after_the_cancellation_it_is_not_out_of_stock_again() -> None:
    assert out(placed(0), missed(5), cancelled(9), missed(12)) == [("O:A", 5, 9)]


def test_each_item_stands_for_itself() -> None:
    two = placed(0, line("1"), line("2", "B"))
    assert out(two, missed(5), missed(6, "B"), picked(8, "B")) == [("O:A", 5, None), ("O:B", 6, 8)]


def test_an_item_that_the_order_does_not_name_is_cancelled_with_the_whole_order_only() -> None:
    assert out(placed(0), missed(5, "PART"), cancelled(9, "1")) == [("O:PART", 5, None)]
    assert out(placed(0), missed(5, "PART"), cancelled(9)) == [("O:PART", 5, 9)]


def test_it_is_found_before_the_order_is_known_and_weighs_once_it_is() -> None:
    assert out(missed(5)) == [("O:A", 5, None)]
    assert found(missed(5), placed(0, customer_tier="vip"))[0].detail["severity"] == {"customer": 1}


def test_a_finding_says_where_what_and_how_many_and_what_ended_it() -> None:
    [one] = found(placed(0), missed(5, warehouse_id="W", quantity=3), picked(9))
    assert (one.kind, one.rule, one.warehouse_id, one.sku) == ("stock_out", "out_of_stock", "W", "A")
    assert one.proof == ("/s#out-A@5",)
    assert (one.detail["quantity"], one.detail["ended_by"]) == (3, "/s#picked-A@9")
    assert "picked" in one.detail["cleared_by"]


def test_what_lies_ahead_of_what_has_been_read_is_looked_at_when_time_comes_to_it() -> None:
    order = Given(placed(0), missed(5), picked(6), missed(8)).order()
    assert [hours(look_again(order, at(now), DEFAULT)) for now in (0, 5, 5.5, 8)] == [5, 5, 8, 8]
    assert look_again(order, at(9), DEFAULT) is None


def test_heard_of_while_time_lags_behind_it_is_found_by_the_tick(desk: Desk) -> None:
    desk.take(placed(0), missed(5), until=4)
    assert desk.found() == []
    assert desk.tick(6) == 1
    assert desk.found() == [("open", "O:A", 5, None)]


def test_a_repeat_of_the_message_is_no_second_finding(desk: Desk) -> None:
    desk.take(placed(0), missed(5), missed(5), until=9)
    desk.take(missed(5), until=9)
    assert topics(desk.log).count("finding.opened.v1") == 1
