"""Delivered: how far what leaves for a topic has come. It stands with the log, so that it outlives every view."""

from typing import NamedTuple, Protocol


class Mark(NamedTuple):
    """Everything up to a position of one log's life was acknowledged by a target."""

    epoch: str
    position: int = 0
    revision: int = 0
    """Of the views that it was read from; grows when rows were put in behind the position."""
    held: int | None = None
    """The first position of what a view could not take in yet: what becomes of it will stand behind us."""


class Marks(Protocol):
    """What a store must do so that nothing is left out, whoever delivers next."""

    def delivered(self, target: str) -> Mark | None:
        """Say how far a target has been told; null where it never was."""

    def move(self, target: str, before: Mark | None, after: Mark) -> bool:
        """Move a mark from where it stood; compare and swap. Says whether it still stood there."""

    def move_back(self, target: str, to: Mark) -> None:
        """Let everything after a position be told once more, unless that is to come already."""
