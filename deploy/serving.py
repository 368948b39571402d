"""Serving: the roles that read the views, and their web application; the others never load them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.contract.operations import Check
from api.sharded.app import create_merged_app
from deploy import clock, sharding, web
from deploy.described import channels
from deploy.leading import Tell, leased
from deploy.settings import LOOPBACK, Settings
from deploy.telemetry import Activity, exposed
from deploy.wiring import CannotStart, System, leases, open_views, system
from deploy.workers import Worker, until_told
from domain.staff.desk import Desk
from projections import VIEWS, checkpoints
from projections.follower import follow
from projections.views import ViewStore


@contextmanager
def views(parts: System, settings: Settings) -> Iterator[ViewStore]:
    """Open the views, with every table there, for those who read them."""
    with open_views(settings) as store:
        with store.writing() as rows:
            checkpoints.prepare(rows, VIEWS, parts.log.store.epoch(), parts.log.store.last_position())
        yield store


def follows(parts: System, store: ViewStore, tell: Tell) -> Worker:
    """Build the follower that keeps the views up with the log, in one process at a time."""
    return leased("follower", lambda turn: follow(store, parts.log.store, turn), leases(parts.log), tell)


def application(
    parts: System,
    reading: ViewStore,
    settings: Settings,
    registry: CollectorRegistry | None = None,
    beside: Sequence[Callable[[], Check]] = (),
) -> FastAPI:
    """Build the web application over one store; ``beside`` says how other parts of this process are.

    Raises:
        CannotStart: it would be open to others without a proxy that signs people in.
    """
    refuse_open(settings)
    return create_app(
        reading,
        parts.log.store,
        clock=parts.clock,
        speed=clock.speed(parts.clock),
        wall=parts.clock is clock.wall,
        end=clock.end(parts.clock),
        version=version("order-incident-tracker"),
        docs=settings.docs,
        registry=registry,
        desk=Desk(parts.log),
        topics=channels(settings) if settings.docs else (),
        beside=beside,
    )


def refuse_open(settings: Settings) -> None:
    """Refuse to be open to others without a proxy that signs people in.

    Raises:
        CannotStart: it would be.
    """
    if settings.host not in LOOPBACK and not settings.behind_proxy:
        raise CannotStart(
            f"refusing to serve on {settings.host}: put a proxy with TLS and sign-in in front and set "
            "TRACKER_BEHIND_PROXY=true, or serve on 127.0.0.1"
        )


def project(settings: Settings) -> int:
    """Keep the views up with the log until told to stop; returns the exit code."""
    registry = CollectorRegistry()
    with system(settings) as parts, open_views(settings) as store, exposed(registry, settings):
        return until_told([follows(parts, store, Activity(registry))])


def serve(settings: Settings) -> int:
    """Serve until told to stop, over several logs their merged feed; returns the exit code."""
    if settings.shards:
        return _serve_merged(settings)
    with system(settings) as parts, views(parts, settings) as reading:
        web.serve(application(parts, reading, settings), settings.host, settings.port)
        return 0


def _serve_merged(settings: Settings) -> int:
    refuse_open(settings)
    with sharding.opened(settings) as shards:
        app = create_merged_app(shards, clock=clock.wall, version=version("order-incident-tracker"), docs=settings.docs)
        web.serve(app, settings.host, settings.port)
        return 0
