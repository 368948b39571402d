"""Standings: which of several shards can be read, and how far each is known."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from api.contract.shards import MergedAsOf, ShardState
from api.reading import ProductClock
from domain.instant import Instant, iso

NOT_REACHED: Final = "not_reached"


class Standing(NamedTuple):
    """What is known of one shard."""

    why: str | None = NOT_REACHED
    """Why it cannot be read; null where it can."""
    known_up_to: Instant | None = None
    """As it was when it could last be read."""
    heard_at: float | None = None


class Standings:
    """Keeps what is known of each shard."""

    def __init__(self, names: Iterable[str]) -> None:
        """Have reached none yet."""
        self._known = {name: Standing() for name in names}

    def hear(self, name: str, known_up_to: Instant | None) -> bool:
        """Note that a shard was read; says whether it was stale before."""
        before = self._known[name]
        self._known[name] = Standing(None, known_up_to, time.monotonic())
        return before.why is not None

    def lose(self, name: str, why: str) -> bool:
        """Note that a shard could not be read; says whether that is new."""
        before = self._known[name]
        self._known[name] = before._replace(why=why)
        return before.why in (None, NOT_REACHED)

    def is_stale(self, name: str) -> bool:
        """Say whether a shard cannot be read just now."""
        return self._known[name].why is not None

    def is_away(self, name: str) -> bool:
        """Say whether a shard was tried and cannot be read just now; one that was never tried may be there."""
        return self._known[name].why not in (None, NOT_REACHED)

    def ages(self, now: Instant) -> dict[str, int]:
        """Give how far each shard is known to be behind a clock."""
        return {name: now - one.known_up_to for name, one in self._known.items() if one.known_up_to is not None}

    def as_of(
        self,
        position: str,
        clock: ProductClock,
        lost: Mapping[str, str] | None = None,
        known: Mapping[str, Instant | None] | None = None,
    ) -> MergedAsOf:
        """Say how fresh an answer is; of a page, also what it itself has met."""
        now = clock.now()
        states = {name: one._replace(why=None) if known and name in known else one for name, one in self._known.items()}
        for name, why in (lost or {}).items():
            states[name] = states[name]._replace(why=why)
        for name, up_to in (known or {}).items():
            states[name] = states[name]._replace(known_up_to=up_to)
        ends = [one.known_up_to for one in states.values()]
        slowest = min((one for one in ends if one is not None), default=None) if None not in ends else None
        return MergedAsOf(
            position=position,
            known_up_to=_iso(None if slowest is None else min(slowest, now)),
            now=iso(now),
            speed=clock.pace(now),
            wall=clock.wall,
            shards=[_state(name, one) for name, one in states.items()],
        )


def _state(name: str, one: Standing) -> ShardState:
    why: Any = one.why
    return ShardState(name=name, stale=why is not None, why=why, known_up_to=_iso(one.known_up_to))


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
