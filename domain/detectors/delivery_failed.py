"""A delivery was tried in vain or refused, or the parcel lay ready for pick-up for too long.

Definition: the kind's row of the detection rules. One finding a parcel, from the first such time on.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant
from domain.parcels.events import ParcelScanned
from domain.parcels.movement import earlier, movements, void
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "parcel id"
DUE_AT = "the first such attempt or refusal, or the end of the time to pick it up"
CLEARED_BY = "its delivery, its return to the sender, its loss, or the voiding of its label"
RULES: Final = {"delivery_failed": "attempt", "refused": "refused"}
WATCHED: Final = frozenset({*RULES, "ready_for_pickup"})
OVER: Final = frozenset({"delivered", "returned", "lost"})
"""After these nobody waits for the delivery any more."""


class _Failure(NamedTuple):
    due_at: Instant
    rule: str
    scan: ParcelScanned


class DeliveryFailed:
    """Watches every parcel for attempts in vain, refusals and pick-ups that nobody comes for."""

    kind = "delivery_failed"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find whether delivery had failed before ``until``; see ``findings`` and ``look_again``."""
        scans = state.facts.of(ParcelScanned)
        if not state.meaning.order_ids or WATCHED.isdisjoint({scan.status for scan in scans}):
            return Look((), None)
        ended_by = earlier(next((scan.stamp for scan in scans if scan.status in OVER), None), void(state))
        failure = min(_failures(scans, policy.delivery_failed.pickup_wait), key=lambda one: one.due_at, default=None)
        if failure is None or (ended_by is not None and ended_by.at <= failure.due_at):
            return Look((), None)
        if failure.due_at >= until:
            return Look((), failure.due_at)
        return Look((_finding(state, failure, ended_by, policy),), None)


DETECTOR = DeliveryFailed()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find whether delivery had failed before ``until``, even if it was made good since.

    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> scan = ParcelScanned(at=5, source="/sf", id="1", parcel_id="P", order_ids=("A",), status="delivery_failed")
    >>> parcel = evolve(Parcel("P"), scan)
    >>> findings(parcel, 5, DEFAULT)
    ()
    >>> [(failed.subject, failed.rule, failed.detail["attempts"]) for failed in findings(parcel, 6, DEFAULT)]
    [('P', 'attempt', 1)]
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(parcel, until, policy).again


def _failures(scans: Sequence[ParcelScanned], pickup_wait: int) -> Iterator[_Failure]:
    """Name the first attempt or refusal, and the first pick-up that nobody came for in time."""
    refusal = next((scan for scan in scans if scan.status in RULES), None)
    if refusal is not None:
        yield _Failure(refusal.at, RULES[refusal.status or ""], refusal)
    ready: ParcelScanned | None = None
    for movement in movements(scans):
        if movement.status == "ready_for_pickup":
            ready = movement.last if ready is None else ready
        elif ready is not None:
            if ready.at + pickup_wait < movement.at:
                break
            ready = None
    if ready is not None:
        yield _Failure(ready.at + pickup_wait, "pickup_wait", ready)


def _attempts(scans: Sequence[ParcelScanned], before: Stamp | None) -> tuple[ParcelScanned, ...]:
    """List the attempts, each once however often the carrier tells of it."""
    failed = [scan for scan in scans if scan.status == "delivery_failed" and (before is None or scan.stamp < before)]
    return tuple({scan.at: scan for scan in reversed(failed)}.values())[::-1]


def _finding(parcel: Parcel, failure: _Failure, ended_by: Stamp | None, policy: Policy) -> Finding:
    attempts = _attempts(parcel.facts.of(ParcelScanned), ended_by)
    reason = (attempts[-1] if attempts else failure.scan).reason
    severity, parts = weigh(parcel.stakes, policy, attempts=int(len(attempts) > 1))
    detail: dict[str, Any] = {"severity": parts, "cleared_by": CLEARED_BY, "attempts": len(attempts)}
    if reason is not None:
        detail["reason"] = reason
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
    return Finding(
        kind=DeliveryFailed.kind,
        subject=parcel.id,
        since=failure.due_at,
        due_at=failure.due_at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity=severity,
        rule=failure.rule,
        policy=policy.hash,
        proof=refs((failure.scan.stamp, *(scan.stamp for scan in attempts))),
        detail=detail,
    )
