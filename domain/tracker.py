"""The tracker: takes facts in, looks at deadlines, and is the only writer of the log.

One transaction holds the events of all touched streams, positions, event keys, deadlines and quarantine.
The first attempt is optimistic; a clash is told apart by reading the positions again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

import msgspec
from eventsourcing.persistence import IntegrityError, PersistenceError

from domain.errors import Fenced, Unreadable
from domain.events import Fact
from domain.feeds.frontier import SKEW
from domain.history.batch import (
    Batch,
    BatchTaken,
    Incoming,
    Position,
    Quarantined,
    QuarantineSettled,
    Slice,
    TickFired,
)
from domain.history.log import Advance, Beside, Log, Recorded
from domain.history.record import identity, is_behind, is_new, stands_at
from domain.history.streams import Streams, Work
from domain.history.suspicion import HandlerFailed, Message, Suspicion
from domain.history.tally import Tally
from domain.history.write_lock import WriteLock
from domain.instant import FOREVER, Instant
from domain.intake import listening
from domain.intake.attempt import Attempt, Taken, messages
from domain.intake.intake import Intake
from domain.intake.reading_ahead import read_ahead
from domain.judging.adoption import Adopted, adopted, mark
from domain.judging.judgement import Judgement, Now, judge
from domain.judging.sight import Heard
from domain.naming import stream
from domain.telling import following, grouping, speaking
from domain.telling.telling import Telling

TICK_LIMIT: Final = 500
"""Subjects one tick looks at in one transaction."""

GROUP_LIMIT: Final = 500
"""Events that groups are told of in one transaction."""


class Tracker:
    """The only writer. One instance a process; its methods may be called from several threads."""

    def __init__(self, log: Log, policies: Sequence[Adopted], *, cache_limit: int = 60_000) -> None:
        """Write to this log, judging by these policies, earliest first."""
        self.log = log
        self.policies = tuple(policies)
        self._judgement = Judgement(self.policies)
        self._streams = Streams(log.store, cache_limit)
        self._positions = log.store.positions()
        self._heard = Heard(log.store.heard)
        self._told: dict[str, int] = {}
        self._listen = partial(listening.Listening, log, lambda: [one.policy for one in self.policies])
        self._listening = self._listen()
        self._lock = WriteLock(log.store)

    def follow_policies(self) -> None:
        """Judge by policies that another process has adopted since."""
        known = tuple(adopted(self.log))
        if known and known != self.policies:
            with self._lock:
                self.policies = known
                self._judgement = Judgement(known)

    def positions(self) -> dict[str, Position]:
        """Read where every partition stands."""
        self._positions = self.log.store.positions()
        return dict(self._positions)

    def known_positions(self) -> Mapping[str, Position]:
        """Give where every partition stands as far as this process knows."""
        return self._positions

    def hear(self, taken_up_to: Mapping[str, Instant], now: Instant = FOREVER) -> None:
        """Note that everything up to an instant of the live clock has been read of idle partitions.

        Nobody has read what lies beyond now: whoever said so had a clock that was ahead, and is believed no more.
        """
        with self._lock:
            stands = self._positions
            heard = [stands[name]._replace(taken_up_to=at) for name, at in taken_up_to.items() if name in stands]
            self.log.store.hear(heard, min(now + SKEW, FOREVER))
            self._positions.update((one.partition, one) for one in heard)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what this thread does inside in one transaction, or none of it."""
        with self._lock:
            try:
                with self._lock.alone():
                    yield
            except BaseException:
                # What is known of it went ahead of the store.
                self._streams.forget_all()
                self._told, self._listening = {}, self._listen()
                with suppress(PersistenceError):
                    self.positions()
                raise

    def take(self, batch: Batch, until: Instant) -> Taken:
        """Take a batch in and find what is due before ``until``; harmless when it was taken before.

        Raises:
            Fenced: another owner has taken one of the partitions further.
        """
        with self._lock:
            try:
                return self._take_readable(batch, until)
            except (IntegrityError, Fenced) as clash:
                if self._is_taken(batch, clash):
                    return Taken((), None)
                with self._lock.alone():
                    return self._take_readable(batch, until)._replace(clashed=True)

    def tick(self, until: Instant, limit: int = TICK_LIMIT, *, at: Instant | None = None) -> int:
        """Look, ``at`` an instant of the clock, at subjects due before ``until``; returns how many there were."""
        return self._look_at(lambda: [name for _, name in self.log.store.due(until, limit)], until, at)

    def rearm(self, until: Instant, limit: int = TICK_LIMIT, *, at: Instant | None = None) -> int:
        """Look at open subjects that an earlier policy armed; returns how many there were."""
        current = mark(self.policies, until)
        return self._look_at(lambda: self.log.store.armed_by_other(current, limit), until, at)

    def group(self, until: Instant, limit: int = GROUP_LIMIT, *, at: Instant | None = None) -> int:
        """Tell groups what was found and who spoke since they were last told; returns how many events and sources."""
        kinds = following.kinds([one.policy for one in self.policies])
        if self.log.store.last_position() <= min(self._told.get(kind, 0) for kind in kinds):
            return 0
        with self._lock.alone(), self._work_alone() as work:
            # Of several processes that tell, the one that comes second sees here how far the first one came.
            part = following.read_on(self.log, self._told, kinds, limit)
            news = self._listening.news(work, due=bool(part.found))
            if part.found or news:
                work.load(listening.names(news))
                intake, beside = Intake(work), Beside()
                intake.touched.update((name, set()) for name in listening.names(news))
                telling = Telling(intake, self.log.store, beside, self.policies, until)
                grouping.tell(telling, part.found, part.kinds)
                speaking.hush(intake, until, beside)
                failed = self._look(intake, until, beside)
                closing = part.closing(failed, until if at is None else at)
                part = part.passing(self._append(work, beside, "groups", closing), work.pending)
        self._told = part.told
        return len(part.found) + len(news)

    def settle(
        self, message: int, incoming: Incoming | None, until: Instant, *, by: str, why: str, at: Instant
    ) -> None:
        """Retry (with what it says now) or drop a message in quarantine, and record who did.

        Raises:
            Unreadable: it still cannot be taken in; it stays in quarantine.
        """
        action = "dropped" if incoming is None else "retried"
        settled = QuarantineSettled(message=message, action=action, by=by, why=why, at=at)
        with self._lock.alone(), self._work_alone() as work:
            beside = Beside(settle=[(message, action)])
            if incoming is not None:
                self._retry(work, incoming, until, beside, at)
            self._append(work, beside, stream("quarantine", str(message)), settled)

    def _retry(self, work: Work, incoming: Incoming, until: Instant, beside: Beside, at: Instant) -> None:
        content = incoming.content
        if isinstance(content, Unreadable):
            raise content
        if isinstance(content, Fact) and is_new(incoming, at, beside, self._seen([incoming])):
            intake = Intake(work)
            intake.take(content)
            self._look(intake, until, beside)

    def _take_readable(self, batch: Batch, until: Instant) -> Taken:
        """Take a batch without the messages that break a rule; a few rounds tell which, however many they are."""
        suspicion = Suspicion()
        while True:
            try:
                with self._work() as work:
                    return self._take(work, batch, until, suspicion)
            except HandlerFailed as failed:
                suspicion.learn(failed)

    def _take(self, work: Work, batch: Batch, until: Instant, suspicion: Suspicion) -> Taken:
        """Decide on a batch and store it; where somebody else was there first, decide on the part that it concerns."""
        incoming = messages(batch)
        read_ahead(work, [one.content for one in incoming.values() if isinstance(one.content, Fact)])

        def judge_now(name: str) -> object:
            return self._judgement.of(name, work.state(name), until, self._heard)

        seen = self._seen(incoming.values())
        attempt = Attempt(work, Intake(work), Beside(), seen, suspicion, batch.received_at, judge_now)
        self._decide(attempt, incoming, until)
        if not self._streams.shared:
            try:
                return self._store(attempt, batch)
            except IntegrityError as clash:
                if self._is_taken(batch, clash):
                    raise
        with self._lock.alone():
            again = attempt.take_back(self.log.store, incoming)
            self._decide(attempt, again, until)
            return self._store(attempt, batch)._replace(clashed=bool(again))

    def _decide(self, attempt: Attempt, to_take: Mapping[Message, Incoming], until: Instant) -> None:
        for message, one in to_take.items():
            attempt.take(message, one)
        self._look(attempt.intake, until, attempt.beside)

    def _store(self, attempt: Attempt, batch: Batch) -> Taken:
        """Close what was decided, slice by slice, and commit it."""
        beside = msgspec.structs.replace(attempt.beside, advance=[], heard={}, quarantine=[])
        closing, refused = list[Recorded](), set[Message]()
        for place, part in enumerate(batch.slices):
            tally = Tally()
            for one in part.records:
                message = place, one.offset
                content = attempt.contents[message]
                tally.add(content, one, repeated=message in attempt.repeated)
                if isinstance(content, Unreadable):
                    refused.add(message)
                    why = (content.code, content.detail, one.raw, batch.received_at)
                    beside.quarantine.append(Quarantined(part.partition, one.offset, *why))
            closing.append(self._advance(part, tally, batch.received_at, beside))
            for source, at in tally.sources.items():
                beside.heard[source] = max(at, beside.heard.get(source, at))
        position = self.log.append([*attempt.work.pending, *closing], beside)
        self._positions.update((one.position.partition, one.position) for one in beside.advance)
        batches = tuple(one.body for one in closing if isinstance(one.body, BatchTaken))
        return Taken(batches, position, frozenset(refused))

    def _seen(self, incoming: Iterable[Incoming]) -> dict[bytes, bytes]:
        keys = {identity(one.content) for one in incoming if isinstance(one.content, Fact)}
        return self.log.store.seen(list(keys))

    def _advance(self, part: Slice, tally: Tally, received_at: Instant, beside: Beside) -> Recorded:
        known = self._positions.get(part.partition)
        if not stands_at(self._positions, part):
            raise Fenced(f"{part.partition} is not at {part.expected}")
        position = tally.position(part, known)
        beside.advance.append(Advance(part.expected, position))
        return Recorded(stream("batches", part.partition), position.batches, tally.event(part, position, received_at))

    def _look(self, intake: Intake, until: Instant, beside: Beside) -> dict[str, str]:
        """Judge what was touched; returns whom this version cannot judge."""
        self._listening.recall(intake, beside)
        return judge(intake, self._judgement, Now(until, self._heard, mark(self.policies, until)), beside)

    def _look_at(self, subjects: Callable[[], list[str]], until: Instant, at: Instant | None) -> int:
        """Look under the write lock: a look that finds nothing writes no stream, so no version would guard it."""
        if not subjects():
            return 0
        with self._lock.alone(), self._work_alone() as work:
            names = subjects()
            self._heard.refresh()
            intake, beside = Intake(work), Beside()
            work.load(names)
            intake.touched.update((name, set()) for name in names)
            speaking.hush(intake, until, beside)
            failed = self._look(intake, until, beside)
            self._append(work, beside, "ticks", TickFired(until=until, subjects=len(names), failed=failed, at=at))
            return len(names)

    def _append(self, work: Work, beside: Beside, closing_stream: str, closing: Any) -> int | None:
        version = self.log.store.versions([closing_stream]).get(closing_stream, 0) + 1
        return self.log.append([*work.pending, Recorded(closing_stream, version, closing)], beside)

    def _work(self) -> Work:
        return Work(self._streams)

    def _work_alone(self) -> Work:
        """Work under the write lock, on nothing that somebody else has written since it was read."""
        return Work(self._streams, self.log.store.versions)

    def _is_taken(self, batch: Batch, clash: Exception) -> bool:
        """Tell an already committed batch from one to decide again.

        Raises:
            Fenced: neither; another owner has gone on.
        """
        self._streams.share()
        stands = self.positions()
        if all(stands_at(stands, part) for part in batch.slices):
            return False
        if all(is_behind(stands, part) for part in batch.slices):
            return True
        raise Fenced(str(clash)) from clash
