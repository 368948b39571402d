"""Exposure: orders packed under a binding become members of its cluster, at one event each until it breaks out."""

from collections import Counter
from typing import Any

import pytest

from domain.catalogue import SkuBindingChanged
from domain.complaints.complaint import ComplainedItem, ComplaintCategorised, ComplaintResolved
from domain.events import Fact
from domain.groups.cluster import Cluster
from domain.history.log import Log
from domain.history.streams import Streams
from domain.incidents.commands import Compensate, Resolve
from domain.judging.adoption import adopt
from domain.staff.desk import Case
from domain.staff.desk import Desk as StaffDesk
from domain.tracker import Tracker
from tests.domain.grouped import lines, settle
from tests.story import (
    LATER,
    Desk,
    at,
    cancelled,
    complained,
    fact,
    hours,
    line,
    packed,
    piece,
    placed,
    scanned,
    topics,
    voided,
)

THREE = '[kinds]\nenabled = ["mis_shipment_cluster", "product_defect"]\n[cluster]\nminimum = 3'
OTHERS = '[kinds]\nenabled = ["late_shipment", "mis_shipment"]'


def boxed(when: float, of: str, sku: str = "A", version: str | None = "2", **more: Any) -> Fact:
    """Pack an order's one piece at warehouse W."""
    named = {"warehouse_id": "W", "binding_version": version} | more
    return packed(when, f"P-{of}", piece(sku, of=of), **named)


def complaint(when: float, of: str, category: str = "wrong_item", **more: Any) -> Fact:
    return complained(when, f"K-{of}", key=f"K-{of}", order_id=of, category=category, **more)


def cluster(log: Log, name: str = "binding-A%3AW%3A2") -> Cluster:
    state = Streams(log.store, 9).get(f"cluster-{name}").state
    assert isinstance(state, Cluster)
    return state


def told(log: Log) -> Counter[str]:
    return Counter(name for name in topics(log) if name.startswith("cluster."))


SOLD = [placed(0, of=f"O{n}", customer_id=f"c{n}", currency="CNY") for n in range(6)]
BOXED = [boxed(1 + n, f"O{n}") for n in range(6)]
SAID = [complaint(20 + n, f"O{n}") for n in range(3)]


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    return Desk(log, THREE)


def take(desk: Desk, *said: Fact, until: float = 500) -> None:
    desk.take(*said, until=until)
    settle(desk.tracker, at(until))


# What it costs


def test_a_healthy_binding_costs_one_event_for_every_order(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED)
    take(desk, *[scanned(10 + n, f"P-O{n}", "picked_up", order_ids=(f"O{n}",)) for n in range(6)])
    take(desk, *[scanned(20 + n, f"P-O{n}", "delivered", order_ids=(f"O{n}",)) for n in range(6)])
    assert told(log) == {"cluster.member_changed.v1": 6}
    assert not desk.log.store.armed(["cluster-binding-A%3AW%3A2"])


def test_of_two_troubles_more_is_told_and_of_the_others_nothing(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID[:2])
    assert told(log) == {"cluster.member_changed.v1": 6 + 2}
    take(desk, *[scanned(30 + n, f"P-O{n}", "picked_up", order_ids=(f"O{n}",)) for n in range(6)])
    assert told(log) == {"cluster.member_changed.v1": 6 + 2 + 2}


def test_a_packing_record_without_a_version_costs_nothing(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[boxed(1 + n, f"O{n}", version=None) for n in range(6)], *SAID)
    assert told(log) == {}


def test_where_no_policy_asks_for_clusters_none_is_told(log: Log) -> None:
    take(Desk(log, OTHERS), *SOLD, *BOXED, *SAID)
    assert told(log) == {}
    assert log.store.related([f"packed order-O{n}" for n in range(6)], -LATER, LATER) == []
    assert log.store.counted("packed W", -LATER, LATER) == 0


def test_a_policy_that_asks_for_clusters_later_is_told_from_the_beginning(log: Log) -> None:
    take(Desk(log, OTHERS), *SOLD, *BOXED, *SAID)
    late = Tracker(log, adopt(log, THREE, at(10)))
    settle(late, at(600))
    assert [one["subject"] for one in lines(log) if one["kind"] == "mis_shipment_cluster"] == ["A:W:2"]
    before = told(log)
    settle(Tracker(log, adopt(log, THREE, at(10))), at(600))
    assert told(log) == before


# Who belongs to it


def test_it_breaks_out_with_all_that_is_known_of_everybody(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, scanned(10, "P-O3", "delivered", order_ids=("O3",)), cancelled(11, of="O4"))
    take(desk, *SAID)
    [one] = lines(log)
    assert one["order_ids"] == [f"O{n}" for n in range(6)]
    assert one["detail"]["stages"] == {"not_shipped": 4, "delivered": 1}
    assert "O4" not in one["detail"]["ranked"]


def test_from_then_on_every_change_is_told(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID)
    take(desk, scanned(30, "P-O5", "picked_up", order_ids=("O5",)), voided(31, "P-O4"))
    assert lines(log)[0]["detail"]["stages"] == {"not_shipped": 4, "in_transit": 1}
    take(desk, placed(32, of="O9"), boxed(33, "O9"))
    assert "O9" in lines(log)[0]["order_ids"]


def test_a_box_that_was_found_wrong_is_proven_by_its_packing(log: Log, desk: Desk) -> None:
    wrong = [
        packed(
            2,
            f"P-O{n}",
            piece("X", of=f"O{n}"),
            expected=(piece("A", of=f"O{n}"),),
            warehouse_id="W",
            binding_version="2",
        )
        for n in range(3)
    ]
    take(desk, *SOLD, *wrong)
    [one] = lines(log)
    assert (one["subject"], one["detail"]["proven"]) == ("A:W:2", ["O0", "O1", "O2"])
    assert one["proof"] == [f"/s#packed-P-O{n}@2" for n in range(3)]


def test_a_complaint_about_another_line_is_not_about_this_binding(log: Log, desk: Desk) -> None:
    two = [placed(0, line("1", "A"), line("2", "B"), of=f"O{n}") for n in range(3)]
    said = [complaint(20, f"O{n}", items=(ComplainedItem("B"),)) for n in range(3)]
    take(desk, *two, *BOXED[:3], *said)
    assert cluster(log).proven == {}


def test_a_complaint_from_before_the_packing_is_about_something_else(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(0.5, f"O{n}") for n in range(3)], *BOXED)
    assert cluster(log).proven == {}


def test_one_that_was_about_something_else_proves_nothing_any_more(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID)
    assert len(lines(log)) == 1
    take(desk, fact(ComplaintCategorised, 40, complaint_id="K-O2", category="late"))
    assert lines(log) == []


def test_one_customer_with_many_orders_is_no_cluster(log: Log, desk: Desk) -> None:
    same = [placed(0, of=f"O{n}", customer_id="c") for n in range(6)]
    take(desk, *same, *BOXED, *[complaint(20 + n, f"O{n}") for n in range(6)])
    assert lines(log) == []


def test_a_best_seller_with_its_share_is_no_cluster(log: Log, desk: Desk) -> None:
    usual = [packed(-90, "PZ", *[piece("Z", of=f"Z{n}") for n in range(200)], warehouse_id="W", binding_version="1")]
    usual += [complained(-80 + n, f"Z{n}", key=f"Z{n}", order_id=f"Z{n}", category="wrong_item") for n in range(2)]
    many = packed(1, "PA", *[piece("A", of=f"O{n}") for n in range(300)], warehouse_id="W", binding_version="2")
    take(desk, *usual, many, *SAID)
    assert not cluster(log).findings
    scope = cluster(log).scope
    assert scope is not None
    assert (scope.usual_orders, scope.usual_troubles) == (200, 2)


def test_what_was_usual_may_be_heard_later(log: Log, desk: Desk) -> None:
    take(desk, packed(1, "PA", *[piece("A", of=f"O{n}") for n in range(300)], warehouse_id="W", binding_version="2"))
    take(desk, *SAID)
    assert len(lines(log)) == 1
    usual = [packed(-90, "PZ", *[piece("Z", of=f"Z{n}") for n in range(200)], warehouse_id="W", binding_version="1")]
    take(desk, *usual, *[complaint(-80 + n, f"Z{n}") for n in range(2)])
    assert lines(log) == []


# When it began and ends


def bound(when: float, version: str, **more: Any) -> Fact:
    named = {"listing_sku": "A", "warehouse_sku": "S", "version": version, "warehouse_id": "W"} | more
    return fact(SkuBindingChanged, when, key=f"bound {version} {when}", **named)


def test_it_begins_with_its_binding_and_ends_once_that_is_replaced_and_nobody_is_left(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID, bound(0.5, "2"), bound(0.2, "1"), bound(30, "3", warehouse_id="E"))
    [one] = lines(log)
    assert (one["detail"]["onset"]["event"], one["state"]) == ("/s#bound 2 0.5", "open")
    take(desk, *[cancelled(32 + n, of=f"O{n}") for n in (3, 4, 5)])
    assert lines(log)[0]["state"] == "open"
    take(desk, bound(31, "3"))
    assert (lines(log)[0]["state"], lines(log)[0]["detail"]["ended_by"]) == ("ended", "/s#order.cancelled@37")


def test_what_was_put_right_is_settled(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID, fact(ComplaintResolved, 40, complaint_id="K-O1"))
    settled = {one.order_id: hours(one.settled.at) for one in cluster(log).members.values() if one.settled}
    assert settled == {"O1": 40}
    take(desk, boxed(41, "O5", version="3"))
    assert hours(cluster(log).members["P-O5:O5"].settled.at) == 41


def staff(log: Log, kind: str, subject: str, command: Any, when: float) -> None:
    """Let staff do something about an incident."""
    StaffDesk(log).handle(Case(f"incident-{kind}-{subject}", f"cluster-binding-{subject}"), command, at=at(when))


def test_staff_end_it_and_what_comes_later_is_another(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID)
    staff(log, "mis_shipment_cluster", "A%3AW%3A2", Resolve(by="li"), 100)
    settle(desk.tracker, at(200))
    [one] = lines(log)
    assert (one["state"], one["detail"]["ended_by"]) == ("ended", "staff#li")
    take(desk, *[complaint(300 + n, f"O{n}") for n in (3, 4, 5)])
    assert [one["state"] for one in lines(log)] == ["ended", "open"]


def test_who_was_paid_is_settled(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *BOXED, *SAID)
    money = Compensate(by="li", member="O1", order_id="O1", amount="5", currency="CNY", form="goodwill")
    staff(log, "mis_shipment_cluster", "A%3AW%3A2", money, 100)
    settle(desk.tracker, at(200))
    assert "O1" not in lines(log)[0]["detail"]["ranked"]


# Whoever tells


def test_two_processes_that_tell_in_turn_tell_everything_once(log: Log, desk: Desk) -> None:
    other = Desk(log, THREE)
    for number, one in enumerate([*SOLD, *BOXED, *SAID]):
        take((desk, other)[number % 2], one)
    assert told(log)["cluster.member_changed.v1"] == 6 + 3 + 3
    assert log.store.counted("packed W", -LATER, LATER) == 6
    assert log.store.counted("mis-shipped W", -LATER, LATER) == 3


def test_a_restart_after_every_message_changes_nothing(log: Log) -> None:
    for one in [*SOLD, *BOXED, *SAID]:
        take(Desk(log, THREE), one)
    assert told(log)["cluster.member_changed.v1"] == 6 + 3 + 3
    assert len(lines(log)) == 1


def test_in_slices_of_any_size_they_are_told_all_of_it(log: Log, desk: Desk) -> None:
    desk.take(*SOLD, *BOXED, *SAID, until=500)
    while desk.tracker.group(at(500), 2):
        pass
    assert len(lines(log)[0]["order_ids"]) == 6


def test_a_kind_that_catches_up_lets_the_others_be(log: Log) -> None:
    defects = '[kinds]\nenabled = ["product_defect"]'
    take(Desk(log, defects), *SOLD, *BOXED, *SAID)
    settle(Tracker(log, adopt(log, THREE, at(10))), at(600))
    assert log.store.counted("sold", -LATER, LATER) == 6
    assert log.store.counted("packed W", -LATER, LATER) == 6
