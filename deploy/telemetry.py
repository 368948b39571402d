"""Telemetry: one line of JSON per log entry, control characters escaped by the encoder."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge


def configure(level: str) -> None:
    """Log to standard error as JSON lines, ours and the libraries' alike."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    render = structlog.processors.JSONRenderer(serializer=lambda entry, **_: orjson.dumps(entry, default=str).decode())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_drop_meta, render], foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=number, force=True)
    # The client logs each reconnect attempt; what matters of them is in our own words.
    logging.getLogger("kafka").setLevel(max(number, logging.ERROR))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
    )


METRICS: Final = {
    "tracker_ingest_client_renewed_total": "Times the Kafka client failed and was made anew.",
    "tracker_ingest_fenced_total": "Batches dropped because another process had taken the partition over.",
    "tracker_ingest_store_waits_total": "Times a batch waited because the store could not be written.",
    "tracker_ingest_partitions_halted": "Partitions that are no longer read, because of what they hold.",
}
"""Every metric of ingest with its sentence; those of the views and of HTTP are in ``api.metrics``."""


class Meter:
    """Takes what the ingest loop notes, as metrics and as log lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register every metric, so that each is there from the start."""
        self._metrics = {
            name: (Counter if name.endswith("_total") else Gauge)(name, sentence, registry=registry)
            for name, sentence in METRICS.items()
        }

    def __call__(self, name: str, value: float, why: str = "") -> None:
        """Count or set a metric and say why in the log."""
        metric = self._metrics[f"tracker_{name}"]
        if isinstance(metric, Counter):
            metric.inc(value)
        else:
            metric.set(value)
        structlog.get_logger().warning(name, value=value, why=why)


def _drop_meta(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, method, entry)
