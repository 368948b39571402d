"""Which kinds wait for which feed is policy: some may be told not to, and late shipments and deliveries to do so."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.events import Fact
from domain.history.log import Log
from domain.instant import DAY, HOUR
from domain.judging.report import final
from domain.policies.policy import DEFAULT, PolicyInvalid, load
from tests.story import (
    Desk,
    cancelled,
    heartbeat,
    hours,
    labelled,
    line,
    memory_log,
    packed,
    piece,
    placed,
    requested,
    scanned,
    topics,
    voided,
)

WMS, SF, YTO = "/wms", "/carriers/sf", "/carriers/yto"
FEEDS = f'[feeds]\nW = ["{WMS}"]\nV = ["/other"]\nSF = ["{SF}"]\nYTO = ["{YTO}"]\n'


def waiting(*kinds: str, enabled: tuple[str, ...] = ("late_shipment", "late_delivery")) -> str:
    """Write a policy in which these kinds wait."""
    named = ", ".join(f'"{kind}"' for kind in kinds)
    reported = ", ".join(f'"{kind}"' for kind in enabled)
    return f"[feed_silence]\nwaits = [{named}]\n[kinds]\nenabled = [{reported}]\n{FEEDS}"


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


def found(log: Log) -> list[tuple[str, str, float | None, float | None]]:
    """Say (state, subject, due, ended) of every finding."""
    return [(one.state, one.finding.subject, *_times(one.finding)) for one in final(log)]


def _times(one: Any) -> tuple[float | None, float | None]:
    return hours(one.due_at), hours(one.ended_at)


def waits(log: Log, name: str = "order-O") -> list[tuple[str, float | None]]:
    """Say for which feeds a subject waits, and how much of each must be heard."""
    return [(source, hours(due)) for one in log.store.armed([name]).values() for source, due in one.waits]


ORDER = (placed(0), requested(0, ship_by=10))
DELIVERY = placed(0, deliver_by=10)


def parcel(when: float, status: str = "picked_up", name: str = "P", **more: Any) -> Fact:
    """Let SF scan a parcel of order O."""
    return scanned(when, name, status, **({"order_ids": ("O",), "source": SF, "carrier": "SF"} | more))


# What may wait


def test_by_default_what_carriers_and_warehouses_move_waits_and_broken_dates_do_not() -> None:
    assert DEFAULT.feed_silence.waits == (
        *("stalled_parcel", "unconfirmed_handover", "presumed_lost", "warehouse_backlog", "carrier_backlog"),
    )


@pytest.mark.parametrize(
    ("kind", "said"), [("late_shipmet", "late_shipment"), ("stock_out", "waits for no feed"), ("", "waits for no feed")]
)
def test_a_kind_that_waits_for_nothing_is_refused(kind: str, said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        load(f'[feed_silence]\nwaits = ["{kind}"]')


# late_shipment


def test_a_late_shipment_does_not_wait_unless_it_is_told_to(log: Log) -> None:
    desk = Desk(log, waiting())
    desk.take(*ORDER, until=11)
    assert found(log) == [("open", "F", 10, None)]


def test_it_waits_for_its_warehouse_s_feed_and_comes_with_its_true_time(log: Log) -> None:
    desk = Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, heartbeat(8, WMS), until=11)
    assert (found(log), waits(log)) == ([], [(WMS, 10)])
    assert [desk.tick(when) for when in (12, 50)] == [0, 0]
    desk.take(heartbeat(10, WMS), until=51)
    desk.tick(51)
    assert found(log) == []
    desk.take(heartbeat(10.1, WMS), until=52)
    assert (desk.tick(52), found(log)) == (1, [("open", "F", 10, None)])


def test_what_comes_back_in_time_was_never_late(log: Log) -> None:
    desk = Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, until=11)
    desk.tick(30)
    desk.take(parcel(9), heartbeat(31, WMS), until=32)
    desk.tick(32)
    assert found(log) == []
    assert not any(name.startswith("finding.") for name in topics(log))


def test_of_two_fulfilments_only_that_of_the_silent_warehouse_waits(log: Log) -> None:
    desk = Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, requested(0, "G", ship_by=9, warehouse_id="V"), heartbeat(20, "/other"), until=21)
    desk.tick(21)
    assert (found(log), waits(log)) == ([("open", "G", 9, None)], [(WMS, 10)])


def test_a_parcel_that_lies_ready_makes_it_wait_for_its_carrier_too(log: Log) -> None:
    desk = Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, labelled(5, fulfillment_ids=("F",)), heartbeat(20, WMS), heartbeat(7, SF), until=21)
    desk.tick(21)
    assert (found(log), waits(log)) == ([], [(SF, 10)])
    desk.take(heartbeat(11, SF), until=22)
    desk.tick(22)
    assert found(log) == [("open", "F", 10, None)]


@pytest.mark.parametrize(
    "ready",
    [
        (labelled(11, fulfillment_ids=("F",)),),
        (labelled(5, fulfillment_ids=("F",)), voided(6)),
        (labelled(5, fulfillment_ids=("G",)),),
        (labelled(5, order_ids=("O",)), packed(4, "P", piece(of="Q"))),
    ],
    ids=["labelled too late", "voided", "for another fulfilment", "with nothing of it inside"],
)
def test_a_parcel_that_could_not_have_been_picked_up_in_time_is_not_waited_for(log: Log, ready: tuple[Fact]) -> None:
    desk = Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, *ready, heartbeat(20, WMS), until=21)
    desk.tick(21)
    assert [one for one in found(log) if one[1] == "F"] == [("open", "F", 10, None)]


def test_where_no_feed_is_mapped_there_is_nothing_to_wait_for(log: Log) -> None:
    desk = Desk(log, waiting("late_shipment").replace("[feeds]\nW", "[feeds]\nW9"))
    desk.take(*ORDER, until=11)
    assert found(log) == [("open", "F", 10, None)]


def test_what_was_found_is_not_taken_back_by_a_process_that_has_heard_less(log: Log) -> None:
    desk, deaf = Desk(log, waiting("late_shipment")), Desk(log, waiting("late_shipment"))
    desk.take(*ORDER, heartbeat(20, WMS), until=21)
    desk.tick(21)
    deaf.take(placed(0, key="again"), partition="b", until=21)
    assert found(log) == [("open", "F", 10, None)]
    assert "finding.retracted.v1" not in topics(log)


# late_delivery


def test_a_late_delivery_waits_for_the_carriers_that_have_not_brought_their_parcels(log: Log) -> None:
    desk = Desk(log, waiting("late_delivery"))
    boxes = (packed(1, "P", piece("A")), packed(1, "P2", piece("B")))
    brought = parcel(6, "delivered", "P2", source=YTO, carrier="YTO")
    desk.take(placed(0, line("1"), line("2", "B"), deliver_by=10), *boxes, parcel(5), brought, until=11)
    assert (found(log), waits(log)) == ([], [(SF, 10)])
    desk.take(heartbeat(10.5, SF), until=12)
    desk.tick(12)
    assert found(log) == [("open", "O", 10, None)]


def test_it_comes_when_the_feed_is_heard_again_and_nothing_had_arrived(log: Log) -> None:
    desk = Desk(log, waiting("late_delivery"))
    desk.take(DELIVERY, parcel(5), until=11)
    desk.tick(40)
    assert (found(log), waits(log)) == ([], [(SF, 10)])
    desk.take(heartbeat(41, SF), until=42)
    desk.tick(42)
    assert found(log) == [("open", "O", 10, None)]


@pytest.mark.parametrize(
    "told",
    [(), (parcel(11, key="late"),), (parcel(5), parcel(6, "damaged"), cancelled(30)), (parcel(5), voided(7))],
    ids=["nothing sent", "sent too late", "settled", "voided"],
)
def test_what_no_carrier_had_by_then_waits_for_none(log: Log, told: tuple[Fact, ...]) -> None:
    desk = Desk(log, waiting("late_delivery"))
    desk.take(DELIVERY, *told, until=50)
    assert waits(log) == []
    assert (found(log) == []) == ("damaged" in {getattr(one, "status", None) for one in told})


# Kinds that are told not to wait


@pytest.mark.parametrize("waits_for", [True, False])
def test_a_stall_that_is_told_not_to_wait_is_found_though_its_feed_is_silent(log: Log, *, waits_for: bool) -> None:
    kinds = ("stalled_parcel",) if waits_for else ()
    desk = Desk(log, waiting(*kinds, enabled=("stalled_parcel",)) + '[stalled_parcel]\nafter = "10h"\n')
    desk.take(DELIVERY, parcel(5), until=6)
    desk.tick(50)
    assert found(log) == ([] if waits_for else [("open", "P", 15, None)])


def test_a_warehouse_s_backlog_that_is_told_not_to_wait_is_counted_though_its_feed_is_silent(log: Log) -> None:
    def counted(*kinds: str) -> list[float | None]:
        with memory_log() as own:
            policy = waiting(*kinds, enabled=("warehouse_backlog",))
            desk = Desk(own, f'timezone = "UTC"\n[warehouse_backlog]\nminimum = 1\n{policy}')
            desk.take(*ORDER, heartbeat(12, WMS), until=13)
            while desk.tracker.group(desk_time(13)):
                pass
            desk.tick(3 * DAY // HOUR)
            return [hours(one.finding.due_at) for one in final(own) if one.finding.kind == "warehouse_backlog"]

    assert counted() == [24]
    assert counted("warehouse_backlog") == []
    del log


def desk_time(when: float) -> int:
    """Give the instant so many hours after dawn."""
    return placed(when).at
