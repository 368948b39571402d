"""Delivering: the role that tells Kafka what changed, in one process at a time."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from api.outbound.dead_letters import DeadLetters
from api.outbound.deliverer import Deliverer
from api.outbound.kafka_setup import Making, Topic
from api.outbound.kafka_topic import KafkaTopics
from api.outbound.outlet import Outlet
from api.outbound.outlets import Changes, States
from consumers.quarantine import KEPT_FOR
from deploy.leading import Tell, leased
from deploy.settings import Outbound, Settings
from deploy.telemetry import Activity, exposed
from deploy.wiring import CannotStart, System, leases, open_views, system
from deploy.workers import Worker, until_told
from domain.delivered import Marks
from domain.instant import SECOND
from projections.views import ViewStore

METRICS: Final = {
    "tracker_delivered_total": "Records that Kafka acknowledged, by what they tell.",
    "tracker_delivery_behind": "How far what was acknowledged is behind what is known, in positions of the log.",
    "tracker_delivery_waits_total": "Times nothing could leave, because Kafka, log or views did not answer.",
}
"""Every metric of delivering with its sentence."""
_LETTER: Final = 64 * 1024 * 1024
"""Bytes of a dead letter: it is larger than what came, by the reasons why it is here."""


class Delivery(NamedTuple):
    """Where Kafka is, and how topics are called there."""

    connection: dict[str, Any]
    outbound: Outbound
    sources: tuple[str, ...]
    """The topics whose messages may come to be dead letters."""


def deliver(settings: Settings) -> int:
    """Deliver until told to stop; returns the exit code.

    Raises:
        CannotStart: no Kafka is configured, or nothing is to be delivered.
    """
    if settings.bootstrap_servers is None:
        raise CannotStart("set KAFKA_BOOTSTRAP_SERVERS to your Kafka, for example kafka-1:9092,kafka-2:9092")
    delivery = Delivery(
        settings.kafka.connection(settings.bootstrap_servers), settings.outbound, settings.topics.names()
    )
    registry = CollectorRegistry()
    with system(settings) as parts, open_views(settings) as views, exposed(registry, settings):
        return until_told([delivers(parts, views, delivery, registry, Activity(registry))])


def delivers(parts: System, views: ViewStore, delivery: Delivery, registry: CollectorRegistry, tell: Tell) -> Worker:
    """Build the deliverer.

    Raises:
        CannotStart: nothing is to be delivered.
    """
    topics = _topics(delivery)
    if not topics:
        raise CannotStart("nothing is to be delivered: see outbound.changes, outbound.states and outbound.dead_letters")
    meter = DeliveryMeter(registry)
    making = Making(
        delivery.outbound.create, delivery.outbound.partitions, delivery.outbound.replication or Making().replication
    )
    connect = partial(KafkaTopics, delivery.connection, topics, making)

    def run(turn: threading.Event) -> None:
        outlets = partial(_outlets, parts, views, delivery)
        Deliverer(outlets, cast(Marks, parts.log.recorder), connect, meter).run(turn)

    return leased("deliver", run, leases(parts.log), tell)


class DeliveryMeter:
    """Takes how delivery goes, as metrics and as log lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register every metric."""
        delivered, behind, waits = METRICS.items()
        self._delivered = Counter(*delivered, ("outlet",), registry=registry)
        self._behind = Gauge(*behind, ("outlet",), registry=registry)
        self._waits = Counter(*waits, registry=registry)
        self._waiting = False

    def delivered(self, outlet: str, records: int, behind: int) -> None:
        """Count what was acknowledged, and say what is left."""
        self._delivered.labels(outlet).inc(records)
        self._behind.labels(outlet).set(behind)
        if records and self._waiting:
            self._waiting = False
            structlog.get_logger().info("delivering again")

    def waits(self, why: str) -> None:
        """Count a wait and say why in the log."""
        self._waits.inc()
        self._waiting = True
        structlog.get_logger().warning("delivery waits", why=why)


def told(delivery: Delivery) -> list[str]:
    """Name every topic that is told of something."""
    return [one.name for one in _topics(delivery)]


def dead_letter_topic(topic: str) -> str:
    """Name the topic for what could not be taken in from another."""
    return f"{topic}.dlq"


def _topics(delivery: Delivery) -> list[Topic]:
    """List what is to be told, and how it must be set up; dead letters are kept as long as quarantine keeps them."""
    wanted = delivery.outbound
    kept = KEPT_FOR // (SECOND // 1000)
    letters = [
        Topic(dead_letter_topic(one), retention_ms=kept, largest=_LETTER)
        for one in delivery.sources
        if wanted.dead_letters
    ]
    changes = [Topic(wanted.changes)] if wanted.changes else []
    states = [Topic(wanted.states, compacted=True)] if wanted.states else []
    return [*changes, *states, *letters]


def _outlets(parts: System, views: ViewStore, delivery: Delivery) -> Sequence[Outlet]:
    log, wanted = parts.log.store, delivery.outbound
    epoch = log.epoch()
    found: list[Outlet] = []
    if wanted.changes:
        found.append(Changes(views, epoch, wanted.changes))
    if wanted.states:
        found.append(States(views, log, epoch, wanted.states, parts.clock))
    if wanted.dead_letters:
        found.append(DeadLetters(log, epoch, delivery.sources, dead_letter_topic))
    return found
