"""The shop says 'shipped' (仓库已发货) and no carrier has picked the parcel up in time.

Definition: the kind's row of the detection rules. The clock starts with the parcel's first label.
"""

from typing import Any

from domain.calendars.calendar import add_working
from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant
from domain.parcels.events import ParcelLabelled
from domain.parcels.movement import earlier, feeds, stop
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "parcel id"
DUE_AT = "so long after its first label; where the carrier has a calendar, in its working time"
CLEARED_BY = "a carrier's possession scan, the voiding of its label, or the cancellation of all of its orders"


class UnconfirmedHandover:
    """Watches every labelled parcel until a carrier has it."""

    kind = "unconfirmed_handover"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find whether the pick-up was due before ``until``; see ``findings`` and ``look_again``."""
        meaning = state.meaning
        if meaning.labelled_at is None or not meaning.order_ids:
            return Look((), None)
        works = policy.calendar("carriers", meaning.carrier)
        due_at = add_working(meaning.labelled_at, policy.unconfirmed_handover.after, works)
        if meaning.possessed is not None and meaning.possessed.at <= due_at:
            return Look((), None)
        ended_by = earlier(meaning.possessed, stop(state))
        if ended_by is not None and ended_by.at <= due_at:
            return Look((), None)
        return Look((_finding(state, due_at, ended_by, policy),), None) if due_at < until else Look((), due_at)

    def sources(self, state: Parcel, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds that would tell of the pick-up."""
        return feeds(state, policy)


DETECTOR = UnconfirmedHandover()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find whether the parcel had not been picked up in time, where that was due before ``until``.

    >>> from domain.instant import HOUR
    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> label = {"at": 0, "source": "/wms", "id": "1", "parcel_id": "P", "order_ids": ("A",)}
    >>> parcel = evolve(Parcel("P"), ParcelLabelled(carrier="SF", tracking_number="N", **label))
    >>> findings(parcel, 24 * HOUR, DEFAULT)
    ()
    >>> [(waiting.subject, waiting.carrier) for waiting in findings(parcel, 24 * HOUR + 1, DEFAULT)]
    [('P', 'SF')]
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(parcel, until, policy).again


def _finding(parcel: Parcel, due_at: Instant, ended_by: Stamp | None, policy: Policy) -> Finding:
    severity, parts = weigh(parcel.stakes, policy)
    detail: dict[str, Any] = {"severity": parts, "cleared_by": CLEARED_BY}
    if ended_by is not None:
        detail["ended_by"] = ended_by.ref
    return Finding(
        kind=UnconfirmedHandover.kind,
        subject=parcel.id,
        since=due_at,
        due_at=due_at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity=severity,
        rule="label",
        policy=policy.hash,
        proof=refs((parcel.facts.of(ParcelLabelled)[0].stamp,)),
        detail=detail,
    )
