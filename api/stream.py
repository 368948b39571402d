"""One live feed: what was before, then what comes, without a gap and without anything twice."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Generic, NamedTuple, TypeVar

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import frames
from api.contract.feed import Reset, SnapshotEnd
from api.incidents import shown_together
from api.live import PAGE, Crowd, Listener, Live
from api.reading import Reader
from api.tokens import Token
from projections import feed, incidents
from projections.query import After, Filter
from projections.view import Checkpoint

ABORT: Final = "tracker.abort"
"""Name of the ASGI extension by which the server lets us drop a connection at once."""
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"connection", b"close"),
)
_SNAPSHOT_PAGE: Final = 200
L = TypeVar("L", bound=Listener)


class Start(NamedTuple):
    """Where a client wants to begin."""

    after: Token | None
    """Null: now."""
    from_first: bool = False
    snapshot: bool = False
    reset: str | None = None
    """Why what the client has can not be gone on from."""


class Streamed(Response, Generic[L]):
    """Answers with server-sent events until the client goes, falls behind, or the server ends."""

    def __init__(self, crowd: Crowd[L], make: Callable[[Callable[[], None]], L]) -> None:
        """Answer nothing yet; ``make`` gives the client's listener, told how to drop the connection at once."""
        self._crowd = crowd
        self._make = make
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.body = b""
        self.init_headers({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the stream."""
        task = asyncio.current_task()
        assert task is not None
        abort = scope.get("extensions", {}).get(ABORT, task.cancel)
        listener = self._make(abort)
        self._crowd.connect(listener)
        watch = asyncio.ensure_future(_until_gone(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            await self._run(listener, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watch.cancel()
            self._crowd.disconnect(listener)

    async def _run(self, listener: L, send: Send) -> None:
        """Tell the client what it asked for, until it is to end."""
        raise NotImplementedError


class FeedStream(Streamed[Listener]):
    """Tells the feed of one log."""

    def __init__(self, reader: Reader, live: Live, wanted: Filter, start: Start) -> None:
        """Answer nothing yet."""
        super().__init__(live, partial(Listener, wanted))
        self._reader = reader
        self._live = live
        self._wanted = wanted
        self._start = start

    async def _run(self, listener: Listener, send: Send) -> None:
        await send_on(listener, send, frames.RETRY + self._live.heartbeat(None))
        begun = self._reader.feed_checkpoint()
        position = await self._begin(listener, send, begun)
        while not listener.ended:
            page, position, checkpoint = self._read(position)
            if (checkpoint.epoch, checkpoint.revision) != (begun.epoch, begun.revision):
                return  # the client comes again, and is told to reset
            if not page:
                # Nothing is awaited between the empty page and this, so nothing can come in between.
                self._live.follow(listener, position, checkpoint)
                break
            await send_on(listener, send, b"".join(told for told in page if told))
        while (chunk := await listener.take()) is not None:
            await send_on(listener, send, chunk)

    async def _begin(self, listener: Listener, send: Send, checkpoint: Checkpoint) -> int:
        """Tell a reset and a snapshot where they are due; returns the position to go on from."""
        if self._start.reset is not None:
            reset = Reset(reason=self._start.reset, position=str(Token.at(checkpoint)))
            await send_on(listener, send, frames.frame("reset", reset.model_dump()))
        if self._start.snapshot:
            return await self._snapshot(listener, send)
        if self._start.from_first or self._start.reset is not None:
            return 0
        return checkpoint.position if self._start.after is None else self._start.after.position

    async def _snapshot(self, listener: Listener, send: Send) -> int:
        """Tell every incident as it is at one position; what changed since is left out, for it follows as a change."""
        with self._reader.snapshot() as snapshot:
            stands = snapshot.stands[incidents.VIEW.name]
            base = Token.at(snapshot.stands[feed.VIEW.name], stands.position)
        after: After | None = None
        count = 0
        while not listener.ended:
            with self._reader.snapshot() as snapshot:
                page = incidents.listed(snapshot.rows, self._wanted, _SNAPSHOT_PAGE, after=after, up_to=stands.position)
                told = [frames.frame("incident", one.model_dump()) for one in shown_together(page, snapshot)]
            if not page:
                break
            count += len(page)
            after = After(page[-1].due_at, page[-1].id)
            await send_on(listener, send, b"".join(told))
        end = SnapshotEnd(incidents=count, position=str(base))
        await send_on(listener, send, frames.frame("snapshot", end.model_dump(), base))
        return stands.position

    def _read(self, position: int) -> tuple[list[bytes], int, Checkpoint]:
        with self._reader.snapshot() as snapshot:
            stands = snapshot.stands[feed.VIEW.name]
            page = feed.after(snapshot.rows, position, PAGE)
            went_live = incidents.live_since(snapshot.rows) if page else None
        told = []
        for one in page:
            token = Token.at(stands, one.position)
            matches = self._wanted.matches(one)
            told.append(frames.frame("change", frames.change(one, token, went_live), token) if matches else b"")
        return told, page[-1].position if page else position, stands


async def send_on(listener: Listener, send: Send, chunk: bytes) -> None:
    """Send, watched by the clock that lets stalled clients go."""
    if chunk:
        listener.sending_since = asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        listener.sending_since = None


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()
