"""The tracker: one effect for one event, one finding for one deadline."""

import threading
from typing import Any

import pytest

from domain import tracker as tracking
from domain.catalogue import Heartbeat
from domain.history.batch import Batch, BatchTaken, Foreign, Slice, TickFired
from domain.history.log import Log
from domain.history.streams import Stream
from domain.orders.order import OrderHeld
from tests.story import (
    LATER,
    PARTITION,
    Desk,
    at,
    complained,
    fact,
    heartbeat,
    held,
    labelled,
    moved,
    packed,
    piece,
    placed,
    requested,
    scanned,
    topics,
    written,
)

ORDER = (placed(0), requested(0, ship_by=10))


# What a batch leaves behind


def test_a_batch_is_closed_by_what_it_brought(desk: Desk) -> None:
    foreign = Foreign("weather.changed.v1", "/w", at(3), "1")
    [taken] = desk.take(*ORDER, placed(0), foreign, b"{", heartbeat(5)).batches
    assert (taken.records, taken.taken, taken.repeated, taken.foreign) == (6, 3, 1, 1)
    assert taken.quarantined == {"not_json": 1}
    assert taken.sources == {"/s": at(5), "/w": at(3)}
    assert taken.foreign_types == {"weather.changed.v1": 1}
    assert (taken.first, taken.next) == (0, 6)
    assert desk.log.stream(f"batches-{PARTITION.replace('/', '%2F')}") == [taken]


def test_the_position_moves_on_over_everything(desk: Desk) -> None:
    desk.take(*ORDER)
    desk.take(b"rubbish")
    position = desk.log.store.positions()[PARTITION]
    assert (position.next, position.last_offset, position.batches, position.largest) == (3, 2, 2, at(0))


def test_a_batch_of_nothing_moves_the_position_over_a_hole(desk: Desk) -> None:
    desk.take(*ORDER)
    desk.tracker.take(Batch((Slice(PARTITION, "t", 0, 2, 9, ()),), LATER), at(0))
    assert desk.log.store.positions()[PARTITION].next == 9


def test_several_partitions_commit_together(desk: Desk) -> None:
    one = desk.batch(placed(0), partition="a").slices
    other = desk.batch(requested(0, ship_by=10), partition="b").slices
    taken = desk.tracker.take(Batch(one + other, LATER), at(11))
    assert {batch.partition for batch in taken.batches} == {"a", "b"}
    assert desk.found() == [("open", "F", 10, None)]


# Once


def test_a_repeat_in_a_later_batch_has_no_effect(desk: Desk) -> None:
    desk.take(*ORDER)
    before = topics(desk.log)
    desk.take(*ORDER, *ORDER)
    assert topics(desk.log) == [*before, "batch.taken.v1"]


def test_a_repeat_within_the_batch_has_no_effect(desk: Desk) -> None:
    assert desk.take(placed(0), placed(0), placed(0)).batches[0].repeated == 2
    assert topics(desk.log).count("order.placed.v1") == 1


def test_a_repeat_on_another_partition_has_no_effect(desk: Desk) -> None:
    desk.take(placed(0), partition="a")
    assert desk.take(placed(0), partition="b").batches[0].repeated == 1


def test_a_heartbeat_leaves_no_event_of_its_own(desk: Desk) -> None:
    desk.take(heartbeat(1), heartbeat(1), heartbeat(2))
    assert topics(desk.log) == ["policy.adopted.v1", "batch.taken.v1"]
    assert desk.log.store.positions()[PARTITION].largest == at(2)


def test_the_same_id_with_another_body_is_a_conflict_and_the_first_body_stays(desk: Desk) -> None:
    other = placed(0, key=placed(0).id, customer_id="another")
    desk.take(placed(0))
    desk.take(other)
    assert desk.held_back() == [(1, "id_conflict")]
    assert desk.log.stream("order-O") == [placed(0, via="")] or topics(desk.log).count("order.placed.v1") == 1


def test_a_conflict_within_one_batch_is_found_as_well(desk: Desk) -> None:
    desk.take(placed(0), placed(0, customer_id="another"), requested(0))
    assert desk.held_back() == [(1, "id_conflict")]
    assert topics(desk.log).count("order.placed.v1") == 1


def test_another_time_type_or_subject_is_another_body(desk: Desk) -> None:
    desk.take(held(1, key="x"), held(2, key="x"), heartbeat(1), fact(OrderHeld, 1, key="y", order_id="O", reason="r"))
    desk.take(moved(1, 9, key="y"), written(held(1, key="x")).replace(b'"data"', b'"subject":"O","data"'))
    assert [code for _, code in desk.held_back()] == ["id_conflict"] * 3


def test_the_same_id_from_another_source_is_another_event(desk: Desk) -> None:
    desk.take(held(1, source="/a", key="x"), held(1, source="/b", key="x"))
    assert desk.held_back() == []
    assert topics(desk.log).count("order.held.v1") == 2


def test_a_source_and_id_that_run_together_alike_are_told_apart(desk: Desk) -> None:
    desk.take(held(1, source="/a", key="bc"), held(1, source="/ab", key="c"))
    assert topics(desk.log).count("order.held.v1") == 2


def test_after_the_purge_of_seen_ids_a_repeat_still_has_no_effect(desk: Desk) -> None:
    number: dict[str, Any] = {"carrier": "SF", "tracking_number": "N", "fulfillment_ids": ()}
    facts = (*ORDER, labelled(1, fulfillment_ids=("F",)), scanned(12, None, **number), held(11), complained(3))
    desk.take(*facts, until=20)
    before, found = topics(desk.log), desk.found()
    while desk.log.store.forget_seen(LATER + 1, LATER + 1, 2):
        pass
    assert desk.log.store.seen([]) == {}
    [taken] = desk.take(*facts, until=20).batches
    assert taken.taken == len(facts)
    assert topics(desk.log) == [*before, "batch.taken.v1"]
    assert desk.found() == found == [("open", "C", 4, None), ("ended", "F", 10, 12)]


# Deadlines


def test_a_deadline_fires_once_at_its_due_time(desk: Desk) -> None:
    desk.take(*ORDER, until=5)
    assert [desk.tick(when) for when in (9, 10, 10.001, 11, 99)] == [0, 0, 1, 0, 0]
    assert desk.found() == [("open", "F", 10, None)]
    assert topics(desk.log).count("finding.opened.v1") == 1


def test_down_over_a_deadline_with_the_timely_scan_waiting_nothing_is_ever_opened(log: Log, desk: Desk) -> None:
    desk.take(*ORDER, until=5)
    restarted = Desk(log)
    restarted.take(scanned(8), until=50)
    assert restarted.tick(50) == 0
    assert not any(name.startswith("finding.") for name in topics(log))


def test_many_due_deadlines_fire_in_slices_each_once(desk: Desk) -> None:
    orders = [(placed(0, of=f"O{n}"), requested(0, f"F{n}", f"O{n}", ship_by=10)) for n in range(25)]
    desk.take(*[one for pair in orders for one in pair], until=5)
    fired = []
    while count := desk.tracker.tick(at(20), limit=10):
        fired.append(count)
    assert fired == [10, 10, 5]
    assert len(desk.found()) == 25
    ticks = [event for event in desk.log.stream("ticks") if isinstance(event, TickFired)]
    assert [tick.subjects for tick in ticks] == [10, 10, 5]


def test_what_was_due_when_it_came_is_found_with_it(desk: Desk) -> None:
    desk.take(*ORDER, until=20)
    assert desk.found() == [("open", "F", 10, None)]
    assert desk.tick(99) == 0


def test_a_late_fact_ends_or_retracts_in_the_past(desk: Desk) -> None:
    desk.take(*ORDER, until=20)
    desk.take(scanned(12), until=21)
    assert desk.found() == [("ended", "F", 10, 12)]
    desk.take(scanned(9), until=22)
    assert desk.found() == [("retracted", "F", 10, 12)]


def test_what_is_handed_over_needs_no_deadline_any_more(desk: Desk) -> None:
    desk.take(*ORDER, until=5)
    assert len(desk.log.store.due(LATER, 9)) == 1
    desk.take(scanned(7), until=8)
    assert [name for _, name in desk.log.store.due(LATER, 9)] == ["parcel-P"]
    assert desk.log.store.armed(["order-O"]) == {}


def test_what_is_delivered_needs_none_at_all(desk: Desk) -> None:
    desk.take(placed(0, deliver_by=30), requested(0, ship_by=10), until=5)
    desk.take(scanned(7), scanned(8, status="delivered"), until=9)
    assert desk.log.store.due(LATER, 9) == []
    assert desk.log.store.armed(["order-O", "parcel-P"]) == {}


def test_a_tick_with_nothing_due_writes_nothing(desk: Desk) -> None:
    desk.take(*ORDER, until=5)
    before = desk.log.store.last_position()
    assert desk.tick(9) == 0
    assert desk.log.store.last_position() == before


# Hearing


def test_hearing_of_an_idle_partition_moves_only_what_is_known_to_be_read(desk: Desk) -> None:
    desk.take(*ORDER)
    before = desk.log.store.positions()[PARTITION]
    desk.tracker.hear({PARTITION: at(50), "unknown": at(50)})
    assert desk.log.store.positions() == {PARTITION: before._replace(taken_up_to=at(50))}


def test_a_batch_that_does_not_say_keeps_what_was_heard(desk: Desk) -> None:
    desk.take(*ORDER)
    desk.tracker.hear({PARTITION: at(50)})
    desk.take(held(1))
    assert desk.log.store.positions()[PARTITION].taken_up_to == at(50)


# Cache


def test_a_cache_of_one_stream_finds_the_same(log: Log) -> None:
    desk = Desk(log)
    small = tracking.Tracker(log, desk.tracker.policies, cache_limit=1)
    desk.tracker = small
    for one in (
        placed(0),
        requested(0, ship_by=10),
        labelled(1, fulfillment_ids=("F",)),
        scanned(12, fulfillment_ids=()),
    ):
        desk.take(one, until=20)
    assert desk.found() == [("ended", "F", 10, 12)]


def test_several_threads_take_in_at_once_without_harm(desk: Desk) -> None:
    def work(name: str) -> None:
        desk.take(placed(0, of=name), requested(0, f"F{name}", name, ship_by=10), partition=name, until=20)

    threads = [threading.Thread(target=work, args=(f"T{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.found()) == 8


def test_taken_names_the_position_of_the_last_event(desk: Desk) -> None:
    assert desk.take(*ORDER).position == desk.log.store.last_position()


def test_batches_are_numbered_per_partition_without_a_hole(desk: Desk) -> None:
    for _ in range(3):
        desk.take(Heartbeat(at=at(1), source="/s", id="h"))
    rows = desk.log.store.select_streams([f"batches-{PARTITION.replace('/', '%2F')}"])
    assert [row.version for row in rows] == [1, 2, 3]
    assert all(row.topic == BatchTaken.TOPIC for row in rows)


# What subjects tell each other


def test_a_batch_tells_an_order_once_of_all_that_became_of_a_parcel(desk: Desk) -> None:
    way = [packed(3, "P", piece("A")), labelled(4, order_ids=("O",)), scanned(5, order_ids=("O",))]
    desk.take(*ORDER, *way, until=6)
    assert topics(desk.log).count("order.parcel_changed.v1") == 1
    assert topics(desk.log).count("parcel.order_changed.v1") == 1
    desk.take(scanned(6, status="in_transit", order_ids=("O",)), until=7)
    assert topics(desk.log).count("order.parcel_changed.v1") == 1
    desk.take(scanned(8, status="delivered", order_ids=("O",)), until=9)
    assert topics(desk.log).count("order.parcel_changed.v1") == 2


@pytest.mark.parametrize("cut", range(5))
def test_a_parcel_hears_whose_a_fulfilment_is_once_it_no_longer_names_the_order_itself(desk: Desk, cut: int) -> None:
    first = packed(3, "P", piece("A"), fulfillment_ids=("F",))
    again = packed(4, "P", piece("A", of="Q"), fulfillment_ids=("F",))
    said = [*ORDER, first, again]
    desk.take(*said[:cut], until=5)
    desk.take(*said[cut:], until=5)
    parcel = Stream("parcel-P")
    for event in desk.log.stream("parcel-P"):
        parcel.evolve(parcel.state, event)
    assert parcel.state.meaning.order_ids == ("O", "Q")
    linked = topics(desk.log).count("parcel.order_linked.v1")
    assert linked == 1
