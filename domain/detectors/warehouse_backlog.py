"""More late fulfilments lie in a warehouse than it ever has, and for longer than a night.

Definition: the kind's row of the detection rules; readings in ``domain.groups.crowd``.
"""

from domain.detection import Finding, Look
from domain.groups.backlog import Backlog, Place, look_at
from domain.instant import Instant
from domain.policies.policy import Policy

SUBJECT = "warehouse id"
DUE_AT = "the first of the two midnights that showed it"
CLEARED_BY = "a midnight with less than 0.7 of the peak and no more than usual late in the warehouse"


class WarehouseBacklog:
    """Counts the late fulfilments of one warehouse at each midnight."""

    kind = "warehouse_backlog"

    def look(self, state: Backlog, until: Instant, policy: Policy) -> Look:
        """Find every backlog shown before ``until``; see ``findings`` and ``look_again``."""
        if state.what != "warehouse":
            return Look((), None)
        zone = policy.zone(state.name)
        place = Place(self.kind, policy.warehouse_backlog, zone, CLEARED_BY, warehouse_id=state.name)
        return look_at(state, place, until, policy)

    def sources(self, state: Backlog, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds that would tell that something left the warehouse."""
        return tuple(policy.feeds.get(state.name, ()))


DETECTOR = WarehouseBacklog()


def findings(backlog: Backlog, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every backlog that was known before ``until``, past ones included.

    >>> from domain.groups.backlog import BacklogMemberChanged, evolve
    >>> from domain.instant import DAY, HOUR
    >>> from domain.policies.policy import load
    >>> policy, backlog = load('timezone = "UTC"'), Backlog("warehouse-W")
    >>> for n in range(12):
    ...     backlog = evolve(backlog, BacklogMemberChanged(member=f"F{n}", order_ids=("A",), since=23 * HOUR))
    >>> findings(backlog, 2 * DAY, policy)
    ()
    >>> [found.due_at == DAY for found in findings(backlog, 2 * DAY + 1, policy)]
    [True]
    """
    return DETECTOR.look(backlog, until, policy).findings


def look_again(backlog: Backlog, until: Instant, policy: Policy) -> Instant | None:
    """Return the next midnight from ``until`` on that may show something."""
    return DETECTOR.look(backlog, until, policy).again
