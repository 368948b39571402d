"""Incidents that people act on, hour by hour, and one in every state."""

from typing import Any, Final

import pytest

from domain.errors import IllegalStep
from domain.incidents.clock import pass_time
from domain.incidents.commands import (
    Acknowledge,
    Command,
    Dismiss,
    Merge,
    Resolve,
    Situation,
    Snooze,
    Split,
    Terms,
)
from domain.incidents.events import IncidentEvent
from domain.incidents.grouping import merge, split
from domain.incidents.incident import Incident, evolve, status
from domain.incidents.steps import decide
from domain.instant import HOUR
from tests.story import at

TERMS: Final = Terms(acknowledge_timeout=4 * HOUR, cap="1000", second_approval_above="200")


class Case:
    """An incident that people act on, hour by hour; what was recorded stays in ``events``."""

    def __init__(self, name: str = "incident-late_shipment-F") -> None:
        self.state = Incident(name)
        self.events: list[IncidentEvent] = []
        self.now = at(0)

    def do(self, command: Command, when: float | None = None, **situation: Any) -> tuple[IncidentEvent, ...]:
        self.now = self.now if when is None else at(when)
        met = Situation(self.now, position=100, terms=TERMS)._replace(**situation)
        return self.record(decide(self.state, command, met))

    def record(self, events: tuple[IncidentEvent, ...]) -> tuple[IncidentEvent, ...]:
        for event in events:
            self.state = evolve(self.state, event)
        self.events += events
        return events

    def come(self, until: float) -> tuple[IncidentEvent, ...]:
        return self.record(pass_time(self.state, at(until)))

    def join(self, whole: "Case", by: str = "li") -> None:
        of_part, of_whole = merge(self.state, whole.state, Merge(by=by), Situation(self.now))
        self.record(of_part)
        whole.record(of_whole)

    def part(self, whole: "Case") -> None:
        of_part, of_whole = split(self.state, whole.state, Split(by="li"), Situation(self.now))
        self.record(of_part)
        whole.record(of_whole)

    def refuses(self, command: Command, **situation: Any) -> str:
        before = len(self.events)
        with pytest.raises(IllegalStep) as refused:
            self.do(command, **situation)
        assert len(self.events) == before
        assert refused.value.reason
        return refused.value.code

    @property
    def status(self) -> str:
        return status(self.state)


def new() -> Case:
    return Case()


def acknowledged() -> Case:
    made = Case()
    made.do(Acknowledge(by="li"))
    return made


def snoozed() -> Case:
    made = Case()
    made.do(Snooze(by="li", until=at(5)))
    return made


def resolved() -> Case:
    made = Case()
    made.do(Resolve(by="li"))
    return made


def dismissed() -> Case:
    made = Case()
    made.do(Dismiss(by="li", why="picked up by hand"))
    return made


def merged() -> Case:
    made = Case()
    made.join(Case("incident-warehouse_backlog-W"))
    return made
