"""Attempt: what one try at one batch has at hand, and what became of it."""

from typing import NamedTuple

from domain.batch import BatchTaken
from domain.instant import Instant
from domain.intake import Intake
from domain.log import Beside
from domain.streams import Work
from domain.suspicion import Message, Suspicion


class Taken(NamedTuple):
    """What became of a batch, per partition."""

    batches: tuple[BatchTaken, ...]
    position: int | None
    """The log position of the last event stored; null when the batch had been taken in before."""
    refused: frozenset[Message] = frozenset()
    """The messages that went to quarantine."""
    clashed: bool = False
    """Another process wrote one of its streams first: it was decided a second time, under the log's lock."""


class Attempt(NamedTuple):
    """One try at one batch."""

    work: Work
    intake: Intake
    beside: Beside
    seen: dict[bytes, bytes]
    suspicion: Suspicion
    at: Instant
    until: Instant

    def undo(self, message: Message, events: int, keys: int) -> None:
        """Forget the message that was taken in last; so many events and keys were there before it."""
        self.work.undo(events)
        self.intake.forget(message)
        for key, _, _ in self.beside.seen[keys:]:
            del self.seen[key]
        del self.beside.seen[keys:]
