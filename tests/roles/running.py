"""Roles as processes: the real command over a shop's broker and store; a test ends, stops and continues them by id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from prometheus_client.parser import text_string_to_metric_families

from tests.brokers.clients import PATIENCE
from tests.contracts.ingesting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.contracts.ingesting import Shop

TRACKER = Path(sys.executable).with_name("tracker")
SESSION = "2000"
"""Milliseconds after which a group gives the partitions of a silent member to another."""
PROMISE = 15.0
"""Seconds within which another process is to go on."""
LOADED = 5
"""How many times longer it may take on a machine that does other things besides."""


class Role:
    """A process of one role."""

    def __init__(
        self, directory: Path, environment: Mapping[str, str], command: str, *arguments: str, number: int = 0
    ) -> None:
        """Start it."""
        self.name = f"{command} {number}"
        self._log = directory / f"{command}-{number}.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [TRACKER, command, "--metrics-port", "0", *arguments],
                env={**environment, "TRACKER_LOG_LEVEL": "info"},
                cwd=directory,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """Let it hang."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after a hang."""
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it in order; it must end well."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE) == 0, self.story()

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def runs(self) -> bool:
        """Say whether it has not ended."""
        return self._process.poll() is None

    def said(self, what: str) -> list[dict[str, Any]]:
        """List its log entries of one kind."""
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [one for one in map(json.loads, lines) if one.get("event") == what]

    def metric(self, name: str, **labels: str) -> float:
        """Read one of its metrics as a monitoring system would."""
        (at,) = self.said("metrics")
        with urllib.request.urlopen(f"http://{at['host']}:{at['port']}/metrics", timeout=PATIENCE) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            found = [one for family in families for one in family.samples if one.name == name]
        return sum(one.value for one in found if labels.items() <= one.labels.items())

    def is_active(self) -> bool:
        """Say whether it has its role's turn, as its log says."""
        turns = self.said("active"), self.said("no longer active")
        return len(turns[0]) > len(turns[1])

    def stored(self) -> float:
        """Count the batches that it stored."""
        return self.metric("tracker_ingest_attempts_total", outcome="stored") if self.said("metrics") else 0

    def story(self) -> str:
        """Tell what it said last."""
        return f"{self.name} ({self._process.poll()}): {self._log.read_text()[-1500:]}"


class Staff:
    """All processes of a test; none outlives it."""

    def __init__(self, shop: Shop) -> None:
        """Start none yet."""
        self.shop = shop
        self.all: list[Role] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what is left."""
        self._stack.close()

    def start(self, command: str, *arguments: str) -> Role:
        """Start a process of a role."""
        environment = self.shop.environment(TRACKER_KAFKA__SESSION_TIMEOUT_MS=SESSION)
        role = Role(self.shop.directory, environment, command, *arguments, number=len(self.all))
        self._stack.callback(role.close)
        self.all.append(role)
        return role

    def until(self, reached: Callable[[], bool], seconds: float = 2 * PATIENCE) -> float:
        """Wait; returns the seconds that it took."""
        begun = time.monotonic()
        until(reached, seconds, lambda: [one.story() for one in self.all])
        return time.monotonic() - begun
