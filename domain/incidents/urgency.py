"""Urgency: what brings an incident to people with more say, and what keeps it quiet."""

from typing import ClassVar, Literal

import msgspec

from domain.incidents.step import Step
from domain.instant import Instant


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step up that time will take by itself."""

    at: Instant
    to: str
    level: int
    unless: Literal["acknowledged", "resolved"]
    severity: str = "low"
    """The least severity that it is for."""


class IncidentEscalationPlanned(Step, frozen=True, kw_only=True):
    """The tracker worked out when it goes up, by what is found now; the last word wins."""

    TOPIC: ClassVar[str] = "incident.escalation_planned.v1"
    subject: str
    """The stream that holds the finding."""
    steps: tuple[PlannedStep, ...]
    """By time; none once nothing is open any more."""


class IncidentEscalated(Step, frozen=True, kw_only=True):
    """It went to somebody with more say."""

    TOPIC: ClassVar[str] = "incident.escalated.v1"
    to: str
    level: int
    """How high it is now; each time that a person sends it up is one more."""
    step: int = 0
    """The level of the planned step that time took; 0 where a person did it."""
    subject: str = ""
    """The stream that holds the finding."""


class IncidentMuted(Step, frozen=True, kw_only=True):
    """Another incident speaks for it, so that it goes to nobody by itself; or, with none, no other does any more."""

    TOPIC: ClassVar[str] = "incident.muted.v1"
    speaker: str | None = None


class IncidentNewsHeld(Step, frozen=True, kw_only=True):
    """The finding began or ended once more within a spell of unrest: that wakes nobody until it stands still."""

    TOPIC: ClassVar[str] = "incident.news_held.v1"
    until: Instant
    holds: bool
    """Whether the finding is open as of this news."""
    subject: str
    """The stream that holds the finding."""
