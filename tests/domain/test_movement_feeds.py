"""Rules over parcels on a log: an unheard feed makes nothing late, and time that passed unseen is made up for."""

from domain.history.log import Log
from domain.parcels.events import ParcelLabelled, ParcelScanned
from tests.story import Desk, heartbeat, labelled, scanned

POLICY = """
[stalled_parcel]
after = "10h"
[presumed_lost]
after = "30h"
[delivery_failed]
pickup_wait = "10h"
[unconfirmed_handover]
after = "10h"
[feeds]
SF = ["/sf"]
[kinds]
enabled = ["stalled_parcel", "presumed_lost", "delivery_failed", "unconfirmed_handover"]
"""


def label(name: str = "P") -> ParcelLabelled:
    """Print a label for one of order O's parcels."""
    return labelled(0, name, number=f"N-{name}", order_ids=("O",), source="/wms")


def scan(when: float, status: str = "in_transit", name: str = "P") -> ParcelScanned:
    """Scan one of order O's parcels."""
    return scanned(when, name, status, order_ids=("O",), source="/sf")


def test_while_the_carrier_is_not_heard_nothing_is_late_and_then_only_what_is(log: Log) -> None:
    desk = Desk(log, POLICY)
    desk.take(label(), label("P2"), scan(1), scan(1, name="P2"), until=2)
    desk.tick(60)
    assert desk.found() == []
    desk.take(scan(9), scan(9, "delivered", "P2"), heartbeat(22, "/sf"), until=60)
    desk.tick(61)
    assert desk.found() == [("open", "P", 19, None)]


def test_a_label_s_pick_up_is_unknown_until_the_carrier_is_heard(log: Log) -> None:
    desk = Desk(log, POLICY)
    desk.take(label(), label("P2"), heartbeat(3, "/sf"), until=3)
    desk.tick(60)
    assert desk.found() == []
    desk.take(scan(8, "picked_up"), heartbeat(12, "/sf"), until=60)
    desk.tick(61)
    assert desk.found() == [("open", "P2", 10, None)]


def test_what_the_carrier_says_and_a_wait_at_the_counter_need_no_further_word(log: Log) -> None:
    desk = Desk(log, POLICY)
    desk.take(label(), scan(5, "lost"), label("P2"), scan(5, "ready_for_pickup", "P2"), until=6)
    desk.tick(60)
    assert desk.found() == [("open", "P2", 15, None), ("open", "P", 5, None)]


def test_down_over_a_deadline_and_told_of_the_timely_scan_first_it_finds_nothing(log: Log) -> None:
    Desk(log, POLICY).take(label(), scan(1), until=2)
    desk = Desk(log, POLICY)
    desk.take(scan(9, "delivered"), heartbeat(90, "/sf"), until=90)
    desk.tick(99)
    assert desk.found() == []


def test_down_over_a_stall_that_has_ended_it_is_found_with_its_true_times(log: Log) -> None:
    Desk(log, POLICY).take(label(), scan(1), until=2)
    desk = Desk(log, POLICY)
    desk.take(scan(25, "delivered"), heartbeat(90, "/sf"), until=90)
    desk.tick(99)
    assert desk.found() == [("ended", "P", 11, 25)]
