"""A parcel is under way past the promise of one of its orders: what a carrier's backlog counts, never reported.

Definition: the row of ``carrier_backlog`` in the detection rules.
"""

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant
from domain.orders.promise import counts, due
from domain.parcels.events import TERMINAL, ParcelOrderChanged, ParcelScanned, ParcelVoided
from domain.parcels.movement import feeds
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy

SUBJECT = "parcel id"
DUE_AT = "the promise, once a carrier has the parcel"
CLEARED_BY = "a scan that ends its way, or the voiding of its label"


class OverdueParcel:
    """Watches what carriers hold against the earliest delivery promise of its orders."""

    kind = "overdue_parcel"
    waits_as = "carrier_backlog"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Say whether the promise passed before ``until`` while a carrier had the parcel."""
        possessed, over = state.meaning.possessed, min(_ends(state), default=None)
        date = promised(state, over, policy)
        if possessed is None or date is None:
            return Look((), None)
        due_at = max(possessed.at, date)
        if over is not None and over.at <= due_at:
            return Look((), None)
        if due_at >= until:
            return Look((), due_at)
        return Look((_finding(state, due_at, over, possessed, policy),), None)

    def sources(self, state: Parcel, policy: Policy) -> tuple[str, ...]:
        """Name the feeds that would say that it has arrived."""
        return feeds(state, policy)


DETECTOR = OverdueParcel()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find the stretch in which a carrier has held the parcel past a promise.

    >>> from domain.policies.policy import DEFAULT
    >>> findings(Parcel("P"), 0, DEFAULT)
    ()
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(parcel, until, policy).again


def promised(parcel: Parcel, over: Stamp | None, policy: Policy) -> Instant | None:
    """Return the earliest date until which its orders are promised; ``over`` is what ended its way, if anything did."""
    told = (parcel.orders.get(order_id) for order_id in parcel.meaning.order_ids)
    dates = [_date(one, over, policy) for one in told if one is not None]
    return min((date for date in dates if date is not None), default=None)


def _date(order: ParcelOrderChanged, over: Stamp | None, policy: Policy) -> Instant | None:
    """Give the date of an order that counts for this parcel, as ``late_delivery`` would choose it."""
    zone, found = policy.zone(order.destination), None
    for one in order.promised:
        moved = one.agreed_by is not None
        if one.agreed_by is not None and found is not None and not counts(one.agreed_by, policy.late_delivery.promise):
            continue
        if found is not None and found < one.at and (over is None or over.at > found):
            break
        date = due(one.deliver_by, policy, zone)
        found = max(date, one.at) if moved else date
    cancelled_in_time = found is not None and order.cancelled is not None and order.cancelled.at <= found
    return None if cancelled_in_time else found


def _ends(parcel: Parcel) -> list[Stamp]:
    ends = [scan.stamp for scan in parcel.facts.of(ParcelScanned) if scan.status in TERMINAL]
    ends += [voided.stamp for voided in parcel.facts.of(ParcelVoided)]
    return ends if parcel.cancelled is None else [*ends, parcel.cancelled]


def _finding(parcel: Parcel, due_at: Instant, ended_by: Stamp | None, possessed: Stamp, policy: Policy) -> Finding:
    return Finding(
        kind=OverdueParcel.kind,
        subject=parcel.id,
        since=due_at,
        due_at=due_at,
        ended_at=None if ended_by is None else ended_by.at,
        order_ids=parcel.meaning.order_ids,
        parcel_id=parcel.id,
        carrier=parcel.meaning.carrier,
        severity="low",
        rule="deliver_by",
        policy=policy.hash,
        proof=refs((possessed,)),
    )
