"""Frames of the live feed: server-sent events, written once for everybody who gets them."""

from datetime import datetime
from typing import Any, Final

import orjson

from api.contract.feed import Closing, Lagged
from api.tokens import Places, Token
from domain.instant import Instant, instant
from projections.feed import Change

RETRY: Final = b"retry: 2000\n\n"


def frame(event: str, data: Any, token: Token | Places | None = None) -> bytes:
    """Write one event; its id, where it has one, is where to go on after it."""
    head = b"" if token is None else b"id: %s\n" % str(token).encode()
    return b"%sevent: %s\ndata: %s\n\n" % (head, event.encode(), orjson.dumps(data))


CLOSING: Final = frame("server.closing", Closing().model_dump())
LAGGED: Final = frame("lagged", Lagged(detail="read too slowly; go on with Last-Event-ID").model_dump())


def _in_unrest(one: Change) -> bool:
    """Say whether a beginning or end lies within a spell in which such was no news."""
    ended_at = one.body["ended_at"]
    at = one.due_at if ended_at is None else instant(datetime.fromisoformat(ended_at))
    return one.unrest is not None and one.unrest[0] < at <= one.unrest[1]


def merged(shard: str, one: Change, places: Places, went_live: Instant | None) -> dict[str, Any]:
    """Write an entry of one shard's feed as it leaves in a merged one; its place there must be known."""
    mark = places.of(shard)
    assert mark is not None
    origin = Token(mark.epoch, mark.revision, one.position)
    return {"shard": shard, "origin": str(origin), **change(one, places, went_live)}


def change(one: Change, token: Token | Places, went_live: Instant | None) -> dict[str, Any]:
    """Write an entry of the feed as it leaves."""
    body = {name: value for name, value in one.body.items() if name != "known_up_to"}
    historic = went_live is not None and one.due_at < went_live
    return {
        "id": str(token),
        "change": one.change,
        "flapping": _in_unrest(one),
        "known_up_to": one.body["known_up_to"],
        **({} if one.step is None else {"step": one.step}),
        "incident": {"id": one.incident, "historic": historic, **body},
    }
