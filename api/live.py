"""Live: one task reads what is new in the feed and hands it to everybody who listens.

A client that does not keep up is let go here, not in its own task: a task that is stuck in a send would never
come to it. Whoever is let go resumes with its last id and misses nothing, because the feed is a log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from api import frames
from api.reading import Reader
from api.tokens import Token
from projections import feed, incidents
from projections.feed import Change
from projections.outage import Outage
from projections.pauses import growing
from projections.query import Filter
from projections.view import Checkpoint

QUEUE: Final = 256
"""Frames that wait for one client."""
SEND_SECONDS: Final = 15.0
"""How long one send may take."""
LOOK: Final = 0.01
"""Seconds until the first look whether the views have moved; see ``projections.pauses``."""
POLL: Final = 0.05
"""Seconds between two looks at views that do not move."""
PAGE: Final = 64
_PACE: Final = 0.25
"""Seconds that a page waits for clients that read, so that a burst does not push them out."""
_SEND_BYTES: Final = 65_536
_ANYTHING: Final = Filter()

_log = logging.getLogger(__name__)


class Listener:
    """One client: what waits for it, and how to let it go."""

    def __init__(self, wanted: Filter, abort: Callable[[], None]) -> None:
        """Want what a filter matches; ``abort`` drops the connection at once."""
        self.wanted = None if wanted == _ANYTHING else wanted
        self.abort = abort
        self.after = 0
        self.sending_since: float | None = None
        self._frames: deque[bytes] = deque()
        self._ready = asyncio.Event()
        self._woken = False
        self._last: bytes | None = None

    @property
    def waiting(self) -> int:
        """Count the frames that wait."""
        return len(self._frames)

    @property
    def ended(self) -> bool:
        """Say whether nothing more will come."""
        return self._last is not None

    def offer(self, one: bytes) -> bool:
        """Let a frame wait; says no when too many wait already."""
        if len(self._frames) >= QUEUE:
            return False
        self._frames.append(one)
        self._ready.set()
        return True

    def end(self, last: bytes = b"") -> None:
        """Let the client go, with a last word; what waits is dropped: it will be read again."""
        if self._last is None:
            self._last = last
            self._frames.clear()
            self._ready.set()

    def wake(self) -> None:
        """Let ``take`` return, with nothing where nothing waits."""
        self._woken = True
        self._ready.set()

    async def take(self) -> bytes | None:
        """Wait for what comes next, as much as one send should hold; none after the end."""
        while not self._frames and self._last is None and not self._woken:
            self._ready.clear()
            await self._ready.wait()
        self._woken = False
        if not self._frames and self._last is not None:
            last, self._last = self._last, b""
            return last or None
        size, chunk = 0, []
        while self._frames and size < _SEND_BYTES:
            chunk.append(self._frames.popleft())
            size += len(chunk[-1])
        return b"".join(chunk)


L = TypeVar("L", bound=Listener)


class Crowd(Generic[L]):
    """Everybody who listens, whatever it is that they are told."""

    def __init__(self, *, capacity: int, note: Callable[[str], None], send_seconds: float) -> None:
        """Hold no more than ``capacity`` clients."""
        self._capacity = capacity
        self._note = note
        self._send_seconds = send_seconds
        self._connected: set[L] = set()
        self._following: set[L] = set()
        self.closing = False

    @property
    def full(self) -> bool:
        """Say whether another client would be one too many."""
        return len(self._connected) >= self._capacity

    @property
    def connected(self) -> int:
        """Count the clients."""
        return len(self._connected)

    def connect(self, listener: L) -> None:
        """Watch over a client from now on."""
        self._connected.add(listener)

    def disconnect(self, listener: L) -> None:
        """Forget a client."""
        self._connected.discard(listener)
        self._following.discard(listener)

    async def close(self, seconds: float = 1.0) -> None:
        """End every stream; a client that takes no last word loses its connection."""
        self.closing = True
        for listener in list(self._connected):
            listener.end(frames.CLOSING)
        self._following.clear()
        deadline = asyncio.get_running_loop().time() + seconds
        while self._connected and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # once, at the end
            await asyncio.sleep(POLL / 2)
        for listener in list(self._connected):
            listener.abort()

    def _offer(self, listener: L, told: bytes) -> None:
        if not listener.offer(told):
            self._let_go(listener, frames.LAGGED, "lagged")

    def _let_go(self, listener: L, last: bytes, why: str) -> None:
        self._following.discard(listener)
        listener.end(last)
        self._note(why)

    def _drop_stalled(self) -> None:
        now = asyncio.get_running_loop().time()
        for listener in list(self._connected):
            if listener.sending_since is not None and now - listener.sending_since > self._send_seconds:
                self._let_go(listener, b"", "stalled")
                self.disconnect(listener)
                listener.abort()

    async def _let_read(self) -> None:
        """Wait a little for clients that read."""
        deadline = asyncio.get_running_loop().time() + _PACE
        await asyncio.sleep(0)
        while any(listener.waiting > QUEUE // 2 for listener in self._following):
            if asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(0.002)


class Live(Crowd[Listener]):
    """Everybody who listens to one log."""

    def __init__(
        self,
        reader: Reader,
        *,
        heartbeat: float,
        capacity: int,
        note: Callable[[str], None] = lambda _: None,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        """Tell everybody the time at least every ``heartbeat`` seconds, and hold no more than ``capacity`` clients."""
        super().__init__(capacity=capacity, note=note, send_seconds=send_seconds)
        self._reader = reader
        self._heartbeat = heartbeat
        self._stands: Checkpoint | None = None
        self._position = 0
        self._told_at = 0.0

    def follow(self, listener: Listener, after: int, checkpoint: Checkpoint) -> None:
        """Give a client what comes after a position at which it has read everything there is."""
        if not self._following:
            self._stands, self._position = checkpoint, after
        listener.after = after
        self._following.add(listener)

    def heartbeat(self, token: Token | None) -> bytes:
        """Write where everything stands now."""
        with self._reader.snapshot() as snapshot:
            return frames.frame("heartbeat", self._reader.as_of(snapshot).model_dump(), token)

    async def run(self) -> None:
        """Hand on what is new until cancelled; a store that cannot be read is tried again."""
        pauses, outage = growing(LOOK, POLL), Outage()
        while True:
            try:
                if await self._round():
                    pauses = growing(LOOK, POLL)
                if (seconds := outage.end()) is not None:
                    _log.info("the live feed reads again after %s s", seconds)
            except Exception:  # noqa: BLE001  # told in the log, and tried again
                outage.begin()
                _log.exception("the live feed could not read")
                await asyncio.sleep(1.0)
            await asyncio.sleep(next(pauses))

    async def _round(self) -> bool:
        """Hand on what is new; says whether the views have moved."""
        self._drop_stalled()
        if not self._following:
            return False
        moved = self._reader.feed_checkpoint() != self._stands
        page = self._read() if moved else []
        while page:
            self._hand_on(page)
            await self._let_read()
            page = self._read() if len(page) == PAGE else []
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= self._heartbeat and self._stands is not None:
            self._told_at = now
            beat = self.heartbeat(Token.at(self._stands, self._position))
            for listener in list(self._following):
                self._offer(listener, beat)
        return moved

    def _read(self) -> list[tuple[Change, bytes]]:
        with self._reader.snapshot() as snapshot:
            stands = snapshot.stands[feed.VIEW.name]
            if self._stands is not None and (stands.epoch, stands.revision) != self._stands[2::2]:
                self._begin_anew(stands)
                return []
            page = feed.after(snapshot.rows, self._position, PAGE)
            went_live = incidents.live_since(snapshot.rows) if page else None
        if len(page) < PAGE:
            self._stands, self._position = stands, max(self._position, stands.position)
        else:
            self._position = page[-1].position
        told = []
        for one in page:
            token = Token.at(stands, one.position)
            told.append((one, frames.frame("change", frames.change(one, token, went_live), token)))
        return told

    def _begin_anew(self, stands: Checkpoint) -> None:
        """Send everybody away, to be told to reset when they come again: the view is not the one they followed."""
        self._stands = stands
        for listener in list(self._following):
            self._let_go(listener, b"", "reset")

    def _hand_on(self, page: list[tuple[Change, bytes]]) -> None:
        for one, told in page:
            for listener in list(self._following):
                if one.position > listener.after and (listener.wanted is None or listener.wanted.matches(one)):
                    self._offer(listener, told)
