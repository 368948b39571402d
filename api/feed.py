"""``/v1/feed``: the log of changes, as pages from any position or as a stream that never ends."""

import time
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from api import frames
from api.accepting import WantsStream
from api.bounds import TOKEN
from api.contract import feed as contract
from api.filters import Wanted
from api.live import Live
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Reader, Snapshot
from api.stream import FeedStream, Start
from api.tokens import FIRST, Token
from projections import feed, incidents
from projections.query import Filter

router = APIRouter(prefix="/v1", tags=["feed"])
_SCAN: Final = 1000
_SCAN_SECONDS: Final = 0.2
"""How long a page looks for entries that match before it says how far it came."""
PAGES_HAVE_NONE: Final = "Only a stream begins with a snapshot: ask with `Accept: text/event-stream`."
After = Annotated[
    str | None,
    Query(max_length=TOKEN, description="Token to read on from, or `first` for the position before the first event."),
]


@router.get(
    "/feed",
    operation_id="read_feed",
    response_model=contract.FeedPage,
    response_model_exclude_unset=True,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def read_feed(
    request: Request,
    reader: CaughtUp,
    onward: Onward,
    wanted: Wanted,
    wants_stream: WantsStream,
    after: After = None,
    snapshot: Annotated[bool, Query(description="Stream: begin with every incident as it is now.")] = False,  # noqa: FBT002
    limit: Limit = 100,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=TOKEN)] = None,
) -> contract.FeedPage | Response:
    """Read changes as pages, or as a stream where ``Accept`` likes ``text/event-stream`` better than JSON.

    A stream sends `change` (its id is a token to resume from), `heartbeat`, and at its beginning `incident` for each
    incident of a snapshot, closed by `snapshot`. `reset` says that the position is not known here and everything
    begins anew; `lagged` and `server.closing` end a stream: come again with the last id.
    """
    if not wants_stream:
        if snapshot:
            raise Problem("invalid_request", errors=[{"where": "query.snapshot", "why": PAGES_HAVE_NONE}])
        page = _page(reader, wanted, _position(reader, after), limit)
        onward.on(page.next, "after")
        return page
    live: Live = request.app.state.live
    if live.closing:
        raise Problem("closing", retry_after=1)
    if live.full:
        raise Problem("too_many_streams", retry_after=10)
    return FeedStream(reader, live, wanted, _start(reader, last_event_id or after, last_event_id, snapshot=snapshot))


def _page(reader: Reader, wanted: Filter, position: int, limit: int) -> contract.FeedPage:
    with reader.snapshot() as snapshot:
        stands = snapshot.stands[feed.VIEW.name]
        went_live = incidents.live_since(snapshot.rows)
        found, position, more = matching(snapshot, wanted, position, limit)
        return contract.FeedPage(
            changes=[contract.Change(**frames.change(one, Token.at(stands, one.position), went_live)) for one in found],
            next=str(Token.at(stands, position)),
            more=more,
            as_of=reader.as_of(snapshot),
        )


def matching(snapshot: Snapshot, wanted: Filter, position: int, limit: int) -> tuple[list[feed.Change], int, bool]:
    """Read on until the page is full, the feed ends, or it has taken long enough."""
    found: list[feed.Change] = []
    deadline = time.monotonic() + _SCAN_SECONDS
    while True:
        scanned = feed.after(snapshot.rows, position, _SCAN)
        for one in scanned:
            position = one.position
            if wanted.matches(one):
                found.append(one)
                if len(found) == limit:
                    return found, position, True
        if len(scanned) < _SCAN:
            return found, max(position, snapshot.stands[feed.VIEW.name].position), False
        if time.monotonic() > deadline:
            return found, position, True


def _position(reader: Reader, after: str | None) -> int:
    if after is None or after == FIRST:
        return 0
    token = Token.read(after)
    if not reader.knows(token, reader.feed_checkpoint()):
        raise Problem("unknown_position")
    return token.position


def _start(reader: Reader, after: str | None, resumed: str | None, *, snapshot: bool) -> Start:
    """Say where a stream begins; a browser that resumes is never refused, but told to reset."""
    if after is None or after == FIRST:
        return Start(None, from_first=after == FIRST, snapshot=snapshot)
    try:
        token = Token.read(after)
    except Problem:
        if resumed is None:
            raise
        return Start(None, snapshot=snapshot, reset="the id is none of ours")
    if not reader.knows(token, reader.feed_checkpoint()):
        return Start(None, snapshot=snapshot, reset="the position belongs to another log or lies beyond this one")
    return Start(token)
