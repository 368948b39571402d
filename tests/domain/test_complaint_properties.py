"""Laws of complaints: any order of arrival, rule and timer agree, and a desk that counts the hours by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.complaints.complaint import (
    Complaint,
    ComplaintAnswered,
    ComplaintCategorised,
    ComplaintChange,
    ComplaintEscalated,
    ComplaintFact,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWaiting,
    Sibling,
    decide,
    evolve,
    spells,
)
from domain.detection import Finding, reconcile
from domain.detectors import complaint_overdue, mis_shipment_reported
from domain.events import Stamp
from domain.instant import Instant, instant
from domain.policies.policy import load
from tests.domain.complaints import given, shown, told
from tests.story import LATER, at

POLICY: Final = load('[complaint_overdue]\nfirst_response = "2h"\ngeneral = "5h"\ncomplex = "7h"\nmerge_within = "3h"')
RULES: Final = (complaint_overdue.DETECTOR, mis_shipment_reported.DETECTOR)
KINDS: Final = (
    ComplaintOpened,
    ComplaintAnswered,
    ComplaintCategorised,
    ComplaintEscalated,
    ComplaintResolved,
    ComplaintResolved,
    ComplaintReopened,
    ComplaintWaiting,
    ComplaintWaiting,
)
CATEGORIES: Final = ("late", "not_received", "wrong_item", "missing_item", "damaged", "other")
when = st.integers(0, 16).map(at)
DEAD_END: Final = 200
HORIZON: Final = 200
"""Hours after which nothing drawn here is still to come."""
SHIFTS: Final = {9, 10, 11, 13}
STAFFED: Final = load(
    '[complaint_overdue]\nfirst_response = "2h"\ngeneral = "5h"\ncomplex = "7h"\n'
    '[calendars.staff]\ntimezone = "UTC"\nhours = ["mon-sun 09:00-12:00", "mon-sun 13:00-14:00"]'
)


@st.composite
def heard(draw: st.DrawFn, kinds: tuple[type[ComplaintFact], ...] = KINDS) -> list[ComplaintFact]:
    """Draw facts of complaint C, each with an id of its own, so that equal times fall in any order."""
    ids = draw(st.permutations([f"{n:02}" for n in range(draw(st.integers(0, 10)))]))
    return [draw(_fact(kind, one)) for one in ids for kind in [draw(st.sampled_from(kinds))]]


@st.composite
def _fact(draw: st.DrawFn, kind: type[ComplaintFact], name: str) -> ComplaintFact:
    members: dict[str, Any] = {"at": draw(when), "source": draw(st.sampled_from(("/a", "/b"))), "id": name}
    if kind is ComplaintOpened:
        members |= {"channel": "phone", "order_id": draw(st.sampled_from(("O", "O", "O", "O", "O", "Q", None)))}
        members |= {"category": draw(st.sampled_from((None, *CATEGORIES, "late", "late", "not_received")))}
        members |= {"complexity": draw(st.sampled_from((None, "general", "complex")))}
    elif kind is ComplaintCategorised:
        members |= {"category": draw(st.sampled_from(CATEGORIES))}
    elif kind is ComplaintWaiting:
        members |= {"on": draw(st.sampled_from(("customer", "customer", "staff", "carrier")))}
    return kind(complaint_id="C", **members)


@st.composite
def orders(draw: st.DrawFn) -> list[ComplaintChange]:
    """Draw what the order says in one or two versions."""
    names = draw(st.lists(st.sampled_from(("A", "B", "D", "E")), unique=True, max_size=4))
    categories = st.sampled_from((None, *CATEGORIES, "late", "late", "not_received"))
    stamps = when.map(lambda at_: Stamp(at_, "/a", "of"))
    siblings = [
        Sibling(name, draw(categories), Stamp(draw(when), "/a", f"of-{name}"), draw(st.none() | stamps))
        for name in names
    ]
    shipped = draw(st.sampled_from(((), (), ("P",))))
    return [told(*siblings, version=2, mis_shipped=shipped), *draw(st.sampled_from(([], [told(version=1)])))]


def _opened(when_: Instant, category: str) -> ComplaintOpened:
    return ComplaintOpened(
        at=when_, source="/a", id="of-C", complaint_id="C", channel="app", order_id="O", category=category
    )


anything = st.tuples(heard(), st.lists(_fact(ComplaintOpened, "of-C"), max_size=1), orders() | st.just([])).map(
    lambda parts: [one for part in parts for one in part]
)
duplicates = st.tuples(heard(KINDS[1:]), st.sampled_from(("late", "not_received")), st.integers(0, 4)).map(
    lambda parts: [*parts[0], _opened(at(4), parts[1]), told(Sibling("A", "late", Stamp(at(parts[2]), "/a", "of-A")))]
)
world = anything | duplicates


def found(complaint: Complaint, until: Instant) -> list[Finding]:
    """Find by every rule over complaints."""
    return [one for rule in RULES for one in rule.look(complaint, until, POLICY).findings]


def findable(one: Finding) -> Instant:
    """Read back the instant after which a finding may be found."""
    known = one.detail.get("knowable_at")
    return one.due_at if known is None else instant(datetime.fromisoformat(known))


@forall(said=world, data=st.data(), until=when)
def test_neither_the_order_of_arrival_nor_repeats_change_anything(said, data, until) -> None:
    repeats = data.draw(st.lists(st.sampled_from(said), max_size=3)) if said else []
    once, again = given(*said), given(*data.draw(st.permutations([*said, *repeats])))
    assert once.meaning == again.meaning
    for rule in RULES:
        assert rule.look(once, until, POLICY) == rule.look(again, until, POLICY)
        assert rule.look(once, LATER, POLICY) == rule.look(again, LATER, POLICY)


@forall(said=world)
def test_deciding_twice_does_no_harm(said) -> None:
    complaint = given(*said)
    assert [event for one in said for event in decide(complaint, one)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@forall(said=world)
def test_whoever_looks_only_when_asked_to_finds_everything_and_each_at_once(rule, said) -> None:
    complaint = given(*said)
    everything = rule.look(complaint, LATER, POLICY).findings
    seen: dict[Any, Instant] = {}
    again: Instant | None = rule.look(complaint, at(-99), POLICY).again
    for _ in range(DEAD_END):
        if again is None:
            break
        assert {one.key for one in rule.look(complaint, again, POLICY).findings} == set(seen)
        for one in rule.look(complaint, again + 1, POLICY).findings:
            seen.setdefault(one.key, again)
        again = rule.look(complaint, again + 1, POLICY).again
    assert again is None
    assert seen == {one.key: findable(one) for one in everything}


@forall(said=world, until=when)
def test_what_is_found_stays_found_as_time_goes_on(said, until) -> None:
    complaint = given(*said)
    later = found(complaint, LATER)
    assert found(complaint, until) == [one for one in later if findable(one) < until]


@forall(said=world)
def test_a_finding_begins_before_it_is_due_and_ends_after(said) -> None:
    complaint = given(*said)
    everything = found(complaint, LATER)
    assert len({one.key for one in everything}) == len(everything)
    for one in everything:
        assert one.since <= one.due_at
        assert one.ended_at is None or one.due_at < one.ended_at
        assert (one.ended_at is None) == ("ended_by" not in one.detail)
        assert complaint.opening is not None
        assert complaint.opening.stamp.ref in one.proof
        assert one.detail["cleared_by"]
        assert one.order_ids == (() if complaint.meaning.order_id is None else (complaint.meaning.order_id,))
        assert one.kind != "mis_shipment" or one.order_ids


@forall(said=world)
def test_times_to_resolve_follow_each_other(said) -> None:
    complaint = given(*said)
    stretches = spells(complaint)
    assert all(one.settled is not None and one.settled <= after.started for one, after in pairwise(stretches))
    assert all(one.settled is None or one.started <= one.settled for one in stretches[1:])
    assert bool(stretches) == (complaint.opening is not None)


@forall(said=world, data=st.data())
def test_the_log_of_a_live_desk_ends_with_what_holds(said, data) -> None:
    complaint, now = Complaint("C"), at(-1)
    for one in data.draw(st.permutations(said)):
        for event in decide(complaint, one):
            evolve(complaint, event)
        now = max(now, data.draw(when))
        for change in reconcile(complaint.findings, found(complaint, now), now):
            evolve(complaint, change)
    for change in reconcile(complaint.findings, found(complaint, LATER), LATER):
        evolve(complaint, change)
    held = [one.finding for one in complaint.findings.values() if not one.retracted]
    assert sorted(held, key=lambda one: one.key) == sorted(found(given(*said), LATER), key=lambda one: one.key)


class Counted:
    """A desk that watches one complaint hour by hour and counts how long each of its clocks ran."""

    def __init__(self, facts: Sequence[ComplaintFact], shifts: Collection[int]) -> None:
        self.facts = facts
        self.shifts = shifts
        self.opened: Instant | None = min((one.at for one in facts if isinstance(one, ComplaintOpened)), default=None)
        firsts = [one for one in facts if isinstance(one, ComplaintOpened)]
        self.span = 7 if firsts and min(firsts, key=lambda one: one.stamp).complexity == "complex" else 5
        self.waits = False
        self.running: dict[str, list[Any]] = {}
        """Rule to (since, hours it ran, due)."""
        self.settled = self.answered = False
        self.rows: list[tuple[str, float | None, float | None, float | None]] = []

    def watch(self) -> list[tuple[str, float | None, float | None, float | None]]:
        """Give (rule, since, due, ended) of every clock that ran out."""
        for hour in range(HORIZON):
            if self.opened == at(hour):
                self._open(hour)
            for one in sorted(self.facts, key=lambda fact: fact.stamp):
                if one.at == at(hour):
                    self._hear(one, hour)
            for rule, clock in self.running.items():
                limit = 2 if rule == "first_response" else self.span
                stands = self.waits and rule == "resolution"
                if clock[1] >= limit and clock[2] is None and not stands:
                    clock[2] = hour
                clock[1] += hour % 24 in self.shifts and not stands
        for rule in list(self.running):
            self._stop(rule, None)
        return sorted(self.rows, key=lambda row: (row[0], row[1]))

    def _open(self, hour: int) -> None:
        if not self.answered:
            self.running["first_response"] = [hour, 0, None]
        if not self.settled:
            self.running["resolution"] = [hour, 0, None]

    def _hear(self, one: ComplaintFact, hour: int) -> None:
        opened = self.opened is not None and at(hour) >= self.opened
        if isinstance(one, ComplaintWaiting):
            self.waits = one.on == "customer"
        if isinstance(one, (ComplaintAnswered, ComplaintResolved)):
            self.answered = True
            self._stop("first_response", hour)
        if isinstance(one, ComplaintResolved):
            self.waits = False
            self.settled = True
            self._stop("resolution", hour)
        if isinstance(one, ComplaintReopened):
            self.waits = False
            if opened and self.settled:
                self.running["resolution"] = [hour, 0, None]
            self.settled = False

    def _stop(self, rule: str, hour: int | None) -> None:
        since, _, due = self.running.pop(rule, (0, 0, None))
        if due is not None:
            self.rows.append((rule, since, due, hour))


@pytest.mark.parametrize(("policy", "shifts"), [(POLICY, range(24)), (STAFFED, SHIFTS)], ids=["always", "staffed"])
@forall(said=heard())
def test_a_desk_that_counts_the_hours_by_hand_finds_the_same(policy, shifts, said) -> None:
    found_by_rule = complaint_overdue.findings(given(*said), at(HORIZON), policy)
    assert sorted(shown(found_by_rule), key=lambda row: (row[0], row[1])) == Counted(said, shifts).watch()
