"""Suspicion: which messages of a batch make deciding or judging raise, found by trying again without them."""

from collections.abc import Iterable
from typing import NamedTuple

Message = tuple[int, int]
"""A message of a batch: which slice, which offset."""


class Failure(NamedTuple):
    """A subject that could not be judged, or could not say what it means for others, after messages touched it."""

    subject: str
    messages: frozenset[Message]
    cause: Exception


class HandlerFailed(Exception):
    """Subjects that messages of a batch touched could not be judged once all of them had been taken in."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        """Keep all of them, so that one more attempt is enough to tell which messages it was."""
        self.failures = tuple(failures)
        super().__init__(", ".join(f"{one.subject}: {one.cause!r}" for one in self.failures))


class Suspicion:
    """What has been learned about a batch so far; each attempt leaves out more, until the rest can be taken in."""

    def __init__(self) -> None:
        """Suspect nobody."""
        self.causes: dict[Message, Exception] = {}
        """The messages to leave out, and why."""
        self.subjects: set[str] = set()
        """Subjects to judge after each message, so that the one that breaks them is seen."""

    def learn(self, failed: HandlerFailed) -> None:
        """Leave messages out; of several that touched a subject first find out which it was."""
        # A subject fails again when another one's judgement has touched it meanwhile: that tells nothing new of it.
        touched: dict[str, set[Message]] = {}
        for subject, messages, _ in failed.failures:
            touched.setdefault(subject, set()).update(messages)
        for subject, _, cause in failed.failures:
            suspects = touched.pop(subject, set())
            if subject not in self.subjects and len(suspects) > 1:
                self.subjects.add(subject)
            else:
                self.causes.update(dict.fromkeys(suspects, cause))
