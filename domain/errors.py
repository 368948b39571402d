"""Errors that mean an action; everything else stops the process."""


class Explained(Exception):
    """A failure whose text tells a person what is wrong and what to do; commands print it and exit with 1."""


class Refused(Explained):
    """A person's command cannot be carried out; told to that person (HTTP 409) under a stable code."""

    code = "refused"


class IllegalStep(Refused):
    """A step that the state of an incident does not allow; ``code`` is stable, ``reason`` is for the person."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep the parts, so that nobody has to parse the message."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class Unreadable(Exception):
    """A message cannot become a fact: it goes to quarantine under ``code`` and the rest goes on."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep the parts, so that nobody has to parse the message."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Fenced(Exception):
    """Somebody else has taken this partition further: drop the batch, read the position again, seek."""


class StoreUnsuitable(Explained):
    """The store is set up in a way that would lose or double facts; the process must not start."""
