"""What ingest hands to the tracker: a polled batch of messages, decoded once, with where it came from."""

from typing import ClassVar, NamedTuple

import msgspec

from domain.errors import Unreadable
from domain.events import Event, Fact
from domain.instant import Instant


class Foreign(NamedTuple):
    """A well-formed event of a family that is not ours: counted and skipped, but its source is alive."""

    type: str
    source: str
    at: Instant | None
    id: str


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One record of a partition, and what it says."""

    offset: int
    content: Fact | Foreign | Unreadable
    digest: bytes
    """8 bytes over canonical (type, time, subject, data); empty where there is no content."""
    raw: "Raw"
    flags: tuple[str, ...] = ()


class Raw(NamedTuple):
    """A record as the broker gave it; quarantine keeps it untouched."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    stamped_at: Instant | None
    """The record's own timestamp, for display only."""


class Slice(NamedTuple):
    """One partition's part of a batch."""

    partition: str
    """Identity of the partition: cluster, topic id and number; a topic made anew is another one."""
    topic: str
    number: int
    expected: int | None
    """The position we last stored or loaded; null for a partition never taken from."""
    next: int
    """The position after this batch."""
    records: tuple[Incoming, ...]


class Batch(NamedTuple):
    """What one poll brought, to be taken in whole or not at all."""

    slices: tuple[Slice, ...]
    received_at: Instant


class Position(NamedTuple):
    """How far a partition has been taken in."""

    partition: str
    topic: str
    number: int
    next: int
    last_offset: int | None
    last_digest: bytes
    batches: int
    largest: Instant | None
    """The largest event time seen on it."""
    taken_up_to: Instant | None
    """Everything the broker had at this instant of the live clock is in."""


class BatchTaken(Event, frozen=True, kw_only=True):
    """A batch of one partition was taken in; closes the transaction that stored it."""

    TOPIC: ClassVar[str] = "batch.taken.v1"
    partition: str
    topic: str
    number: int
    first: int
    next: int
    records: int
    taken: int
    repeated: int
    foreign: int
    received_at: Instant
    largest: Instant | None = None
    taken_up_to: Instant | None = None
    quarantined: dict[str, int] = {}
    """By code."""
    sources: dict[str, Instant] = {}
    """Per source the largest event time of this batch."""
    spans: dict[str, tuple[tuple[Instant, Instant], ...]] = {}
    """Per source its event times, heartbeats included, as runs without a gap of more than a minute."""
    ends: dict[str, tuple[str, ...]] = {}
    """Per source the id of the event that ends each run."""
    beats: dict[str, Instant] = {}
    """Per source the earliest heartbeat of this batch."""
    events: dict[str, int] = {}
    """Per source how many readable messages came, repeats included."""
    foreign_types: dict[str, int] = {}
    flags: dict[str, int] = {}
    """Impossible times and dropped personal values, counted by ``name source``."""


class TickFired(Event, frozen=True, kw_only=True):
    """Deadlines came due and were looked at; closes the transaction that stored what was found."""

    TOPIC: ClassVar[str] = "tick.fired.v1"
    until: Instant
    subjects: int
    failed: dict[str, str] = {}
    """Subjects that could not be judged, and the error; they are looked at again when something happens to them."""
    at: Instant | None = None
    """When that was done, which is later than ``until`` where less had been read."""


class GroupsTold(Event, frozen=True, kw_only=True):
    """Backlogs and other groups know of everything up to a position; closes the transaction that told them."""

    TOPIC: ClassVar[str] = "groups.told.v1"
    up_to: int
    failed: dict[str, str] = {}
    """Groups that could not be judged, and the error."""
    kinds: dict[str, int] = {}
    """Up to where each kind knows that is told only while a policy enables it."""
    at: Instant | None = None
    """When that was done."""


class WentLive(Event, frozen=True, kw_only=True):
    """The first start against this broker; findings due before it are historic."""

    TOPIC: ClassVar[str] = "tracker.went_live.v1"
    at: Instant
    begun_from: str


class PolicyAdopted(Event, frozen=True, kw_only=True):
    """From this instant on this policy judges; what was due before keeps the one before."""

    TOPIC: ClassVar[str] = "policy.adopted.v1"
    hash: str
    text: str
    since: Instant


class GapAccepted(Event, frozen=True, kw_only=True):
    """Records were gone before they could be read, and somebody chose to go on without them."""

    TOPIC: ClassVar[str] = "ingest.gap_accepted.v1"
    partition: str
    expected: int
    next: int
    at: Instant


class QuarantineSettled(Event, frozen=True, kw_only=True):
    """Somebody retried or dropped a message in quarantine."""

    TOPIC: ClassVar[str] = "quarantine.settled.v1"
    message: int
    action: str
    by: str
    why: str = ""
    at: Instant


EVENTS = (BatchTaken, TickFired, GroupsTold, WentLive, GapAccepted, PolicyAdopted, QuarantineSettled)


class Quarantined(msgspec.Struct, frozen=True):
    """A message that could not be taken in, as it will be kept."""

    partition: str
    offset: int
    code: str
    detail: str
    raw: Raw
    at: Instant
