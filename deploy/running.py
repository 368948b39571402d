"""``tracker run``: everything on this machine, and the sample season with its own broker, store and clock."""

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry

from consumers.cluster import Cluster
from consumers.translate import TOPICS
from deploy import clock, workers
from deploy.backtests import EMBEDDED_OPTIONS
from deploy.clock import DemoClock
from deploy.delivering import Delivery, DeliveryMeter, delivers, told
from deploy.demo.player import Player, write
from deploy.demo.season import season
from deploy.demo.telephone import Telephone
from deploy.embedded import EmbeddedBroker
from deploy.roles import ticker
from deploy.serving import application, follows, views
from deploy.settings import Settings
from deploy.telemetry import Activity, Superseded
from deploy.web import serve
from deploy.wiring import CannotStart, System, system
from deploy.workers import Crew, Worker
from domain.instant import DAY, Instant, moment
from domain.staff.desk import Desk

DEMO_PARTITIONS: Final = 3
_RING_SECONDS: Final = 0.1


class Broker(NamedTuple):
    """Where Kafka is, how its topics are called here, and what its client needs besides."""

    servers: str
    topics: dict[str, str]
    options: dict[str, Any]
    prefix: str = ""
    """Of the topics that are made for one run alone."""


def run(settings: Settings, *, begin: str | Instant | None, accept_new_topics: bool, accept_gaps: bool) -> int:
    """Read, tick, project and serve until told to stop; returns the exit code.

    Raises:
        CannotStart: something is missing that only the operator can give.
    """
    registry = CollectorRegistry()
    with ExitStack() as stack:
        if settings.bootstrap_servers is None:
            settings, broker = stack.enter_context(_own_broker(settings))
            begin = "earliest"
        else:
            topics = dict(zip(TOPICS, settings.topics.names(), strict=True))
            broker = Broker(settings.bootstrap_servers, topics, {})
        parts = stack.enter_context(system(settings, adopting=True))
        loop = workers.ingest(
            parts,
            settings,
            servers=broker.servers,
            topics=tuple(broker.topics.values()),
            begin=begin,
            accept_new_topics=accept_new_topics,
            accept_gaps=accept_gaps,
            options=broker.options,
            registry=registry,
        )
        return _work(parts, settings, registry, broker, [Worker("ingest", loop.run), workers.watchdog(loop)])


def demo(settings: Settings, *, seed: int, speed: float, days: int) -> int:
    """Play a seeded season into Kafka, on the demo clock, and run everything over it; returns the exit code."""
    settings = settings.on_files(settings.data_dir / "demo").model_copy(update={"policy": None})
    _clear(settings.data_dir)
    now = clock.wall()
    demo_clock = DemoClock(start=now - days * DAY, anchor=now, speed=speed, end=now)
    demo_clock.keep(settings.data_dir)
    registry = CollectorRegistry()
    with ExitStack() as stack:
        broker = stack.enter_context(_demo_broker(settings))
        Cluster(settings.kafka.connection(broker.servers), broker.topics.values()).create_missing(DEMO_PARTITIONS)
        parts = stack.enter_context(system(settings, adopting=True))
        loop = workers.ingest(
            parts,
            settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"group": f"demo-{token_hex(4)}"})}),
            servers=broker.servers,
            topics=tuple(broker.topics.values()),
            begin="earliest",
            options=broker.options,
            registry=registry,
        )
        player = _season(parts, settings, broker, demo_clock, seed, days)
        pace = f"{speed / 3600:g} hours in a second"
        sys.stdout.write(f"A season of {days} days, {pace} (seed {seed}). Kafka at {broker.servers}.\n")
        return _work(parts, settings, registry, broker, [player, Worker("ingest", loop.run), workers.watchdog(loop)])


def _work(parts: System, settings: Settings, registry: CollectorRegistry, broker: Broker, own: list[Worker]) -> int:
    registry.register(Superseded(parts))
    with views(parts, settings) as reading:
        tell, beside = Activity(registry), []
        if settings.outbound.with_run:
            meter = DeliveryMeter(registry)
            # What comes in, the desk and the pages go on, whatever becomes of a topic that is told of them.
            own = [*own, delivers(parts, reading, _delivery(settings, broker), meter, tell, patient=True)]
            beside = [meter.check]
        crew = Crew([*own, ticker(parts, settings, tell), follows(parts, reading, tell)])
        app = application(parts, reading, settings, registry, beside)
        crew.start()
        try:
            serve(app, settings.host, settings.port, crew.stop, _announce)
        finally:
            crew.end()
    for name, error in crew.failed:
        sys.stderr.write(f"tracker: {name}: {error}\n")
    return 1 if crew.failed else 0


def _delivery(settings: Settings, broker: Broker) -> Delivery:
    sources = tuple(broker.topics.values())
    return Delivery(settings.kafka.connection(broker.servers), settings.outbound.below(broker.prefix), sources)


def _announce(url: str) -> None:
    sys.stdout.write(f"Open {url} (Ctrl-C ends)\n")
    sys.stdout.flush()


def _season(parts: System, settings: Settings, broker: Broker, demo_clock: DemoClock, seed: int, days: int) -> Worker:
    """Tell the season and play it, and its staff; telling takes a second, in which the page is already there."""

    def play(stop: threading.Event) -> None:
        story = season(seed, moment(demo_clock.start), days)
        write(story, settings.data_dir)
        telephone = Telephone(Desk(parts.log), story.calls, lambda: moment(demo_clock()))
        player = Player(
            bootstrap_servers=broker.servers.split(","),
            security=_security(settings, broker),
            topics=broker.topics,
            season=story,
            now=lambda: moment(demo_clock()),
            directory=settings.data_dir,
            meanwhile=telephone.ring,
        )
        player.run(stop)
        while not telephone.done and not stop.wait(_RING_SECONDS):
            telephone.ring()

    return Worker("season", play)


def _security(settings: Settings, broker: Broker) -> dict[str, Any]:
    connection = settings.kafka.connection(broker.servers)
    return {name: value for name, value in connection.items() if name not in {"bootstrap_servers", "client_id"}}


@contextmanager
def _own_broker(settings: Settings) -> Iterator[tuple[Settings, Broker]]:
    """Start the embedded broker; it keeps nothing, so the store it feeds begins anew with it."""
    own = settings.on_files(settings.data_dir / "embedded")
    _clear(own.data_dir)
    with EmbeddedBroker(own.data_dir) as embedded:
        Cluster(settings.kafka.connection(embedded.bootstrap_servers), TOPICS).create_missing(DEMO_PARTITIONS)
        sys.stdout.write(
            f"No KAFKA_BOOTSTRAP_SERVERS: an embedded broker runs at {embedded.bootstrap_servers}.\n"
            f"It and {own.data_dir} are one disposable unit: both begin empty at every start.\n"
        )
        topics = dict(zip(TOPICS, settings.topics.names(), strict=True))
        yield own, Broker(embedded.bootstrap_servers, topics, EMBEDDED_OPTIONS)


@contextmanager
def _demo_broker(settings: Settings) -> Iterator[Broker]:
    """Use the configured Kafka with topics of this run's own, else the embedded broker."""
    if settings.bootstrap_servers is None:
        with EmbeddedBroker(settings.data_dir) as embedded:
            yield Broker(embedded.bootstrap_servers, dict(zip(TOPICS, TOPICS, strict=True)), EMBEDDED_OPTIONS)
        return
    prefix = f"demo-{token_hex(3)}."
    broker = Broker(settings.bootstrap_servers, {topic: f"{prefix}{topic}" for topic in TOPICS}, {}, prefix)
    yield broker
    made = told(_delivery(settings, broker)) if settings.outbound.with_run else []
    Cluster(settings.kafka.connection(broker.servers), [*broker.topics.values(), *made]).delete()


def _clear(directory: Path) -> None:
    """Remove a disposable store; only ever one that we named ourselves."""
    if directory.exists():
        try:
            shutil.rmtree(directory)
        except OSError as error:
            raise CannotStart(f"{directory} cannot be cleared: {error}") from error
    directory.mkdir(parents=True)
