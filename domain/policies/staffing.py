"""Staffing: the clocks of the staff's own work, when it goes higher, and what unrest is kept off it."""

from typing import Literal

import msgspec

from domain.instant import Duration

Grade = Literal["low", "medium", "high", "critical"]
"""How much a finding weighs, the least first."""


def _span(text: str) -> Duration:
    return Duration.parse(text)


class Escalation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step up: whatever goes on for so long goes to somebody with more say."""

    after: Duration
    """So long after it was found, grew grave enough for this step, or was opened again; in the staff's working time."""
    to: str
    """The person or team."""
    level: int = 1
    """How high this step is; it does nothing for what has been brought that high since it was opened, so two steps of
    one level and kind go to the same, the graver one sooner."""
    unless: Literal["acknowledged", "resolved"] = "acknowledged"
    """What keeps it from happening; while somebody has taken the incident on, a step that waits for that holds."""
    severity: Grade = "low"
    """The least severity that it is for."""
    kinds: tuple[str, ...] = ()
    """The kinds that it is for; all where none is named."""


class Flapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When what ends and begins again and again is unrest and no news."""

    changes: int = 6
    """So many beginnings and ends of one incident; 0 takes each as news."""
    within: Duration = _span("24h")
    """In this span."""
    hold: Duration = _span("6h")
    """It is news again once it has not changed for so long."""


class Estimates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a carrier's estimate counts as a date that customers may be told."""

    hold: Duration = _span("2h")
    """Once it has stood for so long; until then the one before it does."""


class Incidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The clocks of the staff's own work."""

    acknowledge_timeout: Duration = _span("30m")
    """An incident that somebody took and did nothing about is given back after this."""
    reopen_within: Duration = _span("72h")
    """The same trouble coming back this soon reopens its incident; later it is another."""
    escalation: tuple[Escalation, ...] = ()
    """Steps up, each headed ``[[incidents.escalation]]``; none unless some are named."""
    flapping: Flapping = Flapping()
