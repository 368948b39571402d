"""Where incidents stand in the work of staff, beside what the rules say of them."""

import pytest

from domain.incidents.commands import (
    Acknowledge,
    Assign,
    Contact,
    Escalate,
    Note,
    Reopen,
    Resolve,
    SetLiability,
    Snooze,
)
from projections import incidents, workflow
from projections.workflow import Staff
from tests.projections.staffed import do, rebuilt
from tests.projections.test_worklist import late, late_order
from tests.story import at


@pytest.fixture
def desk(told):
    for name in "123":
        late_order(told, name, "C")
    told.come(30)
    return told


def asked(told, **staff):
    with told.store.reading() as rows:
        found = incidents.listed(rows, incidents.Filter(), 9, also=Staff(**staff).conditions())
    return {one.body["subject"] for one in found}


def work(told, name):
    with told.store.reading() as rows:
        return workflow.one(rows, late(name))


def test_what_nobody_has_touched_is_new(desk):
    assert (work(desk, "1").body["status"], work(desk, "1").position) == ("new", 0)
    assert asked(desk, status=("new",)) == {"F1", "F2", "F3"}
    assert asked(desk, status=("acknowledged",)) == set()


def test_each_step_shows_and_incidents_are_found_by_it(desk):
    do(desk, late("1"), Acknowledge(by="li"), 31)
    do(desk, late("1"), Assign(by="li", person="zhou", team="night"), 32)
    do(desk, late("2"), Snooze(by="li", until=at(40)), 33)
    do(desk, late("3"), SetLiability(by="li", party="carrier"), 34)
    assert (asked(desk, assignee=("zhou",)), asked(desk, assignee=("night", "day"))) == ({"F1"}, {"F1"})
    assert asked(desk, status=("snoozed",)) == {"F2"}
    assert asked(desk, status=("new", "acknowledged")) == {"F1", "F3"}
    assert asked(desk, status=("new",), assignee=("zhou",)) == set()
    assert (work(desk, "3").body["liable"], work(desk, "1").body["acknowledged_by"]) == ("carrier", "li")
    rebuilt(desk)


def test_time_gives_back_and_wakes_in_the_view_too(desk):
    do(desk, late("1"), Acknowledge(by="li"), 31)
    do(desk, late("2"), Snooze(by="li", until=at(40)), 31)
    desk.come(41)
    assert asked(desk, status=("new",)) == {"F1", "F2", "F3"}
    rebuilt(desk)


def test_when_staff_first_touched_it_and_first_reached_the_customer_stays(desk):
    do(desk, late("1"), Note(by="li", text="?"), 31)
    do(desk, late("1"), Contact(by="li", channel="phone", outcome="no_answer"), 32)
    do(desk, late("1"), Contact(by="li", channel="sms", outcome="sent"), 33)
    do(desk, late("1"), Contact(by="li", channel="phone", outcome="reached"), 34)
    do(desk, late("1"), Escalate(by="li", to="lead"), 35)
    do(desk, late("1"), Resolve(by="li"), 36)
    told = "SELECT first_at, contacted_at, contact_channel, settled_at, level FROM workflow"
    assert desk.query(told) == [(at(31), at(33), "sms", at(36), 1)]
    do(desk, late("1"), Reopen(by="li"), 37)
    assert desk.query(told) == [(at(31), at(33), "sms", None, 1)]
    rebuilt(desk)
