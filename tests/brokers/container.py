"""A Kafka in a container, by testcontainers, on the Docker engine of this machine.

The image is $TRACKER_TEST_KAFKA_IMAGE. Without it: the official image of the version that the jars have, or, where only
that is here, the one that `tests/brokers/build_image.sh` built.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.embedded import speaks_kafka
from tests.brokers.broker import EVERYTHING, BrokerMissingError
from tests.brokers.jars import kafka_version
from tests.brokers.settings import HEAP, SETTINGS, free_ports, listener_settings, new_cluster_id

LOCAL_IMAGE = "order-incident-tracker/kafka:local"
START_SECONDS = 90.0
STOP_SECONDS = 20
_CLIENT, _BROKER, _CONTROLLER = 9092, 9094, 9093
_LOG_TAIL = 60
_REASON = 160
_OWNER = "order-incident-tracker.owner"


class ContainerKafka:
    """Answers from `start()` to `stop()` or `kill()`; a later `start()` finds the same port, cluster and records."""

    name = "container"
    capabilities = EVERYTHING

    def __init__(self, directory: Path) -> None:
        """Find an engine and an image, or say how to get them; nothing is started yet."""
        del directory  # the container keeps its data and log itself
        self._engine = _engine()
        self._image = _find_image(self._engine)
        _remove_orphans(self._engine)
        self.version = f"{self._image} (Docker {self._engine.version()['Version']})"
        self._port = 0
        self._container: Container | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Return the `host:port` that clients connect to."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return once the broker answers; the first time, make its container."""
        if self._container is None:
            self._container = self._create()
        else:
            self._container.start()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            self._container.reload()
            if self._container.status == "exited" or time.monotonic() > until:
                log = self._container.logs(tail=_LOG_TAIL).decode(errors="replace")
                self.close()
                raise RuntimeError(f"Kafka did not start in its container:\n{log}")
            time.sleep(0.1)  # between two looks

    def stop(self) -> None:
        """End the broker in order; the container keeps its records."""
        if self._container is not None:
            self._container.stop(timeout=STOP_SECONDS)

    def kill(self) -> None:
        """End the broker's process with SIGKILL; the container keeps its records."""
        if self._container is not None:
            self._container.kill()
            self._container.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Remove the container and all it held."""
        container, self._container = self._container, None
        if container is not None:
            container.remove(force=True, v=True)

    def _create(self) -> Container:
        # A fixed port, since the node must tell its clients where to come, and a restart must not change it.
        self._port, broker, controller = free_ports(3)
        made = DockerContainer(self._image)
        if self._engine.networks.list(names=["bridge"]):
            listeners = listener_settings("0.0.0.0", (_CLIENT, self._port), _BROKER, _CONTROLLER)
            made.ports[str(_CLIENT)] = ("127.0.0.1", self._port)  # type: ignore[assignment] # docker takes a pair too
        else:  # an engine without networks of its own
            listeners = listener_settings("127.0.0.1", (self._port, self._port), broker, controller)
            made.with_kwargs(network_mode="host")
        for key, value in (SETTINGS | listeners | {"log.dirs": "/tmp/kafka"}).items():
            made.with_env(f"KAFKA_{key.replace('.', '_').upper()}", value)
        made.with_env("CLUSTER_ID", new_cluster_id()).with_env("KAFKA_HEAP_OPTS", " ".join(HEAP))
        made.with_kwargs(**made._kwargs, labels={_OWNER: _owner(os.getpid())})
        # Its reaper is one more image to fetch; we remove our own containers.
        testcontainers_config.ryuk_disabled = True
        return made.start().get_wrapped_container()

    def _answers(self) -> bool:
        return speaks_kafka(self.bootstrap_servers)


def _engine() -> docker.DockerClient:
    try:
        engine = docker.from_env(timeout=60)
        engine.ping()
    except DockerException as error:
        cure = "as root: tests/brokers/start_docker.sh"
        raise BrokerMissingError(f"no Docker engine answers ({type(error).__name__}); {cure}") from error
    return engine


def _find_image(engine: docker.DockerClient) -> str:
    """Return the first wanted image that is here or can be had."""
    chosen = os.environ.get("TRACKER_TEST_KAFKA_IMAGE")
    official = f"apache/kafka:{kafka_version()}"
    wanted = [chosen] if chosen else [official, LOCAL_IMAGE]
    for image in wanted:
        with contextlib.suppress(ImageNotFound):
            engine.images.get(image)
            return image
    try:
        engine.images.pull(wanted[0])
    except DockerException as error:
        cure = "where no image registry is reachable, as root: tests/brokers/build_image.sh"
        raise BrokerMissingError(f"no image {wanted[0]}: {str(error)[:_REASON]}; {cure}") from error
    return wanted[0]


def _owner(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


def _remove_orphans(engine: docker.DockerClient) -> None:
    """Remove containers whose test process was killed before it could."""
    for left in engine.containers.list(all=True, filters={"label": _OWNER}):
        host, pid = left.labels[_OWNER].rsplit(":", 1)
        if host == socket.gethostname() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(NotFound):
                left.remove(force=True, v=True)
