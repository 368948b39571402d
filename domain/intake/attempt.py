"""Attempt: what one try at one batch has at hand, and what became of it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Batch, BatchTaken, Foreign, Incoming
from domain.history.log import NO_FAULT, Beside, LogRecorder
from domain.history.record import identity, is_new
from domain.history.streams import Work
from domain.history.suspicion import Message, Suspicion
from domain.instant import Instant
from domain.intake.intake import Intake
from domain.intake.reading_ahead import read_ahead


class Taken(NamedTuple):
    """What became of a batch, per partition."""

    batches: tuple[BatchTaken, ...]
    position: int | None
    """The log position of the last event stored; null when the batch had been taken in before."""
    refused: frozenset[Message] = frozenset()
    """The messages that went to quarantine."""
    clashed: bool = False
    """Another process wrote one of its streams first: that part was decided a second time, under the log's lock."""


def messages(batch: Batch) -> dict[Message, Incoming]:
    """Give the messages of a batch, in order."""
    return {(place, one.offset): one for place, part in enumerate(batch.slices) for one in part.records}


class Attempt:
    """One try at one batch."""

    def __init__(
        self,
        work: Work,
        intake: Intake,
        beside: Beside,
        seen: dict[bytes, bytes],
        suspicion: Suspicion,
        at: Instant,
        judge: Callable[[str], object],
    ) -> None:
        """Begin with nothing taken; ``seen`` are the keys that are known, ``judge`` tries whether a subject can be."""
        self.work = work
        self.intake = intake
        self.beside = beside
        self._seen = seen
        self._suspicion = suspicion
        self._at = at
        self._judge = judge
        self.contents: dict[Message, Fact | Foreign | Unreadable] = {}
        """What every message says, or why it cannot be taken in."""
        self.repeated: set[Message] = set()
        """Those that were taken in before."""

    def take(self, message: Message, one: Incoming) -> None:
        """Take a message in; one that breaks a rule leaves no trace but why."""
        content = one.content
        cause = self._suspicion.causes.get(message)
        if cause is not None:
            content = Unreadable("handler_error", repr(cause))
        elif isinstance(content, Fact):
            before = len(self.work.pending), len(self.beside.seen)
            try:
                self._take_fact(message, one, content)
            except Unreadable as conflict:
                content = conflict
            except NO_FAULT:
                raise
            except Exception as error:  # noqa: BLE001  # kept with the message
                self._undo(message, *before)
                content = Unreadable("handler_error", repr(error))
        self.contents[message] = content

    def _take_fact(self, message: Message, one: Incoming, fact: Fact) -> None:
        if not is_new(one, self._at, self.beside, self._seen):
            self.repeated.add(message)
            return
        suspected = self._suspicion.subjects
        self.work.because(message)
        self.intake.take(fact, message)
        if suspected:
            self.intake.tell()
            for failure in self.intake.failures:
                raise failure.cause
            for name in suspected.intersection(self.intake.latest):
                self._judge(name)

    def _undo(self, message: Message, events: int, keys: int) -> None:
        """Forget the message that was taken in last; so many events and keys were there before it."""
        self.work.undo(events)
        self.intake.forget(message)
        for key, _, _ in self.beside.seen[keys:]:
            del self._seen[key]
        del self.beside.seen[keys:]

    def take_back(self, store: LogRecorder, batch: Mapping[Message, Incoming]) -> dict[Message, Incoming]:
        """Forget what was decided on what somebody else has written since; gives the messages to take once more.

        What they wrote is read anew with them, and whatever else was decided on that; all the rest stays decided. The
        log's lock must be held from here until this is stored.
        """
        keys = {message: identity(one.content) for message, one in batch.items() if isinstance(one.content, Fact)}
        seen = store.seen([key for key, _, _ in self.beside.seen])
        taken_by_others = {message for message, key in keys.items() if key in seen}
        stale = self.work.stale(store.versions)
        if not stale and not taken_by_others:
            return {}
        names, again = self.work.entangled(stale, taken_by_others)
        dropped = {keys[message] for message in again}
        # What repeats a message that is taken again may be the first to say it this time.
        again |= {message for message, key in keys.items() if key in dropped}
        self._forget_keys(dropped, seen)
        self.repeated -= again
        for name in names:
            self.beside.deadlines.pop(name, None)
        self.work.take_back(names, store.versions)
        found = {message: one for message, one in batch.items() if message in again}
        read_ahead(self.work, [one.content for one in found.values() if isinstance(one.content, Fact)])
        return found

    def _forget_keys(self, dropped: set[bytes], seen: Mapping[bytes, bytes]) -> None:
        self.beside.seen = [one for one in self.beside.seen if one[0] not in dropped]
        for key in dropped:
            self._seen.pop(key, None)
        self._seen.update(seen)
