"""The staff of the demo season: their calls are made once, dated as told, and only about what the tracker has found."""

from collections.abc import Iterator

import pytest

from deploy.demo.calls import Call
from deploy.demo.telephone import Telephone
from domain.history.log import Log
from domain.incidents.incident import Incident
from domain.instant import moment
from domain.staff import desk as staff
from tests.story import Desk, at, memory_log, placed

CALL = Call("call-1", moment(at(20)), "O", "O", "li.na", moment(at(30)), "ships before noon")


def recorded(log: Log) -> Incident:
    """Read what the desk has of the late shipment."""
    return staff.Desk(log).read("incident-late_shipment-O")


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


def test_a_call_waits_for_its_time_and_for_the_finding(log: Log) -> None:
    desk = Desk(log)
    shown = [at(19), at(21), at(22)]
    telephone = Telephone(staff.Desk(log), [CALL], lambda: moment(shown.pop(0)))
    telephone.ring()
    telephone.ring()
    assert (recorded(log).contacts, telephone.done) == ({}, False)
    desk.take(placed(0, ship_by=10))
    desk.tick(11)
    telephone.ring()
    assert telephone.done
    [contact] = recorded(log).contacts.values()
    assert (contact.at, contact.by, contact.promise and contact.promise.until) == (at(20), "li.na", at(30))
