"""Serving: the roles that read the views, and their web application; the others never load them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.app import create_app
from deploy import clock, web
from deploy.settings import LOOPBACK, Settings
from deploy.wiring import CannotStart, System, open_views, system
from deploy.workers import Worker, until_told
from domain.desk import Desk
from projections.follower import Follower
from projections.views import ViewStore


@contextmanager
def views(parts: System, settings: Settings) -> Iterator[tuple[ViewStore, Follower]]:
    """Open the views and the follower that keeps them up with the log; its loop is the caller's to run."""
    with open_views(settings) as store:
        yield store, Follower(store, parts.log.store)


def application(
    parts: System, reading: ViewStore, settings: Settings, registry: CollectorRegistry | None = None
) -> FastAPI:
    """Build the web application over one store.

    Raises:
        CannotStart: it would be open to others without a proxy that signs people in.
    """
    if settings.host not in LOOPBACK and not settings.behind_proxy:
        raise CannotStart(
            f"refusing to serve on {settings.host}: put a proxy with TLS and sign-in in front and set "
            "TRACKER_BEHIND_PROXY=true, or serve on 127.0.0.1"
        )
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
    )


def project(settings: Settings) -> int:
    """Keep the views up with the log until told to stop; returns the exit code."""
    with system(settings) as parts, views(parts, settings) as (_, follower):
        return until_told([Worker("follower", follower.run)])


def serve(settings: Settings) -> int:
    """Serve until told to stop; returns the exit code."""
    with system(settings) as parts, views(parts, settings) as (reading, _):
        web.serve(application(parts, reading, settings), settings.host, settings.port)
        return 0
