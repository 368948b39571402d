"""A carrier has a parcel and has not moved it for longer than its lane allows.

Definition: the kind's row of the detection rules; what counts as movement is in ``domain.parcels.movement``.
"""

from typing import Any

from domain.detection import Finding, Look
from domain.events import refs
from domain.instant import Duration, Instant
from domain.parcels.events import ParcelScanned
from domain.parcels.movement import Silence, feeds, silences
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "parcel id"
DUE_AT = "so long after its last movement as its lane allows; where the carrier has a calendar, in its working time"
CLEARED_BY = "its next movement or delivery, the cancellation of all of its orders, or the voiding of its label"


class StalledParcel:
    """Watches every parcel on its way for movement."""

    kind = "stalled_parcel"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find every stall due before ``until``; see ``findings`` and ``look_again``."""
        if state.meaning.possessed is None or not state.meaning.order_ids:
            return Look((), None)
        works = policy.calendar("carriers", state.meaning.carrier)
        stalls = list(silences(state, _threshold(state, policy), works))
        if not stalls:
            return Look((), None)
        return Look(
            findings=tuple(_finding(state, one, policy) for one in stalls if one.due_at < until),
            again=min((one.due_at for one in stalls if one.due_at >= until), default=None),
        )

    def sources(self, state: Parcel, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds that would tell of a movement."""
        return feeds(state, policy)


DETECTOR = StalledParcel()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every stall that came due before ``until``, past ones included.

    >>> from domain.instant import HOUR
    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> scan = ParcelScanned(at=0, source="/sf", id="1", parcel_id="P", order_ids=("A",), status="picked_up")
    >>> parcel = evolve(Parcel("P"), scan)
    >>> findings(parcel, 72 * HOUR, DEFAULT)
    ()
    >>> [(stall.subject, stall.since) for stall in findings(parcel, 72 * HOUR + 1, DEFAULT)]
    [('P', 0)]
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(parcel, until, policy).again


def _threshold(parcel: Parcel, policy: Policy) -> Duration:
    limits = policy.stalled_parcel
    if not limits.lanes:
        return limits.after
    begin = next(scan.region for scan in parcel.facts.of(ParcelScanned) if scan.possesses)
    order = parcel.orders.get(parcel.meaning.order_ids[0])
    if parcel.meaning.carrier is None or begin is None or order is None or order.destination is None:
        return limits.after
    lane = limits.lanes.get(f"{parcel.meaning.carrier}:{begin}-{order.destination}")
    return limits.after if lane is None else lane.after


def _finding(parcel: Parcel, stall: Silence, policy: Policy) -> Finding:
    severity, parts = weigh(parcel.stakes, policy)
    scan = stall.last
    seen = {"status": scan.status, "facility_id": scan.facility_id, "region": scan.region}
    detail: dict[str, Any] = {
        "severity": parts,
        "cleared_by": CLEARED_BY,
        "last_seen": {name: said for name, said in seen.items() if said is not None},
    }
    if stall.ended_by is not None:
        detail["ended_by"] = stall.ended_by.ref
    return Finding(
        kind=StalledParcel.kind,
        subject=parcel.id,
        since=scan.at,
        due_at=stall.due_at,
        ended_at=None if stall.ended_by is None else stall.ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity=severity,
        rule="no_movement",
        policy=policy.hash,
        proof=refs((scan.stamp,)),
        detail=detail,
    )
