"""One SKU binding of a warehouse sends out the wrong goods: who has noticed, and who has not yet.

Definition: the kind's row of the detection rules; readings in ``domain.groups.outbreak``.
"""

from typing import Final

from domain.detection import Finding, Look
from domain.groups.cluster import Cluster
from domain.groups.outbreak import Cause, look_at
from domain.instant import Instant
from domain.policies.policy import Policy

SUBJECT: Final = "binding of a SKU in a warehouse"
DUE_AT: Final = "the first trouble of those that opened it"
CLEARED_BY: Final = "staff resolve it, or the binding is replaced and every order packed under it is settled"
_CAUSE: Final = Cause("mis_shipment_cluster", "one_binding", CLEARED_BY, from_first_spoilt=False)


class MisShipmentCluster:
    """Watches every order that was packed under one binding."""

    kind = _CAUSE.kind

    def look(self, state: Cluster, until: Instant, policy: Policy) -> Look:
        """Find every outbreak known before ``until``; see ``findings`` and ``look_again``."""
        return look_at(state, _CAUSE, until, policy) if state.what == "binding" else Look((), None)


DETECTOR = MisShipmentCluster()


def findings(cluster: Cluster, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every outbreak that was known before ``until``, past ones included.

    >>> from domain.groups.cluster import ClusterMemberChanged, evolve
    >>> from domain.events import Stamp
    >>> from domain.instant import HOUR
    >>> from domain.policies.policy import DEFAULT
    >>> cluster = Cluster("binding-TEA:W:3")
    >>> for n in range(3):
    ...     proven = Stamp(n * HOUR, "/shop", str(n))
    ...     said = ClusterMemberChanged(member=f"P{n}", order_id=f"A{n}", since=0, proven=proven)
    ...     cluster = evolve(cluster, said)
    >>> findings(cluster, 2 * HOUR, DEFAULT)
    ()
    >>> [(found.subject, found.order_ids) for found in findings(cluster, 3 * HOUR, DEFAULT)]
    [('TEA:W:3', ('A0', 'A1', 'A2'))]
    """
    return DETECTOR.look(cluster, until, policy).findings


def look_again(cluster: Cluster, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which what is known becomes an outbreak."""
    return DETECTOR.look(cluster, until, policy).again
