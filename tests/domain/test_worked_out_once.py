"""What is worked out once: asked again after more was heard, it is what a subject that was never asked would say."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from domain.detection import Look
from domain.detectors import mis_shipment
from domain.instant import Instant
from domain.orders.fulfillment import Coverage, coverage, fulfillments
from domain.orders.order import Order, OrderCancelled, evolve
from domain.orders.promise import Promise, promises
from domain.parcels.parcel import Meaning, Parcel
from domain.parcels.parcel import evolve as evolve_parcel
from domain.policies.policy import DEFAULT, Policy, load
from domain.shares import Shares, shares
from tests.domain.drawn import untils, worlds
from tests.story import Given, approved, at, cancelled, labelled, packed, piece, placed, requested, scanned, voided
from tests.story import line as ordered

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
POLICIES = (DEFAULT, load('[late_shipment]\npromise = "original"'), load('[late_shipment]\nwithin = "24h"'))
PATIENT = load('[mis_shipment]\nmissing_after = "90h"')
TALE = (
    placed(0, ordered("1", quantity=2), ordered("2", "B"), ship_by=20),
    requested(1, "F", lines=(("1", 2),), ship_by=20),
    requested(1, "G", lines=(("2", 1),)),
    packed(2, "P", piece("A"), fulfillment_ids=("F",)),
    labelled(3, order_ids=("O",), fulfillment_ids=("F",)),
    scanned(4, order_ids=("O",)),
    labelled(5, "P2", "N2", order_ids=("O",), fulfillment_ids=("G",)),
    scanned(6, "P2", order_ids=("O",)),
    packed(7, "P3", piece("A"), fulfillment_ids=("F",)),
    scanned(8, "P3", order_ids=("O",)),
    voided(9, "P2"),
    approved(10),
    scanned(30, "P", "delivered", order_ids=("O",)),
    scanned(31, "P3", "returned", order_ids=("O",)),
    cancelled(40, "2"),
)


def states(known: Given, kind: str) -> list[tuple[Any, list[Any]]]:
    """Give every subject of a kind, and its events."""
    named = [(name, events) for name, events in known.work.used.items() if name.startswith(kind)]
    return [(known.work.state(name), [one.body for one in events]) for name, events in named]


def told(order: Order) -> tuple[Shares, list[Sequence[Promise]]]:
    """Ask an order what is worked out once."""
    placing = order.placed
    mine = () if placing is None else fulfillments(order, placing)
    return shares(order), [promises(order, one, policy) for one in mine for policy in POLICIES]


def found_in(parcel: Parcel) -> tuple[Meaning, list[Look]]:
    """Ask a parcel what is worked out once."""
    return parcel.meaning, [mis_shipment.DETECTOR.look(parcel, at(60), policy) for policy in (*POLICIES, PATIENT)]


def agree(known: Given) -> None:
    """Every order and parcel says what one that was never asked before says."""
    for order, events in states(known, "order-"):
        assert told(order) == told(reduce(evolve, events, Order(order.id)))
    for parcel, events in states(known, "parcel-"):
        assert found_in(parcel) == found_in(reduce(evolve_parcel, events, Parcel(parcel.id)))


@LAW
@given(worlds)
def test_after_every_fact_all_say_what_one_never_asked_would_say(world: list[Any]) -> None:
    known = Given()
    for one in world:
        known.hear(one)
        agree(known)


@pytest.mark.parametrize("turned", range(len(TALE)))
def test_the_same_where_parcels_are_packed_handed_over_and_sent_back(turned: int) -> None:
    known = Given()
    for one in (*TALE[turned:], *TALE[:turned]):
        known.hear(one)
        agree(known)


def test_what_only_a_hand_over_changes_is_told() -> None:
    known = Given(placed(0, ordered("1", quantity=2)), requested(1, "F"), packed(2, "P", piece("A")))
    before = shares(known.order())["parcel", "P"]
    known.hear(scanned(4, order_ids=("O",)))
    after = shares(known.order())["parcel", "P"]
    assert before.missing[0].handed_over is None  # type: ignore[attr-defined]  # what a parcel is told
    assert after.missing[0].handed_over is not None  # type: ignore[attr-defined]  # an order's state


def test_each_policy_has_its_own_promises_whichever_was_asked_first() -> None:
    order = Given(placed(0, ship_by=None), requested(1)).order()
    assert order.placed is not None
    [one] = fulfillments(order, order.placed)
    within, longer = POLICIES[2], load('[late_shipment]\nwithin = "48h"')
    # Two that are one by name alone, as a policy that is changed in memory keeps its hash.
    namesake = msgspec.structs.replace(longer, hash=within.hash)
    asked = [_deadlines(order, one, policy) for policy in (within, namesake, within, longer)]
    assert asked[0] == asked[2] != asked[1] == asked[3]


def _deadlines(order: Order, one: Any, policy: Policy) -> list[Instant | None]:
    return [promise.deadline for promise in promises(order, one, policy)]


@LAW
@given(worlds, untils)
def test_what_is_in_a_carrier_s_hands_does_not_depend_on_what_was_asked_before(world: list[Any], until: int) -> None:
    hands_agree(Given(*world), until)


def test_nor_where_lines_are_cancelled_meanwhile() -> None:
    hands_agree(Given(*TALE, cancelled(50)), at(45))


def hands_agree(known: Given, until: Instant) -> None:
    """Say of every instant that matters what one says that was asked nothing else."""
    for order, _ in states(known, "order-"):
        if order.placed is not None:
            asked = coverage(order, order.placed)
            handed = (one.possessed.at for one in order.parcels.values() if one.possessed)
            gone = [when for one in order.facts.of(OrderCancelled) for when in (one.at - 1, one.at)]
            times = sorted({until, *handed, *gone})
            for when in (*times, *reversed(times)):
                for one in asked.fulfillments:
                    assert asked.complete(one, when) == Coverage(order, order.placed).complete(one, when)
