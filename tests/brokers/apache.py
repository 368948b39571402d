"""A real Apache Kafka in KRaft mode: one node, broker and controller, on loopback ports, from the assembled jars."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from deploy.embedded import speaks_kafka
from deploy.keeper import end_kept, start_kept
from tests.brokers.broker import EVERYTHING, BrokerMissingError
from tests.brokers.jars import HERE, kafka_jars, kafka_version
from tests.brokers.settings import HEAP, SETTINGS, free_ports, listener_settings, new_cluster_id

JAVA = 17
START_SECONDS = 60.0
STOP_SECONDS = 20.0
_LOG_TAIL = 3_000
# A test broker lives for seconds: the quick compiler and the collector without threads start it in half the time.
_JAVA_OPTIONS = (*HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class ApacheKafka:
    """Answers from `start()` to `stop()` or `kill()`; a later `start()` finds the same port, cluster and records."""

    name = "apache"
    capabilities = EVERYTHING

    def __init__(self, directory: Path) -> None:
        """Keep data, settings and log in the directory; nothing is started yet."""
        self.version = f"Apache Kafka {kafka_version()}"
        self.log = directory / "kafka.log"
        self._settings = directory / "server.properties"
        self._data = directory / "data"
        self._port = 0
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Return the `host:port` that clients connect to."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def start(self) -> None:
        """Return once the broker answers; the first time, make its cluster."""
        java = ["-cp", f"{kafka_jars()}/*", f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]
        command = [find_java(), *_JAVA_OPTIONS, *java]
        if not self._data.exists():
            self._format(command)
        self._keeper = start_kept([*command, "kafka.Kafka", str(self._settings)], self.log)
        until = time.monotonic() + START_SECONDS
        while not speaks_kafka(self.bootstrap_servers):
            if self._keeper.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"Kafka did not start:\n{self.log.read_text()[-_LOG_TAIL:]}")
            time.sleep(0.02)  # between two looks

    def stop(self) -> None:
        """End the broker in order; it hands over and flushes first."""
        if self._keeper is not None:
            self._keeper.terminate()
            try:
                self._keeper.wait(STOP_SECONDS)
            finally:
                self.kill()

    def kill(self) -> None:
        """End the broker's process with SIGKILL."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None and keeper.poll() is None:
            os.killpg(keeper.pid, signal.SIGKILL)
        if keeper is not None:
            end_kept(keeper, STOP_SECONDS)

    def close(self) -> None:
        """End the broker and forget its records."""
        self.stop()
        shutil.rmtree(self._data, ignore_errors=True)

    def _format(self, java: list[str]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._port, broker, controller = free_ports(3)
        listeners = listener_settings("127.0.0.1", (self._port, self._port), broker, controller)
        settings = SETTINGS | listeners | {"log.dirs": str(self._data)}
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        self._settings.write_text("".join(lines))
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", new_cluster_id(), "--config", str(self._settings)]
        with self.log.open("ab") as log:
            subprocess.run([*java, *tool], stdout=log, stderr=log, timeout=START_SECONDS, check=True)


def find_java() -> str:
    """Return a Java that Kafka runs on, or say how to get one."""
    cure = f"Kafka needs Java {JAVA} or newer; on Debian: apt-get install openjdk-{JAVA}-jre-headless"
    java = shutil.which("java")
    if java is None:
        raise BrokerMissingError(cure)
    banner = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    found = re.search(r'version "(\d+)', banner)
    if found is None or int(found[1]) < JAVA:
        raise BrokerMissingError(f"{cure}; found: {banner.splitlines()[0]}")
    return java
