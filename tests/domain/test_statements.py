"""What may be said to a customer: from facts only, of the whole order or of one parcel."""

import pytest

from domain.incidents.events import Statement
from domain.instant import HOUR, Duration, iso
from domain.staff.statements import CLAIMS, OrderFacts, Overclaimed, check, must_hold, order_facts
from tests.story import (
    Given,
    at,
    cancelled,
    hours,
    labelled,
    line,
    moved,
    packed,
    piece,
    placed,
    requested,
    scanned,
    voided,
)

ONE, TWO = piece("A", 1, "1"), piece("B", 1, "2")
BOUGHT = (line("1", "A"), line("2", "B"))


def facts(*heard, zone="UTC") -> OrderFacts:
    given = Given(*heard)
    known = given.order()
    return order_facts(known, {name: given.parcel(name) for name in known.parcels}, zone)


def say(claim, value=None, of="O"):
    return Statement(order_id=of, claim=claim, value=value)


def true(told, claim, value=None):
    return check([say(claim, value)], {"O": told}) is None


def claims(*heard):
    return list(facts(*heard).claims)


@pytest.mark.parametrize(
    ("heard", "allowed"),
    [
        ((), []),
        ((packed(1, "P", piece()),), []),
        ((labelled(1, fulfillment_ids=("F",)),), ["warehouse_shipped"]),
        ((labelled(1, fulfillment_ids=("F",)), scanned(2, status="label_created")), ["warehouse_shipped"]),
        ((scanned(2),), ["warehouse_shipped", "shipped"]),
        ((scanned(2), scanned(3, status="out_for_delivery")), ["warehouse_shipped", "shipped"]),
        ((scanned(2), scanned(3, status="delivered")), list(CLAIMS)),
        ((scanned(2), scanned(3, status="refused")), ["warehouse_shipped", "shipped"]),
        ((scanned(2), scanned(3, status="damaged"), scanned(4, status="delivered")), list(CLAIMS)),
        ((scanned(2), scanned(3, status="lost"), scanned(9, status="delivered")), list(CLAIMS)),
        (
            (scanned(2), scanned(3, status="return_to_sender"), scanned(4, status="delivered")),
            ["warehouse_shipped", "shipped"],
        ),
    ],
    ids=[
        "nothing",
        "packed",
        "label",
        "echo",
        "collected",
        "on its way",
        "delivered",
        "refused",
        "damaged",
        "found",
        "returned",
    ],
)
def test_each_claim_needs_its_own_fact(heard, allowed):
    assert claims(placed(0), requested(0, ship_by=20), *heard) == allowed


def test_a_voided_label_was_never_shipped_and_its_replacement_counts():
    known = (placed(0), requested(0, ship_by=20), labelled(1, fulfillment_ids=("F",)), voided(2))
    assert claims(*known) == []
    assert claims(*known, labelled(3, "P2", fulfillment_ids=("F",))) == ["warehouse_shipped"]


def test_a_void_after_the_delivery_takes_nothing_back():
    known = (placed(0), scanned(1, order_ids=("O",)), scanned(2, status="delivered", order_ids=("O",)))
    assert claims(*known, voided(3)) == list(CLAIMS)


def test_of_an_order_in_two_parcels_nothing_is_said_of_the_whole_before_the_second():
    known = (
        placed(0, *BOUGHT),
        packed(1, "P1", ONE),
        labelled(1, "P1", "N1"),
        scanned(2, "P1", order_ids=("O",)),
    )
    told = facts(*known)
    assert list(told.claims) == []
    assert true(told, "shipped", "P1")
    assert true(told, "shipped", "N1")
    assert not true(told, "delivered", "P1")
    assert not true(told, "shipped", "P2")
    second = (packed(3, "P2", TWO), labelled(3, "P2", "N2"))
    assert claims(*known, *second) == ["warehouse_shipped"]
    assert claims(*known, *second, scanned(4, "P2", order_ids=("O",))) == ["warehouse_shipped", "shipped"]


def test_what_was_cancelled_need_not_be_shipped():
    known = (placed(0, *BOUGHT), packed(1, "P1", ONE), scanned(2, "P1", order_ids=("O",)))
    assert claims(*known) == []
    assert claims(*known, cancelled(3, "2")) == ["warehouse_shipped", "shipped"]


def test_an_order_first_seen_mid_life_is_as_far_as_its_parcels():
    assert claims(scanned(2, order_ids=("O",))) == ["warehouse_shipped", "shipped"]
    assert claims(scanned(2, order_ids=("O",)), labelled(3, "P2", order_ids=("O",))) == ["warehouse_shipped"]


def test_a_claim_holds_since_the_last_parcel():
    told = facts(placed(0), labelled(1, order_ids=("O",)), scanned(2, order_ids=("O",)))
    assert told.claims == {"warehouse_shipped": at(1), "shipped": at(2)}


@pytest.mark.parametrize(
    ("heard", "day"),
    [
        ((moved(3, None, deliver_by=80),), True),
        ((moved(3, 80),), True),
        ((moved(3, None, "platform", deliver_by=80),), True),
        ((moved(3, None, "merchant", deliver_by=80),), False),
        ((moved(3, None, deliver_by=80), moved(4, None, deliver_by=130)), False),
        ((scanned(3, order_ids=("O",), estimated_delivery=80),), True),
        (
            (scanned(3, order_ids=("O",), estimated_delivery=80), scanned(4, order_ids=("O",), estimated_delivery=130)),
            False,
        ),
        ((), False),
    ],
    ids=["customer", "shipping", "platform", "merchant alone", "moved on", "estimate", "newer estimate", "none"],
)
def test_a_date_is_named_only_if_the_log_holds_it(heard, day):
    told = facts(placed(0, deliver_by=20), *heard)
    assert true(told, "new_date", "2026-03-04") is day
    assert true(told, "new_date", iso(at(80))) is day
    assert not true(told, "new_date", "2026-03-01"), "the first promise is no new date"


def test_a_day_is_that_of_the_customers_place():
    moved_to = moved(3, None, deliver_by=90)
    assert true(facts(placed(0), moved_to), "new_date", "2026-03-04")
    assert true(facts(placed(0), moved_to, zone="Asia/Shanghai"), "new_date", "2026-03-05")
    assert not true(facts(placed(0), moved_to, zone="Asia/Shanghai"), "new_date", "2026-03-04")


@pytest.mark.parametrize("value", [None, "", "soon", "2026-03-04T08:00:00", "2026-13-04"])
def test_what_is_no_date_is_no_date(value):
    assert not true(facts(placed(0), moved(3, None, deliver_by=80)), "new_date", value)


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        ([say("warehouse_shipped"), say("shipped"), say("delivered")], "shipped"),
        ([say("warehouse_shipped", of="X")], "X"),
        ([say("teleported")], "teleported"),
        ([say("new_date", "2026-03-04")], "new_date"),
    ],
)
def test_the_refusal_names_the_first_claim_that_says_too_much(statements, named):
    told = facts(placed(0), labelled(1, order_ids=("O",)))
    with pytest.raises(Overclaimed) as refused:
        must_hold(statements, {"O": told})
    assert refused.value.code == "claim_untrue"
    assert named in refused.value.reason
    assert named in (refused.value.statement.claim, refused.value.statement.order_id)


def test_what_is_true_is_let_through():
    must_hold(
        [say("warehouse_shipped"), say("warehouse_shipped", "N")],
        {"O": facts(placed(0), labelled(1, order_ids=("O",)))},
    )
    must_hold([], {})


def test_of_a_carrier_s_estimates_the_one_counts_that_has_stood_for_long_enough():
    said = ((3, 80), (10, 90), (11, 100), (12, 90))
    known = Given(placed(0), *(scanned(when, order_ids=("O",), estimated_delivery=day) for when, day in said))
    parcels = {"P": known.parcel()}

    def dates(now):
        told = order_facts(known.order(), parcels, "UTC", at=at(now), hold=Duration(2 * HOUR))
        return [hours(one.at) for one in told.dates]

    assert {now: dates(now) for now in (4.9, 5, 11.5, 13.9, 14)} == {4.9: [], 5: [80], 11.5: [80], 13.9: [80], 14: [90]}
