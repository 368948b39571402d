"""Shares: what orders, parcels and complaints tell each other, which comes to rest whatever order it was heard in."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.complaints.complaint import Complaint
from domain.events import Copy, Fact
from domain.history.log import Log
from domain.history.streams import Streams
from domain.judging.report import final, line
from domain.naming import stream
from domain.orders.order import Order
from domain.parcels.events import ParcelOrderChanged
from domain.parcels.parcel import Parcel
from domain.severity import Stake
from domain.shares import shares
from tests.domain.complaints import opened, resolved
from tests.domain.deliveries import redated
from tests.domain.drawn import worlds
from tests.story import (
    Desk,
    Given,
    at,
    cancelled,
    heartbeat,
    hours,
    labelled,
    memory_log,
    packed,
    piece,
    placed,
    requested,
    scanned,
    topics,
    voided,
)
from tests.story import line as ordered

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
QUICK = settings(SLOW, max_examples=25)
TELLING = ("order-", "parcel-", "complaint-")
LABEL = labelled(1, order_ids=("O",))


def told(*facts: Fact, parcel: str = "P", of: str = "O") -> ParcelOrderChanged:
    """Give what an order has told a parcel."""
    return Given(*facts).parcel(parcel).orders[of]


# What an order tells its parcels


def test_a_parcel_hears_of_its_order_whichever_is_heard_of_first() -> None:
    order = placed(0, deliver_by=9, destination="510000")
    before, after = told(order, LABEL), told(LABEL, order)
    assert (before.destination, before.promised[0].deliver_by) == ("510000", at(9))
    assert _bare(before) == _bare(after)


def test_an_order_that_is_not_placed_yet_says_so() -> None:
    assert told(LABEL).stake is None
    assert told(LABEL, placed(0)).stake == Stake()


def test_what_is_at_stake_travels() -> None:
    rich = placed(0, ordered("1", quantity=2, unit_price="9.50"), currency="CNY", customer_tier="vip")
    assert told(LABEL, rich).stake == Stake("19.00", "vip")


def test_every_promise_travels_with_whose_word_it_was() -> None:
    seen = told(placed(0, deliver_by=9), LABEL, redated(3, 20, "merchant"), redated(2, 15))
    assert [(one.deliver_by, one.agreed_by) for one in seen.promised] == [
        (at(9), None),
        (at(15), "customer"),
        (at(20), "merchant"),
    ]


@pytest.mark.parametrize("cancellations", [(cancelled(5),), (cancelled(3, "1"), cancelled(5, "2"))])
def test_an_order_of_which_nothing_is_left_is_cancelled(cancellations: tuple[Fact, ...]) -> None:
    two = placed(0, ordered("1"), ordered("2", "B"))
    assert told(two, LABEL, cancelled(3, "1")).cancelled is None
    assert told(two, LABEL, *cancellations).cancelled == cancellations[-1].stamp


def test_a_parcel_is_cancelled_with_the_last_of_its_orders() -> None:
    both = labelled(1, order_ids=("O", "Q"))
    orders = (placed(0), placed(0, of="Q"))
    assert Given(both, *orders, cancelled(4)).parcel().cancelled is None
    assert Given(both, *orders, cancelled(4), cancelled(2, of="Q")).parcel().cancelled == cancelled(4).stamp
    assert Given(both, placed(0), cancelled(4)).parcel().cancelled is None


def test_resolved_complaints_about_contents_travel_to_every_parcel() -> None:
    facts = (placed(0), LABEL, labelled(1, "P2", "N2", order_ids=("O",)), opened(5, "wrong_item"), resolved(8))
    for name in ("P", "P2"):
        assert told(*facts, parcel=name).corrected == (resolved(8).stamp,)
    assert told(placed(0), LABEL, opened(5, "late"), resolved(8)).corrected == ()


def test_a_parcel_that_is_no_longer_the_order_s_does_not_weigh_by_it() -> None:
    by_number = scanned(3, None, carrier="SF", tracking_number="N", order_ids=("O",))
    facts = (placed(0, customer_tier="vip"), labelled(1, "P", "N"), by_number, labelled(2.5, "P2", "N"))
    assert Given(*facts).parcel("P").meaning.order_ids == ()
    assert list(Given(*facts).parcel("P").stakes) == []
    assert list(Given(*facts).parcel("P2").stakes) == [Stake(None, "vip")]


# What it tells its complaints


def test_a_complaint_hears_of_every_other_and_of_what_is_at_stake() -> None:
    known = Given(opened(5, "late"), opened(2, "damaged", name="D", key="d"), placed(0, customer_tier="vip"))
    complaint = known.work.state(stream("complaint", "C"))
    assert isinstance(complaint, Complaint)
    assert complaint.order is not None
    assert complaint.order.stake == Stake(None, "vip")
    assert [(one.complaint_id, one.category) for one in complaint.order.siblings] == [("D", "damaged"), ("C", "late")]


# No more is said than has to be


def test_an_order_that_has_nothing_new_for_a_parcel_says_nothing(desk: Desk) -> None:
    desk.take(placed(0), LABEL, until=2)
    before = topics(desk.log).count("parcel.order_changed.v1")
    desk.take(scanned(3, order_ids=("O",)), scanned(4, status="in_transit", order_ids=("O",)), until=5)
    assert topics(desk.log).count("parcel.order_changed.v1") == before == 1


def test_what_was_packed_travels_there_and_back_once(desk: Desk) -> None:
    desk.take(placed(0, ship_by=90), until=0)
    before = len(topics(desk.log))
    desk.take(packed(1, "P", piece("X")), until=2)
    assert topics(desk.log)[before:] == [
        "parcel.packed.v1",
        "order.parcel_changed.v1",
        "parcel.order_changed.v1",
        "finding.opened.v1",
        "order.parcel_changed.v1",
        "batch.taken.v1",
    ]


def test_taking_the_same_in_again_after_ids_are_forgotten_says_nothing(desk: Desk) -> None:
    facts = (placed(0, ship_by=90), packed(1, "P", piece("X")), opened(3, "wrong_item"), resolved(6))
    desk.take(*facts, until=9)
    while desk.log.store.forget_seen(at(99_999), at(99_999), 99):
        pass
    before = topics(desk.log)
    desk.take(*facts, until=9)
    assert topics(desk.log) == [*before, "batch.taken.v1"]


# They come to rest


def _bare(copy: Copy) -> Copy:
    return msgspec.structs.replace(copy, version=0)


def at_rest(states: Iterable[Any]) -> None:
    """Everybody knows of everybody's last word."""
    known = {(type(one), one.id): one for one in states}
    for one in known.values():
        if isinstance(one, Order):
            for (kind, identity), copy in shares(one).items():
                other = known[{"parcel": Parcel, "complaint": Complaint}[kind], identity]
                assert _bare(other.orders[one.id]) == _bare(copy)
        elif isinstance(one, Parcel):
            for order_id in one.meaning.order_ids:
                assert _bare(known[Order, order_id].parcels[one.id]) == _bare(one.share(order_id))


@SLOW
@given(worlds)
def test_whatever_is_heard_everybody_knows_everybody_s_last_word(world: list[Fact]) -> None:
    known = Given(*world)
    at_rest(known.work.state(name) for name in known.work.used if name.startswith(TELLING))


TALE = (
    placed(0, ordered("1", quantity=2), ordered("2", "B"), ship_by=20, deliver_by=60, customer_tier="vip"),
    placed(1, ordered("1", "C"), of="Q", ship_by=30, deliver_by=40),
    requested(2, "F", lines=(("1", 2),), ship_by=20),
    requested(2, "G", lines=(("2", 1),), ship_by=25),
    redated(9, 80),
    packed(10, "P", piece("A"), piece("C", of="Q"), fulfillment_ids=("F",)),
    labelled(11, order_ids=("O", "Q"), fulfillment_ids=("F",)),
    scanned(12, source="/sf", carrier="SF", order_ids=("O",)),
    packed(13, "P2", piece("X"), fulfillment_ids=("G",)),
    voided(70, "P2"),
    packed(14, "P3", piece("B"), expected=(piece("B", 2),), fulfillment_ids=("G",)),
    labelled(15, "P3", "N3", carrier="YTO", fulfillment_ids=("G",)),
    scanned(16, None, source="/yto", carrier="YTO", tracking_number="N3", fulfillment_ids=()),
    scanned(66, "P", "delivered", source="/sf", order_ids=("O",)),
    opened(50, "wrong_item"),
    opened(52, "missing_item", of="Q", name="D", key="d"),
    resolved(75),
    cancelled(64, "2"),
    heartbeat(200, "/sf"),
    heartbeat(201, "/yto"),
    heartbeat(202, "/s"),
)
CUTS = st.lists(st.integers(1, 6), min_size=len(TALE), max_size=len(TALE))


def _told(log: Log, batches: list[list[Fact]], untils: list[float], *, restarts: bool = False) -> list[Any]:
    desk = Desk(log)
    for batch, until in zip(batches, untils, strict=True):
        desk = Desk(log) if restarts else desk
        desk.take(*batch, until=until)
        desk.tick(until)
    for until in (250.0, 250.0):
        while desk.tick(until) + desk.tracker.group(at(until)):
            pass
    found = [line(one) for one in final(log) if one.state != "retracted"]
    streams = Streams(log.store, 999)
    names = {row.stream for row in log.store.select_rows(0, 9999)}
    at_rest(streams.get(name).state for name in sorted(names) if name.startswith(TELLING))
    return found


def test_the_tale_has_something_of_everything() -> None:
    with memory_log() as log:
        found = {(one["kind"], one["subject"]) for one in _told(log, [list(TALE)], [203])}
    kinds = {"late_shipment", "late_delivery", "stalled_parcel", "mis_shipment", "complaint_overdue"}
    assert {kind for kind, _ in found} >= kinds
    assert {subject for kind, subject in found if kind == "mis_shipment"} >= {"P2", "P3"}


@QUICK
@given(
    st.permutations(TALE),
    st.lists(st.integers(1, 6), min_size=21, max_size=21),
    st.sampled_from(("one process", "restarts")),
)
def test_the_same_is_found_in_the_end_in_whatever_order_and_batches_it_is_heard(
    tale: list[Fact], sizes: list[int], how: str
) -> None:
    batches: list[list[Fact]] = []
    for size in sizes:
        batch, tale = tale[:size], tale[size:]
        batches += [batch] if batch else []
    with memory_log() as log:
        plain = _told(log, [list(TALE)], [203])
    with memory_log() as log:
        assert _told(log, [*batches, tale], [203.0] * (len(batches) + 1), restarts=how == "restarts") == plain


@QUICK
@given(CUTS)
def test_the_same_is_found_whether_time_comes_along_or_only_in_the_end(sizes: list[int]) -> None:
    tale = sorted(TALE, key=lambda one: one.at)
    batches: list[list[Fact]] = []
    for size in sizes:
        batch, tale = tale[:size], tale[size:]
        batches += [batch] if batch else []
    batches += [tale] if tale else []
    times = [max(hours(one.at) or 0 for one in batch) for batch in batches]
    with memory_log() as log:
        plain = _told(log, [list(TALE)], [203])
    with memory_log() as log:
        assert _told(log, batches, times) == plain
