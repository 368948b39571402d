"""What staff promised a customer has not happened by the time they named.

Definition: the kind's row of the detection rules; readings in docs/adr/0010.
"""

from collections.abc import Iterator

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.incidents.assurance import KIND, AssuranceGiven, AssuranceKept
from domain.instant import FOREVER, Instant
from domain.orders.delivery import Delivery
from domain.orders.fulfillment import coverage
from domain.orders.order import Order
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

SUBJECT = "contact id"
DUE_AT = "the time that staff named"
CLEARED_BY = (
    "what was promised: hand-over or delivery of all of the order, payment, a call, or the settling of the incident"
)


class BrokenPromise:
    """Watches an order against what staff told its customer."""

    kind = KIND

    def look(self, state: Order, until: Instant, policy: Policy) -> Look:
        """Find every promise of staff that was broken before ``until``; see ``findings`` and ``look_again``."""
        broken = list(_broken(state)) if state.facts.of(AssuranceGiven) else []
        return Look(
            tuple(_finding(state, given, kept, policy) for given, kept in broken if given.until < until),
            min((given.until for given, _ in broken if given.until >= until), default=None),
        )


DETECTOR = BrokenPromise()


def findings(order: Order, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every promise of staff that was broken before ``until``.

    >>> from domain.orders.order import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> said = AssuranceGiven(at=0, source="/desk", id="c1", what="refunded", until=9, incident="incident-x", by="li")
    >>> [broken.subject for broken in findings(evolve(Order("A"), said), 10, DEFAULT)]
    ['c1']
    """
    return DETECTOR.look(order, until, policy).findings


def look_again(order: Order, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which a promise of staff runs out."""
    return DETECTOR.look(order, until, policy).again


def _broken(order: Order) -> Iterator[tuple[AssuranceGiven, Stamp | None]]:
    """Give each promise that was not kept in time, and what kept it later."""
    for given in order.facts.of(AssuranceGiven):
        kept = _kept(order, given)
        if kept is None or kept.at > given.until:
            yield given, kept


def _kept(order: Order, given: AssuranceGiven) -> Stamp | None:
    """Give the event that kept a promise, whenever it was."""
    settled = [one.stamp for one in order.facts.of(AssuranceKept) if one.contact_id == given.id]
    placed = order.placed
    if given.what == "delivered" and placed is not None:
        settled += [stamp] if (stamp := Delivery.of(order, placed).completed_by(-FOREVER)) is not None else []
    if given.what == "shipped" and placed is not None:
        covered = coverage(order, placed)
        stamps = [covered.completed_by(one, -FOREVER, None) for one in covered.fulfillments]
        shipped = [stamp for stamp in stamps if stamp is not None]
        settled += [max(shipped)] if shipped and len(shipped) == len(stamps) else []
    return min(settled, default=None)


def _finding(order: Order, given: AssuranceGiven, kept: Stamp | None, policy: Policy) -> Finding:
    placed = order.placed
    severity, parts = weigh(Stake() if placed is None else placed.stake, policy, promise=1)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY, "promised": given.what, "by": given.by}
    if given.text:
        detail["text"] = given.text
    detail["incident"] = given.incident
    if kept is not None:
        detail["ended_by"] = kept.ref
    return Finding(
        kind=KIND,
        subject=given.id,
        since=given.until,
        due_at=given.until,
        ended_at=None if kept is None else kept.at,
        order_ids=(order.id,),
        severity=severity,
        rule=given.what,
        policy=policy.hash,
        proof=refs((given.stamp,)),
        detail=detail,
    )
