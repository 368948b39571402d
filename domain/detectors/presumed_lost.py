"""A carrier has not moved a parcel within its loss window, or says itself that it is lost.

Definition: the kind's row of the detection rules. Two rules with different patience: silence is judged once the
carrier's feed has been heard up to the end of the window (``DETECTOR``), what the carrier says is believed at once
(``REPORTED``).
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant
from domain.parcels.events import ParcelScanned
from domain.parcels.movement import earlier, feeds, movements, silences, void
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

KIND: Final = "presumed_lost"
SUBJECT: Final = "parcel id"
DUE_AT: Final = {
    "window": "the end of the loss window after its last movement",
    "status": "the carrier's scan",
}
CLEARED_BY: Final = {
    "window": "its next movement or delivery, the cancellation of all of its orders, or the voiding of its label",
    "status": "its next movement, or the voiding of its label",
}


class _Loss(NamedTuple):
    rule: str
    due_at: Instant
    proof: Stamp
    ended_by: Stamp | None


class PresumedLost:
    """Watches every parcel on its way for the end of its carrier's loss window."""

    kind = KIND
    rules = frozenset({"window"})

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find every loss window that ended before ``until``; see ``findings`` and ``look_again``."""
        if state.meaning.possessed is None or not state.meaning.order_ids:
            return Look((), None)
        return _look(state, list(_overdue(state, policy)), until, policy)

    def sources(self, state: Parcel, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds that would tell of a movement."""
        return feeds(state, policy)


class ReportedLost:
    """Believes a carrier that says it has lost a parcel, and waits for no feed."""

    kind = KIND
    rules = frozenset({"status"})

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find every report of a loss before ``until``; see ``findings`` and ``look_again``."""
        if "lost" not in {scan.status for scan in state.facts.of(ParcelScanned)} or not state.meaning.order_ids:
            return Look((), None)
        return _look(state, list(_reports(state))[::-1], until, policy)


DETECTOR = PresumedLost()
REPORTED = ReportedLost()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every loss, by silence or by the carrier's word, that came due before ``until``, past ones included.

    >>> from domain.instant import DAY
    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> scan = ParcelScanned(at=0, source="/sf", id="1", parcel_id="P", order_ids=("A",), status="picked_up")
    >>> parcel = evolve(Parcel("P"), scan)
    >>> findings(parcel, 15 * DAY, DEFAULT)
    ()
    >>> [(loss.subject, loss.rule) for loss in findings(parcel, 15 * DAY + 1, DEFAULT)]
    [('P', 'window')]
    """
    found = (*DETECTOR.look(parcel, until, policy).findings, *REPORTED.look(parcel, until, policy).findings)
    return tuple(sorted(found, key=lambda one: one.due_at))


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence, or a report dated later, becomes news."""
    looks = (DETECTOR.look(parcel, until, policy), REPORTED.look(parcel, until, policy))
    return min((look.again for look in looks if look.again is not None), default=None)


def _look(parcel: Parcel, losses: list[_Loss], until: Instant, policy: Policy) -> Look:
    if not losses:
        return Look((), None)
    return Look(
        findings=tuple(_finding(parcel, one, policy) for one in losses if one.due_at < until),
        again=min((one.due_at for one in losses if one.due_at >= until), default=None),
    )


def _overdue(parcel: Parcel, policy: Policy) -> Iterator[_Loss]:
    for silence in silences(parcel, policy.loss_window(parcel.meaning.carrier)):
        yield _Loss("window", silence.due_at, silence.last.stamp, silence.ended_by)


def _reports(parcel: Parcel) -> Iterator[_Loss]:
    scans = parcel.facts.of(ParcelScanned)
    lost = {scan.at: scan.stamp for scan in reversed(scans) if scan.status == "lost"}
    voided = void(parcel)
    found: Stamp | None = None
    # Backwards, so that the movement seen last is the next one after a report.
    for movement in reversed(movements(scans)):
        report = lost.get(movement.at)
        if report is not None:
            ended_by = earlier(found, voided)
            if ended_by is None or movement.at < ended_by.at:
                yield _Loss("status", movement.at, report, ended_by)
        found = movement.first.stamp


def _finding(parcel: Parcel, loss: _Loss, policy: Policy) -> Finding:
    severity, parts = weigh(parcel.stakes, policy, loss=1)
    detail: dict[str, Any] = {"severity": parts, "cleared_by": CLEARED_BY[loss.rule]}
    if loss.ended_by is not None:
        detail["ended_by"] = loss.ended_by.ref
    return Finding(
        kind=KIND,
        subject=parcel.id,
        since=loss.due_at,
        due_at=loss.due_at,
        ended_at=None if loss.ended_by is None else loss.ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity=severity,
        rule=loss.rule,
        policy=policy.hash,
        proof=refs((loss.proof,)),
        detail=detail,
    )
