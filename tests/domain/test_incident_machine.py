"""The workflow against a small model of its own: whatever people do in whatever order, both say the same."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import IllegalStep
from domain.history.log import decode, encode
from domain.incidents.clock import due, pass_time
from domain.incidents.commands import (
    Acknowledge,
    Approve,
    Compensate,
    Confirm,
    Contact,
    Dismiss,
    GiveBack,
    Reopen,
    Resolve,
    Snooze,
    Wake,
)
from domain.incidents.incident import Incident, evolve, status
from domain.instant import FOREVER, HOUR, Instant
from tests.domain.handled import TERMS, Case
from tests.draws import draws
from tests.story import DAWN

people = st.sampled_from(("li", "wang", "zhou"))
spans = st.integers(1, 9).map(lambda n: n * HOUR)


class Desk(RuleBasedStateMachine):
    """Keeps, beside the incident, the little that one must know to say what will happen."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Case()
        self.now: Instant = DAWN
        self.holder: tuple[str, Instant] | None = None
        self.asleep: Instant | None = None
        self.closed: str | None = None
        self.unconfirmed: set[str] = set()
        self.proposed: str | None = None
        self.paid = False
        self.calls = 0

    def does(self, command: Any, *, ok: bool) -> None:
        """Carry it out and see that it is refused exactly where the model says so; a refusal leaves no trace."""
        before, count = status(self.case.state), len(self.case.events)
        try:
            self.case.do(command, (self.now - DAWN) / HOUR)
        except IllegalStep:
            assert not ok, command
            assert (status(self.case.state), len(self.case.events)) == (before, count)
        else:
            assert ok, command

    @rule(span=spans)
    def time_passes(self, span: int) -> None:
        self.now += span
        wakes = self.closed is None and self.asleep is not None and self.asleep < self.now
        if wakes:
            self.asleep = None
        if self.closed is None and self.asleep is None and self.holder is not None and self.holder[1] < self.now:
            self.holder = None
        self.case.record(pass_time(self.case.state, self.now))

    @rule(who=people, span=st.none() | spans)
    def acknowledge(self, who: str, span: int | None) -> None:
        ok = self.closed is None and (self.holder is None or self.holder[0] == who)
        until = None if span is None else self.now + span
        self.does(Acknowledge(by=who, until=until), ok=ok)
        if not ok:
            return
        if self.holder is None or self.asleep is not None or (until is not None and until > self.holder[1]):
            self.holder = (who, self.now + TERMS.acknowledge_timeout if until is None else until)
        self.asleep = None

    @rule(who=people)
    def give_back(self, who: str) -> None:
        ok = self.closed is None and self.holder is not None
        self.does(GiveBack(by=who), ok=ok)
        self.holder = None if ok else self.holder

    @rule(who=people, span=st.integers(-2, 9).map(lambda n: n * HOUR))
    def snooze(self, who: str, span: int) -> None:
        ok = self.closed is None and span > 0
        self.does(Snooze(by=who, until=self.now + span), ok=ok)
        self.asleep = self.now + span if ok else self.asleep

    @rule(who=people)
    def wake(self, who: str) -> None:
        ok = self.closed is None and self.asleep is not None
        self.does(Wake(by=who), ok=ok)
        self.asleep = None if ok else self.asleep

    @rule(who=people, agreement=st.sampled_from(("", "refund")), channel=st.sampled_from(("phone", "chat")))
    def contact(self, who: str, agreement: str, channel: Any) -> None:
        name, ok = f"call-{self.calls}", self.closed is None
        self.does(Contact(by=who, contact_id=name, channel=channel, outcome="reached", agreement=agreement), ok=ok)
        self.calls += 1
        if ok and agreement and channel == "phone":
            self.unconfirmed.add(name)

    @rule(who=people)
    def confirm_one(self, who: str) -> None:
        name = min(self.unconfirmed, default="none")
        self.does(Confirm(by=who, contact_id=name, channel="email"), ok=bool(self.unconfirmed))
        self.unconfirmed.discard(name)

    @rule(who=people)
    def propose(self, who: str) -> None:
        again = self.proposed == who
        ok = self.closed is None and (self.proposed is None or again)
        self.does(Compensate(by=who, member="O", amount="300", currency="CNY", form="refund"), ok=ok)
        self.proposed = who if ok else self.proposed

    @rule(who=people)
    def approve(self, who: str) -> None:
        ok = self.closed is None and self.proposed not in {None, who} and not self.paid
        if not self.paid:
            self.does(Approve(by=who, member="O"), ok=ok)
        self.paid |= ok

    @rule(who=people, how=st.sampled_from(("resolved", "dismissed")))
    def close(self, who: str, how: str) -> None:
        command = Resolve(by=who) if how == "resolved" else Dismiss(by=who, why="wrong")
        same = self.case.state.closed is not None and self.case.state.closed.by == who and self.closed == how
        loose = bool(self.unconfirmed) or (self.proposed is not None and not self.paid)
        ok = same or (self.closed is None and not loose)
        self.does(command, ok=ok)
        if ok:
            self.closed, self.holder, self.asleep = how, None, None

    @rule(who=people)
    def reopen(self, who: str) -> None:
        self.does(Reopen(by=who), ok=self.closed is not None)
        self.closed = None

    @invariant()
    def both_say_where_it_stands(self) -> None:
        wanted = self.closed or ("snoozed" if self.asleep else "acknowledged" if self.holder else "new")
        assert status(self.case.state) == wanted

    @invariant()
    def time_is_asked_for_exactly_where_it_will_do_something(self) -> None:
        again = due(self.case.state)
        assert again == (self.asleep or (self.holder[1] if self.holder else None))
        assert bool(pass_time(self.case.state, FOREVER)) == (again is not None)
        assert again is None or not pass_time(self.case.state, again)

    @invariant()
    def what_is_stored_and_read_again_is_the_same_incident(self) -> None:
        again = Incident(self.case.state.id)
        for event in self.case.events:
            again = evolve(again, decode(event.TOPIC, encode(event)))
        assert again == self.case.state

    @invariant()
    def nobody_is_paid_twice_nor_on_one_word(self) -> None:
        paid = [event for event in self.case.events if event.TOPIC == "incident.compensated.v1"]
        assert len(paid) == int(self.paid)
        assert all(len(set(event.approvals)) == 2 for event in paid)  # type: ignore[union-attr]  # only those that were paid


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=draws(60), stateful_step_count=25, deadline=None)
