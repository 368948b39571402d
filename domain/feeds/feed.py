"""Feed: when a source is known to have spoken, and for how long it was silent.

Proof of life is any readable event of a source, repeats, heartbeats and foreign types included, by its event time.
What is kept is a union of spans, so that no order of arrival, repetition or cut into batches changes what is found.

Unknown is not late. From its first heartbeat on a source is judged around the clock; before it, or without any, in the
working hours of its calendar. A source that has neither is not judged, because nobody has said when it should speak:
that it begins to send heartbeats today makes its quiet nights of last year no silence. None is judged before its first
event.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from operator import attrgetter
from typing import Any, Final, NamedTuple

from domain.calendars.calendar import add_working
from domain.detection import AboutFinding, Finding, FindingDismissed, FindingEvent, Key, Stored, note
from domain.events import Stamp
from domain.instant import FOREVER, SECOND, Duration, Instant, iso
from domain.policies.policy import Policy


class Span(NamedTuple):
    """From one event of a source to another, both included, with no silence in between."""

    begin: Instant
    end: Instant
    last: str = ""
    """The id of the event that ends it, the greatest of one instant; empty where an older log does not name it."""


RESOLUTION: Final = Duration(60 * SECOND)
"""Shorter silences are not kept, and none so short is a finding."""
_END: Final = attrgetter("end")
_CLOCK_SET: Final[Instant] = 946_684_800 * SECOND
"""The year 2000: an earlier time comes from a clock that was never set, and tells nothing of when its feed spoke."""


class Spoken(NamedTuple):
    """When a source is known to have spoken."""

    spans: tuple[Span, ...] = ()
    """Apart from each other, earliest first."""
    beats_since: Instant | None = None
    """Its first heartbeat."""

    @property
    def last(self) -> Instant | None:
        """Give its last word, if it has said any."""
        return self.spans[-1].end if self.spans else None

    def says_news(self, known: "Spoken") -> bool:
        """Say whether this tells more than that the source went on speaking."""
        inside, known_inside = _inside(self.spans), _inside(known.spans)
        return (self.beats_since, bool(self.spans), inside) != (known.beats_since, bool(known.spans), known_inside)


NOTHING: Final = Spoken()


class Silence(NamedTuple):
    """A stretch in which a source should have spoken and did not."""

    last: Stamp
    due_at: Instant
    after: Duration
    """What policy allows."""
    ended_at: Instant | None
    around_the_clock: bool
    """Whether the source sent heartbeats by then, so that no hour excuses it."""


class Feed:
    """One source and what the rules found of it; ``spoken`` is given to it before it is judged, and is not stored."""

    __slots__ = ("findings", "id", "spoken")

    def __init__(self, identity: str) -> None:
        """Begin with a source that has said nothing."""
        self.id = identity
        self.findings: dict[Key, Stored] = {}
        self.spoken = NOTHING


def evolve(feed: Feed, event: FindingEvent | FindingDismissed) -> Feed:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, AboutFinding):
        note(feed.findings, event)
    return feed


def is_open(feed: Feed) -> bool:
    """Say whether another policy may find it silent: always, once it has spoken."""
    return bool(feed.spoken.spans)


def credible(at: Instant) -> bool:
    """Say whether a time may tell when a feed spoke.

    >>> credible(0)
    False
    """
    return at >= _CLOCK_SET


def runs(said: Iterable[tuple[Instant, str]]) -> tuple[Span, ...]:
    """Join events, by time and id, that lie no further apart than ``RESOLUTION``; the ends are exact.

    >>> minute, start = 60 * SECOND, 10**15
    >>> [(one.end - one.begin, one.last) for one in runs([(start + 3 * minute, "c"), (start, "a"), (start + 9, "b")])]
    [(9, 'b'), (0, 'c')]
    """
    ordered = sorted(said)
    del ordered[: bisect_left(ordered, (_CLOCK_SET,))]
    if not ordered:
        return ()
    found, (begin, name), widest = [], ordered[0], int(RESOLUTION)
    last = begin
    for at, by in ordered:
        if at - last > widest:
            found.append(Span(begin, last, name))
            begin = at
        last, name = at, by
    return (*found, Span(begin, last, name))


def joined(spans: Iterable[Span], within: int) -> tuple[Span, ...]:
    """Unite spans that overlap or lie no further apart than ``within``."""
    found: list[Span] = []
    for one in sorted(spans):
        if found and one.begin - found[-1].end <= within:
            found[-1] = Span(found[-1].begin, *max(found[-1][1:], one[1:]))
        else:
            found.append(one)
    return tuple(found)


def united(one: Spoken, other: Spoken, within: int) -> Spoken:
    """Put together what is known of one source; gaps no longer than ``within`` are no silence by any policy.

    What lies further before all that the other tells stays as it is, so that news costs what they are long.
    """
    beats = [told.beats_since for told in (one, other) if told.beats_since is not None]
    begin = min((one.begin for one in other.spans), default=FOREVER)
    apart = bisect_left(one.spans, begin - within, key=_END)
    news = joined(chain(one.spans[apart:], other.spans), within)
    return Spoken((*one.spans[:apart], *news), min(beats, default=None))


def allowed(policy: Policy, source: str) -> Duration:
    """Return how long a source may say nothing; for one without heartbeats, in its working time."""
    own = policy.feed_silence.sources.get(source)
    return max(RESOLUTION, policy.feed_silence.after if own is None else own.after)


def silences(feed: Feed, policy: Policy) -> Iterator[Silence]:
    """Find every stretch longer than policy allows, also the one after the last word; on the dot is in time."""
    spoken, hours, after = feed.spoken, policy.calendars.of("feeds", feed.id), allowed(policy, feed.id)
    for one, another in zip_longest(spoken.spans, spoken.spans[1:]):
        last, following = Stamp(one.end, feed.id, one.last), None if another is None else another.begin
        around_the_clock = spoken.beats_since is not None and spoken.beats_since <= last.at
        if (hours is None and not around_the_clock) or (following is not None and following - last.at <= after):
            continue
        due_at = add_working(last.at, after, None if around_the_clock or hours is None or hours.always else hours)
        if due_at < (FOREVER if following is None else following):
            yield Silence(last, due_at, after, following, around_the_clock)


def _inside(spans: Sequence[Span]) -> Sequence[Any]:
    """Give all that the gaps between spans depend on."""
    return (spans[0][1:], *spans[1:-1], spans[-1].begin) if len(spans) > 1 else ()


def serves(source: str, policy: Policy) -> tuple[str, ...]:
    """Name the carriers and warehouses that policy says a source speaks of."""
    return tuple(sorted(place for place, sources in policy.feeds.items() if source in sources))


def mapped(places: Iterable[str | None], policy: Policy) -> tuple[str, ...]:
    """Name the sources that policy says speak of some carriers and warehouses."""
    return tuple(sorted({source for place in places if place for source in policy.feeds.get(place, ())}))


def _silent_since(
    places: Iterable[str | None], due_at: Instant, heard: Mapping[str, Instant], policy: Policy
) -> Instant | None:
    """Return since when the feeds of some places say nothing.

    Of several feeds the one that fell silent first counts. ``heard`` is the largest event time of every source; one
    that was never heard is silent since the beginning, which is ``-FOREVER``.
    """
    least = min((heard.get(source, -FOREVER) for source in mapped(places, policy)), default=None)
    return None if least is None or least > due_at else least


def evidence(finding: Finding, heard: Mapping[str, Instant], policy: Policy) -> str | None:
    """Say how a finding that waits for no feed may be wrong: its feed has told nothing past the time it was due.

    Not part of the finding: it changes whenever anything is heard.

    >>> from domain.policies.policy import load
    >>> late = Finding(kind="late_shipment", subject="F", since=7, due_at=7, order_ids=("O",), rule="ship_by",
    ...                policy="", proof=(), severity="low", warehouse_id="W")
    >>> policy = load('feeds = {W = ["/wms"]}')
    >>> evidence(late, {"/wms": 0}, policy)
    'feed silent since 1970-01-01T00:00:00Z'
    >>> evidence(late, {"/wms": 8}, policy)
    """
    return doubt((finding.warehouse_id, finding.carrier), finding.due_at, heard, policy)


def doubt(places: Iterable[str | None], due_at: Instant, heard: Mapping[str, Instant], policy: Policy) -> str | None:
    """Say the same of what came due when nothing was heard from some warehouses and carriers."""
    since = _silent_since(places, due_at, heard, policy)
    if since is None:
        return None
    return "feed never heard" if since == -FOREVER else f"feed silent since {iso(since)}"
