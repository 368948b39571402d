"""Orders: every fact once, in the order of the world, whatever order it came in."""

from typing import Any

import msgspec

from domain.detection import Finding, FindingOpened, FindingRetracted
from domain.orders.order import FACTS, Order, OrderHeld, OrderParcelChanged, OrderPlaced, decide, evolve
from tests.story import (
    Given,
    approved,
    at,
    cancelled,
    fact,
    held,
    line,
    moved,
    placed,
    released,
    requested,
)


def test_what_is_heard_is_recorded() -> None:
    assert decide(Order("O"), placed()) == (placed(),)


def test_hearing_the_same_again_changes_nothing() -> None:
    order = evolve(Order("O"), placed())
    assert decide(order, placed()) == ()


def test_the_same_fact_by_another_record_is_the_same_fact() -> None:
    order = evolve(Order("O"), placed())
    assert decide(order, msgspec.structs.replace(placed(), via="orders/0/7")) == ()


def test_the_same_words_under_another_id_are_another_fact() -> None:
    order = evolve(Order("O"), held(1))
    assert decide(order, held(1, key="x")) == (held(1, key="x"),)


def test_a_feed_is_never_refused_whatever_the_order_has_been_through() -> None:
    order = Given(placed(), cancelled(1)).order()
    for heard in (approved(2), requested(3), moved(4, 9), held(5), released(6), placed(7, line("2"))):
        assert decide(order, heard) == (heard,)


def test_facts_are_read_in_the_order_of_the_world() -> None:
    order = Given(held(3), held(1), held(2), placed(9)).order()
    assert [one.at for one in order.facts.of(OrderHeld)] == [at(1), at(2), at(3)]


def test_equal_times_are_ordered_by_source_then_id() -> None:
    facts = (held(1, source="/b", key="1"), held(1, source="/a", key="2"), held(1, source="/a", key="1"))
    order = Given(*facts).order()
    assert [one.stamp.ref for one in order.facts.of(OrderHeld)] == ["/a#1", "/a#2", "/b#1"]


def test_the_first_placing_counts_whichever_came_first() -> None:
    edit = placed(1, line("9", quantity=5))
    assert Given(edit, placed(0)).order().placed == Given(placed(0), edit).order().placed == placed(0)


def test_an_order_without_its_placing_is_partial() -> None:
    assert Given(requested(0, ship_by=10), held(1)).order().placed is None


def test_a_parcel_s_latest_version_wins() -> None:
    new = OrderParcelChanged(parcel_id="P", version=4, carrier="SF")
    order = evolve(Order("O"), new)
    assert decide(order, OrderParcelChanged(parcel_id="P", version=3)) == ()
    assert decide(order, OrderParcelChanged(parcel_id="P", version=4)) == ()
    assert evolve(order, OrderParcelChanged(parcel_id="P", version=5)).parcels["P"].version == 5


def test_a_second_parcel_stands_beside_the_first() -> None:
    order = Order("O")
    for name in "PQ":
        evolve(order, OrderParcelChanged(parcel_id=name, version=1))
    assert set(order.parcels) == {"P", "Q"}


def test_the_stream_s_findings_are_kept_as_last_told() -> None:
    finding = Finding(
        kind="k", subject="F", since=1, due_at=1, order_ids=("O",), rule="r", policy="p", proof=(), severity="low"
    )
    order = evolve(Order("O"), FindingOpened(finding=finding, known_up_to=2))
    assert order.findings[finding.key].state == "open"
    evolve(order, FindingRetracted(finding=finding, known_up_to=3))
    assert order.findings[finding.key].state == "retracted"


def test_every_fact_of_an_order_is_recorded_once() -> None:
    members: dict[str, Any] = {"lines": (line("1"),), "fulfillment_id": "F", "warehouse_id": "W"}
    members |= {"agreed_by": "customer", "reason": "stock", "sku": "A", "order_id": "O"}
    for kind in FACTS:
        own = {name: value for name, value in members.items() if name in kind.__struct_fields__}
        heard = fact(kind, 1, **(own | ({"lines": ()} if kind.__name__ == "FulfillmentRequested" else {})))
        order = evolve(Order("O"), heard)
        assert list(order.facts.of(kind)) == [heard]
        assert decide(order, heard) == ()


def test_a_dropped_fact_is_gone_and_no_other() -> None:
    order = Given(placed(0), placed(1, key="x"), placed(2)).order()
    order.facts.drop(OrderPlaced, "/s", "x")
    assert [one.at for one in order.facts.of(OrderPlaced)] == [at(0), at(2)]
