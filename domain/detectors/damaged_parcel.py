"""A carrier says that a parcel was damaged on its way.

Definition: the contract's last word on statuses; readings in docs/adr/0010. One finding a parcel, from the first such
scan on. That it is delivered all the same is no cure: the customer then has what was damaged.
"""

from typing import Final

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant
from domain.parcels.events import ParcelScanned
from domain.parcels.movement import earlier, void
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "parcel id"
DUE_AT = "the carrier's first scan that says so"
CLEARED_BY = "its return to the sender, its loss, or its voiding, as when it is replaced"
OVER: Final = frozenset({"returned", "lost"})
"""After these the carrier has nothing damaged in its hands, and neither has the customer."""


class DamagedParcel:
    """Listens to carriers that damaged something."""

    kind = "damaged_parcel"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find whether it had been damaged before ``until``; see ``findings`` and ``look_again``."""
        scans = state.facts.of(ParcelScanned)
        damaged = next((scan for scan in scans if scan.status == "damaged"), None)
        if damaged is None or not state.meaning.order_ids:
            return Look((), None)
        ended_by = earlier(next((scan.stamp for scan in scans if scan.status in OVER), None), void(state))
        if ended_by is not None and ended_by.at <= damaged.at:
            return Look((), None)
        if damaged.at >= until:
            return Look((), damaged.at)
        return Look((_finding(state, damaged, ended_by, policy),), None)


DETECTOR = DamagedParcel()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find whether a parcel had been damaged before ``until``, even if it is over since.

    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> scan = ParcelScanned(at=5, source="/sf", id="1", parcel_id="P", order_ids=("A",), status="damaged")
    >>> parcel = evolve(Parcel("P"), scan)
    >>> findings(parcel, 5, DEFAULT)
    ()
    >>> [(broken.subject, broken.due_at, broken.state) for broken in findings(parcel, 6, DEFAULT)]
    [('P', 5, 'open')]
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which a scan dated later becomes news."""
    return DETECTOR.look(parcel, until, policy).again


def _finding(parcel: Parcel, damaged: ParcelScanned, ended_by: Stamp | None, policy: Policy) -> Finding:
    severity, parts = weigh(parcel.stakes, policy, damage=1)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    if damaged.reason is not None:
        detail["reason"] = damaged.reason
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
    return Finding(
        kind=DamagedParcel.kind,
        subject=parcel.id,
        since=damaged.at,
        due_at=damaged.at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity=severity,
        rule="damaged",
        policy=policy.hash,
        proof=refs((damaged.stamp,)),
        detail=detail,
    )
