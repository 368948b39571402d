"""What every stored event is: a plain frozen record with a stable name."""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

import msgspec

from domain.instant import Instant

_MAKE: Final = tuple.__new__


class Stamp(NamedTuple):
    """When a fact happened and who says so: the order in which the world is read.

    Equal times are ordered by source, then id, so that no rule depends on arrival.
    """

    at: Instant
    source: str
    id: str

    @property
    def ref(self) -> str:
        """Name the input event as proofs do: ``source#id``."""
        return f"{self.source}#{self.id}"


def refs(stamps: Iterable[Stamp]) -> tuple[str, ...]:
    """Name events as proofs do, each once, in the order of the world."""
    return tuple(stamp.ref for stamp in sorted(set(stamps)))


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something that was decided; ``TOPIC`` is its name in the log for ever."""

    TOPIC: ClassVar[str]


class Fact(Event, frozen=True, kw_only=True):
    """Something that a feed says happened in the world."""

    at: Instant
    source: str
    id: str
    via: str = ""
    """The record that brought it: ``topic/partition/offset``."""

    @property
    def stamp(self) -> Stamp:
        """Give the fact's place in the order of the world."""
        # As NamedTuple does it, without its call in between: every fact is put in its place by this.
        return _MAKE(Stamp, (self.at, self.source, self.id))


class Copy(Event, frozen=True, kw_only=True):
    """What one subject means for another, copied into the other's stream; its latest version wins."""

    version: int
    """How much the subject had heard when it said so."""

    def says_more_than(self, known: "Copy | None") -> bool:
        """Say whether this is later than what is known, and something else."""
        if known is None:
            return True
        return self.version > known.version and msgspec.structs.replace(self, version=known.version) != known
