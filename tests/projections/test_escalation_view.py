"""Where it is shown that an incident went up, by a person or by the clock, and to whom hard cases go."""

import pytest

from domain.incidents.commands import Acknowledge, Escalate, Reopen, Resolve
from domain.incidents.urgency import IncidentEscalated
from domain.instant import iso
from domain.judging.adoption import adopt
from domain.policies.routing import goes_to
from projections import feed, summary, workflow, worklist
from projections.summary import Span
from projections.worklist import Wanted
from tests.projections.staffed import do, rebuilt
from tests.projections.stage import stage
from tests.projections.test_muting import Told, finding
from tests.projections.test_worklist import late, late_order, listed, names
from tests.story import at, complained

LEADS = '[[incidents.escalation]]\nafter = "30m"\nto = "leads"\nkinds = ["late_shipment"]\n'


def come(told, until):
    """Let time come, groups hear, and the views follow."""
    while told.desk.tracker.tick(at(until)) + told.desk.tracker.group(at(until)):
        pass
    told.follow()


@pytest.fixture
def desk(tmp_path):
    with stage(tmp_path, LEADS) as told:
        for name in "12":
            late_order(told, name, f"C{name}")
        come(told, 21)
        yield told


def work(told, name):
    with told.store.reading() as rows:
        return workflow.one(rows, late(name)).body


def changes(told):
    with told.store.reading() as rows:
        return [(one.change, one.incident, one.body, one.step) for one in feed.after(rows, 0, 100)]


def test_it_is_shown_when_it_will_go_up_and_that_it_did(desk):
    assert (work(desk, "1")["level"], work(desk, "1")["escalates_at"]) == (0, iso(at(21.5)))
    do(desk, late("1"), Acknowledge(by="li", until=at(99)), 21.1)
    assert work(desk, "1")["escalates_at"] is None
    come(desk, 22)
    shown = {name: (work(desk, name)["level"], work(desk, name)["escalated_to"]) for name in "12"}
    assert shown == {"1": (0, None), "2": (1, "leads")}
    assert work(desk, "2")["escalates_at"] is None
    rebuilt(desk)


def test_the_feed_tells_it_once_with_the_finding_as_it_was(desk):
    come(desk, 22)
    do(desk, late("1"), Escalate(by="li", to="boss"), 23)
    said = [(incident, body, step) for change, incident, body, step in changes(desk) if change == "escalated"]
    assert {(incident, step["level"], step["to"]) for incident, _, step in said} == {
        (late("1"), 1, "leads"),
        (late("2"), 1, "leads"),
        (late("1"), 2, "boss"),
    }
    opened = {incident: body for change, incident, body, _ in changes(desk) if change == "opened"}
    assert all(body == opened[incident] for incident, body, _ in said)
    rebuilt(desk)


def test_what_a_person_did_says_nothing_of_how_far_the_world_was_read(desk):
    come(desk, 22)
    with desk.store.reading() as rows:
        before = feed.decided_up_to(rows)
    do(desk, late("1"), Escalate(by="li", to="boss"), 500)
    with desk.store.reading() as rows:
        assert feed.decided_up_to(rows) == before == at(21)


def test_it_is_counted(desk):
    come(desk, 22)
    do(desk, late("1"), Escalate(by="li", to="boss"), 23)
    with desk.store.reading() as rows:
        assert workflow.escalated(rows) == [("late_shipment", 1, 1), ("late_shipment", 2, 1)]
        assert summary.summary(rows, Span(at(0), at(99)), "UTC").whole.escalated == 2
    do(desk, late("1"), Resolve(by="li"), 24)
    with desk.store.reading() as rows:
        assert workflow.escalated(rows) == [("late_shipment", 1, 1)]


def test_a_thousand_that_are_due_at_once_go_up_once_each_whoever_is_killed_over_them(tmp_path):
    with stage(tmp_path, LEADS) as told:
        for name in map(str, range(1000)):
            late_order(told, name, f"C{name}")
        while told.desk.tracker.tick(at(21)) + told.desk.tracker.group(at(21)):
            pass
        for until in (21.4, 21.6, 22):
            # Each look is by a process that knows nothing; the second is gone in the middle.
            tracker = type(told.desk.tracker)(told.log, told.desk.tracker.policies)
            while tracker.tick(at(until), limit=300) and until != 21.6:
                pass
        went_up = [
            one
            for name in range(1000)
            for one in told.log.stream(late(str(name)))
            if isinstance(one, IncidentEscalated)
        ]
        assert (len(went_up), {one.at for one in went_up}) == (1000, {at(21.5)})


# Routing


ROUTING = '[routing]\nhard_from = 2\nhard = ["senior"]\nnormal = ["day"]\n'


def points(told):
    return {one.rank.task: one.points for one in listed(told)}


def test_each_of_what_makes_a_case_hard_brings_its_points(told):
    write = Told(told)
    for name in "1234":
        late_order(told, name, f"C{name}")
    told.come(30)
    adopt(told.log, f"{ROUTING}[routing.kinds]\nstock_out = 2", at(31))
    do(told, late("2"), Escalate(by="li", to="lead"), 32)
    do(told, late("2"), Escalate(by="li", to="boss"), 33)
    do(told, late("3"), Resolve(by="li"), 32)
    do(told, late("3"), Reopen(by="li"), 33)
    write.opens("backlog-x", finding("stock_out", "O4:TEA", 31, orders=("O4",), severity="critical"))
    assert points(told) == {"customer-C1": 0, "customer-C2": 2, "customer-C3": 1, "customer-C4": 3}
    assert set(names(told, Wanted(hard=True))) == {"customer-C2", "customer-C4"}
    with told.store.reading() as rows:
        rule = worklist.routing(rows, at(40))
    whom = {task: goes_to(rule, count) for task, count in points(told).items()}
    assert whom == {
        "customer-C1": ("day",),
        "customer-C2": ("senior",),
        "customer-C3": ("day",),
        "customer-C4": ("senior",),
    }


def test_a_complex_complaint_brings_a_point(told):
    told.hear(complained(0, "K", customer_id="C", complexity="complex"), until=30)
    assert points(told) == {"customer-C": 1}


def test_what_the_clock_sends_up_often_enough_goes_to_the_experienced(tmp_path):
    steps = f'{LEADS}[[incidents.escalation]]\nafter = "2h"\nto = "boss"\nlevel = 2\nunless = "resolved"\n{ROUTING}'
    with stage(tmp_path, steps) as told:
        late_order(told, "1", "C1")
        come(told, 21)
        come(told, 22)
        assert (points(told), names(told, Wanted(hard=True))) == ({"customer-C1": 1}, [])
        come(told, 24)
        assert (points(told), names(told, Wanted(hard=True))) == ({"customer-C1": 2}, ["customer-C1"])
