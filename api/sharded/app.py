"""The application over several logs: their merged feed, and how each of them stands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry

from api import health, problems, reference, streamed
from api.app import HEARTBEAT, MAX_BODY, MAX_STREAMS, TITLE
from api.contract import operations as contract
from api.guard import Guard
from api.live import SEND_SECONDS
from api.metrics import Meters
from api.parameters import KNOWN_ONLY
from api.reading import ProductClock
from api.sharded import feed as merged_feed
from api.sharded.crossings import REST, Crossings
from api.sharded.live import MergedLive
from api.sharded.metrics import Merged
from api.sharded.shards import Shard
from domain.instant import Instant

_watched = APIRouter(tags=["health"])
_watched.add_api_route("/healthz", health.healthz, operation_id="healthz")
_watched.add_api_route("/version", health.version, operation_id="version")
_watched.add_api_route("/metrics", health.metrics, operation_id="metrics", response_class=Response)


@_watched.get("/readyz", operation_id="readyz", responses={503: {"model": contract.Readiness}})
async def readyz(request: Request, response: Response) -> contract.Readiness:
    """Say which shards can be read; ready while one can, for the others must not be held up."""
    live: MergedLive = request.app.state.live
    checks = [
        contract.Check(
            name=one.name, ok=not one.stale, needed=False, detail=one.why or f"known up to {one.known_up_to}"
        )
        for one in live.as_of(live.places).shards
    ]
    ready = any(one.ok for one in checks)
    response.status_code = 200 if ready else 503
    return contract.Readiness(ready=ready, checks=checks)


def create_merged_app(
    shards: Sequence[Shard],
    *,
    clock: Callable[[], Instant],
    version: str = "0",
    docs: bool = False,
    registry: CollectorRegistry | None = None,
    heartbeat: float = HEARTBEAT,
    max_streams: int = MAX_STREAMS,
    send_seconds: float = SEND_SECONDS,
    rest: float = REST,
) -> FastAPI:
    """Serve the merged feed of these shards; everything else of a shard is served beside its own log."""
    meters = Meters(CollectorRegistry() if registry is None else registry)
    live = MergedLive(
        shards,
        ProductClock(clock),
        heartbeat=heartbeat,
        capacity=max_streams,
        note=meters.let_go,
        send_seconds=send_seconds,
    )
    crossings = Crossings(shards, clock, rest=rest)
    meters.registry.register(Merged(live, crossings))
    app = FastAPI(
        title=TITLE,
        version=version,
        lifespan=_lifespan(live, crossings),
        max_body_size=MAX_BODY,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
    )
    app.state.live, app.state.meters, app.state.crossings = live, meters, crossings
    for part in (merged_feed.router, health.router):
        app.include_router(part, dependencies=[KNOWN_ONLY])
    app.include_router(_watched)
    if docs:
        reference.install(app, [streamed.feed(streamed.MERGED)])
    problems.install(app)
    app.add_middleware(Guard, note=meters.answered)
    return app


def _lifespan(live: MergedLive, crossings: Crossings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(one.run()) for one in (live, crossings)]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.gather(*(one.rest() for one in live.shards.values()))

    return lifespan
