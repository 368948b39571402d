"""A customer says that something else was sent than what was ordered, and no packing record shows it.

Definition: the kind's row of the detection rules, for complaints. Where a packing record of the order shows a
mis-shipment, that is the finding, and this one never held.
"""

from itertools import takewhile
from typing import NamedTuple

from domain.complaints.case import MIS_SHIPMENTS
from domain.complaints.complaint import Complaint, ComplaintOpened, said
from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant, iso
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

SUBJECT = "complaint id"
DUE_AT = "when the complaint was opened"
CLEARED_BY = "the resolution of the complaint, unless it is reopened"


class _Report(NamedTuple):
    opening: ComplaintOpened
    order_id: str
    knowable_at: Instant
    """Since when everybody who said what it is about has said so."""
    resolved: Stamp | None
    proof: tuple[Stamp, ...]


class MisShipmentReported:
    """Listens to complaints about wrong, missing and extra items."""

    kind = "mis_shipment"

    def look(self, state: Complaint, until: Instant, policy: Policy) -> Look:
        """Find the mis-shipment that a complaint reports; see ``findings`` and ``look_again``."""
        report = _report(state)
        if report is None or (report.resolved is not None and report.resolved.at <= report.opening.at):
            return Look((), None)
        if report.knowable_at >= until:
            return Look((), report.knowable_at)
        return Look((_finding(state, report, policy),), None)


DETECTOR = MisShipmentReported()


def findings(complaint: Complaint, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find the mis-shipment that a complaint reported before ``until``, settled or not.

    >>> from domain.complaints.complaint import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> opened = ComplaintOpened(
    ...     at=0, source="/desk", id="1", complaint_id="C", order_id="A", channel="phone", category="wrong_item"
    ... )
    >>> [(one.subject, one.rule) for one in findings(evolve(Complaint("C"), opened), 1, DEFAULT)]
    [('C', 'reported')]
    """
    return DETECTOR.look(complaint, until, policy).findings


def look_again(complaint: Complaint, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(complaint, until, policy).again


def _report(complaint: Complaint) -> _Report | None:
    """Read a complaint as the report of a mis-shipment; null where it is none, or where the order shows it itself."""
    opening, order_id, words = complaint.opening, complaint.meaning.order_id, said(complaint)
    if opening is None or order_id is None or not words or not _reports(words[-1].category):
        return None
    if complaint.order is not None and complaint.order.mis_shipped:
        return None
    agreeing = list(takewhile(lambda one: _reports(one.category), reversed(words)))
    return _Report(
        opening=opening,
        order_id=order_id,
        knowable_at=max(opening.at, agreeing[-1].at),
        resolved=complaint.meaning.resolved,
        proof=(opening.stamp, words[-1].stamp),
    )


def _reports(category: str | None) -> bool:
    return category in MIS_SHIPMENTS


def _finding(complaint: Complaint, report: _Report, policy: Policy) -> Finding:
    told, opened_at = complaint.order, report.opening.at
    stake = Stake() if told is None or told.stake is None else told.stake
    severity, parts = weigh(stake, policy, complaint=1)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    if report.knowable_at > opened_at:
        detail["knowable_at"] = iso(report.knowable_at)
    if report.resolved is not None:
        detail["ended_by"] = report.resolved.ref
    skus = {item.sku for item in report.opening.items}
    return Finding(
        kind=MisShipmentReported.kind,
        subject=complaint.id,
        since=opened_at,
        due_at=opened_at,
        ended_at=None if report.resolved is None else report.resolved.at,
        order_ids=(report.order_id,),
        sku=skus.pop() if len(skus) == 1 else None,
        severity=severity,
        rule="reported",
        policy=policy.hash,
        proof=refs(report.proof),
        detail=detail,
    )
