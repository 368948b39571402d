"""A complaint was not answered, or not resolved, in the time that staff have for it.

Definition: the kind's row of the detection rules. Time runs while staff work; the time to resolve also stands while
the complaint waits on the customer. A complaint that repeats another one's trouble has been waiting since the other,
unless that one had been answered, or resolved, before.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.calendars.calendar import Calendar, add_working, working_between
from domain.complaints.case import Case, case
from domain.complaints.complaint import (
    Complaint,
    ComplaintEscalated,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWaiting,
    Spell,
    said,
    spells,
)
from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Duration, Instant, iso
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

SUBJECT: Final = "complaint id"
DUE_AT: Final = "the end of the time to answer, or to resolve"
CLEARED_BY = "the first answer, for the time to respond; the resolution, for both"
_CLEARED_BY: Final = {"first_response": "the first answer, or the resolution", "resolution": "the resolution"}


class _Wait(NamedTuple):
    """A stretch in which it was the customer's turn."""

    begun: Stamp
    over: Stamp | None


class _Clock(NamedTuple):
    """A time that staff had, and whether they kept it."""

    rule: str
    since: Instant
    due_at: Instant
    stopped_by: Stamp | None
    knowable_at: Instant
    """When it could be found at the earliest: a duplicate's time may have passed before it was opened."""
    proof: tuple[Stamp, ...]

    @property
    def broken(self) -> bool:
        """Say whether nothing stopped it in time; on the dot is in time."""
        return self.stopped_by is None or self.stopped_by.at > self.due_at


class ComplaintOverdue:
    """Watches the time to answer a complaint and the time to resolve it, each time anew when it is reopened."""

    kind = "complaint_overdue"

    def look(self, state: Complaint, until: Instant, policy: Policy) -> Look:
        """Find every clock that ran out before ``until``; see ``findings`` and ``look_again``."""
        opening = state.opening
        if opening is None:
            return Look((), None)
        whole = case(state, opening, policy.complaint_overdue.merge_within)
        broken = [clock for clock in _clocks(state, opening, whole, policy) if clock.broken]
        return Look(
            findings=tuple(_finding(state, whole, one, policy) for one in broken if one.knowable_at < until),
            again=min((one.knowable_at for one in broken if one.knowable_at >= until), default=None),
        )


DETECTOR = ComplaintOverdue()


def findings(complaint: Complaint, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every clock that ran out before ``until``, stopped ones included.

    >>> from domain.complaints.complaint import evolve
    >>> from domain.instant import HOUR
    >>> from domain.policies.policy import DEFAULT
    >>> opened = ComplaintOpened(at=0, source="/desk", id="1", complaint_id="C", channel="phone")
    >>> complaint = evolve(Complaint("C"), opened)
    >>> findings(complaint, HOUR, DEFAULT)
    ()
    >>> [overdue.rule for overdue in findings(complaint, HOUR + 1, DEFAULT)]
    ['first_response']
    """
    return DETECTOR.look(complaint, until, policy).findings


def look_again(complaint: Complaint, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(complaint, until, policy).again


def _clocks(complaint: Complaint, opening: ComplaintOpened, whole: Case, policy: Policy) -> Iterator[_Clock]:
    rules, staff = policy.complaint_overdue, policy.calendar("staff")
    started = whole.unanswered_since(complaint.id)
    due_at = add_working(started.at, rules.first_response, staff)
    proof, stopped_by = _opened(complaint, opening, started), complaint.meaning.answered
    yield _Clock("first_response", started.at, due_at, stopped_by, max(due_at, opening.at), proof)
    span = rules.complex if opening.complexity == "complex" else rules.general
    waits = _waits(complaint)
    for spell in spells(complaint):
        if spell.settled is not None and spell.settled.at < spell.started.at:
            continue  # settled before it was opened: an impossible date, and nobody was waiting
        first = spell.started == opening.stamp
        started = whole.unresolved_since(complaint.id) if first else spell.started
        deadline = _deadline(started.at, spell, span, waits, staff)
        if deadline is not None:
            due_at, moved_by = deadline
            proof = (*(_opened(complaint, opening, started) if first else (opening.stamp, started)), *moved_by)
            yield _Clock("resolution", started.at, due_at, spell.settled, max(due_at, spell.started.at), proof)


def _opened(complaint: Complaint, opening: ComplaintOpened, started: Stamp) -> tuple[Stamp, ...]:
    """Name what started a complaint's clock: its opening and, where another did, what makes it a duplicate."""
    if started == opening.stamp:
        return (opening.stamp,)
    return (started, opening.stamp, said(complaint)[-1].stamp)


def _waits(complaint: Complaint) -> list[_Wait]:
    """List the stretches of waiting on the customer, earliest first; the last may not be over."""
    facts = complaint.facts
    turns = (*facts.of(ComplaintWaiting), *facts.of(ComplaintReopened), *facts.of(ComplaintResolved))
    found: list[_Wait] = []
    begun: Stamp | None = None
    for turn in sorted(turns, key=lambda one: one.stamp):
        if isinstance(turn, ComplaintWaiting) and turn.on == "customer":
            begun = begun or turn.stamp
        elif begun is not None:
            found.append(_Wait(begun, turn.stamp))
            begun = None
    return found if begun is None else [*found, _Wait(begun, None)]


def _deadline(
    since: Instant, spell: Spell, span: Duration, waits: list[_Wait], staff: Calendar | None
) -> tuple[Instant, tuple[Stamp, ...]] | None:
    """Let a clock run for ``span``, standing while it waits; null where it cannot be known when it will run out."""
    left, running_from = span, since
    moved_by: list[Stamp] = []
    for begun, over in waits:
        stood_at = max(begun.at, spell.started.at)
        if over is not None and over.at <= stood_at:
            continue
        if stood_at > add_working(running_from, left, staff):
            break
        if over is None:
            return None
        left = Duration(left - working_between(running_from, stood_at, staff))
        running_from = over.at
        moved_by += (begun, over)
    return add_working(running_from, left, staff), tuple(moved_by)


def _finding(complaint: Complaint, whole: Case, clock: _Clock, policy: Policy) -> Finding:
    order_id, told = complaint.meaning.order_id, complaint.order
    stake = Stake() if told is None or told.stake is None else told.stake
    escalated = int(bool(complaint.facts.of(ComplaintEscalated)))
    severity, parts = weigh(stake, policy, clock=1, complaint=1, escalated=escalated)
    detail: dict[str, object] = {"severity": parts, "cleared_by": _CLEARED_BY[clock.rule], **_shown(complaint, whole)}
    if clock.knowable_at > clock.due_at:
        detail["knowable_at"] = iso(clock.knowable_at)
    if clock.stopped_by is not None:
        detail["ended_by"] = clock.stopped_by.ref
    return Finding(
        kind=ComplaintOverdue.kind,
        subject=complaint.id,
        since=clock.since,
        due_at=clock.due_at,
        ended_at=None if clock.stopped_by is None else clock.stopped_by.at,
        order_ids=() if order_id is None else (order_id,),
        severity=severity,
        rule=clock.rule,
        clock=clock.rule,
        policy=policy.hash,
        proof=refs(clock.proof),
        detail=detail,
    )


def _shown(complaint: Complaint, whole: Case) -> dict[str, object]:
    """Show of a case that has several parts which one leads, and to it which it has taken in."""
    lead = whole.lead.complaint_id
    if not whole.merged:
        return {}
    return {"case": lead} | ({"merged": whole.merged} if lead == complaint.id else {"merged_into": lead})
