"""Crossings: orders and parcels that more than one shard knows, found by comparing names, slice by slice.

Nothing of an order or a parcel may cross shards: each would judge it by a part of its events. What does is counted
and shown until the events that went astray are mended; nothing is guessed and nothing is merged.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

from api import contract_shards as contract
from api.reading import Reader
from api.shards import Shard, ShardAway
from domain.instant import Instant, iso
from projections import keys
from projections.view import Rows

SLICE: Final = 1000
"""Names of one shard that are compared at once."""
PAUSE: Final = 0.1
"""Seconds between two slices: whoever reads the shards comes first."""
REST: Final = 3600.0
"""Seconds between two comparisons of everything."""
_AWAY: Final = 2.0
_EXAMPLES: Final = 20
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
        self._finished: list[Crossing] | None = None
        self._running: list[Crossing] = []
        self._compared_at: Instant | None = None

    def found(self, what: str) -> int:
        """Count the orders or parcels that cross: of the last comparison, or of the first one as far as it is."""
        return sum(one.what == what for one in self._last)

    def shown(self) -> contract.Compared:
        """Write what was found."""
        return contract.Compared(
            orders=self.found("order"),
            parcels=self.found("parcel"),
            crossings=[
                contract.Crossing(what=one.what, id=one.id, shards=list(one.shards)) for one in self._last[:_EXAMPLES]
            ],
            compared_at=None if self._compared_at is None else iso(self._compared_at),
        )

    async def run(self) -> None:
        """Compare until cancelled; a shard that is away is waited for, for without it nothing can be said."""
        while True:
            await self.step()
            await asyncio.sleep(self._rest)

    async def step(self) -> None:
        """Compare everything once."""
        self._running = []
        for what in _NAMES:
            after: str | None = ""
            while after is not None:
                found, after = in_several(await self._slices(what, after), SLICE)
                self._running += [Crossing(what, *one) for one in found]
                await asyncio.sleep(PAUSE)
        if self._running:
            _log.error("%s orders or parcels are known to several shards; see /v1/shards", len(self._running))
        self._finished, self._compared_at = self._running, self._clock()

    @property
    def _last(self) -> list[Crossing]:
        return self._running if self._finished is None else self._finished

    async def _slices(self, what: Literal["order", "parcel"], after: str) -> dict[str, list[str]]:
        while True:
            try:
                asked = [shard.ask(partial(names, what=what, after=after)) for shard in self._shards]
                found = await asyncio.gather(*asked)
            except ShardAway:
                await asyncio.sleep(_AWAY)
            except Exception:  # noqa: BLE001  # told in the log, and tried again
                _log.exception("the shards could not be compared")
                await asyncio.sleep(_AWAY)
            else:
                return {shard.name: one for shard, one in zip(self._shards, found, strict=True)}
