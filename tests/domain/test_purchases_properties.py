"""Price cuts, whatever comes in whatever order, to whichever process: the same amounts in the end."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import PriceChanged
from domain.complaints import complaint
from domain.events import Fact
from domain.orders.order import OrderCancelled
from tests.domain.grouped import found
from tests.story import complained, fact, line, placed

POLICY = '[price_protection]\nwindow = "20h"\n[kinds]\nenabled = ["price_difference"]'
ORDERS = [f"O{n}" for n in range(6)]

hour = st.integers(0, 30)
paid = st.sampled_from(("100", "100", "90.0", None))
price = st.sampled_from(("100", "90.0", "90", "80.50", None))
sku, channel = st.sampled_from("AAAB"), st.sampled_from((None, None, "web"))


@st.composite
def stories(draw: Any) -> list[Fact]:
    """Tell of six orders and of prices that go up and down."""
    facts: list[Fact] = []
    for name in ORDERS:
        for again in range(draw(st.sampled_from((0, 1, 1, 1, 1, 1, 1, 2)))):
            lines = draw(st.lists(st.tuples(sku, paid), min_size=1, max_size=2))
            bought = [line(str(n), what, n + 1, unit_price=cost) for n, (what, cost) in enumerate(lines)]
            more = {"currency": draw(st.sampled_from(("CNY",) * 5 + (None,))), "sales_channel": draw(channel)}
            facts.append(placed(draw(hour), *bought, of=name, key=f"{name}:{again}", **more))
    for number in range(draw(st.integers(2, 8))):
        said = {"price": draw(price), "currency": "CNY", "sales_channel": draw(channel)}
        mistaken = draw(st.sampled_from((None, None, True, False)))
        facts.append(fact(PriceChanged, draw(hour) + 8, key=f"p{number}", sku=draw(sku), mistaken=mistaken, **said))
    for number in range(draw(st.integers(0, 5))):
        name, about, when = draw(st.sampled_from(ORDERS)), f"C{number}", draw(hour) + 12
        lines = draw(st.sampled_from(((), ("0",))))
        facts.append(fact(OrderCancelled, when, key=f"x{number}", order_id=name, line_ids=lines))
        items = draw(st.sampled_from(((), (complaint.ComplainedItem("A"),))))
        facts.append(complained(when, about, key=about, order_id=name, category="price_difference", items=items))
        facts.append(fact(complaint.ComplaintResolved, when + 5, key=f"r{number}", complaint_id=about))
    return facts


@given(stories(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(1, 2), st.integers(1, 3))
def test_any_order_of_arrival_comes_to_the_same(
    facts: list[Fact], random: Any, batch: int, processes: int, tells: int
) -> None:
    expected = found(sorted(facts, key=lambda one: one.stamp), POLICY)
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert found(shuffled, POLICY, batch=batch, processes=processes, tells=tells) == expected
