"""What customers were told, and whom to call because it has become untrue."""

import pytest

from domain.incidents.commands import Contact
from domain.incidents.events import Statement
from domain.judging.adoption import adopt
from projections import contacts
from tests.projections.staffed import do, rebuilt
from tests.projections.test_worklist import late, late_order
from tests.story import LATER, at, labelled, moved, scanned, voided


@pytest.fixture
def desk(told):
    late_order(told, "1", "C")
    told.hear(labelled(10, "P", order_ids=("O1",)), until=30)
    return told


def say(told, claim, when=31, *, value=None, **more):
    said = Contact(
        by="li",
        channel="phone",
        outcome="reached",
        customer_id="C",
        statements=(Statement(order_id="O1", claim=claim, value=value),),
        **more,
    )
    do(told, late("1"), said, when)


def wrong(told, **more):
    with told.store.reading() as rows:
        found = contacts.told_wrong(rows, 9, **{"now": LATER} | more)
    return [(one.customer, one.contact_id, [each.claim for each in one.statements]) for one in found]


def test_what_stays_true_troubles_nobody(desk):
    say(desk, "warehouse_shipped")
    desk.hear(scanned(33, "P", order_ids=("O1",)), until=34)
    assert wrong(desk) == []
    rebuilt(desk)


def test_a_voided_label_makes_what_was_said_untrue_until_a_contact_corrects_it(desk):
    say(desk, "warehouse_shipped")
    desk.hear(voided(33), until=34)
    first = f"{late('1')}:1"
    assert wrong(desk) == [("C", first, ["warehouse_shipped"])]
    assert wrong(desk, customer="C") == wrong(desk)
    assert wrong(desk, customer="D") == []
    rebuilt(desk)
    do(desk, late("1"), Contact(by="li", channel="phone", outcome="reached", corrects=first), 40)
    assert wrong(desk) == []
    rebuilt(desk)


def test_a_date_that_was_moved_again_is_wrong_and_right_again_when_moved_back(desk):
    desk.hear(moved(31, None, order_id="O1", deliver_by=80), until=32)
    say(desk, "new_date", value="2026-03-04")
    assert wrong(desk) == []
    desk.hear(moved(33, None, order_id="O1", deliver_by=130), until=34)
    assert [claims for _, _, claims in wrong(desk)] == [["new_date"]]
    desk.hear(moved(35, None, order_id="O1", deliver_by=81), until=36)
    assert wrong(desk) == []
    rebuilt(desk)


def test_an_older_refusal_that_comes_late_makes_a_delivery_untrue(desk):
    desk.hear(scanned(12, "P", order_ids=("O1",)), scanned(20, "P", "delivered", order_ids=("O1",)), until=30)
    say(desk, "delivered")
    assert wrong(desk) == []
    desk.hear(scanned(19, "P", "refused", order_ids=("O1",)), until=40)
    assert [claims for _, _, claims in wrong(desk)] == [["delivered"]]
    rebuilt(desk)


def test_every_contact_is_kept_with_the_position_it_was_true_at(desk):
    say(desk, "warehouse_shipped", true_at=2)
    assert desk.query("SELECT customer, true_at, at FROM contacts") == [("C", 2, at(31))]


def test_a_carriers_newer_estimate_makes_the_older_one_untrue(desk):
    desk.hear(scanned(12, "P", order_ids=("O1",), estimated_delivery=80), until=30)
    say(desk, "new_date", value="2026-03-04")
    assert wrong(desk) == []
    desk.hear(scanned(32, "P", "in_transit", order_ids=("O1",), estimated_delivery=130), until=33)
    assert [claims for _, _, claims in wrong(desk)] == [["new_date"]]
    rebuilt(desk)


def estimated(when, day):
    return scanned(when, "P", "in_transit", order_ids=("O1",), estimated_delivery=day)


def test_a_newer_estimate_counts_only_once_it_has_stood_for_a_while(desk):
    desk.hear(estimated(12, 80), until=30)
    say(desk, "new_date", value="2026-03-04")
    desk.hear(estimated(32, 130), until=33)
    assert wrong(desk, now=at(33.9)) == []
    assert [claims for _, _, claims in wrong(desk, now=at(34))] == [["new_date"]]
    rebuilt(desk)


def test_an_estimate_that_flaps_calls_nobody(desk):
    desk.hear(estimated(12, 80), until=30)
    say(desk, "new_date", value="2026-03-04")
    desk.hear(*(estimated(32 + n, 130 if n % 2 == 0 else 80) for n in range(6)), until=38)
    assert [wrong(desk, now=at(32 + n / 2)) for n in range(14)] == [[]] * 14
    assert [claims for _, _, claims in wrong(desk)] == []
    rebuilt(desk)


def test_how_long_an_estimate_must_stand_is_policy(told):
    adopt(told.log, '[estimates]\nhold = "10h"', at(0))
    late_order(told, "1", "C")
    told.come(30)
    told.hear(estimated(12, 80), until=30)
    say(told, "new_date", value="2026-03-04")
    told.hear(estimated(32, 130), until=33)
    assert (wrong(told, now=at(41)), len(wrong(told, now=at(42)))) == ([], 1)


@pytest.mark.parametrize(("adopted_at", "untrue"), [(40, []), (25, [["new_date"]])])
def test_a_day_is_that_of_the_zone_which_the_policy_had_when_it_was_named(desk, adopted_at, untrue):
    desk.hear(moved(30, None, order_id="O1", deliver_by=90), until=31)
    say(desk, "new_date", value="2026-03-05")
    assert wrong(desk) == [], "18:00 UTC is the next day in Shanghai"
    adopt(desk.log, 'timezone = "UTC"', at(adopted_at))  # by a clock that may be behind
    desk.follow()
    assert [claims for _, _, claims in wrong(desk)] == untrue
    rebuilt(desk)
