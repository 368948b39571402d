"""Merged live feed: what is new in each of several logs, handed to everybody who listens, with a position in each.

Each log is read by a task of its own. A client's token moves with what is put into its queue, in the same step, so
that the order of its tokens is the order of what it gets. Who is behind in a log reads on there by itself and is
handed nothing of it until it has come up; who is ahead is told nothing twice.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from api import frames
from api.contract.shards import MergedAsOf
from api.live import PAGE, POLL, SEND_SECONDS, Crowd, Listener
from api.reading import ProductClock
from api.sharded.shards import Read, Shard, ShardAway, is_beyond, read_on
from api.sharded.standings import Standings
from api.tokens import Mark, Places
from domain.instant import Instant
from projections.feed import Change
from projections.outage import Outage
from projections.query import Filter

_AWAY_SECONDS: Final = 0.5
_LOOK: Final = 0.5
_log = logging.getLogger(__name__)


class MergedListener(Listener):
    """One client of several logs."""

    def __init__(self, wanted: Filter, places: Places, abort: Callable[[], None]) -> None:
        """Want what a filter matches, from these places on."""
        super().__init__(wanted, abort)
        self.places = places
        """Where it stands once it has got everything that waits for it."""

    def wants(self, one: Change) -> bool:
        """Say whether an entry is asked for."""
        return self.wanted is None or self.wanted.matches(one)


class MergedLive(Crowd[MergedListener]):
    """Everybody who listens to several logs."""

    def __init__(
        self,
        shards: Sequence[Shard],
        clock: ProductClock,
        *,
        heartbeat: float,
        capacity: int,
        note: Callable[[str], None] = lambda _: None,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        """Tell everybody the time at least every ``heartbeat`` seconds, and hold no more than ``capacity`` clients."""
        super().__init__(capacity=capacity, note=note, send_seconds=send_seconds)
        self.shards = {one.name: one for one in sorted(shards, key=lambda one: one.name)}
        self.standings = Standings(self.shards)
        self._outages = {name: Outage() for name in self.shards}
        self.places = Places()
        """Where everything stands that was handed on; without a mark for a shard that was never reached."""
        self.clock = clock
        self._heartbeat = heartbeat
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Hand on what is new until cancelled; a shard that cannot be read is tried again, and told as stale."""
        async with asyncio.TaskGroup() as tasks:
            for shard in self.shards.values():
                tasks.create_task(self._tail(shard))
            tasks.create_task(self._beat())

    def follow(self, listener: MergedListener) -> None:
        """Hand a client what comes after its places, which must be ``settled``."""
        self._following.add(listener)

    def as_of(self, places: Places) -> MergedAsOf:
        """Say how fresh this is."""
        return self.standings.as_of(str(places), self.clock)

    def settled(self, places: Places) -> tuple[Places, list[str]]:
        """Mark where to read on in every shard that was reached; names those whose log is not the one marked.

        These, and those without a mark, are read from their first change.
        """
        marks, lost = [], []
        for name, stands in ((one.shard, one) for one in self.places.marks):
            mark = places.of(name)
            if mark is not None and not mark.epoch:
                marks.append(stands)
            elif mark is None or not mark.is_of(stands):
                marks.append(stands._replace(position=0))
                lost += [] if mark is None else [name]
        return places.at(*marks), lost

    async def checked(self, places: Places) -> tuple[Places, list[str]]:
        """Do the same, and look whether a place lies beyond the end of its log."""
        found, lost = self.settled(places)
        for stands in self.places.marks:
            mark = found.of(stands.shard)
            if mark is not None and mark.is_of(stands) and mark.position > stands.position:
                try:
                    beyond = await self.shards[mark.shard].ask(partial(is_beyond, mark=mark))
                except ShardAway:
                    continue  # it is asked again when it is back and the client comes again
                if beyond:
                    found, lost = found.at(mark._replace(position=0)), [*lost, mark.shard]
        return found, lost

    def behind(self, listener: MergedListener) -> list[str]:
        """Name the shards, of those that can be read, in which a client has to read on by itself."""
        return [
            stands.shard
            for stands in self.places.marks
            if not self.standings.is_stale(stands.shard)
            and (mark := listener.places.of(stands.shard)) is not None
            and mark.position < stands.position
        ]

    async def read_on(self, listener: MergedListener, name: str) -> None:
        """Let a client that is behind in a shard get a page of it."""
        mark = listener.places.of(name)
        if mark is None:
            return
        try:
            read = await self.shards[name].ask(partial(read_on, shard=name, after=mark.position, limit=PAGE))
        except ShardAway:
            await asyncio.sleep(_AWAY_SECONDS)
            return
        if not read.stands.is_of(mark):
            self._let_go(listener, b"", "reset")
        if listener.ended or listener.places.of(name) != mark:
            return
        for one in read.found:
            listener.places = listener.places.at(mark._replace(position=one.position))
            if listener.wants(one):
                self._offer(listener, _frame(name, one, read.went_live, listener.places))
        if len(read.found) < PAGE:
            last = max(mark.position, read.stands.position)
            listener.places = listener.places.at(mark._replace(position=last))

    async def _tail(self, shard: Shard) -> None:
        while True:
            pause = _AWAY_SECONDS
            try:
                pause = await self._step(shard)
            except ShardAway as away:
                self._stale(shard.name, away.why)
            except Exception:  # noqa: BLE001  # told in the log, and tried again
                _log.exception("shard %s could not be read", shard.name)
                self._stale(shard.name, "failed")
            await asyncio.sleep(pause)

    async def _step(self, shard: Shard) -> float:
        """Hand on what is new in one shard; returns how long to wait for more."""
        mark = self.places.of(shard.name)
        after = None if mark is None else mark.position
        read = await shard.ask(partial(read_on, shard=shard.name, after=after, limit=PAGE))
        self._take(shard.name, read)
        await self._let_read()
        return 0 if len(read.found) == PAGE else POLL

    def _stale(self, name: str, why: str) -> None:
        if self.standings.lose(name, why):
            self._outages[name].begin()
            _log.warning("shard %s cannot be read: %s", name, why)
            self._news.set()

    def _take(self, name: str, read: Read) -> None:
        if self.standings.hear(name, read.known_up_to):
            self._news.set()
        if (seconds := self._outages[name].end()) is not None:
            _log.info("shard %s can be read again after %s s", name, seconds)
        before = self.places.of(name)
        if before is None or not before.is_of(read.stands):
            self.places = self.places.at(read.stands)
            self._settle_again(read.stands)
            return
        last = before.position
        for one in read.found:
            last = one.position
            self._hand_on(before._replace(position=last), one, read.went_live)
        if len(read.found) < PAGE and read.stands.position > last:
            self._hand_on(read.stands, None, None)

    def _settle_again(self, stands: Mark) -> None:
        """Send away whose log may not be the one that is there now, to be told to reset when they come again."""
        for listener in list(self._following):
            listener.places, lost = self.settled(listener.places)
            mark = listener.places.of(stands.shard)
            if lost or (mark is not None and mark.position > stands.position):
                self._let_go(listener, b"", "reset")
            listener.wake()

    def _hand_on(self, mark: Mark, one: Change | None, went_live: Instant | None) -> None:
        """Move everybody who is not behind past a position of one shard, and tell what stands there."""
        before, self.places = self.places, self.places.at(mark)
        was = before.of(mark.shard)
        everybodys = b""
        for listener in list(self._following):
            if listener.places == before:
                listener.places = self.places
            elif _is_between(was, listener.places.of(mark.shard), mark):
                listener.places = listener.places.at(mark)
            else:
                continue
            if one is None or not listener.wants(one):
                continue
            if listener.places is self.places:
                everybodys = everybodys or _frame(mark.shard, one, went_live, self.places)
                self._offer(listener, everybodys)
            else:
                self._offer(listener, _frame(mark.shard, one, went_live, listener.places))

    async def _beat(self) -> None:
        """Tell how fresh everything is, now and then, and at once when a shard went away or came back."""
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_LOOK, self._heartbeat)):
                    await self._news.wait()
            self._drop_stalled()
            if self._news.is_set():
                for listener in self._following:
                    listener.wake()
            if self._news.is_set() or loop.time() - told_at >= self._heartbeat:
                told_at = loop.time()
                self._news.clear()
                self.tell_time(self._following)

    def tell_time(self, listeners: Iterable[MergedListener]) -> None:
        """Let a heartbeat wait for each of these clients."""
        written: dict[Places, bytes] = {}
        for listener in list(listeners):
            places = listener.places
            if places not in written:
                written[places] = frames.frame("heartbeat", self.as_of(places).model_dump(), places)
            self._offer(listener, written[places])


def _is_between(was: Mark | None, place: Mark | None, mark: Mark) -> bool:
    return was is not None and place is not None and was.position <= place.position < mark.position


def _frame(shard: str, one: Change, went_live: Instant | None, places: Places) -> bytes:
    return frames.frame("change", frames.merged(shard, one, places, went_live), places)
