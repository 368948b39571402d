"""Leases: which of several processes has a role's turn, by the clock of the store that they share."""

from typing import NamedTuple, Protocol

from domain.instant import Instant


class Held(NamedTuple):
    """A lease and who was given it last."""

    name: str
    holder: str
    term: int
    """Grows with every change of holder, so that what a former one says can be told from what this one says."""
    left: Instant
    """Microseconds until it is anybody's; not above zero where it is so already."""


class Leases(Protocol):
    """What a store must do so that one process at a time has a role."""

    def claim(self, name: str, holder: str, span: Instant) -> int | None:
        """Give a lease from now on for a span, anew to its holder or to anybody once it is over; null where it is not.

        What is given is the term.
        """

    def give_up(self, name: str, holder: str) -> None:
        """End a lease of this holder's, so that the next one need not wait."""

    def leases(self) -> list[Held]:
        """List all leases by name."""
