"""Delivering: the role that tells Kafka what changed, in one process at a time."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from api.contract.operations import Check
from api.outbound.dead_letters import DeadLetters
from api.outbound.deliverer import Deliverer
from api.outbound.kafka_setup import TopicUnfit
from api.outbound.kafka_topic import KafkaTopics
from api.outbound.outlet import Outlet
from api.outbound.outlets import Changes, States
from deploy.kafka_settings import Outbound
from deploy.leading import Tell, leased
from deploy.outgoing import dead_letter_topic, making, outgoing
from deploy.settings import Settings
from deploy.telemetry import Activity, exposed
from deploy.wiring import CannotStart, System, leases, open_views, system
from deploy.workers import Worker, until_told
from domain.history.delivered import Marks
from projections.outage import Outage
from projections.views import ViewStore

METRICS: Final = {
    "tracker_delivered_total": "Records that Kafka acknowledged, by what they tell.",
    "tracker_delivery_behind": "How far what was acknowledged is behind what is known, in positions of the log.",
    "tracker_delivery_waits_total": "Times nothing could leave, because Kafka, log or views did not answer.",
    "tracker_delivery_stands_still": "1 while a topic is missing or would lose records: somebody must mend it before"
    " anything leaves.",
}
"""Every metric of delivering with its sentence."""
LOOK: Final = 5.0
"""Seconds between two looks whether a topic was mended."""


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
        return until_told([delivers(parts, views, delivery, DeliveryMeter(registry), Activity(registry))])


def delivers(
    parts: System, views: ViewStore, delivery: Delivery, meter: "DeliveryMeter", tell: Tell, *, patient: bool = False
) -> Worker:
    """Build the deliverer; a patient one waits until a topic is mended, for the sake of what runs beside it.

    Raises:
        CannotStart: nothing is to be delivered.
    """
    topics = outgoing(delivery.outbound, delivery.sources).topics()
    if not topics:
        raise CannotStart("nothing is to be delivered: see outbound.changes, outbound.states and outbound.dead_letters")
    connect = partial(KafkaTopics, delivery.connection, topics, making(delivery.outbound))

    def run(turn: threading.Event) -> None:
        outlets = partial(_outlets, parts, views, delivery)
        deliverer = Deliverer(outlets, cast(Marks, parts.log.recorder), connect, meter)
        while not turn.is_set():
            try:
                deliverer.run(turn)
            except TopicUnfit as unfit:
                if not patient:
                    raise
                meter.stands_still(str(unfit))
                turn.wait(LOOK)
        meter.rests()

    return leased("deliver", run, leases(parts.log), tell)


class DeliveryMeter:
    """Takes how delivery goes, as metrics, as log lines, and for whoever asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register every metric."""
        delivered, behind, waits, still = METRICS.items()
        self._delivered = Counter(*delivered, ("outlet",), registry=registry)
        self._behind = Gauge(*behind, ("outlet",), registry=registry)
        self._waits = Counter(*waits, registry=registry)
        self._still = Gauge(*still, registry=registry)
        self._outage = Outage()
        self._why = ""

    def delivered(self, outlet: str, records: int, behind: int) -> None:
        """Count what was acknowledged, and say what is left."""
        self._delivered.labels(outlet).inc(records)
        self._behind.labels(outlet).set(behind)
        self._still.set(0)
        if records or not behind:
            self._why = ""
        if records and (seconds := self._outage.end()) is not None:
            structlog.get_logger().info("delivering again", seconds=seconds)

    def waits(self, why: str) -> None:
        """Count a wait and say why in the log."""
        self._waits.inc()
        self._still.set(0)
        self._outage.begin()
        self._why = why
        structlog.get_logger().warning("delivery waits", why=why)

    def stands_still(self, why: str) -> None:
        """Say, once in the log, that somebody must mend a topic before anything leaves."""
        if why != self._why:
            structlog.get_logger().error("delivery stands still", why=why)
        self._still.set(1)
        self._outage.begin()
        self._why = why

    def rests(self) -> None:
        """Forget what was in the way: others deliver now, or nobody."""
        self._still.set(0)
        self._outage.end()
        self._why = ""

    def check(self) -> Check:
        """Say how delivery goes, which is nothing that a reader of pages must wait for."""
        return Check(name="delivery", ok=not self._why, needed=False, detail=self._why or "nothing is in its way")


def told(delivery: Delivery) -> list[str]:
    """Name every topic that is told of something."""
    return [one.name for one in outgoing(delivery.outbound, delivery.sources).topics()]


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
