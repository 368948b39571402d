"""Attempt: what one try at one batch has at hand, and what became of it."""

from typing import NamedTuple

from domain.batch import BatchTaken
from domain.instant import Instant
from domain.intake import Intake, Message
from domain.log import Beside
from domain.streams import Work
from domain.suspicion import Suspicion


class Taken(NamedTuple):
    """What became of a batch, per partition."""

    batches: tuple[BatchTaken, ...]
    position: int | None
    """The log position of the last event stored; null when the batch had been taken in before."""
    refused: frozenset[Message] = frozenset()
    """The messages that went to quarantine."""


class Attempt(NamedTuple):
    """One try at one batch."""

    work: Work
    intake: Intake
    beside: Beside
    seen: dict[bytes, bytes]
    suspicion: Suspicion
    at: Instant
    until: Instant
