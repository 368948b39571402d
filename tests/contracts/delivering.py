"""A log with a season in it, the topics that it is delivered to, and what subscribers read there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client import CollectorRegistry

from deploy.delivering import Delivery, DeliveryMeter, delivers
from deploy.kafka_settings import Outbound, Topics
from deploy.settings import Settings
from deploy.wiring import open_views, system
from deploy.workers import Crew
from projections.follower import Follower
from projections.postgres_views import PostgresViews
from tests.brokers.clients import PATIENCE, drain, partitions_of, reader
from tests.contracts import deliver_child
from tests.contracts.ingesting import until
from tests.projections.stage import Stage, stage
from tests.projections.told import tell_season
from tests.stores import engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.brokers.broker import Broker

OUTLETS = 3
PARTITIONS = 3


class Told(NamedTuple):
    """A record as a subscriber sees it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

    @property
    def id(self) -> str:
        """Give the identity that the record claims."""
        return str(self.header("ce_id"))

    @property
    def data(self) -> Any:
        """Give what it says."""
        return json.loads(self.value or b"null")

    def header(self, name: str) -> str | None:
        """Give one header as text."""
        return next((value.decode() for each, value in self.headers if each == name and value is not None), None)


class Office:
    """A store in a folder, and topics that no other test uses."""

    def __init__(self, broker: Broker, told: Stage, **outbound: Any) -> None:
        """Make no topic yet."""
        self.broker = broker
        self.told = told
        name = f"office-{uuid.uuid4().hex[:8]}"
        self.topics = Topics(**{kind: f"{name}.{kind}" for kind in ("orders", "logistics", "complaints")})
        self.outbound = Outbound(
            **({"changes": f"{name}.incidents", "states": f"{name}.states", "partitions": PARTITIONS} | outbound)
        )

    def settings(self) -> Settings:
        """Give the product's settings."""
        return Settings(
            data_dir=self.told.folder,
            bootstrap_servers=self.broker.bootstrap_servers,
            topics=self.topics,
            outbound=self.outbound,
            **{name.lower(): value for name, value in self._stored().items()},
        )

    def environment(self) -> dict[str, str]:
        """Give the same settings as the environment of a process."""
        outbound = {
            f"TRACKER_OUTBOUND__{name.upper()}": str(value)
            for name, value in self.outbound.model_dump().items()
            if value is not None
        }
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "TRACKER_DATA_DIR": str(self.told.folder),
            **{f"TRACKER_TOPICS__{kind.upper()}": topic for kind, topic in self.topics.model_dump().items()},
            **{name.replace("DATABASE_S", "TRACKER_DATABASE_S"): value for name, value in self._stored().items()},
            **outbound,
        }

    def _stored(self) -> dict[str, str]:
        """Say where the store is, unless it is in the folder."""
        address = engine.url()
        if address is None:
            return {}
        return {"DATABASE_URL": address, "DATABASE_SCHEMA": engine.schema_of(self.told.folder / "log.db")}

    def read(self, topic: str, partitions: int = PARTITIONS) -> list[Told]:
        """Read a topic from its start to its end."""
        reading = reader(self.broker, *partitions_of(topic, partitions))
        try:
            return [Told(one.topic, one.partition, one.key, one.value, list(one.headers)) for one in drain(reading)]
        finally:
            reading.close()

    @contextmanager
    def delivering(self, **connection: Any) -> Iterator[CollectorRegistry]:
        """Deliver in a thread as `tracker deliver` does; gives its metrics."""
        settings, registry = self.settings(), CollectorRegistry()
        reached = settings.kafka.connection(str(settings.bootstrap_servers)) | connection
        delivery = Delivery(reached, settings.outbound, settings.topics.names())
        with system(settings) as parts, open_views(settings) as views:
            self.crew = crew = Crew(
                [delivers(parts, views, delivery, DeliveryMeter(registry), lambda _role, _active: None)]
            )
            crew.start()
            try:
                yield registry
            finally:
                crew.end()
        if crew.failed:
            raise crew.failed[0][1]

    def deliver(self, **connection: Any) -> None:
        """Deliver all there is."""
        with self.delivering(**connection) as registry:
            until(lambda: is_delivered(registry))

    @contextmanager
    def process(self, limit: int, stops_before: int = 0) -> Iterator[Process]:
        """Run a process of its own that delivers in small pages; it does not outlive the block."""
        command = [sys.executable, str(deliver_child.__file__), str(limit), str(stops_before)]
        made = Process(subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, text=True))
        try:
            yield made
        finally:
            made.kill()


class Process:
    """A process that delivers and says a word for each page that was acknowledged."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Listen to it."""
        self._process = process

    def hear(self, word: str, times: int = 1) -> None:
        """Wait until it has said a word so many times."""
        assert self._process.stdout is not None
        heard = 0
        while heard < times:
            line = self._process.stdout.readline()
            assert line, "it ended"
            heard += line == f"{word}\n"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """End it with SIGTERM, and give its exit code."""
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)
        return self._process.returncode

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.communicate()


def is_delivered(registry: CollectorRegistry) -> bool:
    """Say whether everything has left, by the metrics."""
    behind = values(registry, "tracker_delivery_behind")
    return len(behind) == OUTLETS and not any(behind)


def values(registry: CollectorRegistry, name: str) -> list[float]:
    """Give all values of a metric."""
    return [one.value for family in registry.collect() for one in family.samples if one.name == name]


@contextmanager
def shop_in(folder: Path) -> Iterator[Stage]:
    """Open a stage whose views are where the product looks for them."""
    with stage(folder) as made:
        address = engine.url()
        if address is not None:
            made.store.close()
            made.store = PostgresViews(address, f"{engine.schema_of(folder / 'log.db')}_views")
            made.follower = Follower(made.store, made.log.store)
        yield made


@contextmanager
def season(folder: Path, days: int) -> Iterator[Stage]:
    """Tell a season, and let the views follow."""
    with shop_in(folder) as made:
        tell_season(made.log, datetime(2026, 3, 1, tzinfo=UTC), days=days)
        made.follow()
        yield made
