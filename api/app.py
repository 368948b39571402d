"""The application: everything it needs comes in as an argument, nothing is global."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import cache
from typing import Final

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from api import (
    backlogs,
    batches,
    clusters,
    dispositions,
    feed,
    feeds,
    health,
    incidents,
    operations,
    orders,
    pages,
    payments,
    problems,
    reference,
    streamed,
    summary,
    worklist,
)
from api.asyncapi import Channel
from api.conditional import Conditional
from api.contract.operations import Check
from api.desk import incidents as desk_routes
from api.desk import tasks as desk_tasks
from api.guard import Guard
from api.live import SEND_SECONDS, Live
from api.metrics import Meters
from api.parameters import KNOWN_ONLY
from api.reading import ProductClock, Reader
from api.resuming import Resuming
from domain.history.log import LogRecorder
from domain.instant import Instant
from domain.staff.cashier import Cashier
from domain.staff.desk import Desk
from projections.views import ViewStore

TITLE: Final = "order-incident-tracker"
MAX_BODY: Final = 64 * 1024
HEARTBEAT: Final = 5.0
FAST_HEARTBEAT: Final = 1.0
MAX_STREAMS: Final = 5000


def create_app(
    views: ViewStore,
    log: LogRecorder,
    *,
    clock: Callable[[], Instant],
    speed: float = 1.0,
    wall: bool = True,
    end: Instant | None = None,
    version: str = "0",
    docs: bool = False,
    registry: CollectorRegistry | None = None,
    heartbeat: float | None = None,
    max_streams: int = MAX_STREAMS,
    send_seconds: float = SEND_SECONDS,
    desk: Desk | None = None,
    topics: Sequence[Channel] = (),
    beside: Sequence[Callable[[], Check]] = (),
) -> FastAPI:
    """Serve these views and the end of this log; without a desk no commands are taken.

    ``speed``, ``wall`` and ``end`` say what the clock is, for display; ``topics`` are described beside the feed, and
    ``beside`` says how other parts of this process are.
    """
    reader = Reader(views, log, ProductClock(clock, speed, wall, end))
    meters = Meters(CollectorRegistry() if registry is None else registry)
    # A clock that runs fast makes five seconds hours.
    pace = (HEARTBEAT if speed <= 1 else FAST_HEARTBEAT) if heartbeat is None else heartbeat
    live = Live(reader, heartbeat=pace, capacity=max_streams, note=meters.let_go, send_seconds=send_seconds)
    meters.watch(reader, live)

    app = FastAPI(
        title=TITLE,
        version=version,
        lifespan=_lifespan(live, None if desk is None else Resuming(reader, Cashier(desk.log))),
        max_body_size=MAX_BODY,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
    )
    app.state.reader, app.state.live, app.state.meters, app.state.desk = reader, live, meters, desk
    app.state.beside = beside
    app.router.routes.extend(_routes())
    if docs:
        reference.install(app, [*topics, streamed.feed(streamed.EVENTS)])
    problems.install(app)

    app.add_middleware(Conditional)
    app.add_middleware(Guard, note=meters.answered)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Make the routes once: what they answer from is the application's, and making them is most of its start."""
    routes = APIRouter()
    for part in (
        incidents.router,
        desk_routes.router,
        orders.router,
        backlogs.router,
        clusters.router,
        desk_tasks.router,
        batches.router,
        payments.router,
        dispositions.router,
        worklist.router,
        summary.router,
        feed.router,
        feeds.router,
        operations.router,
        health.router,
    ):
        routes.include_router(part, dependencies=[KNOWN_ONLY])
    routes.include_router(health.watched)
    routes.include_router(pages.router())
    return routes.routes


def _lifespan(live: Live, resuming: Resuming | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(live.run())]
        if resuming is not None:
            tasks.append(asyncio.create_task(resuming.run()))
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan
