"""Workers: the roles of a process as threads, ended together, each failure told once."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry

from consumers import ticker
from consumers.cluster import Cluster
from consumers.loop import Ingest
from consumers.source import KafkaSource
from deploy.settings import Settings
from deploy.telemetry import Looks, Meter
from deploy.wiring import CannotStart, System
from domain.history.enrolment import Partition, check_identities, go_live, retire, went_live
from domain.instant import Duration, Instant

STUCK_AFTER: Final = 120.0
"""Seconds an ingest loop may not go round before its process ends: a client that never returns cannot be helped."""
JOIN: Final = 10.0

_log = structlog.get_logger()


class Worker(NamedTuple):
    """A named loop that runs until its event is set."""

    name: str
    run: Callable[[threading.Event], object]


class Crew:
    """Runs workers in threads; when one fails, all end."""

    def __init__(self, workers: list[Worker]) -> None:
        """Start nothing yet."""
        self.stop = threading.Event()
        self.failed: list[tuple[str, BaseException]] = []
        self._threads = [
            threading.Thread(target=self._run, args=(worker,), name=worker.name, daemon=True) for worker in workers
        ]

    def start(self) -> None:
        """Start all."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Tell all to stop and wait for them, at most ten seconds together."""
        self.stop.set()
        until = time.monotonic() + JOIN
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                _log.warning("worker does not stop", worker=thread.name)

    def wait(self) -> None:
        """Return once it is time to stop."""
        while not self.stop.wait(0.5):
            if not any(thread.is_alive() for thread in self._threads):
                return

    def _run(self, worker: Worker) -> None:
        try:
            worker.run(self.stop)
        except Exception as error:  # told here, and by the exit code of the process
            self.failed.append((worker.name, error))
            _log.error("worker failed", worker=worker.name, error=str(error), kind=type(error).__name__)
            logging.getLogger(__name__).debug("worker failed", exc_info=error)
            self.stop.set()


def until_told(own: list[Worker]) -> int:
    """Run workers until SIGTERM, SIGINT or the first failure; returns the exit code."""
    crew = Crew(own)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: crew.stop.set())
    crew.start()
    crew.wait()
    crew.end()
    return 1 if crew.failed else 0


def ingest(
    system: System,
    settings: Settings,
    *,
    servers: str,
    topics: tuple[str, ...],
    begin: str | Instant | None,
    accept_new_topics: bool = False,
    accept_gaps: bool = False,
    options: dict[str, object] | None = None,
    registry: CollectorRegistry | None = None,
) -> Ingest:
    """Find the partitions, go live where that has not happened, and build the ingest loop.

    Raises:
        CannotStart: the first start against this broker does not say where to begin.
        TopicReplaced: a topic is not the one the log was fed from.
        SourceFailed: the broker does not answer or a topic is missing.
    """
    connection = settings.kafka.connection(servers)
    cluster = Cluster(connection, topics)
    partitions = cluster.partitions()
    _enter(system, cluster, partitions, begin, accept_new_topics=accept_new_topics)

    def refresh() -> None:
        found = cluster.partitions()
        check_identities(system.log.store.positions(), found)
        partitions.update(found)

    extra = {**settings.kafka.membership(), **(options or {})}
    meter = Meter(registry or CollectorRegistry())
    return Ingest(
        system.tracker,
        system.translator,
        partitions,
        lambda starts: KafkaSource(connection, partitions, settings.kafka.group, starts, **extra),
        system.clock,
        limit=settings.kafka.poll_records,
        settle_within=2 * extra["session_timeout_ms"] / 1000 + 10,
        accept_gaps=accept_gaps,
        refresh=refresh,
        note=meter,
        tried=meter.tried,
    )


def ticks(system: System, settings: Settings) -> Worker:
    """Build the ticker."""
    dedup_for, looked = Duration.parse(settings.dedup_for), Looks()

    def run(stop: threading.Event) -> None:
        ticker.run(system.tracker, system.clock, stop, dedup_for=dedup_for, looked=looked)

    return Worker("ticker", run)


def watchdog(loop: Ingest) -> Worker:
    """End the process when the ingest loop hangs; whoever supervises it starts it again."""

    def run(stop: threading.Event) -> None:
        while not stop.wait(5.0):
            if time.monotonic() - loop.progress > STUCK_AFTER:
                raise CannotStart(f"ingest has not gone round for {STUCK_AFTER:.0f} s; the Kafka client hangs")

    return Worker("watchdog", run)


def _enter(
    system: System,
    cluster: Cluster,
    partitions: dict[str, Partition],
    begin: str | Instant | None,
    *,
    accept_new_topics: bool,
) -> None:
    if went_live(system.log) is None:
        if begin is None:
            raise CannotStart(
                "This store has never read from this Kafka. Say where to begin: --from earliest (everything that is "
                "there), --from latest (only what comes from now on) or --from 2026-03-01T00:00:00Z."
            )
        starts = cluster.offsets(partitions.values(), begin)
        go_live(system.log, starts, str(begin), system.clock())
    elif accept_new_topics:
        retire(system.log, partitions)
    else:
        check_identities(system.log.store.positions(), partitions)
