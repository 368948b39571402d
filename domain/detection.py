"""Findings: what a rule says about a subject, and how the log keeps up with it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from domain.events import Event
from domain.instant import Instant, instant
from domain.naming import stream
from domain.policies.policy import Policy

State = Literal["open", "ended", "retracted"]
S_contra = TypeVar("S_contra", contravariant=True)


class Key(NamedTuple):
    """One episode of one kind at one subject."""

    kind: str
    subject: str
    since: Instant
    clock: str = ""
    """Which of several clocks that run at one subject."""


def incident_id(kind: str, subject: str, clock: str = "") -> str:
    """Name the incident of a kind at a subject, and of one of its clocks where there are several.

    >>> incident_id("stock_out", "A/1:TEA 2")
    'incident-stock_out-A%2F1%3ATEA%202'
    """
    return stream("incident", kind, subject, *((clock,) if clock else ()))


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something that went wrong in the world, in world times, with its reasons."""

    kind: str
    subject: str
    since: Instant
    due_at: Instant
    """The first instant at which it held."""
    order_ids: tuple[str, ...]
    """Sorted."""
    rule: str
    policy: str
    """The hash of the policy that judged it."""
    proof: tuple[str, ...]
    """``source#id`` of the smallest set of input events that makes it true."""
    severity: str
    ended_at: Instant | None = None
    parcel_id: str | None = None
    warehouse_id: str | None = None
    carrier: str | None = None
    sku: str | None = None
    clock: str = ""
    reported: bool = True
    """Computed only because another kind needs it, and shown to nobody, where this is off."""
    detail: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        """Tell this episode from every other."""
        return Key(self.kind, self.subject, self.since, self.clock)

    @property
    def incident(self) -> str:
        """Name the incident it belongs to, which is also the stream of what staff do about it."""
        return incident_id(self.kind, self.subject, self.clock)

    @property
    def knowable_at(self) -> Instant | None:
        """Give the instant before which nobody could know of it, where that is later than ``due_at``."""
        told = self.detail.get("knowable_at")
        return None if told is None else instant(datetime.fromisoformat(told))

    @property
    def state(self) -> State:
        """Say whether the world has ended it."""
        return "open" if self.ended_at is None else "ended"


class AboutFinding(Event, frozen=True, kw_only=True):
    """Something that a subject's stream says about findings, and so no fact of the world."""


class _Change(AboutFinding, frozen=True, kw_only=True):
    finding: Finding
    known_up_to: Instant
    """Where time stood when this was decided: everything up to it had been read."""


class FindingOpened(_Change, frozen=True, kw_only=True):
    """A rule found something; it may already have ended."""

    TOPIC: ClassVar[str] = "finding.opened.v1"


class FindingAmended(_Change, frozen=True, kw_only=True):
    """More is known of a finding, or what ended it proved wrong."""

    TOPIC: ClassVar[str] = "finding.amended.v1"


class FindingEnded(_Change, frozen=True, kw_only=True):
    """The world ended what a rule had found."""

    TOPIC: ClassVar[str] = "finding.ended.v1"


class FindingRetracted(_Change, frozen=True, kw_only=True):
    """A late or corrected fact showed that it never held."""

    TOPIC: ClassVar[str] = "finding.retracted.v1"


class FindingDismissed(AboutFinding, frozen=True, kw_only=True):
    """In the subject's own stream: staff say that a finding is wrong, or, where ``withdrawn``, that it is not."""

    TOPIC: ClassVar[str] = "finding.dismissed.v1"
    kind: str
    subject: str
    since: Instant
    clock: str = ""
    at: Instant
    by: str
    why: str
    withdrawn: bool = False

    @property
    def key(self) -> Key:
        """Name the episode that is meant."""
        return Key(self.kind, self.subject, self.since, self.clock)


FindingEvent = FindingOpened | FindingAmended | FindingEnded | FindingRetracted
FINDING_EVENTS = (FindingOpened, FindingAmended, FindingEnded, FindingRetracted)
ABOUT_FINDINGS = (*FINDING_EVENTS, FindingDismissed)
"""What a subject's stream holds about findings."""


class Stored(NamedTuple):
    """The last word of the log on one finding."""

    finding: Finding
    retracted: bool
    dismissed: FindingDismissed | None = None
    """What staff said against it, unless they took that back."""

    @property
    def state(self) -> State:
        """Give the state that people are shown."""
        return "retracted" if self.retracted else self.finding.state


class Look(msgspec.Struct, frozen=True):
    """What a rule sees at a subject."""

    findings: tuple[Finding, ...]
    """Every episode whose ``due_at`` lies before the instant asked about, past ones included."""
    again: Instant | None
    """The next instant at which silence itself becomes news."""


class Detector(Protocol[S_contra]):
    """A rule over one kind of subject."""

    kind: str

    def look(self, state: S_contra, until: Instant, policy: Policy) -> Look:
        """Find every episode due before ``until`` and say when to look again; pure."""


def found_after(key: Key, due_at: Instant, knowable_at: Instant, stored: Mapping[Key, Stored]) -> Instant:
    """Give the instant past which an episode is found that only an event, now heard, made knowable.

    From the time of that event on it is. One that stands already goes on standing, though the event came later.
    """
    if knowable_at <= due_at or ((known := stored.get(key)) is not None and not known.retracted):
        return due_at
    return max(due_at, knowable_at - 1)


def note(findings: dict[Key, Stored], event: FindingEvent | FindingDismissed) -> None:
    """Keep a subject's findings as its stream last told them, and what staff said against them."""
    if isinstance(event, FindingDismissed):
        known = findings.get(event.key)
        if known is not None:
            findings[event.key] = known._replace(dismissed=None if event.withdrawn else event)
        return
    known = findings.get(event.finding.key)
    against = None if known is None else known.dismissed
    findings[event.finding.key] = Stored(event.finding, isinstance(event, FindingRetracted), against)


def ended_by_staff(finding: Finding, against: FindingDismissed) -> Finding:
    """Let a finding end when staff said that it is wrong, unless the world ended it before."""
    if finding.ended_at is not None and finding.ended_at <= against.at:
        return finding
    said = {"by": against.by, "why": against.why}
    detail = {**finding.detail, "dismissed": said}
    return msgspec.structs.replace(finding, ended_at=max(against.at, finding.due_at + 1), detail=detail)


def reconcile(stored: dict[Key, Stored], wanted: Iterable[Finding], known_up_to: Instant) -> tuple[FindingEvent, ...]:
    """Turn the difference between what the log says and what holds into events; none when nothing changed."""
    events: list[FindingEvent] = []
    holding = {finding.key: finding for finding in wanted}
    for key, finding in holding.items():
        known = stored.get(key)
        if known is None or known.retracted:
            events.append(FindingOpened(finding=finding, known_up_to=known_up_to))
        elif known.finding != finding:
            ends = known.finding.ended_at is None and finding.ended_at is not None
            change = FindingEnded if ends else FindingAmended
            events.append(change(finding=finding, known_up_to=known_up_to))
    events.extend(
        FindingRetracted(finding=known.finding, known_up_to=known_up_to)
        for key, known in stored.items()
        if key not in holding and not known.retracted
    )
    return tuple(events)
