"""A set of dated facts: each once, always read in the order of the world, whatever order they came in."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from domain.events import Fact

F = TypeVar("F", bound=Fact)

_STAMP = attrgetter("stamp")


class Facts:
    """The facts of one subject, by type, each list sorted by (time, source, id)."""

    __slots__ = ("_by_type",)

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._by_type: dict[type[Fact], list[Fact]] = {}

    def __iter__(self) -> Iterator[Fact]:
        """Give all facts, type by type."""
        return chain.from_iterable(self._by_type.values())

    def of(self, kind: type[F]) -> Sequence[F]:
        """List the facts of one type, earliest first."""
        return self._by_type.get(kind, ())  # type: ignore[return-value]  # keyed by the type of its members

    def holds(self, fact: Fact) -> bool:
        """Say whether this very fact is known; hearing it again changes nothing."""
        known = self._by_type.get(type(fact))
        if not known or known[-1].at < fact.at:
            return False
        place = bisect_left(known, fact.stamp, key=_STAMP)
        return place < len(known) and known[place].stamp == fact.stamp

    def add(self, fact: Fact) -> None:
        """Put a fact in its place."""
        known = self._by_type.get(type(fact))
        if known is None:
            known = self._by_type[type(fact)] = []
        if not known or known[-1].at < fact.at or known[-1].stamp < fact.stamp:
            known.append(fact)
        else:
            known.insert(bisect_left(known, fact.stamp, key=_STAMP), fact)

    def drop(self, kind: type[F], source: str, identity: str) -> list[F]:
        """Forget a fact that turned out to belong to another subject, and give it back if it was known."""
        known = self._by_type.get(kind, [])
        dropped = [fact for fact in known if (fact.source, fact.id) == (source, identity)]
        for fact in dropped:
            known.remove(fact)
        return dropped  # type: ignore[return-value]  # keyed by the type of its members
