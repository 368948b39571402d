"""The PostgreSQL of a run: blows that end it, and a watch that sees when it answers and commits again."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from tests.stores import engine
from tests.stores.cluster import Cluster

GONE_WITHIN: Final = 10.0
"""Seconds in which killed processes are gone, and sessions notice it."""
RECOVERED_WITHIN: Final = 15.0
"""Seconds, the goal, from a blow to the next committed batch."""
BACK_WITHIN: Final = 5 * RECOVERED_WITHIN
"""Seconds after which a log that nobody goes on writing has failed to recover, however busy the machine is."""
_LOOK_EVERY: Final = 0.004


class Blow(StrEnum):
    """A way for a server to end."""

    BACKEND = "kill -9 of a backend"
    WHOLE = "kill -9 of the postmaster and all its children"
    STOP = "pg_ctl stop -m immediate"
    RESTART = "pg_ctl restart -m immediate"


class Recovery(NamedTuple):
    """How one outage ended."""

    blow: Blow
    down: float
    """Seconds until the server answered again."""
    idle: float
    """Seconds from then on until the next batch was committed."""

    @property
    def whole(self) -> float:
        """Give the seconds from the blow to that batch."""
        return self.down + self.idle


class Server:
    """A running cluster, as durable as in production, which can be ended in several ways."""

    def __init__(self, cluster: Cluster) -> None:
        """Strike at this one."""
        self.cluster = cluster

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend a database that logs in this process, and in those it starts, are kept in."""
        before = os.environ.get(engine.VARIABLE)
        with self.cluster.database() as url:
            os.environ[engine.VARIABLE] = url
            try:
                yield url
            finally:
                os.environ.pop(engine.VARIABLE)
                if before is not None:
                    os.environ[engine.VARIABLE] = before

    def strike(self, blow: Blow, backend: int) -> None:
        """End the server, or one of its processes, so that none of its transactions comes to its end."""
        if blow is Blow.BACKEND:
            self._kill_backend(backend)
        elif blow is Blow.WHOLE:
            self._kill_all()
        else:
            self.cluster.stop("immediate")

    def damaged(self) -> list[str]:
        """Compare every page of the data with its checksum; the server is ended in order and started again for it."""
        self.cluster.stop()
        done = self._run("pg_checksums", "--check", "-D", str(self.cluster.data))
        self.cluster.start()
        return [] if done.returncode == 0 else [f"L6 damaged: {line}" for line in done.stderr.splitlines()]

    def dump(self, path: Path) -> None:
        """Keep what the database holds, for whoever looks into it."""
        self._run("pg_dump", "--file", str(path), os.environ[engine.VARIABLE])

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # Not all of the server's programs are linked to where it is found.
        command = [str((self.cluster.binaries / "postgres").resolve().with_name(program)), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def _kill_backend(self, wanted: int) -> None:
        """Kill the backend that is wanted, if it still is one, or else one that serves a client."""
        there = _children(self._postmaster())
        serving = [pid for pid in there if b"[local]" in _command(pid)]
        pid = wanted if wanted in there else next(iter(serving), None)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        postmaster = self._postmaster()
        # Stopped first, so that it neither starts another child nor tidies up.
        os.kill(postmaster, signal.SIGSTOP)
        pids = [*_children(postmaster), postmaster]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + GONE_WITHIN
        while any(map(_lives, pids)) and time.monotonic() < until:
            time.sleep(0.002)

    def _postmaster(self) -> int:
        return int((self.cluster.data / "postmaster.pid").read_text().split()[0])


class Target(NamedTuple):
    """The server that is killed in turn with its clients."""

    server: Server
    restarts: bool = False
    """It is restarted, under load, and nothing else is done."""
    back_within: float = BACK_WITHIN
    """Seconds in which a batch must be committed once it answers again."""


class Watch(threading.Thread):
    """Sees a log's server go away, answer again, and commit the next batch."""

    def __init__(self, path: Path) -> None:
        """Watch from now on."""
        super().__init__(daemon=True)
        self._path = path
        self._struck = time.monotonic()
        self._watching = threading.Event()
        self._ended = threading.Event()
        self.down: float | None = None
        self.idle: float | None = None
        self.start()
        self._watching.wait(GONE_WITHIN)

    def struck(self) -> None:
        """Say that the blow falls now."""
        self._struck = time.monotonic()

    @property
    def over(self) -> bool:
        """Say whether a batch was committed after the outage."""
        return self.idle is not None

    def end(self) -> None:
        """Watch no more."""
        self._ended.set()
        self.join(GONE_WITHIN)

    def run(self) -> None:
        """Watch until the batch after the outage."""
        with suppress(psycopg.Error), engine.beside(self._path) as log:
            while not self._ended.wait(_LOOK_EVERY):
                log.execute("SELECT 1")
                self._watching.set()
        while self.idle is None and not self._ended.wait(_LOOK_EVERY):
            with suppress(psycopg.OperationalError):
                self._see_it_go_on()

    def _see_it_go_on(self) -> None:
        with engine.beside(self._path) as log:
            stood = _batches(log)
            answered = time.monotonic()
            self.down = answered - self._struck
            while not self._ended.wait(_LOOK_EVERY):
                if _batches(log) > stood:
                    self.idle = time.monotonic() - answered
                    return


def _batches(log: engine.Beside) -> int:
    return int(log.execute("SELECT COALESCE(SUM(batches), 0) FROM positions").fetchone()[0])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
