"""The web server: ends within two seconds, streams included, however it is told to."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.stream import ABORT
from deploy.wiring import CannotStart

HOST: Final = "127.0.0.1"
LAST_WORDS: Final = 0.7
"""Seconds that open streams have to take their last word."""
BACKSTOP: Final = 1
_LOOK: Final = 0.05
_BACKLOG: Final = 2048
_KEEP_ALIVE: Final = 15
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


class _Droppable(H11Protocol):
    """Lets the application drop a connection at once: one whose client reads nothing never closes by itself."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope.setdefault("extensions", {})[ABORT] = transport.abort
            await inner(scope, receive, send)

        self.app = app


class Server(uvicorn.Server):
    """Serves one application on one socket until ``stop`` is set."""

    def __init__(self, app: FastAPI, listener: socket.socket, stop: threading.Event) -> None:
        """Serve nothing yet."""
        config = uvicorn.Config(
            app,
            http=_Droppable,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=BACKSTOP,
        )
        super().__init__(config)
        self._app = app
        self._listener = listener
        self._stop = stop

    def serve_until_stopped(self) -> None:
        """Serve; returns when everything is closed. May run in any thread."""
        asyncio.run(self.serve([self._listener]))

    async def main_loop(self) -> None:
        """Wait for the end, then give every stream its last word before connections are closed."""
        await self.on_tick(0)
        counter = 0
        while not self._stop.is_set() and not self.should_exit:
            await asyncio.sleep(_LOOK)
            counter += 1
            if counter % 20 == 0:
                await self.on_tick(0)
        await self._app.state.live.close(LAST_WORDS)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs us."""
        yield


def serve(
    app: FastAPI,
    host: str = HOST,
    port: int = 0,
    stop: threading.Event | None = None,
    announce: Callable[[str], None] = lambda url: structlog.get_logger().info("pages", url=url),
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``; in the main thread it handles the signals, elsewhere only ``stop``.

    ``announce`` is told the address once it is bound, by itself a line of the log; port 0 takes a free one.

    Raises:
        CannotStart: the address cannot be bound.
    """
    stop = threading.Event() if stop is None else stop
    with bind(host, port) as listener, _signals(stop):
        announce(address(listener))
        Server(app, listener, stop).serve_until_stopped()


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket, so that the address is known, or refused, before anything starts.

    Raises:
        CannotStart: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio looks for it: else each answer waits 40 ms for the client's delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)  # from here on nobody who was told the address is refused
    except OSError as error:
        listener.close()
        raise CannotStart(f"pages cannot be served on {host}:{port}: {error.strerror or error}") from error
    listener.set_inheritable(False)
    return listener


def address(listener: socket.socket) -> str:
    """Write where a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Turn the signals that end a process into ``stop``, while we serve."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
