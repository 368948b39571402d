"""Roles: one process each, ended by SIGTERM or SIGINT."""

from prometheus_client import CollectorRegistry

from deploy import workers
from deploy.leading import Tell, leased
from deploy.settings import Settings
from deploy.telemetry import Activity, Superseded, exposed
from deploy.wiring import CannotStart, System, leases, system
from deploy.workers import Worker, until_told
from domain.instant import Instant


def ingest(settings: Settings, *, begin: str | Instant | None, accept_new_topics: bool, accept_gaps: bool) -> int:
    """Read Kafka into the log until told to stop; returns the exit code.

    Raises:
        CannotStart: no Kafka is configured, or the first start does not say where to begin.
    """
    if settings.bootstrap_servers is None:
        raise CannotStart("set KAFKA_BOOTSTRAP_SERVERS to your Kafka, for example kafka-1:9092,kafka-2:9092")
    registry = CollectorRegistry()
    with system(settings, adopting=True) as parts, exposed(registry, settings):
        registry.register(Superseded(parts))
        loop = workers.ingest(
            parts,
            settings,
            servers=settings.bootstrap_servers,
            topics=settings.topics.names(),
            begin=begin,
            accept_new_topics=accept_new_topics,
            accept_gaps=accept_gaps,
            registry=registry,
        )
        return until_told([Worker("ingest", loop.run), workers.watchdog(loop)])


def tick(settings: Settings) -> int:
    """Look at what comes due until told to stop; returns the exit code."""
    registry = CollectorRegistry()
    with system(settings, adopting=True) as parts, exposed(registry, settings):
        registry.register(Superseded(parts))
        return until_told([ticker(parts, settings, Activity(registry))])


def ticker(parts: System, settings: Settings, tell: Tell) -> Worker:
    """Build the ticker, which looks at what comes due in one process at a time."""
    return leased("ticker", workers.ticks(parts, settings).run, leases(parts.log), tell)
