"""Price differences: who is owed what when a price falls soon after a purchase."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.detection import Finding, FindingOpened, Look
from domain.detectors import price_difference
from domain.events import Stamp
from domain.groups.price_cut import PriceCut, PriceCutBuyerChanged, PriceCutChange, PriceCutChanged, decide, evolve
from domain.instant import DAY
from domain.policies.policy import DEFAULT, load
from domain.severity import Stake
from tests.draws import draws


def stamp(day: float, name: str) -> Stamp:
    return Stamp(int(day * DAY), "/shop", name)


def cut(day: float = 20, price: str | None = "80", currency: str | None = "CNY", **said: Any) -> PriceCutChanged:
    return PriceCutChanged(sku="TEA", changed=stamp(day, "cut"), price=price, currency=currency, **said)


def buyer(name: str = "A", day: float = 10, price: str | None = "100.00", **said: Any) -> PriceCutBuyerChanged:
    told = {"quantity": 1, "currency": "CNY", **said}
    return PriceCutBuyerChanged(
        buyer=f"{name}:1", order_id=name, bought=stamp(day, f"bought {name}"), unit_price=price, **told
    )


def state(*events: PriceCutChange) -> PriceCut:
    one = PriceCut("TEA:cut")
    for event in events:
        for new in decide(one, event):
            evolve(one, new)
    return one


def found(*events: PriceCutChange, until: float = 99) -> tuple[Finding, ...]:
    return price_difference.findings(state(*events), int(until * DAY), DEFAULT)


def test_a_buyer_is_owed_the_difference_for_each_piece() -> None:
    [one] = found(cut(), buyer(quantity=3), buyer("B", price="80.05"))
    assert (one.subject, one.sku, one.order_ids) == ("TEA:cut", "TEA", ("A", "B"))
    assert (one.since, one.due_at, one.ended_at) == (20 * DAY, 20 * DAY, None)
    assert one.detail["amounts"] == {"A:1": "60.00", "B:1": "0.05"}
    assert (one.detail["total"], one.detail["unsettled"], one.detail["currency"]) == ("60.05", "60.05", "CNY")
    assert one.proof == ("/shop#bought A", "/shop#cut")
    assert one.detail["settle_by"] == "1970-01-28T00:00:00Z"


@pytest.mark.parametrize("day", [5, 5.01, 19.99])
def test_a_purchase_in_the_protected_span_counts(day: float) -> None:
    assert len(found(cut(), buyer(day=day))) == 1


@pytest.mark.parametrize("day", [4.99, 20, 21])
def test_an_older_one_and_one_at_the_new_price_do_not(day: float) -> None:
    assert found(cut(), buyer(day=day)) == ()


def test_the_span_is_policy() -> None:
    short = load('[price_protection]\nwindow = "7d"')
    assert price_difference.findings(state(cut(), buyer()), 99 * DAY, short) == ()


@pytest.mark.parametrize("price", ["80", "80.00", "79.99"])
def test_who_paid_no_more_is_owed_nothing(price: str) -> None:
    assert found(cut(), buyer(price=price)) == ()


def test_money_that_cannot_be_compared_is_counted_and_never_guessed() -> None:
    others = (buyer("B", currency=None), buyer("C", currency="USD"), buyer("D", price=None))
    [one] = found(cut(), buyer(), *others)
    assert (one.order_ids, one.detail["unpriced"]) == (("A",), 3)
    assert found(cut(), *others) == ()
    assert found(cut(currency=None), buyer(currency=None)) == ()
    assert found(cut(price=None), buyer()) == ()


def test_a_channel_s_price_concerns_that_channel() -> None:
    [one] = found(cut(sales_channel="tmall"), buyer(sales_channel="tmall"), buyer("B", sales_channel="jd"), buyer("C"))
    assert one.order_ids == ("A",)
    [one] = found(cut(), buyer(sales_channel="tmall"), buyer("B", sales_channel="jd"))
    assert one.order_ids == ("A", "B")


def test_the_first_question_is_whether_the_price_is_meant() -> None:
    assert "ask" in found(cut(), buyer())[0].detail
    assert "ask" not in found(cut(confirmed=True), buyer())[0].detail


def test_a_mistaken_price_opens_nothing_and_one_found_mistaken_later_ends_it() -> None:
    assert found(cut(mistaken=stamp(20, "cut")), buyer()) == ()
    [one] = found(cut(mistaken=stamp(21, "sorry")), buyer())
    assert (one.ended_at, one.detail["ended_by"]) == (21 * DAY, "/shop#sorry")


def test_it_ends_when_the_last_buyer_is_settled() -> None:
    paid = buyer(settled=stamp(22, "paid A"))
    [one] = found(cut(), paid, buyer("B"))
    assert (one.ended_at, one.detail["total"], one.detail["unsettled"]) == (None, "40.00", "20.00")
    [one] = found(cut(), paid, buyer("B", settled=stamp(25, "paid B")))
    assert (one.ended_at, one.detail["ended_by"], one.detail["unsettled"]) == (25 * DAY, "/shop#paid B", "0")


def test_who_had_cancelled_before_is_owed_nothing() -> None:
    assert found(cut(), buyer(settled=stamp(19, "cancelled"))) == ()
    assert found(cut(), buyer(settled=stamp(20, "cancelled"))) == ()
    [one] = found(cut(), buyer(settled=stamp(20, "cancelled")), buyer("B"))
    assert one.order_ids == ("B",)


def test_a_buyer_of_money_nobody_knows_does_not_keep_it_open() -> None:
    [one] = found(cut(), buyer(settled=stamp(22, "paid")), buyer("B", currency=None))
    assert one.ended_at == 22 * DAY


def test_it_is_due_at_the_change_and_not_before_time_has_passed_it() -> None:
    assert price_difference.DETECTOR.look(state(cut(), buyer()), 20 * DAY, DEFAULT) == Look((), 20 * DAY)
    look = price_difference.DETECTOR.look(state(cut(), buyer()), 20 * DAY + 1, DEFAULT)
    assert (len(look.findings), look.again) == (1, None)
    assert price_difference.look_again(state(buyer()), 0, DEFAULT) is None
    assert price_difference.look_again(state(cut()), 0, DEFAULT) is None


def test_it_weighs_by_its_members_and_their_orders() -> None:
    [one] = found(cut(), *(buyer(str(n), stake=Stake("5000", "vip")) for n in range(30)))
    assert one.detail["severity"] == {"members": 2, "money": 1, "customer": 1}


def test_what_is_known_is_recorded_once_and_findings_disturb_nothing() -> None:
    one = state(cut(), buyer(), buyer("B", gone=True))
    assert (decide(one, cut()), decide(one, buyer()), decide(one, buyer("B", gone=True))) == ((), (), ())
    [finding] = price_difference.findings(one, 99 * DAY, DEFAULT)
    evolve(one, FindingOpened(finding=finding, known_up_to=0))
    assert (one.findings[finding.key].finding, one.version) == (finding, 2)
    gone = buyer(gone=True)
    assert decide(one, gone) == (gone,)
    assert price_difference.findings(evolve(one, gone), 99 * DAY, DEFAULT) == ()


DAYS = st.integers(0, 40)
BUYERS = st.builds(
    lambda name, day, price, quantity, settled: buyer(
        str(name), day, price, quantity=quantity, settled=None if settled is None else stamp(settled, f"paid {name}")
    ),
    st.integers(0, 9),
    DAYS,
    st.sampled_from(("79", "80", "80.10", "100", None)),
    st.integers(1, 5),
    st.none() | DAYS,
)


@settings(max_examples=draws(150), deadline=None)
@given(st.lists(BUYERS, max_size=8, unique_by=lambda one: one.buyer), st.data(), DAYS)
def test_arrival_order_repeats_and_the_time_of_looking_change_nothing(
    buyers: list[PriceCutBuyerChanged], data: st.DataObject, day: int
) -> None:
    events: list[PriceCutChange] = [cut(), *buyers]
    other = state(*data.draw(st.permutations([*events, *events])))
    look = price_difference.DETECTOR.look(other, day * DAY, DEFAULT)
    assert look == price_difference.DETECTOR.look(state(*events), day * DAY, DEFAULT)
    assert found(*events, until=99) == look.findings or look.again == 20 * DAY
    for one in look.findings:
        assert one.ended_at is None or one.ended_at > one.due_at
