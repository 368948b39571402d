"""Crossings: orders and parcels that more than one shard knows, found by comparing names, slice by slice.

Nothing of an order or a parcel may cross shards: each would judge it by a part of its events. What does is counted
and shown until the events that went astray are mended; nothing is guessed and nothing is merged.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

from api.contract import shards as contract
from api.reading import Reader
from api.sharded.shards import Shard, ShardAway
from domain.instant import Instant, iso
from projections import keys
from projections.outage import Outage
from projections.view import Rows

SLICE: Final = 1000
"""Names of one shard that are compared at once."""
PAUSE: Final = 0.1
"""Seconds between two slices: whoever reads the shards comes first."""
REST: Final = 3600.0
"""Seconds between two comparisons of everything."""
EXAMPLES: Final = 20
"""Orders, and as many parcels, that are kept by name; the others are only counted, however many they are."""
_AWAY: Final = 2.0
_NAMES: Final[dict[Literal["order", "parcel"], Callable[[Rows, str, int], list[str]]]] = {
    "order": keys.orders,
    "parcel": keys.parcels,
}

_log = logging.getLogger(__name__)


class Crossing(NamedTuple):
    """Something that several shards know."""

    what: Literal["order", "parcel"]
    id: str
    shards: tuple[str, ...]


class Found:
    """What a comparison found: all of it counted, the first of it by name."""

    def __init__(self, crossings: Iterable[Crossing] = ()) -> None:
        """Count these."""
        self.counts = dict.fromkeys(_NAMES, 0)
        self.examples: list[Crossing] = []
        for one in crossings:
            self.add(one)

    def add(self, one: Crossing) -> None:
        """Count one more."""
        if self.counts[one.what] < EXAMPLES:
            self.examples.append(one)
        self.counts[one.what] += 1

    @property
    def total(self) -> int:
        """Count orders and parcels together."""
        return sum(self.counts.values())

    @property
    def more(self) -> int:
        """Count those that are not among the examples."""
        return self.total - len(self.examples)


def names(reader: Reader, what: Literal["order", "parcel"], after: str, limit: int = SLICE) -> list[str]:
    """List the orders or parcels of a shard, by name."""
    with reader.snapshot() as snapshot:
        return _NAMES[what](snapshot.rows, after, limit)


def in_several(slices: Mapping[str, Sequence[str]], limit: int) -> tuple[list[tuple[str, tuple[str, ...]]], str | None]:
    """Find the names in more than one slice; returns also after which name to go on, none at the end."""
    end = min((one[-1] for one in slices.values() if len(one) == limit), default=None)
    known: dict[str, list[str]] = {}
    for shard, found in slices.items():
        for name in found:
            if end is None or name <= end:
                known.setdefault(name, []).append(shard)
    return [(name, tuple(shards)) for name, shards in sorted(known.items()) if len(shards) > 1], end


def compare(readers: Mapping[str, Reader]) -> Iterator[Crossing]:
    """Compare all names of all shards, which must be there until it is done."""
    for what in _NAMES:
        after: str | None = ""
        while after is not None:
            slices = {shard: names(reader, what, after) for shard, reader in readers.items()}
            found, after = in_several(slices, SLICE)
            yield from (Crossing(what, *one) for one in found)


class Crossings:
    """Compares again and again, at a pace that nobody notices, and keeps what the last comparison found."""

    def __init__(self, shards: Sequence[Shard], clock: Callable[[], Instant], *, rest: float = REST) -> None:
        """Know nothing yet."""
        self._shards = shards
        self._clock = clock
        self._rest = rest
        self._finished: Found | None = None
        self._running = Found()
        self._compared_at: Instant | None = None
        self._outage = Outage()

    def found(self, what: Literal["order", "parcel"]) -> int:
        """Count the orders or parcels that cross: of the last comparison, or of the first one as far as it is."""
        return self._last.counts[what]

    def shown(self) -> contract.Compared:
        """Write what was found."""
        last = self._last
        return contract.Compared(
            orders=self.found("order"),
            parcels=self.found("parcel"),
            crossings=[contract.Crossing(what=one.what, id=one.id, shards=list(one.shards)) for one in last.examples],
            more=last.more,
            compared_at=None if self._compared_at is None else iso(self._compared_at),
        )

    async def run(self) -> None:
        """Compare until cancelled; a shard that is away is waited for, for without it nothing can be said."""
        while True:
            await self.step()
            await asyncio.sleep(self._rest)

    async def step(self) -> None:
        """Compare everything once."""
        self._running = Found()
        for what in _NAMES:
            after: str | None = ""
            while after is not None:
                found, after = in_several(await self._slices(what, after), SLICE)
                for one in found:
                    self._running.add(Crossing(what, *one))
                await asyncio.sleep(PAUSE)
        if self._running.total:
            _log.error("%s orders or parcels are known to several shards; see /v1/shards", self._running.total)
        self._finished, self._compared_at = self._running, self._clock()

    @property
    def _last(self) -> Found:
        return self._running if self._finished is None else self._finished

    async def _slices(self, what: Literal["order", "parcel"], after: str) -> dict[str, list[str]]:
        while True:
            try:
                asked = [shard.ask(partial(names, what=what, after=after)) for shard in self._shards]
                found = await asyncio.gather(*asked)
            except ShardAway:
                await asyncio.sleep(_AWAY)
            except Exception:  # noqa: BLE001  # told in the log, and tried again
                self._outage.begin()
                _log.exception("the shards could not be compared")
                await asyncio.sleep(_AWAY)
            else:
                if (seconds := self._outage.end()) is not None:
                    _log.info("the shards can be compared again after %s s", seconds)
                return {shard.name: one for shard, one in zip(self._shards, found, strict=True)}
