"""A PostgreSQL of our own for one test session: as durable as in production, on a socket that nobody else sees."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from deploy.keeper import end_kept, start_kept
from tests.places import quick_place

USER = "tracker"
_ACCOUNTS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root; these are there wherever root is."""
_SECONDS = 30.0


class StoreMissingError(Exception):
    """Says why this machine cannot run a store, and what would change that."""


class Cluster:
    """Answers from ``start`` to ``stop`` or ``kill``, and keeps what was committed until ``close``."""

    def __init__(self, *, in_memory: bool = False, **settings: str) -> None:
        """Make an empty cluster; settings are the server's own.

        ``in_memory``, where there is room, it syncs as ever and survives whatever ends processes, but nobody waits for
        a disk; whoever measures does not want that.
        """
        self.binaries = binaries()
        self.home = Path(tempfile.mkdtemp(prefix="pg-", dir=quick_place() if in_memory else None))
        self._account = _account()
        if self._account is not None:
            os.chown(self.home, self._account.pw_uid, self._account.pw_gid)
        self.data = self.home / "data"
        self._settings = {"listen_addresses": "", "unix_socket_directories": str(self.home), **settings}
        self._keeper: Any = None
        # What is not synced here is the empty cluster alone; the server syncs as it does anywhere. Its locale is one
        # that does not sort by bytes.
        locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        asked = ["--no-sync", "--data-checksums", "-U", USER, "--auth=trust", "-E", "UTF8", *locale]
        self._run("initdb", "-D", str(self.data), *asked)

    @property
    def version(self) -> str:
        """Name the server."""
        told = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
        return told.stdout.split("(PostgreSQL) ")[1].split(" ", maxsplit=1)[0].strip()

    def url(self, *, database: str = "postgres", user: str = USER) -> str:
        """Give the connection URL."""
        return f"postgresql://{user}@/{database}?host={self.home}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend an empty database of its own; gives its URL. It goes with the cluster: a drop takes half a second."""
        name = f"d{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield self.url(database=name)

    def start(self) -> None:
        """Return once the server answers."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(self.data), *settings]
        self._keeper = start_kept([*self._as_account(), *command], self.home / "log")
        until = time.monotonic() + _SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._keeper.poll() is not None:
                    raise
                time.sleep(0.02)  # between two tries
            else:
                return

    def stop(self, mode: str = "fast") -> None:
        """End the server in order; ``immediate`` is as a power cut would."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))
        end_kept(self._keeper, _SECONDS)

    def restart(self, mode: str = "immediate") -> None:
        """End the server and start it again."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """End the server and leave nothing of it behind."""
        if self._keeper is not None and self._keeper.poll() is None:
            self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_account(), str(self.binaries / program), *arguments]
        done = subprocess.run(command, cwd=self.home, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise StoreMissingError(f"{program} failed: {done.stderr.strip()[-500:]}")

    def _as_account(self) -> list[str]:
        if self._account is None:
            return []
        who = ["--reuid", str(self._account.pw_uid), "--regid", str(self._account.pw_gid), "--clear-groups"]
        # A change of who we are makes the kernel forget that we wanted to end with our parent.
        return [shutil.which("setpriv") or "setpriv", *who, "--pdeathsig", "KILL"]


def binaries() -> Path:
    """Find the server's programs.

    Raises:
        StoreMissingError: there are none.
    """
    found = shutil.which("postgres")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    raise StoreMissingError("no PostgreSQL server is installed (Debian: apt-get install postgresql)")


def _account() -> "pwd.struct_passwd | None":
    """Name the account to run under; none where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name: one for one in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)
