"""Hand-computed cases for stock-outs, and for the list of all kinds."""

from pathlib import Path

import pytest

from tests.oracle.late_shipment import oracle as late_shipments
from tests.oracle.sentences import beat, found, item, label, opened, promised, scan, voided, whole
from tests.oracle.story import at, line, placed, requested, told
from tests.oracle.whole import KINDS, oracle
from tests.oracle.world import duration

OUT = item("out_of_stock", 5)


def test_an_item_out_of_stock_is_found_until_it_is_picked() -> None:
    assert found("stock_out", OUT) == [("O:A", 5, None)]
    assert found("stock_out", OUT, item("picked", 9), item("picked", 12)) == [("O:A", 5, 9)]


def test_a_restock_alone_ends_nothing() -> None:
    assert found("stock_out", OUT, item("restocked", 7)) == [("O:A", 5, None)]


def test_what_was_picked_before_does_not_count() -> None:
    assert found("stock_out", item("picked", 3), OUT) == [("O:A", 5, None)]


def test_items_and_orders_are_apart() -> None:
    others = (item("picked", 9, sku="B"), item("picked", 9, "Q"), item("out_of_stock", 6, "Q"))
    assert found("stock_out", OUT, *others) == [("O:A", 5, None), ("Q:A", 6, 9)]


def test_out_of_stock_again_is_news_only_after_the_end() -> None:
    again = item("out_of_stock", 7)
    assert found("stock_out", OUT, again, item("picked", 9)) == [("O:A", 5, 9)]
    assert found("stock_out", OUT, again, item("picked", 6)) == [("O:A", 5, 6), ("O:A", 7, None)]


def test_cancellation_of_the_order_or_of_all_lines_of_the_item_ends_it() -> None:
    order = placed(0, lines=(line("1"), line("2"), line("3", "B")))
    assert found("stock_out", order, OUT, told("cancelled", 9)) == [("O:A", 5, 9)]
    one, rest = told("cancelled", 8, line_ids=["1"]), told("cancelled", 9, line_ids=["2"])
    assert found("stock_out", order, OUT, one) == [("O:A", 5, None)]
    assert found("stock_out", order, OUT, one, rest) == [("O:A", 5, 9)]


def test_nothing_is_out_of_stock_for_a_cancelled_order() -> None:
    assert found("stock_out", placed(0), told("cancelled", 4), OUT) == []
    assert found("stock_out", told("cancelled", 5), OUT) == []


# --- all kinds in one list


def test_the_list_holds_every_kind_of_late_shipment_s_own_oracle_unchanged() -> None:
    world = [placed(0), requested(0, ship_by=10), beat(20)]
    [one] = oracle(world, {})
    [other] = late_shipments(world, {})
    assert one == {"rule": None} | other


def test_only_enabled_kinds_are_reported_and_the_others_still_do_their_part() -> None:
    world = (OUT, label(0), opened(0))
    assert {x["kind"] for x in whole(*world)} == {"stock_out", "unconfirmed_handover", "complaint_overdue"}
    assert {x["kind"] for x in whole(*world, kinds={"enabled": ["stock_out"]})} == {"stock_out"}


def test_the_list_is_sorted_and_the_same_for_every_order_of_arrival_and_repeats() -> None:
    world = [
        placed(0, deliver_by=at(50)),
        promised(10, 60),
        label(1),
        scan(30, "picked_up"),
        scan(200, "delivery_failed"),
        scan(700, "lost"),
        voided(800),
        OUT,
        opened(9, category="late"),
        beat(999),
        beat(999, "/s"),
    ]
    some = oracle(world, {})
    assert some == oracle([*world[::-1], *world], {})
    assert len({x["kind"] for x in some}) == 7
    assert [(x["kind"], x["subject"]) for x in some] == sorted((x["kind"], x["subject"]) for x in some)
    assert {x["kind"] for x in some} <= set(KINDS)


def test_without_events_there_is_nothing() -> None:
    assert oracle([], {}) == []


@pytest.mark.parametrize("table", ["carrier_codes", "calendars"])
def test_what_is_not_worked_out_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match="not worked out"):
        oracle([OUT], {table: {"file": "x"}})


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("72h", 72), ("15d", 360), ("2w", 336), ("1800s", 0.5)])
def test_durations_read_as_the_policy_writes_them(text: str, hours: float) -> None:
    assert duration(text).total_seconds() == hours * 3600


@pytest.mark.parametrize("name", ["world", "parcels", "deliveries", "packing", "complaints", "stock", "whole"])
def test_the_oracles_stay_short_and_share_nothing_with_the_product(name: str) -> None:
    text = (Path(__file__).parent / f"{name}.py").read_text("utf-8")
    assert len(text.splitlines()) <= 200
    ours = [x for x in text.splitlines() if x.startswith(("import ", "from ")) and "tests." in x]
    assert all(x.startswith("from tests.oracle") for x in ours)
    assert not any(f"{x} " in text for x in ("from domain", "import domain", "from consumers", "from projections"))
