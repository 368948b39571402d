"""The ways to do the whole job, from a broker to where people look, each as processes started and watched here."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from deploy.embedded import free_port
from deploy.keeper import end_kept, start_kept
from domain.history.batch import BatchTaken
from domain.history.log import decode
from tests.benchmarks import topics
from tests.benchmarks.looking import Database, Files, Outlook, rows_of
from tests.benchmarks.ours import POLICY
from tests.benchmarks.place import Place

STOP_SECONDS: Final = 15.0
START_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.1
"""Between two looks at what others do."""
ENV: Final = shutil.which("env") or "/usr/bin/env"


class Live(Protocol):
    """One run of one way; the directory is its own."""

    processes: "Processes"

    def start(self) -> None:
        """Start it; nothing is stored yet."""

    def visible(self) -> int:
        """Count the input events whose effects can be seen."""

    def late(self) -> frozenset[str]:
        """Name what is shown as late."""

    def stop(self) -> None:
        """End what was started."""


class Processes:
    """The processes of one run, and what they say, in files."""

    def __init__(self, directory: Path) -> None:
        """Start nothing yet."""
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *command: str, **settings: str) -> None:
        """Start one that ends with us at the latest, with settings in its environment."""
        environment = [f"{key}={value}" for key, value in settings.items()]
        self._running.append(start_kept([ENV, *environment, *command], self._directory / f"{name}.out"))

    def resident_kib(self) -> int:
        """Say how much memory the one that was started last holds."""
        (child,) = Path(f"/proc/{self._running[-1].pid}/task/{self._running[-1].pid}/children").read_text().split()
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def processor_seconds(self) -> float:
        """Say how much processor time all of them have used so far."""
        return sum(_used(one.pid) for one in self._running)

    def failed(self) -> bool:
        """Say whether one has ended with an error."""
        return any(one.poll() for one in self._running)

    def wait_until(self, come: Callable[[], bool]) -> None:
        """Return once something has come that these processes bring about.

        Raises:
            TimeoutError: it has not, or one of them ended.
        """
        until = time.monotonic() + SETTLE_SECONDS
        while not come():
            if self.failed() or time.monotonic() > until:
                raise TimeoutError("the processes did not settle")
            time.sleep(LOOK_SECONDS)  # between two looks whether it has come

    def stop(self) -> None:
        """End all, kindly first."""
        for one in self._running:
            one.terminate()
        until = time.monotonic() + STOP_SECONDS
        for one in self._running:
            with suppress(subprocess.TimeoutExpired):
                one.wait(max(0.1, until - time.monotonic()))
            end_kept(one, STOP_SECONDS)

    def said(self) -> str:
        """Give the ends of what they wrote."""
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in self._directory.glob("*.out"))


class Newcomer:
    """The newcomer's version: consumer and projection as a process each; its view shows what is late."""

    def __init__(self, bootstrap_servers: str, prefix: str, directory: Path, messages: int) -> None:
        """Prepare a run."""
        self.processes = Processes(directory)
        self._arguments = (bootstrap_servers, prefix, str(directory), str(messages))
        self._view = directory / "view.db"

    def start(self) -> None:
        """Start both halves."""
        for role in ("follow", "consume"):
            module = "tests.benchmarks.peers.newcomer_kafka"
            self.processes.start(role, sys.executable, "-m", module, role, *self._arguments)

    def visible(self) -> int:
        """Read the projection's position: one notification an input event."""
        found = rows_of(self._view, "SELECT notification_id FROM tracking WHERE application_name = 'Shop'")
        return int(found[0][0]) if found else 0

    def late(self) -> frozenset[str]:
        """Read the view."""
        return frozenset(row[0] for row in rows_of(self._view, "SELECT fulfillment_id FROM late"))

    def stop(self) -> None:
        """End both halves."""
        self.processes.stop()


class Ours:
    """The product's roles as a process each; what every view has taken in and the feed serves is visible."""

    def __init__(
        self, bootstrap_servers: str, prefix: str, directory: Path, messages: int = 0, *, database: str | None = None
    ) -> None:
        """Prepare a run on SQLite, or in a PostgreSQL database that is its own."""
        _ = messages
        self.processes = Processes(directory)
        self._looks_at = partial(Files, directory) if database is None else partial(Database, database)
        self._store = self.outlook()
        self.group = directory.name
        self._position, self._taken = 0, 0
        self._batches: list[tuple[int, int]] = []
        policy = directory / "policy.toml"
        policy.write_text(POLICY)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._settings = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "TRACKER_DATA_DIR": str(directory),
            "TRACKER_POLICY": str(policy),
            "TRACKER_KAFKA__GROUP": self.group,
            "TRACKER_PORT": self.url.rpartition(":")[2],
            **topics.settings(prefix),
            **({} if database is None else {"DATABASE_URL": database}),
        }

    def start(self) -> None:
        """Start what waits for events first, and what reads them when all of that answers."""
        self._role("serve")
        wait_for(self.url, self.processes)
        self._role("project")
        self._role("tick")
        time.sleep(2.0)  # both are at work, and nothing tells so before there are events
        self._role("ingest", "--from", "earliest")

    def outlook(self) -> Outlook:
        """Look at log and views from outside."""
        return self._looks_at()

    def visible(self) -> int:
        """Count the records of the batches that every view has passed."""
        passed = self._store.passed()
        for position, topic, state in self._store.batches(self._position):
            batch = decode(topic, state)
            assert isinstance(batch, BatchTaken)
            self._batches.append((position, batch.records))
            self._position = position
        while self._batches and self._batches[0][0] <= passed:
            self._taken += self._batches.pop(0)[1]
        return self._taken

    def late(self) -> frozenset[str]:
        """Page through the feed from its beginning, as an outside program would."""
        found: dict[str, str] = {}
        after, more = "first", True
        while more:
            with urlopen(f"{self.url}/v1/feed?limit=500&after={quote(after)}") as answer:
                page = json.load(answer)
            for one in page["changes"]:
                found[one["incident"]["subject"]] = one["incident"]["state"]
            after, more = page["next"], page["more"]
        return frozenset(subject for subject, state in found.items() if state != "retracted")

    def stop(self) -> None:
        """End every role, and look no more."""
        self.processes.stop()
        self._store.close()

    def _role(self, name: str, *arguments: str) -> None:
        start_role(self.processes, self._settings, name, *arguments)


def _used(keeper: int) -> float:
    (child,) = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    # The name in the second field may hold anything, a bracket too.
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(processes: Processes, place: Place) -> str:
    """Serve the log and the views of a place; returns the address once it answers."""
    url = f"http://127.0.0.1:{free_port()}"
    start_role(processes, place.settings | {"TRACKER_PORT": url.rpartition(":")[2]}, "serve")
    wait_for(url, processes)
    return url


def start_role(processes: Processes, settings: dict[str, str], name: str, *arguments: str) -> None:
    """Start one role of the product as a process."""
    processes.start(name, str(Path(sys.executable).parent / "tracker"), name, *arguments, **settings)


def wait_for(url: str, processes: Processes) -> None:
    """Return once the pages answer.

    Raises:
        OSError: they do not.
    """
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urlopen(f"{url}/healthz").close()
        except URLError:
            if time.monotonic() > until or processes.failed():
                raise
            time.sleep(LOOK_SECONDS)  # between two tries at a server that starts
        else:
            return
