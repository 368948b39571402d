"""Roles: one process each, ended by SIGTERM or SIGINT."""

from deploy import workers
from deploy.settings import Settings
from deploy.wiring import CannotStart, system
from deploy.workers import Worker, until_told
from domain.instant import Instant


def ingest(settings: Settings, *, begin: str | Instant | None, accept_new_topics: bool, accept_gaps: bool) -> int:
    """Read Kafka into the log until told to stop; returns the exit code.

    Raises:
        CannotStart: no Kafka is configured, or the first start does not say where to begin.
    """
    if settings.bootstrap_servers is None:
        raise CannotStart("set KAFKA_BOOTSTRAP_SERVERS to your Kafka, for example kafka-1:9092,kafka-2:9092")
    with system(settings, adopting=True) as parts:
        loop = workers.ingest(
            parts,
            settings,
            servers=settings.bootstrap_servers,
            topics=settings.topics.names(),
            begin=begin,
            accept_new_topics=accept_new_topics,
            accept_gaps=accept_gaps,
        )
        return until_told([Worker("ingest", loop.run), workers.watchdog(loop)])


def tick(settings: Settings) -> int:
    """Look at what comes due until told to stop; returns the exit code."""
    with system(settings, adopting=True) as parts:
        return until_told([workers.ticks(parts, settings)])
