"""late_delivery: which promise is in force, whose word moves it, and when a date ends."""

import pytest

from domain.events import Fact
from domain.orders.order import PromiseChanged
from domain.policies.policy import load
from tests.domain.deliveries import PROMISED, arrived, found, late, redated
from tests.story import approved, fact, held, placed, requested

END_OF_DAY = load('[late_delivery]\ndate_promises = "end_of_day"')


# Which promise


def test_a_date_agreed_on_before_the_old_one_passed_takes_its_place() -> None:
    assert late(PROMISED, redated(8, 20)) == [(20, None)]
    assert late(PROMISED, redated(8, 20), arrived(15)) == []
    assert late(PROMISED, redated(10, 20)) == [(20, None)]


def test_an_earlier_date_takes_its_place_as_well_and_never_before_it_was_agreed_on() -> None:
    assert late(PROMISED, redated(2, 6)) == [(6, None)]
    assert late(PROMISED, redated(8, 6)) == [(8, None)]


def test_a_date_agreed_on_after_the_promise_was_broken_neither_moves_nor_ends_it() -> None:
    assert late(PROMISED, redated(12, 20)) == late(PROMISED, redated(12, 20), redated(15, 30)) == [(10, None)]
    assert late(PROMISED, redated(12, 20), arrived(15)) == [(10, 15)]


def test_a_date_for_one_fulfilment_is_the_order_s_because_the_promise_is() -> None:
    for_one = fact(
        PromiseChanged, 8, order_id="O", agreed_by="customer", deliver_by=20, fulfillment_id="F", key="for one"
    )
    assert late(PROMISED, requested(0), requested(0, "G"), for_one) == [(20, None)]


def test_a_date_moved_after_all_was_delivered_in_time_makes_nothing_late() -> None:
    assert late(PROMISED, arrived(5), redated(12, 3)) == []


@pytest.mark.parametrize(
    ("rule", "by_merchant", "by_customer"), [("agreed", 10, 20), ("original", 10, 10), ("latest", 20, 20)]
)
def test_whose_word_moves_it_is_policy(rule: str, by_merchant: float, by_customer: float) -> None:
    policy = load(f'[late_delivery]\npromise = "{rule}"')
    assert late(PROMISED, redated(8, 20, "merchant"), policy=policy) == [(by_merchant, None)]
    assert late(PROMISED, redated(8, 20), policy=policy) == [(by_customer, None)]
    assert late(PROMISED, redated(8, 20, "platform"), policy=policy) == [(by_customer, None)]


def test_the_first_date_that_is_given_counts_whoever_gave_it() -> None:
    assert late(placed(0), redated(3, 9, "merchant"), redated(4, 30, "merchant")) == [(9, None)]


def test_a_change_of_the_shipping_date_leaves_it_alone() -> None:
    assert late(PROMISED, fact(PromiseChanged, 2, order_id="O", agreed_by="customer", ship_by=50)) == [(10, None)]


def test_an_order_has_one_broken_promise_at_most() -> None:
    assert len(found(PROMISED, redated(4, 8), redated(5, 7), redated(9, 30), redated(40, 50))) == 1


@pytest.mark.parametrize("facts", [(held(1),), (approved(40),), (requested(0, starts_at=90, ship_by=80),)])
def test_what_stops_the_shipping_clock_does_not_stop_the_customer_s(facts: tuple[Fact, ...]) -> None:
    assert late(PROMISED, *facts) == [(10, None)]


# Dates


def test_a_date_of_midnight_holds_as_that_instant_by_default() -> None:
    assert late(placed(0, deliver_by=16)) == [(16, None)]  # midnight in Shanghai


def test_or_until_the_end_of_that_day_where_policy_says_so() -> None:
    assert late(placed(0, deliver_by=16), policy=END_OF_DAY) == [(40, None)]
    assert late(placed(0, deliver_by=16), arrived(39), policy=END_OF_DAY) == []
    assert late(placed(0), redated(3, 16), policy=END_OF_DAY) == [(40, None)]


def test_a_promise_that_is_no_midnight_is_no_date() -> None:
    assert late(placed(0, deliver_by=16.5), policy=END_OF_DAY) == [(16.5, None)]


def test_the_day_is_the_destination_s() -> None:
    policy = load(
        '[late_delivery]\ndate_promises = "end_of_day"\n[calendars.destinations."SP"]\ntimezone = "America/Sao_Paulo"'
    )
    assert late(placed(0, deliver_by=27, destination="SP"), policy=policy) == [(51, None)]
    assert late(placed(0, deliver_by=16, destination="SP"), policy=policy) == [(16, None)]
    assert late(placed(0, deliver_by=16), policy=policy) == [(40, None)]


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    # 29 March 2026 has 23 hours in Berlin; dawn is 1 March.
    policy = load('timezone = "Europe/Berlin"\n[late_delivery]\ndate_promises = "end_of_day"')
    begins = 28 * 24 - 1
    assert late(placed(0, deliver_by=begins), policy=policy) == [(begins + 23, None)]
