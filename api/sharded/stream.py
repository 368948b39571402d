"""One live feed of several logs: in each what was before, then what comes, without a gap and without anything twice."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from starlette.types import Send

from api import frames
from api.contract.shards import ShardReset
from api.sharded.live import MergedListener, MergedLive
from api.stream import Streamed, send_on
from api.tokens import Mark, Places
from projections.query import Filter


class Beginning(NamedTuple):
    """Where a client wants to begin."""

    places: Places | None
    """Null: now."""
    is_ours: bool = True
    """Whether what the client has was given out by us."""


class MergedStream(Streamed[MergedListener]):
    """Tells the feeds of several logs."""

    def __init__(self, live: MergedLive, wanted: Filter, beginning: Beginning) -> None:
        """Answer nothing yet."""
        make: Callable[[Callable[[], None]], MergedListener] = partial(MergedListener, wanted, Places())
        super().__init__(live, make)
        self._live = live
        self._beginning = beginning

    async def _run(self, listener: MergedListener, send: Send) -> None:
        await send_on(listener, send, frames.RETRY)
        listener.places, lost = await self._begin()
        # Nothing is awaited between where everything stands and this, so nothing can come in between.
        self._live.follow(listener)
        for name in lost:
            _reset(listener, name, "the position belongs to another log of this shard, or lies beyond it")
        if not self._beginning.is_ours:
            _reset(listener, None, "the id is none of ours")
        self._live.tell_time([listener])
        turn = 0
        while True:
            behind = self._live.behind(listener)
            if behind and not listener.waiting and not listener.ended:
                turn += 1  # so that a long past of one shard does not keep back the others
                await self._live.read_on(listener, behind[turn % len(behind)])
                continue
            chunk = await listener.take()
            if chunk is None:
                return
            await send_on(listener, send, chunk)

    async def _begin(self) -> tuple[Places, list[str]]:
        if self._beginning.places is None:
            now = [self._live.places.of(name) or Mark(name) for name in self._live.shards]
            return Places().at(*now), []
        found, lost = await self._live.checked(self._beginning.places)
        found, more = self._live.settled(found)  # what was reached meanwhile
        return found, lost + more


def _reset(listener: MergedListener, shard: str | None, reason: str) -> None:
    reset = ShardReset(reason=reason, position=str(listener.places), shard=shard)
    listener.offer(frames.frame("reset", reset.model_dump()))
