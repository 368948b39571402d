"""A source has said nothing for longer than policy allows, not even that it is alive.

Definition: the kind's row of the detection rules and its second rule; readings in ``domain.feeds.feed``.
"""

from domain.detection import Finding, Look
from domain.events import refs
from domain.feeds.feed import Feed, Silence, serves, silences
from domain.instant import FOREVER, SECOND, Instant, iso
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

SUBJECT = "source"
DUE_AT = "so long after its last event as policy allows"
CLEARED_BY = "the source's next event or heartbeat"
_MOST = 3
"""More places than this do not make it worse."""


class FeedSilent:
    """Watches the event times of one source, each gap of them an episode of its own."""

    kind = "feed_silent"

    def look(self, state: Feed, until: Instant, policy: Policy) -> Look:
        """Find every silence due before ``until``; see ``findings`` and ``look_again``."""
        found = list(silences(state, policy))
        return Look(
            findings=tuple(_finding(state, one, policy) for one in found if one.due_at < until),
            again=min((one.due_at for one in found if until <= one.due_at < FOREVER), default=None),
        )


DETECTOR = FeedSilent()


def findings(feed: Feed, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    r"""Find every silence that was too long before ``until``, past ones included.

    >>> from domain.feeds.feed import Span, Spoken
    >>> from domain.instant import HOUR
    >>> from domain.policies.policy import load
    >>> policy, feed = load('[feed_silence]\nafter = "2h"'), Feed("/carriers/sf")
    >>> feed.spoken = Spoken((Span(0, HOUR), Span(9 * HOUR, 9 * HOUR)), beats_since=0)
    >>> findings(feed, 3 * HOUR, policy)
    ()
    >>> [(silent.due_at // HOUR, silent.ended_at // HOUR) for silent in findings(feed, 4 * HOUR, policy)]
    [(3, 9)]
    """
    return DETECTOR.look(feed, until, policy).findings


def look_again(feed: Feed, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which silence itself becomes news."""
    return DETECTOR.look(feed, until, policy).again


def _finding(feed: Feed, silence: Silence, policy: Policy) -> Finding:
    places = serves(feed.id, policy)
    severity, parts = weigh(Stake(), policy, serves=min(len(places), _MOST))
    return Finding(
        kind=FeedSilent.kind,
        subject=feed.id,
        since=silence.due_at,
        due_at=silence.due_at,
        ended_at=silence.ended_at,
        order_ids=(),
        severity=severity,
        rule="silence",
        policy=policy.hash,
        # A log of before their ids were kept cannot name it; its time is in the detail.
        proof=refs((silence.last,)) if silence.last.id else (),
        detail={
            "severity": parts,
            "cleared_by": CLEARED_BY,
            "last_event_at": iso(silence.last.at),
            "after_seconds": silence.after // SECOND,
            "heartbeats": silence.around_the_clock,
            "serves": list(places),
        },
    )
