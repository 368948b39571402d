"""Exposure, whatever comes in whatever order, to whichever process: the same clusters in the end."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogue import SkuBindingChanged
from domain.complaints import complaint
from domain.events import Fact
from domain.orders.order import OrderCancelled
from tests.domain.grouped import Finding, found
from tests.draws import draws
from tests.story import complained, fact, line, packed, piece, placed, scanned, voided

POLICY = """
[cluster]
minimum = 2
window = "24h"
significance = 0.05
[kinds]
enabled = ["mis_shipment_cluster", "product_defect"]
"""
ORDERS = [f"O{n}" for n in range(6)]
SKUS = ("A", "A", "A", "B")
VERSIONS = ("1", "1", "1", "2", None)
CATEGORIES = ("wrong_item", "wrong_item", "wrong_item", "missing_item", "damaged", "defective", "late")


def background(orders: int, complaints: int) -> list[Fact]:
    """Say what is usual: so many orders were packed and so many things sold a week before, some complained of."""
    contents = [piece("Z", of=f"Z{n}") for n in range(orders)]
    sold = placed(-150, *(line(str(n), f"Y{n}") for n in range(orders)), of="Z0")
    said = [
        complained(-100 + n, f"Z{n}", key=f"Z{n}", order_id=f"Z{n}", category=category, items=_items(sku))
        for n in range(complaints)
        for category, sku in (("wrong_item", "Z") if n % 2 else ("damaged", "Y1"),)
    ]
    return [packed(-140, "ZP", *contents, warehouse_id="W", binding_version="1"), sold, *said]


def _items(*skus: str) -> tuple[complaint.ComplainedItem, ...]:
    return tuple(complaint.ComplainedItem(sku) for sku in skus)


hour = st.integers(0, 24)
order_id, sku = st.sampled_from(ORDERS), st.sampled_from(SKUS)


@st.composite
def stories(draw: Any) -> list[Fact]:
    """Tell of six orders, their parcels, and what their customers say."""
    facts: list[Fact] = background(draw(st.sampled_from((0, 120))), draw(st.sampled_from((0, 2))))
    for name in ORDERS:
        if draw(st.booleans()):
            customer = f"c{draw(st.integers(0, 3))}"
            what = [line(str(n), one) for n, one in enumerate(draw(st.lists(sku, min_size=1, max_size=2)))]
            facts.append(placed(draw(hour), *what, of=name, customer_id=customer, currency="CNY"))
    # An order is not told of an older packing record that no longer names it, so unlisted boxes are packed once here.
    listed = draw(st.booleans())
    for number in range(draw(st.integers(4, 10))):
        parcel = f"P{draw(st.integers(0, 4)) if listed else number}"
        inside = draw(st.lists(st.builds(piece, sku, of=order_id), min_size=1, max_size=3))
        meant = draw(st.sampled_from((inside, inside, [piece("A", of="O0")]))) if listed else ()
        named = {
            "warehouse_id": draw(st.sampled_from(("W", "W", "W", None))),
            "binding_version": draw(st.sampled_from(VERSIONS)),
        }
        facts.append(packed(draw(hour), parcel, *inside, key=f"packed{number}", expected=tuple(meant), **named))
    facts += [_happening(draw, number) for number in range(draw(st.integers(5, 20)))]
    return facts


def _happening(draw: Any, number: int) -> Fact:
    when, key = draw(hour) + 3, f"x{number}"
    kind = draw(st.sampled_from("SSVXBBKKKKKKKKRGO"))
    if kind in "SV":
        parcel = f"P{draw(st.integers(0, 4))}"
        status = draw(st.sampled_from(("picked_up", "delivered", "refused")))
        return voided(when, parcel) if kind == "V" else scanned(when, parcel, status, key=key, order_ids=("O0",))
    if kind == "X":
        return fact(OrderCancelled, when, key=key, order_id=draw(order_id))
    if kind == "B":
        said = {"version": draw(st.sampled_from("123")), "warehouse_id": draw(st.sampled_from(("W", None)))}
        return fact(SkuBindingChanged, when - 10, key=key, listing_sku=draw(sku), warehouse_sku="S", **said)
    return _complaining(draw, kind, number)


def _complaining(draw: Any, kind: str, number: int) -> Fact:
    when, key, category = draw(hour) + 9, f"x{number}", draw(st.sampled_from(CATEGORIES))
    about = f"C{draw(st.integers(0, number))}"
    if kind == "R":
        return fact(complaint.ComplaintResolved, when + 5, key=key, complaint_id=about)
    if kind == "O":
        return fact(complaint.ComplaintReopened, when + 9, key=key, complaint_id=about)
    if kind == "G":
        return fact(complaint.ComplaintCategorised, when, key=key, complaint_id=about, category=category)
    said = {"category": category, "items": draw(st.sampled_from(((), _items("A"), _items("B"))))}
    return complained(when, f"C{number}", key=key, order_id=draw(order_id), customer_id=f"c{number % 3}", **said)


def in_order(facts: list[Fact]) -> list[Finding]:
    return found(sorted(facts, key=lambda one: one.stamp), POLICY)


@settings(max_examples=draws(60))
@given(stories(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(1, 2), st.integers(1, 3))
def test_any_order_of_arrival_comes_to_the_same(
    facts: list[Fact], random: Any, batch: int, processes: int, tells: int
) -> None:
    expected = in_order(facts)
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert found(shuffled, POLICY, batch=batch, processes=processes, tells=tells) == expected
