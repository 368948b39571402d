"""Grouping: findings of orders and parcels become members of the backlogs of places, once, and leave them again."""

from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from domain.events import Fact
from domain.groups.backlog import Backlog, BacklogMemberChanged
from domain.history.batch import GroupsTold
from domain.history.log import Log
from domain.history.streams import Streams
from domain.tracker import Tracker
from tests.story import Desk, at, cancelled, heartbeat, hours, labelled, placed, requested, scanned, topics

SF = "/carriers/sf"
TEN = '[stalled_parcel]\nafter = "10h"\n'
Counted = dict[str, tuple[float | None, float | None]]


def scan(when: float, name: str | None = "P", status: str = "in_transit", **more: Any) -> Fact:
    """Let the carrier scan a parcel of order O."""
    return scanned(when, name, status, **({"order_ids": ("O",), "source": SF, "carrier": "SF"} | more))


def members(log: Log, place: str = "warehouse-W") -> Counted:
    """Say since when and until when what counts at a place."""
    state = Streams(log.store, 9).get(f"backlog-{place}").state
    assert isinstance(state, Backlog)
    return {name: (hours(one.since), hours(one.until)) for name, one in state.members.items() if not one.gone}


def let_pass(desk: Desk, until: float) -> None:
    """Let time come to ``until`` and groups hear of it."""
    desk.tick(until)
    while desk.tracker.group(at(until)):
        pass


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    """Take in; parcels may stand still for ten hours."""
    return Desk(log, TEN)


# Warehouses


def test_a_late_shipment_counts_at_its_warehouse_until_it_ends(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=1)
    let_pass(desk, 3)
    assert members(log) == {"F@1": (2, None)}
    desk.take(scanned(5), until=6)
    let_pass(desk, 6)
    assert members(log) == {"F@1": (2, 5)}


def test_one_that_never_held_is_gone(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=1)
    let_pass(desk, 3)
    desk.take(scanned(1.5), until=6)
    let_pass(desk, 6)
    assert members(log) == {}


def test_each_fulfilment_counts_at_its_own_warehouse(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), requested(0, "G", ship_by=2, warehouse_id="W2"), until=1)
    let_pass(desk, 3)
    assert (members(log), members(log, "warehouse-W2")) == ({"F@1": (2, None)}, {"G@1": (2, None)})


def test_one_that_went_to_another_warehouse_counts_there_only(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=1)
    let_pass(desk, 3)
    desk.take(requested(2.5, warehouse_id="W2"), until=4)
    let_pass(desk, 4)
    assert (members(log), members(log, "warehouse-W2")) == ({}, {"F@1": (2, None)})


def test_one_without_a_warehouse_counts_nowhere(log: Log, desk: Desk) -> None:
    desk.take(placed(0, ship_by=2), until=1)
    let_pass(desk, 3)
    assert not any(name.startswith("backlog.") for name in topics(log))


def test_a_member_names_its_orders_and_the_proof_of_its_lateness(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=1)
    let_pass(desk, 3)
    [member] = [one for one in log.stream("backlog-warehouse-W") if isinstance(one, BacklogMemberChanged)]
    assert member.order_ids == ("O",)
    assert member.proof == ("/s#F@0", "/s#order.placed@0")


# Carriers


def test_a_stalled_parcel_counts_at_its_carrier_from_its_deadline_on(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), heartbeat(12, SF), until=12)
    let_pass(desk, 12)
    assert members(log, "carrier-SF") == {"P@1": (11, None)}


def test_a_parcel_past_its_promise_and_stalled_counts_once(log: Log, desk: Desk) -> None:
    desk.take(placed(0, deliver_by=15), scan(1), heartbeat(90, SF), until=90)
    let_pass(desk, 90)
    assert members(log, "carrier-SF") == {"P@1": (11, None)}
    desk.take(scan(20), scan(21, status="delivered"), until=91)
    let_pass(desk, 91)
    assert members(log, "carrier-SF") == {"P@1": (11, 21)}


def test_stretches_apart_count_apart_and_what_joins_them_unites_them(log: Log, desk: Desk) -> None:
    desk.take(placed(0, deliver_by=60), scan(1), scan(20), scan(29), scan(38), scan(47), heartbeat(90, SF), until=90)
    let_pass(desk, 90)
    assert members(log, "carrier-SF") == {"P@1": (11, 20), "P@2": (57, None)}
    desk.take(scan(11), scan(48, status="delivered"), until=91)
    let_pass(desk, 91)
    assert members(log, "carrier-SF") == {}


def test_a_parcel_whose_carrier_turned_out_to_be_another_counts_there_only(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1, carrier="YTO"), heartbeat(12, SF), until=12)
    let_pass(desk, 12)
    assert members(log, "carrier-YTO") == {"P@1": (11, None)}
    desk.take(labelled(0.5, order_ids=("O",)), until=13)
    let_pass(desk, 13)
    assert (members(log, "carrier-YTO"), members(log, "carrier-SF")) == ({}, {"P@1": (11, None)})


@pytest.mark.parametrize("talk_first", [True, False])
def test_a_parcel_stalls_where_its_last_movement_was_whatever_talk_comes_when(
    log: Log, desk: Desk, *, talk_first: bool
) -> None:
    talk = scan(1, status="label_created", facility_id="HUB", key="talk")
    desk.take(placed(0), *([talk] if talk_first else []), scan(1, facility_id="GATE"), heartbeat(12, SF), until=12)
    let_pass(desk, 12)
    desk.take(talk, until=13)
    let_pass(desk, 13)
    assert members(log, "facility-GATE") == {"P@1": (11, None)}
    assert members(log, "facility-HUB") == {}


def test_a_number_that_is_labelled_after_all_counts_as_its_parcel_only(log: Log, desk: Desk) -> None:
    number = {"carrier": "SF", "tracking_number": "N", "facility_id": "HUB"}
    desk.take(placed(0), requested(0), scan(1, None, **number), heartbeat(12, SF), until=12)
    let_pass(desk, 12)
    assert members(log, "carrier-SF") == members(log, "facility-HUB") == {"SF:N@1": (11, None)}
    desk.take(labelled(2, order_ids=("O",)), until=13)
    let_pass(desk, 13)
    assert members(log, "carrier-SF") == members(log, "facility-HUB") == {"P@1": (11, None)}


def test_a_cancelled_order_s_parcel_stops_counting_at_its_cancellation(log: Log, desk: Desk) -> None:
    desk.take(placed(0, deliver_by=5), scan(1), heartbeat(12, SF), until=12)
    let_pass(desk, 12)
    desk.take(cancelled(13), until=14)
    let_pass(desk, 14)
    assert members(log, "carrier-SF") == {"P@1": (5, 13)}


# Once, and whatever happens


def test_groups_are_told_once(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=3)
    let_pass(desk, 3)
    before = topics(log)
    assert desk.tracker.group(at(3)) == 0
    let_pass(Desk(log, TEN), 3)
    assert [name for name in topics(log)[len(before) :] if name.startswith("backlog.")] == []


def test_in_slices_they_are_told_all_of_it(log: Log, desk: Desk) -> None:
    orders = [(placed(0, of=f"O{n}"), requested(0, f"F{n}", f"O{n}", ship_by=2)) for n in range(7)]
    desk.take(*[one for pair in orders for one in pair], until=3)
    slices = 0
    while desk.tracker.group(at(3), 3):
        slices += 1
    assert slices >= 3
    assert len(members(log)) == 7


def test_a_store_that_is_busy_once_costs_no_member(log: Log, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.take(placed(0), requested(0, ship_by=2), until=3)

    def busy(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(Tracker, "_append", busy)
        with pytest.raises(OperationalError):
            desk.tracker.group(at(3))
    let_pass(desk, 3)
    assert members(log) == {"F@1": (2, None)}


def test_two_processes_that_tell_in_turn_tell_everything_once(log: Log, desk: Desk) -> None:
    other = Desk(log, TEN)
    desk.take(placed(0), *[requested(0, name, ship_by=n) for n, name in enumerate("FGH", 2)], until=1)
    desk.tick(2.5)
    desk.tracker.group(at(2.5))
    desk.tick(3.5)
    other.tracker.group(at(3.5))
    desk.tick(4.5)
    desk.tracker.group(at(4.5))
    assert topics(log).count("backlog.member_changed.v1") == 3
    assert members(log) == {"F@1": (2, None), "G@1": (3, None), "H@1": (4, None)}


def test_a_restart_in_between_loses_nothing(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=2), requested(0, "G", ship_by=3), until=1)
    desk.tick(2.5)
    desk.tracker.group(at(2.5))
    desk.tick(3.5)
    Desk(log, TEN).tracker.group(at(3.5))
    assert topics(log).count("backlog.member_changed.v1") == 2
    assert set(members(log)) == {"F@1", "G@1"}
    [*_, last] = [one for one in log.stream("groups") if isinstance(one, GroupsTold)]
    assert last.failed == {}
