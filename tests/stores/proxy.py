"""A wire between a program and PostgreSQL that breaks at the worst moment: while a commit is answered."""

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

_COMMIT = b"COMMIT\0"
Cut = Literal["before", "after"]


class Wire:
    """Forwards connections; the next commit is cut off before it reaches the server, or before its answer comes."""

    def __init__(self, server: Path) -> None:
        """Listen beside a server's socket."""
        self.home = Path(tempfile.mkdtemp(prefix="wire-"))
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.home / ".s.PGSQL.5432"))
        self._listener.listen()
        self._cut: Cut | None = None
        self.cuts = 0

    def __enter__(self) -> Self:
        """Begin to forward."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take no more connections, and leave nothing behind."""
        self._listener.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, direct: str) -> str:
        """Give the URL of a database by this wire."""
        return direct.replace(str(self._server), str(self.home))

    def cut(self, moment: Cut) -> None:
        """Break at the next commit."""
        self._cut = moment

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server / ".s.PGSQL.5432"))
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        answers = threading.Thread(target=_pump, args=(server, client), daemon=True)
        answers.start()
        with suppress(OSError):
            while data := client.recv(65536):
                moment = self._cut if _COMMIT in data else None
                if moment is not None:
                    self._cut = None
                    self.cuts += 1
                    _end(client)
                if moment != "before":
                    server.sendall(data)
                if moment is not None:
                    break
        # The server reads what it was sent before it sees the end.
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)
        answers.join(10)
        client.close()
        server.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            with suppress(OSError):
                target.sendall(data)
    _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
