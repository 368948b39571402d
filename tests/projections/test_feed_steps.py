"""The feed tells every step that staff or time took, with the finding as it was then, and in the order of the log."""

from collections import Counter
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract.feed import ChangeKind, FeedStep
from domain.detection import FINDING_EVENTS
from domain.errors import IllegalStep
from domain.incidents import commands as do_
from domain.incidents.commands import Acknowledge, Assign, Merge, Note, Reopen, Resolve, Snooze
from domain.incidents.events import INCIDENT_EVENTS
from domain.instant import iso
from domain.staff.desk import Case
from domain.staff.desk import Desk as IncidentDesk
from projections import feed, rebuild
from projections.follower import Follower
from tests.projections.choking import Choking
from tests.projections.staffed import do, rebuilt
from tests.projections.stage import stage
from tests.projections.test_muting import Told, finding
from tests.projections.test_statements import Counting
from tests.projections.test_worklist import late, late_order
from tests.story import at, scanned

SECRET = "Quetzal"
SILENT = {"incident.escalation_planned.v1", "incident.muted.v1", "incident.news_held.v1"}


@pytest.fixture
def desk(told):
    for name in "12":
        late_order(told, name, f"C{name}")
    told.come(30)
    return told


def entries(told, after=0, limit=500):
    with told.store.reading() as rows:
        return feed.after(rows, after, limit)


def steps(told):
    return [one for one in entries(told) if one.step is not None]


def merge(told, part, whole, when):
    [(one, this), (other, that)] = [
        told.query("SELECT id, stream FROM incidents WHERE id = ?", late(name))[0] for name in (part, whole)
    ]
    command = Merge(by="li")
    IncidentDesk(told.log).handle(Case(one, this), command, at=at(when), other=Case(other, that))
    told.follow()


def test_every_event_of_an_incident_is_an_entry_or_named_as_none():
    told = {event.TOPIC for event in feed.STEPS}
    assert told | SILENT == {event.TOPIC for event in INCIDENT_EVENTS}
    assert not told & SILENT
    names = {event.TOPIC.split(".")[1] for event in (*FINDING_EVENTS, *feed.STEPS)}
    assert names == set(get_args(ChangeKind))


def test_what_steps_say_is_what_the_contract_describes():
    said = {name for names in feed.STEPS.values() for name in names}
    assert said | {"by", "at"} == set(FeedStep.model_fields)


@pytest.mark.parametrize(
    ("command", "change", "says"),
    [
        (Acknowledge(by="li", until=at(40)), "acknowledged", {"until": iso(at(40))}),
        (Assign(by="li", person="zhou"), "assigned", {"person": "zhou"}),
        (Assign(by="li", team="night"), "assigned", {"team": "night"}),
        (Snooze(by="li", until=at(40)), "snoozed", {"until": iso(at(40)), "next_event": False}),
        (Snooze(by="li", next_event=True), "snoozed", {"next_event": True}),
        (Note(by="li", text=SECRET), "noted", {}),
        (do_.SetLiability(by="li", party="carrier"), "liability_set", {"party": "carrier"}),
        (do_.Escalate(by="li", to="boss", why=SECRET), "escalated", {"level": 1, "to": "boss"}),
        (Resolve(by="li", outcome=SECRET), "resolved", {}),
        (
            do_.Contact(
                by="li", channel="phone", outcome="no_answer", next_attempt=at(32), customer_id="C1", agreement=SECRET
            ),
            "contacted",
            {"channel": "phone", "outcome": "no_answer", "next_attempt": iso(at(32))},
        ),
        (
            do_.Compensate(by="li", member="O1", order_id="O1", amount="5", currency="CNY", form="refund"),
            "compensated",
            {"member": "O1", "amount": "5", "currency": "CNY", "form": "refund"},
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_command_is_an_entry_with_who_when_and_what_others_must_know(desk, command, change, says):
    opened = next(one for one in entries(desk) if one.incident == late("1"))
    do(desk, late("1"), command, 31)
    [entry] = steps(desk)
    assert (entry.change, entry.incident, entry.step) == (change, late("1"), {"by": "li", "at": iso(at(31)), **says})
    assert (entry.body, entry.state, entry.known_up_to) == (opened.body, "open", opened.known_up_to)
    assert (entry.decided_at, opened.decided_at) == (at(31), opened.known_up_to)
    assert SECRET not in repr(entry)
    rebuilt(desk)


def test_a_wrong_finding_says_its_rule_and_then_that_it_ended(desk):
    do(desk, late("1"), do_.Dismiss(by="li", why=SECRET), 31)
    [entry] = steps(desk)
    assert (entry.change, {*entry.step}) == ("dismissed", {"by", "at", "rule", "policy"})
    assert entry.step["rule"] == entry.body["rule"]
    assert SECRET not in repr(entry.step)
    rebuilt(desk)


def test_what_is_given_back_woken_confirmed_and_opened_again_is_told(desk):
    for command, when in (
        (Acknowledge(by="li", until=at(99)), 31),
        (do_.GiveBack(by="li"), 32),
        (Snooze(by="li", until=at(99)), 33),
        (do_.Wake(by="li"), 34),
        (do_.Contact(by="li", channel="phone", outcome="agreed", agreement="new date", contact_id="K"), 35),
        (do_.Confirm(by="li", contact_id="K", channel="sms"), 36),
        (Resolve(by="li"), 37),
        (Reopen(by="li"), 38),
    ):
        do(desk, late("1"), command, when)
    told = [
        (one.change, {name: one.step[name] for name in one.step if name not in {"by", "at"}}) for one in steps(desk)
    ]
    assert told == [
        ("acknowledged", {"until": iso(at(99))}),
        ("returned", {"was": "li"}),
        ("snoozed", {"until": iso(at(99)), "next_event": False}),
        ("woken", {"cause": "staff"}),
        ("contacted", {"channel": "phone", "outcome": "agreed"}),
        ("confirmed", {"channel": "sms"}),
        ("resolved", {}),
        ("reopened", {"cause": "staff"}),
    ]
    rebuilt(desk)


def test_what_time_did_is_told_under_its_name(desk):
    do(desk, late("1"), Acknowledge(by="li", until=at(32)), 31)
    do(desk, late("2"), Snooze(by="li", until=at(33)), 31)
    do(desk, late("2"), do_.Contact(by="li", channel="phone", outcome="busy", next_attempt=at(34)), 31)
    desk.come(40)
    told = {(one.change, one.step["by"], one.step["at"]) for one in steps(desk) if one.step["by"] != "li"}
    assert told == {
        ("returned", "clock", iso(at(32))),
        ("woken", "clock", iso(at(33))),
        ("contact_due", "clock", iso(at(34))),
    }
    rebuilt(desk)


def test_both_incidents_of_a_merger_tell_of_it(desk):
    merge(desk, "1", "2", 31)
    do(desk, late("1"), do_.Split(by="li"), 32)
    assert [(one.change, one.incident, {**one.step, "by": 0, "at": 0}) for one in steps(desk)] == [
        ("merged", late("1"), {"by": 0, "at": 0, "into": late("2")}),
        ("absorbed", late("2"), {"by": 0, "at": 0, "part": late("1")}),
        ("split", late("1"), {"by": 0, "at": 0, "whole": late("2")}),
        ("released", late("2"), {"by": 0, "at": 0, "part": late("1")}),
    ]
    rebuilt(desk)


def test_a_step_shows_the_finding_as_it_was_and_not_as_it_became(desk):
    do(desk, late("1"), Note(by="li", text="before"), 31)
    desk.hear(scanned(33, "P1", fulfillment_ids=("F1",)), until=34)
    do(desk, late("1"), Note(by="li", text="after"), 35)
    assert [one.state for one in steps(desk)] == ["open", "ended"]
    assert [one.body["ended_at"] for one in steps(desk)] == [None, iso(at(33))]
    rebuilt(desk)


def test_of_several_episodes_the_one_that_counts_is_shown_also_after_an_older_one_was_amended(told):
    write = Told(told)
    late_order(told, "1", "C", due=900)
    tea = "incident-stock_out-O1%3ATEA"
    write.opens("backlog-x", finding("stock_out", "O1:TEA", 1, orders=("O1",)))
    write.ends("backlog-x", finding("stock_out", "O1:TEA", 1, ended=2, orders=("O1",)))
    write.opens("backlog-x", finding("stock_out", "O1:TEA", 3, orders=("O1",)))
    write.ends("backlog-x", finding("stock_out", "O1:TEA", 1, ended=2.5, orders=("O1",)))
    do(told, tea, Note(by="li", text="?"), 5)
    [entry] = steps(told)
    assert (entries(told)[-2].state, entry.state, entry.due_at) == ("ended", "open", at(3))
    assert entry.unrest is None
    rebuilt(told)


def test_a_step_with_what_no_rule_reports_is_no_entry(tmp_path):
    with stage(tmp_path, '[kinds]\nenabled = ["warehouse_backlog"]\n') as told:
        late_order(told, "1", "C")
        told.come(30)
        IncidentDesk(told.log).handle(Case(late("1"), "order-O1"), Note(by="li", text="?"), at=at(31))
        told.follow()
        assert (told.query("SELECT change FROM feed_steps"), entries(told)) == ([("noted",)], [])


def test_pages_of_it_hold_findings_and_steps_in_the_order_of_the_log(desk):
    for when in range(31, 36):
        do(desk, late("1"), Note(by="li", text="?"), when)
        late_order(desk, str(when), "C")
        desk.come(when)
    whole = entries(desk)
    assert [one.position for one in whole] == sorted({one.position for one in whole})
    for limit in (1, 2, 3):
        found, position = [], 0
        while page := entries(desk, position, limit):
            found, position = [*found, *page], page[-1].position
            assert len(page) == limit or position == whole[-1].position
        assert found == whole


@pytest.mark.parametrize("stream", ["order-O1", late("1")])
def test_what_waited_is_told_as_if_it_had_never_waited(told, stream):
    choking = Choking(feed.VIEW, stream)
    watched = [choking if view is feed.VIEW else view for view in rebuild.chosen(())]
    told.follower = Follower(told.store, told.log.store, watched)
    late_order(told, "1", "C")
    told.come(30)
    do(told, late("1"), Note(by="li", text="?"), 31)
    assert "noted" not in [one.change for one in entries(told)]
    told.hear(scanned(33, "P1", fulfillment_ids=("F1",)), until=34)
    do(told, late("1"), Note(by="li", text="?"), 35)
    choking.mended = True
    Follower(told.store, told.log.store, watched).catch_up()
    assert [(one.change, one.state) for one in entries(told)] == [
        ("opened", "open"),
        ("noted", "open"),
        ("ended", "ended"),
        ("noted", "ended"),
    ]
    rebuilt(told)


def test_a_page_takes_as_many_statements_however_many_steps_it_holds(desk):
    for when in range(31, 41):
        do(desk, late("12"[when % 2]), Note(by="li", text="?"), when)
    counter = Counter()
    with desk.store.reading() as rows:
        assert len(feed.after(Counting(rows, counter, "page"), 0, 100)) == 12
    assert counter["page"] == 3


def test_a_rebuild_tells_the_same_under_the_same_ids(desk):
    do(desk, late("1"), Acknowledge(by="li"), 31)
    merge(desk, "2", "1", 32)
    before = entries(desk)
    rebuild.rebuild(desk.store, desk.log.store, ["feed"])
    assert entries(desk) == before


ANY = st.lists(
    st.tuples(
        st.sampled_from("12"),
        st.sampled_from(
            [
                Acknowledge(by="li", until=at(999)),
                Assign(by="li", person="zhou"),
                Assign(by="li"),
                Snooze(by="li", next_event=True),
                Note(by="li", text="?"),
                Resolve(by="li"),
                Reopen(by="li"),
            ]
        ),
    ),
    max_size=12,
)


@pytest.mark.only_on("sqlite")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY)
def test_the_feed_is_the_log_in_its_order(tmp_path_factory, wanted):
    with stage(tmp_path_factory.mktemp("any")) as told:
        for name in "12":
            late_order(told, name, "C")
        told.come(30)
        for hour, (name, command) in enumerate(wanted, 31):
            try:
                do(told, late(name), command, hour)
            except IllegalStep:
                continue
        topics = [event.TOPIC for event in (*FINDING_EVENTS, *feed.STEPS)]
        log = [(position, event.TOPIC.split(".")[1]) for position, _, event in told.log.read(0, 500, topics)]
        assert [(one.position, one.change) for one in entries(told)] == log
        for one, other in pairwise(entries(told)):
            assert one.position < other.position
