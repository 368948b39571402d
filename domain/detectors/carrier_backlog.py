"""More late or stalled parcels lie with a carrier, or at one of its facilities, than ever, and for longer than a night.

Definition: the kind's row of the detection rules; readings in ``domain.groups.crowd``.
"""

from domain.detection import Finding, Look
from domain.groups.backlog import Backlog, Place, look_at
from domain.instant import Instant
from domain.policies.policy import Policy

SUBJECT = "carrier or facility id"
DUE_AT = "the first of the two midnights that showed it"
CLEARED_BY = "a midnight with less than 0.7 of the peak and no more than usual late or stalled there"


class CarrierBacklog:
    """Counts the late and the stalled parcels of one carrier or facility at each midnight."""

    kind = "carrier_backlog"

    def look(self, state: Backlog, until: Instant, policy: Policy) -> Look:
        """Find every backlog shown before ``until``; see ``findings`` and ``look_again``."""
        if state.what not in {"carrier", "facility"}:
            return Look((), None)
        carrier = state.name if state.what == "carrier" else None
        place = Place(self.kind, policy.carrier_backlog, policy.timezone, CLEARED_BY, carrier=carrier)
        return look_at(state, place, until, policy)

    def sources(self, state: Backlog, policy: Policy) -> tuple[str, ...]:
        """Wait for the feeds that would tell of a movement; a facility has none of its own."""
        return tuple(policy.feeds.get(state.name, ()))


DETECTOR = CarrierBacklog()


def findings(backlog: Backlog, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every backlog that was known before ``until``, past ones included.

    >>> from domain.groups.backlog import BacklogMemberChanged, evolve
    >>> from domain.instant import DAY
    >>> from domain.policies.policy import load
    >>> policy, backlog = load('timezone = "UTC"'), Backlog("facility-HUB-1")
    >>> for n in range(12):
    ...     late = BacklogMemberChanged(member=f"P{n}", order_ids=("A",), since=DAY, until=4 * DAY)
    ...     backlog = evolve(backlog, late)
    >>> [(found.subject, found.since // DAY, found.ended_at // DAY) for found in findings(backlog, 9 * DAY, policy)]
    [('HUB-1', 1, 4)]
    """
    return DETECTOR.look(backlog, until, policy).findings


def look_again(backlog: Backlog, until: Instant, policy: Policy) -> Instant | None:
    """Return the next midnight from ``until`` on that may show something."""
    return DETECTOR.look(backlog, until, policy).again
