"""Suspicion: which messages of a batch make deciding or judging raise, found by trying again without them."""

from collections.abc import Iterable

from domain.intake import Message


class HandlerFailed(Exception):
    """Deciding on a message, or judging a subject that messages touched, raised."""

    def __init__(self, messages: Iterable[Message], cause: Exception, subject: str | None = None) -> None:
        """Keep who is suspected; ``subject`` where judging it raised after all of them."""
        super().__init__(repr(cause))
        self.messages = tuple(messages)
        self.cause = cause
        self.subject = subject


class Suspicion:
    """What has been learned about a batch so far; each attempt leaves out more, until the rest can be taken in."""

    def __init__(self) -> None:
        """Suspect nobody."""
        self.causes: dict[Message, Exception] = {}
        """The messages to leave out, and why."""
        self.subjects: set[str] = set()
        """Subjects to judge after each message, so that the one that breaks them is seen."""

    def learn(self, failed: HandlerFailed) -> None:
        """Leave a message out; of several that touched a subject first find out which it was."""
        subject = failed.subject
        if subject is not None and subject not in self.subjects and len(failed.messages) > 1:
            self.subjects.add(subject)
        else:
            self.causes.update(dict.fromkeys(failed.messages, failed.cause))
