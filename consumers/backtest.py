"""Backtest: a file of events through the same tracker that live ingest uses, with event time as its clock."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from consumers.cloudevents import BOM
from consumers.translate import Translator
from domain.errors import Unreadable
from domain.feeds.frontier import EventTimeFrontier
from domain.history.batch import Batch, Incoming, Raw, Slice
from domain.instant import Instant
from domain.tracker import TICK_LIMIT, Tracker

BATCH: Final = 500
_PARTITION: Final = "file/events"


class Outcome(NamedTuple):
    """What a run did with its messages."""

    messages: int
    taken: int
    repeated: int
    foreign: int
    quarantined: Counter[str]
    """By code."""
    late: int
    """Later than allowed; applied all the same."""
    flags: Counter[str]
    """Impossible times and dropped personal values, by ``name source``."""
    end: Instant

    @property
    def unreadable(self) -> bool:
        """Say whether there were messages and none of them could be read."""
        return 0 < self.messages == self.quarantined.total()


class Run:
    """Counts what goes through and moves time; shared by files and by Kafka topics."""

    def __init__(self, tracker: Tracker, partitions: Iterable[str]) -> None:
        """Drive this tracker by the event times of these partitions."""
        self._tracker = tracker
        # The longest that any version allows: to wait for longer than needed changes no finding.
        lateness = max(one.policy.allowed_lateness for one in tracker.policies)
        self.frontier = EventTimeFrontier(partitions, lateness)
        self._counts: Counter[str] = Counter()
        self._quarantined: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()

    def take(self, batch: Batch) -> None:
        """Take a batch in and look at what is due by now, all in one transaction."""
        with self._tracker.together():
            self._take(batch)
            # The second look mostly says that there is nothing more.
            more = self._pass() and self._pass()
        if more:
            self.tick()

    def _take(self, batch: Batch) -> None:
        done = self._tracker.take(batch, self.frontier.until)
        for place, part in enumerate(batch.slices):
            for one in part.records:
                at = None if isinstance(one.content, Unreadable) else one.content.at
                if at is not None and not (done.refused and (place, one.offset) in done.refused):
                    self._counts["late"] += self.frontier.note(part.partition, at)
        for taken in done.batches:
            self._counts.update(
                messages=taken.records, taken=taken.taken, repeated=taken.repeated, foreign=taken.foreign
            )
            self._quarantined.update(taken.quarantined)
            self._flags.update(taken.flags)

    def tick(self) -> None:
        """Fire every deadline before where time stands, and tell groups what was found."""
        while self._pass():
            pass

    def _pass(self) -> bool:
        """Fire some of them, or else tell groups; says whether there may be more."""
        until = self.frontier.until
        return self._tracker.tick(until) == TICK_LIMIT or self._tracker.group(until) > 0

    def outcome(self) -> Outcome:
        """Say what has been done so far."""
        counts = self._counts
        return Outcome(
            messages=counts["messages"],
            taken=counts["taken"],
            repeated=counts["repeated"],
            foreign=counts["foreign"],
            quarantined=self._quarantined,
            late=counts["late"],
            flags=self._flags,
            end=self.frontier.end,
        )


def run(lines: Iterable[bytes], tracker: Tracker, translator: Translator, now: Instant, batch: int = BATCH) -> Outcome:
    """Push CloudEvents, one JSON a line in arrival order, through the tracker to the end of time.

    ``now`` bounds how far in the future an event may claim to be; nothing else reads it.
    """
    driver = Run(tracker, (_PARTITION,))
    incoming = (translator.incoming(offset, raw, now) for offset, raw in enumerate(records(lines)))
    expected: int | None = None
    for part in _batches(incoming, batch):
        following = part[-1].offset + 1
        driver.take(Batch((Slice(_PARTITION, "file", 0, expected, following, part),), now))
        expected = following
    driver.frontier.close(_PARTITION)
    driver.tick()
    return driver.outcome()


def records(lines: Iterable[bytes]) -> Iterator[Raw]:
    """Give each line that is not blank the form of a record, without the mark that may stand before the first."""
    for line in lines:
        value = line.removeprefix(BOM).strip()
        if value:
            yield Raw("file", 0, None, value, (), None)


def _batches(incoming: Iterator[Incoming], size: int) -> Iterator[tuple[Incoming, ...]]:
    while part := tuple(islice(incoming, size)):
        yield part
