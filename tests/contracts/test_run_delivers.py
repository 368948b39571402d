"""``tracker run`` that delivers, where a topic is not fit: everything else goes on, and it says what is to be done."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from tests.brokers.broker import Broker
from tests.brokers.clients import PATIENCE, producer, recreate_topic
from tests.contracts.delivering import Office
from tests.contracts.ingesting import until
from tests.projections.stage import stage
from tests.story import placed, requested, written

pytestmark = pytest.mark.timeout(120)
TRACKER = Path(sys.executable).with_name("tracker")


class Run:
    """A process that does everything, over one broker."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office = office
        self.said = folder / "said.txt"
        environment = {
            **office.environment(),
            "TRACKER_OUTBOUND__WITH_RUN": "true",
            "TRACKER_PORT": "0",
            "TRACKER_DATA_DIR": str(folder / "own"),
        }
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                [str(TRACKER), "run", "--from", "earliest"], env=environment, stdout=output, stderr=output
            )
        until(lambda: self._url() is not None, 2 * PATIENCE)

    def _url(self) -> str | None:
        assert self.process.poll() is None, self.said.read_text()
        found = re.search(r"Open (http://\S+)", self.said.read_text())
        return found and found[1].rstrip("/")

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._url()}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def read(self, path: str) -> Any:
        return json.loads(self.text(path))

    def delivery(self) -> dict[str, Any]:
        """Give what ``/readyz`` says of delivering."""
        with urllib.request.urlopen(f"{self._url()}/readyz", timeout=10) as answer:
            assert answer.status == 200
            checks = {one["name"]: one for one in json.loads(answer.read())["checks"]}
        return dict(checks["delivery"])

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@pytest.fixture
def run(broker: Broker, tmp_path: Path) -> Iterator[Run]:
    """Run over a topic of changes that would lose most of them."""
    with stage(tmp_path) as told:
        office = Office(broker, told)
        for topic in office.topics.names():
            recreate_topic(broker, topic)
        recreate_topic(broker, office.outbound.changes, cleanup_policy="compact")
        running = Run(office, tmp_path)
        yield running
        if running.process.poll() is None:
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.wait()


def late(run: Run) -> None:
    """Let an order be late, long ago."""
    sender = producer(run.office.broker)
    for one in (placed(0), requested(0, ship_by=1)):
        sender.send(run.office.topics.orders, written(one), key=b"O")
    sender.flush()
    sender.close()


def test_everything_goes_on_beside_a_topic_that_would_lose_records_until_it_is_mended(run: Run) -> None:
    until(lambda: "tracker_delivery_stands_still 1.0" in run.text("/metrics"), 2 * PATIENCE)
    late(run)
    until(lambda: len(run.read("/v1/incidents")["incidents"]) == 1, 2 * PATIENCE)
    until(lambda: run.read("/healthz") == {"status": "ok"})
    told = run.delivery()
    assert (told["ok"], told["needed"]) == (False, False)
    mend = f"--entity-name {run.office.outbound.changes} --add-config cleanup.policy=delete"
    assert mend in told["detail"]
    assert mend in run.said.read_text()

    fit = ConfigResource(ConfigResourceType.TOPIC, run.office.outbound.changes, {"cleanup.policy": "delete"})
    with KafkaAdminClient(bootstrap_servers=run.office.broker.bootstrap_servers) as admin:
        admin.alter_configs([fit])
    until(lambda: bool(run.delivery()["ok"]), 2 * PATIENCE)
    until(lambda: len(run.office.read(run.office.outbound.changes, 1)) == 1, PATIENCE)
    assert run.end() == 0
