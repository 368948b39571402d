"""Tally: what one partition's part of a batch brought."""

from collections import Counter, defaultdict

from domain.catalogue import Heartbeat
from domain.errors import Unreadable
from domain.events import Fact
from domain.feeds.feed import Span, credible, runs
from domain.history.batch import BatchTaken, Foreign, Incoming, Position, Slice
from domain.history.record import record_digest
from domain.instant import FOREVER, Instant


class Tally:
    """Counts one slice and closes it with its event and its new position."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.taken = self.repeated = self.foreign = 0
        self._quarantined: Counter[str] = Counter()
        self.sources: dict[str, Instant] = {}
        """Per source the largest event time."""
        self._said: defaultdict[str, list[tuple[Instant, str]]] = defaultdict(list)
        self.beats: dict[str, Instant] = {}
        """Per source the earliest heartbeat."""
        self._events: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()

    def add(self, content: Fact | Foreign | Unreadable, one: Incoming, *, repeated: bool) -> None:
        """Count a message by what became of it; any that is readable proves that its source is alive."""
        if isinstance(content, Unreadable):
            self._quarantined[content.code] += 1
            return
        self._events[content.source] += 1
        if isinstance(content, Foreign):
            self.foreign += 1
            self._types[content.type] += 1
        else:
            self.repeated += repeated
            self.taken += not repeated
            if isinstance(content, Heartbeat) and credible(content.at):
                self.beats[content.source] = min(content.at, self.beats.get(content.source, FOREVER))
        if content.at is not None:
            self._said[content.source].append((content.at, content.id))
            if content.at > self.sources.get(content.source, -FOREVER):
                self.sources[content.source] = content.at
        for flag in one.flags:
            self._flags[f"{flag} {content.source}"] += 1

    def event(self, part: Slice, position: Position, received_at: Instant) -> BatchTaken:
        """Say what was taken in."""
        spans = self.spans()
        return BatchTaken(
            partition=part.partition,
            topic=part.topic,
            number=part.number,
            first=part.records[0].offset if part.records else part.next,
            next=part.next,
            records=len(part.records),
            taken=self.taken,
            repeated=self.repeated,
            foreign=self.foreign,
            quarantined=dict(self._quarantined),
            received_at=received_at,
            largest=max(self.sources.values(), default=None),
            taken_up_to=position.taken_up_to,
            sources=self.sources,
            spans={source: tuple((one.begin, one.end) for one in found) for source, found in spans.items()},
            ends={source: tuple(one.last for one in found) for source, found in spans.items()},
            beats=self.beats,
            events=dict(self._events),
            foreign_types=dict(self._types),
            flags=dict(self._flags),
        )

    def spans(self) -> dict[str, tuple[Span, ...]]:
        """Give per source its event times, joined where they lie close."""
        spans = {source: runs(said) for source, said in self._said.items()}
        return {source: found for source, found in spans.items() if found}

    def position(self, part: Slice, known: Position | None) -> Position:
        """Say where the partition stands after it."""
        largest = list(self.sources.values())
        last_offset, last_digest = (known.last_offset, known.last_digest) if known else (None, b"")
        if known is not None:
            largest += [known.largest] if known.largest is not None else []
        if part.records:
            last_offset, last_digest = part.records[-1].offset, record_digest(part.records[-1].raw)
        return Position(
            partition=part.partition,
            topic=part.topic,
            number=part.number,
            next=part.next,
            last_offset=last_offset,
            last_digest=last_digest,
            batches=1 if known is None else known.batches + 1,
            largest=max(largest, default=None),
            taken_up_to=None if known is None else known.taken_up_to,
        )
