"""What leaves about what was done with an incident, and what rules said of it; see ``contract.incidents``."""

from typing import Any

from api.contract.desk import Workflow
from api.contract.incidents import AsOf, IncidentDetail, Told


class StepTaken(Told):
    """One thing that somebody did about an incident, or that a rule said of its finding."""

    step: str
    """``acknowledged``, ``noted``, ``contacted``, ``escalated``, ``resolved`` …; what a rule said is ``opened``,
    ``amended``, ``ended`` or ``retracted``."""
    at: str
    """When it was done; of what a rule said the world time: when what it found began to hold, or ended."""
    recorded_at: str
    """When the tracker's log took it, and so when we knew."""
    by: str
    """A person; ``clock`` where time did it, ``tracker`` where news of the finding did, ``rule`` where one said it."""
    why: str
    position: str
    """Token of its place in the log."""
    detail: dict[str, Any]
    """What it said besides."""
    rule: str | None = None
    """Which rule said it; null of what was done."""
    policy: str | None = None
    """Hash of the policy that it judged by; ``tracker config show`` lists the policies."""
    proof: list[str] | None = None
    """``source#id`` of the input events that it rests on."""


class NoteTaken(Told):
    """Something that somebody wrote down."""

    text: str
    by: str
    at: str


class History(Told):
    """All that rules said and people did about an incident, in the order in which it was learnt."""

    history: list[StepTaken]
    as_of: AsOf


class Worked(IncidentDetail):
    """An incident with all that it rests on, what staff have made of it, and how."""

    workflow: Workflow
    notes: list[NoteTaken]
    history: list[StepTaken]
    """The last hundred steps of staff; ``/v1/incidents/<id>/history`` has all, and what the rules said."""
