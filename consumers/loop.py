"""The ingest loop: poll, translate, take in, in one transaction a poll; positions are ours alone.

What can go wrong and what happens then: docs/runbook.md, and the fault matrix tests.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Final, NamedTuple

from eventsourcing.persistence import OperationalError

from consumers.cluster import SourceFailed
from consumers.freshness import Freshness
from consumers.port import Source
from consumers.source import RecordsGone
from consumers.translate import Translator
from domain.errors import Fenced, Unreadable
from domain.feeds.frontier import live
from domain.history.batch import Batch, Incoming, Position, Raw, Slice
from domain.history.enrolment import Partition, accept_gap, enrol
from domain.history.record import record_digest
from domain.instant import Instant
from domain.intake.attempt import Taken
from domain.tracker import Tracker

POLL_MS: Final = 100
GATHER: Final = 0.025
"""Seconds from a batch's beginning to that of the next, at least: each costs as much as a hundred records more."""
JOIN_POLL_MS: Final = 1000
"""While the group has not settled: a join that completes between two short polls is thrown away by the client."""
ASK_EVERY: Final = 0.25
"""Seconds between asking the broker where its partitions end."""
MIRROR_EVERY: Final = 5.0
SILENT_AFTER: Final = 60.0
"""Seconds a partition may have records and give us none before the client is made anew."""
RUBBISH_WINDOW: Final = 1000
RUBBISH_SHARE: Final = 0.5
RUBBISH_LEAST: Final = 200
FAILURES: Final = 3
"""Errors that name a partition, without a record of it between them, before it is halted."""

Note = Callable[[str, float, str], None]
"""Takes a metric's name, its value and why."""


class Halt(NamedTuple):
    """A partition that is no longer read, and why."""

    partition: str
    why: str


class Ingest:
    """Reads partitions into the tracker until it is told to stop."""

    def __init__(
        self,
        tracker: Tracker,
        translator: Translator,
        partitions: Mapping[str, Partition],
        connect: Callable[[Callable[[], Mapping[str, int]]], Source],
        clock: Callable[[], Instant],
        *,
        limit: int = 2000,
        settle_within: float = 120.0,
        accept_gaps: bool = False,
        refresh: Callable[[], None] = lambda: None,
        note: Note = lambda _name, _value, _why: None,
        tried: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        """Read these partitions through what ``connect`` gives, positioned by the tracker's log.

        ``refresh`` is called before a failed client is made anew and may bring ``partitions`` up to date in place.
        ``tried`` is told what became of each try at a batch: stored, conflict, repeated or fenced.
        """
        self._tracker = tracker
        self._translator = translator
        self._partitions = partitions
        self._connect = connect
        self._clock = clock
        self._limit = limit
        self._settle_within = settle_within
        self._accept_gaps = accept_gaps
        self._refresh = refresh
        self._note = note
        self._tried = tried
        self._freshness = Freshness()
        self._overlap: dict[str, tuple[int, bytes]] = {}
        self._rubbish: dict[str, deque[bool]] = {}
        self._failures = 0
        self._blamed: Counter[str] = Counter()
        self.halted: dict[str, Halt] = {}
        self.progress = time.monotonic()
        """When the loop last went round, for whoever watches it: waiting for a broker or a store is no hanging."""

    def run(self, stop: threading.Event) -> None:
        """Read until ``stop``; whatever the broker does, nothing is lost or taken twice.

        Raises:
            RecordsGone: the broker dropped records before we read them and ``accept_gaps`` is off.
        """
        while not stop.is_set():
            self.progress = time.monotonic()
            try:
                if self._failures:
                    self._refresh()
                enrol(self._tracker.log, self._unknown())
                with closing(self._connect(self._starts)) as source:
                    self._read_until_gap(source, stop)
            except OperationalError as error:
                self._note("ingest_store_waits_total", 1, str(error))
                stop.wait(1.0)
            except SourceFailed as failed:
                if isinstance(failed, RecordsGone):
                    raise
                self._failures += 1
                self._note("ingest_client_renewed_total", 1, str(failed))
                self._blame(failed)
                stop.wait(min(0.2 * 2**self._failures, 5.0))

    def _read_until_gap(self, source: Source, stop: threading.Event) -> None:
        try:
            self._read(source, stop)
        except RecordsGone as gone:
            self._go_on_after_gap(source, gone)

    def _unknown(self) -> dict[Partition, int]:
        known = self._tracker.positions()
        return {one: 0 for name, one in self._partitions.items() if name not in known}

    def _starts(self) -> dict[str, int]:
        """Say where to read on: from the record taken last, to see that it is still the same one."""
        starts = {}
        for name, position in self._tracker.log.store.positions().items():
            overlap = position.last_offset
            if overlap is None:
                self._overlap.pop(name, None)
            else:
                self._overlap[name] = (overlap, position.last_digest)
            starts[name] = position.next if overlap is None else overlap
        return starts

    def _read(self, source: Source, stop: threading.Event) -> None:
        positions: Mapping[str, Position] = self._tracker.positions()
        assignments, asked = source.assignments, 0.0
        mirrored = settled = time.monotonic()
        source.hold(set(self.halted))
        while not stop.is_set():
            self.progress = time.monotonic()
            polled = source.poll(POLL_MS if source.settled else JOIN_POLL_MS, self._limit)
            if source.assignments != assignments:
                assignments, positions = source.assignments, self._tracker.positions()
            if polled:
                self._take(source, polled, positions, stop)
                full = sum(map(len, polled.values())) >= self._limit
                if stop.wait(0 if full else GATHER - (time.monotonic() - self.progress)):
                    return
                positions = self._tracker.known_positions()
                self._failures = 0
            now = time.monotonic()
            settled = now if source.settled else settled
            if now - settled > self._settle_within:
                raise SourceFailed(f"the group has given us no partitions for {now - settled:.0f} s")
            if now - asked >= ASK_EVERY:
                asked = now
                positions = self._tracker.positions()
                self._hear(source, self._stands(source, positions, frozenset(polled)), now)
            if now - mirrored >= MIRROR_EVERY:
                mirrored = now
                self._tracker.follow_policies()
                source.mirror({name: positions[name].next for name in source.assigned if name in positions})

    def _stands(self, source: Source, positions: Mapping[str, Position], busy: frozenset[str]) -> dict[str, int]:
        """Say how far each partition has been read: what is taken in, and behind it holes that hold no record."""
        stands = {name: positions[name].next for name in source.assigned if name in positions}
        idle = frozenset(stands) - busy - frozenset(self.halted) - frozenset(self._overlap)
        for name, reached in source.reached(idle).items():
            stands[name] = max(stands[name], reached)
        return stands

    def _hear(self, source: Source, stands: Mapping[str, int], now: float) -> None:
        read = self._freshness.read(stands)
        if read:
            with suppress(OperationalError):  # a busy store hears it a little later
                self._tracker.hear(read, self._clock())
        silent = [name for name, waited in self._freshness.behind(stands, now).items() if waited > SILENT_AFTER]
        if set(silent) - set(self.halted):
            raise SourceFailed(f"{', '.join(silent)}: records are there and none come")
        at = self._clock()
        self._freshness.asked(source.ends(frozenset(stands)), stands, at, now)

    def _take(
        self,
        source: Source,
        polled: Mapping[str, list[tuple[int, Raw]]],
        positions: Mapping[str, Position],
        stop: threading.Event,
    ) -> None:
        now = self._clock()
        for name in polled:
            self._blamed.pop(name, None)
        slices = [self._slice(name, records, positions[name], now) for name, records in polled.items()]
        batch = Batch(tuple(part for part in slices if part is not None), now)
        if not batch.slices:
            return
        try:
            self._store(source, batch, stop)
        except Fenced as fenced:
            self._note("ingest_fenced_total", 1, str(fenced))
            self._tried("fenced")
            source.seek(self._starts())
            return
        for part in batch.slices:
            self._watch_rubbish(part.partition, part.records)
        if self.halted:
            source.hold(set(self.halted))

    def _slice(self, name: str, records: list[tuple[int, Raw]], position: Position, now: Instant) -> Slice | None:
        overlap = self._overlap.get(name)
        fresh = [(offset, raw) for offset, raw in records if offset >= position.next]
        if overlap is not None:
            self._overlap.pop(name, None)
            first, raw = records[0]
            if first == overlap[0] and record_digest(raw) != overlap[1] and not self._accept_gaps:
                self._halt(name, f"the record at offset {first} is not the one taken in before")
        if name in self.halted or not fresh:
            return None
        incoming = tuple(self._translator.incoming(offset, raw, now) for offset, raw in fresh)
        return Slice(name, position.topic, position.number, position.next, fresh[-1][0] + 1, incoming)

    def _store(self, source: Source, batch: Batch, stop: threading.Event) -> None:
        """Take a batch in; while the store cannot write, stop fetching but stay in the group."""
        held: set[str] = set()
        try:
            while not stop.is_set():
                self.progress = time.monotonic()
                try:
                    self._count(self._tracker.take(batch, self._until()))
                    break
                except OperationalError as error:
                    self._note("ingest_store_waits_total", 1, str(error))
                    held |= source.assigned
                    source.hold(held)
                    source.poll(1000, 1)
            if held:
                # Whatever the client fetched meanwhile was not kept: read on from what is stored.
                source.seek(self._starts())
        finally:
            # Whatever ended the wait: a batch that another owner took further, too.
            source.release(held - set(self.halted))

    def _count(self, taken: Taken) -> None:
        if taken.clashed:
            self._tried("conflict")
        self._tried("repeated" if taken.position is None else "stored")

    def _until(self) -> Instant:
        stands = self._tracker.known_positions().values()
        return live(self._clock(), (one.taken_up_to for one in stands))

    def _halt(self, name: str, why: str) -> None:
        self.halted[name] = Halt(name, why)
        self._note("ingest_partitions_halted", len(self.halted), f"{name}: {why}")

    def _watch_rubbish(self, name: str, records: tuple[Incoming, ...]) -> None:
        """Stop a partition of which most is unreadable: a broken producer, or a broken release of ours."""
        window = self._rubbish.setdefault(name, deque(maxlen=RUBBISH_WINDOW))
        window.extend(isinstance(one.content, Unreadable) for one in records)
        if len(window) >= RUBBISH_LEAST and sum(window) > RUBBISH_SHARE * len(window):
            self._halt(name, f"{sum(window)} of the last {len(window)} records were unreadable")

    def _blame(self, failed: SourceFailed) -> None:
        """Halt a partition that the error names time and again while it gives nothing, so that the others go on."""
        for name, one in self._partitions.items():
            if f"topic='{one.topic}', partition={one.number}" in str(failed):
                self._blamed[name] += 1
                if self._blamed[name] >= FAILURES and name not in self.halted:
                    self._halt(name, str(failed))

    def _go_on_after_gap(self, source: Source, gone: RecordsGone) -> None:
        """Go on where the broker still has records; without permission only where nothing of ours is missing."""
        moved, stands = False, self._tracker.positions()
        for name, beginning in source.beginnings(source.assigned).items():
            position = stands[name]
            if beginning > position.next and not self._accept_gaps:
                raise RecordsGone(
                    f"{name}: records {position.next} to {beginning - 1} are gone from the broker before they were "
                    "read. Start with --accept-gaps to go on without them; the gap is written down."
                ) from gone
            if beginning > position.next:
                accept_gap(self._tracker.log, position, beginning, self._clock())
                moved = True
            elif position.last_offset is not None and beginning > position.last_offset:
                self._tracker.log.store.forget_last(name)
                moved = True
        if not moved:
            raise RecordsGone(f"the broker's log ends before what was taken in: it lost records. {gone}") from gone
