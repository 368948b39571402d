"""What leaves for those who run it; see ``contract.incidents``."""

from typing import Any, Literal

from api.contract.incidents import AsOf, Told


class Count(Told):
    """How often something odd was met."""

    name: str
    source: str | None
    count: int


class Silence(Told):
    """A feed has said nothing for longer than policy allows, not even that it is alive."""

    since: str
    incident: str


class Source(Told):
    """A feed and when it last spoke."""

    source: str
    last_event_at: str
    received_at: str
    events: int
    silence: Silence | None
    """Null while it speaks often enough, or nobody said how often it should."""
    flags: dict[str, int]
    """Impossible times and dropped personal values, by name."""


class PartitionState(Told):
    """How far one partition has been read."""

    topic: str
    partition: int
    position: int
    taken_up_to: str | None
    largest_event_time: str | None
    records: int
    taken: int
    repeated: int
    skipped: int
    retired: bool


class FeedsState(Told):
    """What comes in, how far it has been read, and what was odd about it."""

    sources: list[Source]
    partitions: list[PartitionState]
    quarantined: list[Count]
    foreign: list[Count]
    as_of: AsOf


class ParkedStream(Told):
    """A stream of a view that waits because one of its events could not be applied."""

    stream: str
    position: str
    attempts: int
    error: str


class Projection(Told):
    """A view and how far it has come."""

    name: str
    version: int
    position: str
    behind: int
    """Log positions it has not come to yet."""
    parked: list[ParkedStream]


class Projections(Told):
    """All views."""

    projections: list[Projection]
    log: str
    """Token of the last event of the log."""
    as_of: AsOf


class QuarantinedMessage(Told):
    """A message that could not be taken in; what it says is masked."""

    id: int
    status: str
    code: str
    detail: str
    topic: str
    partition: int
    offset: int
    at: str
    stamped_at: str | None
    size: int
    headers: list[str]
    shape: Any
    """Its JSON with every value masked but the envelope's own; null where it is no JSON."""


class Quarantine(Told):
    """Messages that could not be taken in, oldest first."""

    messages: list[QuarantinedMessage]
    next: str | None


class Health(Told):
    """Whether this process runs."""

    status: Literal["ok"]


class Check(Told):
    """One thing that should be so."""

    name: str
    ok: bool
    needed: bool = True
    """Whether this server is not ready without it."""
    detail: str


class Readiness(Told):
    """Whether answers are fresh enough to be used."""

    ready: bool
    checks: list[Check]


class Version(Told):
    """What is running."""

    name: str
    version: str


class Explanation(Told):
    """What an error code means."""

    code: str
    status: int
    meaning: str
