"""``/v1/feed`` over several logs, with the same parameters as over one, and ``/v1/shards``."""

import asyncio
from functools import partial
from heapq import merge
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from api import feed as one_feed
from api import frames
from api.accepting import WantsStream
from api.contract import shards as contract
from api.filters import Wanted
from api.paging import Onward
from api.problems import Problem
from api.reading import Limit, Reader
from api.sharded.crossings import Crossings
from api.sharded.live import MergedLive
from api.sharded.shards import ShardAway, is_beyond, standing
from api.sharded.stream import Beginning, MergedStream
from api.tokens import FIRST, LONGEST_OF_MANY, Mark, Places
from domain.instant import Instant
from projections import incidents
from projections.feed import Change
from projections.query import Filter

router = APIRouter(prefix="/v1", tags=["feed"])
After = Annotated[
    str | None,
    Query(
        max_length=LONGEST_OF_MANY,
        description="Token to read on from, or `first` for the position before the first event of every shard.",
    ),
]
LastId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=LONGEST_OF_MANY)]


class Scanned(NamedTuple):
    """What a page found in one shard."""

    stands: Mark
    """Its log; the position is how far was looked."""
    found: list[Change]
    more: bool
    went_live: Instant | None
    known_up_to: Instant | None


@router.get(
    "/feed",
    operation_id="read_feed",
    response_model=contract.MergedPage,
    response_model_exclude_unset=True,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def read_feed(
    request: Request,
    onward: Onward,
    wanted: Wanted,
    wants_stream: WantsStream,
    after: After = None,
    snapshot: Annotated[bool, Query(description="Not over several logs: ask each shard.")] = False,  # noqa: FBT002
    limit: Limit = 100,
    last_event_id: LastId = None,
) -> contract.MergedPage | Response:
    """Read changes of all shards as pages, or as a stream where ``Accept`` likes ``text/event-stream`` better.

    Each shard's changes come in their order and once; `as_of` and every `heartbeat` say which shards are stale. A
    `reset` names the shard that begins anew.
    """
    live: MergedLive = request.app.state.live
    if snapshot:
        raise Problem("no_snapshot")
    if not wants_stream:
        page = await _page(live, wanted, Places() if after in (None, FIRST) else Places.read(str(after)), limit)
        onward.on(page.next, "after")
        return page
    if live.closing:
        raise Problem("closing", retry_after=1)
    if live.full:
        raise Problem("too_many_streams", retry_after=10)
    return MergedStream(live, wanted, _beginning(last_event_id or after, last_event_id))


@router.get("/shards", operation_id="list_shards")
async def list_shards(request: Request) -> contract.Shards:
    """List the shards, which of them are stale, and what more than one of them knows."""
    live: MergedLive = request.app.state.live
    crossings: Crossings = request.app.state.crossings
    return contract.Shards(crossings=crossings.shown(), as_of=live.as_of(live.places))


def _beginning(after: str | None, resumed: str | None) -> Beginning:
    """Say where a stream begins; a browser that resumes is never refused, but told to reset."""
    if after is None or after == FIRST:
        return Beginning(None if after is None else Places())
    try:
        return Beginning(Places.read(after))
    except Problem:
        if resumed is None:
            raise
        return Beginning(Places(), is_ours=False)


async def _page(live: MergedLive, wanted: Filter, places: Places, limit: int) -> contract.MergedPage:
    asked = [name for name in live.shards if not live.standings.is_away(name)]
    questions = [partial(_scan, mark=places.of(name), shard=name, wanted=wanted, limit=limit) for name in asked]
    answers = await asyncio.gather(
        *(live.shards[name].ask(question) for name, question in zip(asked, questions, strict=True)),
        return_exceptions=True,
    )
    found: dict[str, Scanned] = {}
    lost: dict[str, str] = {}
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, ShardAway):
            lost[name] = answer.why
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[name] = answer
    if not found:
        raise Problem("store_away", retry_after=2)
    changes, places = _merged(found, places, limit)
    stopped = any(one.more or _of(places, name) < one.stands.position for name, one in found.items())
    known = {name: one.known_up_to for name, one in found.items()}
    as_of = live.standings.as_of(str(live.places), live.clock, lost, known)
    return contract.MergedPage(changes=changes, next=str(places), more=stopped, as_of=as_of)


def _merged(found: dict[str, Scanned], places: Places, limit: int) -> tuple[list[contract.MergedChange], Places]:
    """Put what the shards have to say in one order, which depends on nothing but the places and the logs."""
    places = places.at(*(one.stands._replace(position=_of(places, name, one)) for name, one in found.items()))
    told: list[contract.MergedChange] = []
    lines = [[(one.decided_at, name, one) for one in each.found] for name, each in found.items()]
    left = {name: len(each.found) for name, each in found.items()}
    for _, name, one in islice(merge(*lines, key=lambda line: line[:2]), limit):
        left[name] -= 1
        places = places.at(found[name].stands._replace(position=one.position))
        told.append(contract.MergedChange(**frames.merged(name, one, places, found[name].went_live)))
    # Of what was told whole, everything that was looked at is behind us; so it is with what nobody asked for.
    done = [each.stands for name, each in found.items() if not left[name]]
    return told, places.at(*done)


def _of(places: Places, name: str, scanned: Scanned | None = None) -> int:
    """Give the position in a shard, where it is of the log that was read."""
    mark = places.of(name)
    if mark is not None and scanned is not None and not mark.epoch:
        return scanned.stands.position
    return 0 if mark is None else mark.position


def _scan(reader: Reader, shard: str, mark: Mark | None, wanted: Filter, limit: int) -> Scanned:
    """Look for a page in one shard.

    Raises:
        Problem: the mark is of another log, or lies beyond this one.
    """
    with reader.snapshot() as snapshot:
        stands = Mark.standing(shard, standing(snapshot.stands))
        mark = stands._replace(position=0) if mark is None else mark if mark.epoch else stands
        if not mark.is_of(stands) or (mark.position > stands.position and is_beyond(reader, mark)):
            raise Problem("unknown_position", f"shard {shard}")
        found, position, more = one_feed.matching(snapshot, wanted, mark.position, limit)
        went_live = incidents.live_since(snapshot.rows) if found else None
        return Scanned(stands._replace(position=position), found, more, went_live, snapshot.known_up_to)
