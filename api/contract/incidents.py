"""What leaves over HTTP: names and shapes that others rely on. World times are RFC 3339 in UTC."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

State = Literal["open", "ended", "retracted"]
Severity = Literal["low", "medium", "high", "critical"]


class Told(BaseModel):
    """Whatever leaves is written once and not changed."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class AsOf(Told):
    """How fresh an answer is."""

    position: str
    """Token of the log position that the views have come to."""
    known_up_to: str | None
    """Everything that happened up to here has been read; null while the past is still being read."""
    now: str
    """The product's clock when this was answered."""
    speed: float
    """How fast that clock runs; 1 is real time."""
    wall: bool
    """Whether that clock is the time of day; the demo's is not."""


class Mending(Told):
    """Known trouble at the place, because of which nobody need be called until it is over."""

    name: str
    until: str
    why: str


class Liability(Told):
    """Who has to answer for it, and how the customer is therefore spoken to."""

    party: str | None
    """``merchant``, ``warehouse``, ``carrier``, ``platform`` or ``customer``; null where no rule and nobody says."""
    set_by: Literal["rule", "staff"]
    rule: str | None
    """The rule that proposed it; null where staff decided."""
    channels: list[str]
    """How to speak to the customer, the best first."""
    confirm_in_writing: bool
    """What is agreed must be confirmed in writing before the incident can be closed."""
    show_evidence: bool


class Staffing(Told):
    """Where it stands in the work of staff."""

    status: Literal["new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"]
    person: str | None
    team: str | None
    acknowledged_by: str | None
    snoozed_until: str | None
    merged_into: str | None
    level: int
    """How high it was escalated."""
    escalated_to: str | None
    escalates_at: str | None
    """When it goes up by itself unless something is done."""
    contacts: int
    next_attempt: str | None
    attempt_due: bool


class Flapping(Told):
    """The incident ends and begins again too often for that to be news: it wakes nobody until it stands still."""

    since: str
    until: str
    """It stands still then, unless it changes before."""
    changes: int


class ChangedIncident(Told):
    """An incident as it was when it changed: the finding that counts, in the contract's form."""

    id: str
    historic: bool
    """Due before this tracker went live: listed, never alerted."""
    kind: str
    subject: str
    since: str
    due_at: str
    ended_at: str | None
    state: State
    order_ids: list[str]
    parcel_id: str | None
    warehouse_id: str | None
    carrier: str | None
    sku: str | None
    severity: Severity
    rule: str
    policy: str
    proof: list[str]
    detail: dict[str, Any]


class IncidentState(ChangedIncident):
    """An incident as it is now, as far as only its own findings and its own staff change it."""

    severity_parts: dict[str, int]
    """The points that make its severity, by what brings them."""
    would_clear: str | None
    """What would end it; null once it has ended."""
    episodes: int
    """How often it began."""
    staff: Staffing


class Incident(IncidentState):
    """An incident as it is now, with what others and the hour make of it."""

    evidence: str | None
    """``feed silent since …`` or ``feed never heard``: maybe only nobody told us; null where that is not so."""
    muted_by: str | None
    """The incident that speaks for it, or ``maintenance:`` and the name of the work; nothing is alerted meanwhile."""
    muted_as: Literal["stronger", "duplicate", "backlog", "cluster", "maintenance"] | None
    mending: Mending | None
    flapping: Flapping | None
    members: int
    """How many incidents it speaks for; ``/v1/incidents?muted_by=<id>`` lists them."""
    liability: Liability
    stale: bool
    """Later events of its subject could not be applied; see ``/v1/projections``."""
    changed: str
    """Token of its last change."""


class IncidentPage(Told):
    """A page of incidents."""

    incidents: list[Incident]
    next: str | None
    """Cursor of the next page; null on the last one."""
    as_of: AsOf


class Evidence(Told):
    """An input event and the Kafka record that brought it."""

    ref: str
    source: str
    id: str
    type: str | None = None
    at: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Episode(Told):
    """One stretch during which an incident held."""

    state: State
    since: str
    due_at: str
    ended_at: str | None
    severity: str
    rule: str
    policy: str
    evidence: list[Evidence]
    ended_by: Evidence | None
    detail: dict[str, Any]
    known_up_to: str
    """Where time stood when this was last decided."""


class IncidentDetail(Told):
    """An incident with all that it rests on."""

    incident: Incident
    episodes: list[Episode]
    as_of: AsOf
