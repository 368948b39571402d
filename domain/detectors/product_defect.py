"""One product, or one lot of it, arrives damaged or defective more often than others do.

Definition: the kind's row of the detection rules; readings in ``domain.groups.outbreak``.
"""

from typing import Final

from domain.detection import Finding, Look
from domain.groups.cluster import Cluster
from domain.groups.outbreak import Cause, look_at
from domain.instant import Instant
from domain.policies.policy import Policy

SUBJECT: Final = "SKU, or SKU and lot"
DUE_AT: Final = "the first trouble of those that opened it"
CLEARED_BY: Final = "staff resolve it"
_CAUSE: Final = Cause("product_defect", "one_product", CLEARED_BY, from_first_spoilt=True)


class ProductDefect:
    """Watches the complaints about one product or lot."""

    kind = _CAUSE.kind

    def look(self, state: Cluster, until: Instant, policy: Policy) -> Look:
        """Find every outbreak known before ``until``; see ``findings`` and ``look_again``."""
        return look_at(state, _CAUSE, until, policy) if state.what == "defect" else Look((), None)


DETECTOR = ProductDefect()


def findings(cluster: Cluster, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every outbreak that was known before ``until``, past ones included.

    >>> from domain.groups.cluster import ClusterMemberChanged, evolve
    >>> from domain.events import Stamp
    >>> from domain.instant import HOUR
    >>> from domain.policies.policy import DEFAULT
    >>> cluster = Cluster("defect-TEA")
    >>> for n in range(3):
    ...     proven = Stamp(n * HOUR, "/shop", str(n))
    ...     said = ClusterMemberChanged(member=f"P{n}", order_id=f"A{n}", since=0, proven=proven)
    ...     cluster = evolve(cluster, said)
    >>> findings(cluster, 2 * HOUR, DEFAULT)
    ()
    >>> [(found.subject, found.order_ids) for found in findings(cluster, 3 * HOUR, DEFAULT)]
    [('TEA', ('A0', 'A1', 'A2'))]
    """
    return DETECTOR.look(cluster, until, policy).findings


def look_again(cluster: Cluster, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which what is known becomes an outbreak."""
    return DETECTOR.look(cluster, until, policy).again
