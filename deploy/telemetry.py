"""Telemetry: one line of JSON per log entry, control characters escaped by the encoder."""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import orjson
import structlog
from eventsourcing.persistence import OperationalError
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from deploy.settings import LOOPBACK, Settings
from deploy.wiring import CannotStart, System
from domain.judging.adoption import to_adopt
from projections.outage import Outage


def configure(level: str) -> None:
    """Log to standard error as JSON lines, ours and the libraries' alike."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = structlog.processors.JSONRenderer(serializer=lambda entry, **_: orjson.dumps(entry, default=str).decode())
    handler = logging.StreamHandler(sys.stderr)
    processors: list[Any] = [_drop_meta, structlog.processors.format_exc_info, render]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=processors, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=number, force=True)
    logging.getLogger("kafka").setLevel(max(number, logging.ERROR))
    if number > logging.DEBUG:
        handler.addFilter(_is_no_attempt)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
    )


METRICS: Final = {
    "tracker_ingest_client_renewed_total": "Times the Kafka client failed and was made anew.",
    "tracker_ingest_fenced_total": "Batches dropped because another process had taken the partition over.",
    "tracker_ingest_store_waits_total": "Times a batch waited because the store could not be written.",
    "tracker_ingest_attempts_total": "Tries to take a batch in, by outcome: stored, conflict (another process wrote one"
    " of its streams first; that part was decided once more, under the log's lock), repeated, fenced.",
    "tracker_ingest_partitions_halted": "Partitions that are no longer read, because of what they hold.",
    "tracker_policy_superseded": "1 while other rules judge than those of this process's TRACKER_POLICY: another"
    " process has brought them since, and this one would bring its own back at its next start. 0 otherwise.",
    "tracker_active": "1 where this process has the turn of a role that one process at a time has, 0 on stand-by.",
}
"""Every metric of the roles with its sentence; those of the views and of HTTP are in ``api.metrics``."""
_ACTIVE: Final = "tracker_active"
_SUPERSEDED: Final = "tracker_policy_superseded"
_ATTEMPTS: Final = "tracker_ingest_attempts_total"
_PASSING: Final = ("ingest_client_renewed_total", "ingest_store_waits_total")
"""What is over once a batch has been taken in."""
_TAKEN: Final = ("stored", "repeated")


class Meter:
    """Takes what the ingest loop notes, as metrics and as log lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register every metric, so that each is there from the start."""
        self._metrics = {
            name: (Counter if name.endswith("_total") else Gauge)(name, sentence, registry=registry)
            for name, sentence in METRICS.items()
            if name not in {_ACTIVE, _ATTEMPTS, _SUPERSEDED}
        }
        self._attempts = Counter(_ATTEMPTS, METRICS[_ATTEMPTS], ("outcome",), registry=registry)
        for outcome in (*_TAKEN, "conflict", "fenced"):
            self._attempts.labels(outcome)
        self._outages = {name: Outage() for name in _PASSING}

    def __call__(self, name: str, value: float, why: str = "") -> None:
        """Count or set a metric and say why in the log."""
        metric = self._metrics[f"tracker_{name}"]
        if isinstance(metric, Counter):
            metric.inc(value)
        else:
            metric.set(value)
        if name in _PASSING:
            self._outages[name].begin()
        structlog.get_logger().warning(name, value=value, why=why)

    def tried(self, outcome: str) -> None:
        """Count a try at a batch, which is news only where it ends a wait for the broker or the store."""
        self._attempts.labels(outcome).inc()
        for name, outage in self._outages.items():
            if outcome in _TAKEN and (seconds := outage.end()) is not None:
                structlog.get_logger().info("taking in again", after=name, seconds=seconds)


class Looks:
    """Takes how the ticker's looks went, as log lines: that the store does not let it look, and once that it does."""

    def __init__(self) -> None:
        """Have seen none."""
        self._outage = Outage()

    def __call__(self, why_not: str | None) -> None:
        """Note a look, or why there was none."""
        if why_not is not None:
            self._outage.begin()
            structlog.get_logger().warning("deadlines wait for the store", why=why_not)
        elif (seconds := self._outage.end()) is not None:
            structlog.get_logger().info("deadlines fire again", seconds=seconds)


class Activity:
    """Takes which roles this process is active in, as a metric."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metric."""
        self._active = Gauge(_ACTIVE, METRICS[_ACTIVE], ("role",), registry=registry)

    def __call__(self, role: str, active: int) -> None:
        """Set it for a role."""
        self._active.labels(role).set(active)


class Superseded(Collector):
    """Tells whether the policy file of this process still counts; looks whenever somebody asks."""

    def __init__(self, parts: System) -> None:
        """Look into this log."""
        self._parts = parts

    def describe(self) -> list[Metric]:
        """Name nothing ahead, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Compare what this process was given with what judges; tells nothing while the log cannot be read."""
        log, given, clock = self._parts.log, self._parts.given, self._parts.clock
        with suppress(OperationalError):
            others = given is not None and bool(to_adopt(log, given, clock()))
            yield GaugeMetricFamily(_SUPERSEDED, METRICS[_SUPERSEDED], value=float(others))


@contextmanager
def exposed(registry: CollectorRegistry, settings: Settings) -> Iterator[None]:
    """Serve the metrics of a process that serves nothing else, where the settings give it a port.

    Raises:
        CannotStart: the port cannot be bound, or would be open to others without a proxy that signs people in.
    """
    if settings.metrics_port is None:
        yield
        return
    if settings.host not in LOOPBACK and not settings.behind_proxy:
        raise CannotStart(
            f"refusing to serve metrics on {settings.host}: put a proxy in front and set TRACKER_BEHIND_PROXY=true, "
            "or serve them on 127.0.0.1"
        )
    try:
        server, _ = start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        raise CannotStart(f"metrics cannot be served on {settings.host}:{settings.metrics_port}: {error}") from error
    structlog.get_logger().info("metrics", host=settings.host, port=server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _is_no_attempt(record: logging.LogRecord) -> bool:
    """Leave out what the client logs of each attempt to connect, two a second; what matters is in our own words."""
    return not record.name.startswith(("kafka.net.", "kafka.cluster"))


def _drop_meta(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, method, entry)
