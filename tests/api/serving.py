"""A server over a stage, and a client that listens to its live feed."""

import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from api.app import create_app
from deploy.web import Server, address, bind
from tests.story import LATER


class Event(NamedTuple):
    id: str | None
    name: str
    data: Any


class Listener:
    """Reads a stream in a thread, frame by frame."""

    def __init__(self, url: str, path: str = "/v1/feed", last: str | None = None) -> None:
        host = urlsplit(url)
        self.socket = socket.create_connection((host.hostname, host.port), timeout=20)
        resume = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host.netloc}\r\nAccept: text/event-stream\r\n{resume}\r\n".encode()
        )
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.head = ""
        self.seen: list[Event] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, seconds: float = 10) -> Event | None:
        """Wait for the next event; none when the stream has ended."""
        event = self.events.get(timeout=seconds)
        if event is not None:
            self.seen.append(event)
        return event

    def until(self, name: str, seconds: float = 10) -> list[Event]:
        """Collect events up to the first of a name."""
        found: list[Event] = []
        deadline = time.monotonic() + seconds
        while not found or found[-1].name != name:
            event = self.next(max(0.01, deadline - time.monotonic()))
            assert event is not None, f"the stream ended before {name}: {[one.name for one in found]}"
            found.append(event)
        return found

    def changes(self, count: int, seconds: float = 15) -> list[Event]:
        """Collect so many changes."""
        found: list[Event] = []
        while len(found) < count:
            event = self.next(seconds)
            assert event is not None, f"the stream ended after {len(found)} changes"
            if event.name == "change":
                found.append(event)
        return found

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _read(self) -> None:
        try:
            with self.socket.makefile("rb") as stream:
                while (line := stream.readline().strip()) != b"":
                    self.head += line.decode() + "\n"
                for frame in _frames(stream) if "text/event-stream" in self.head else ():
                    if (event := _event(frame)) is not None:
                        self.events.put(event)
        except (OSError, ValueError):
            pass
        self.events.put(None)


def _frames(stream: Any) -> Iterator[str]:
    """Undo chunked transfer, and cut at blank lines."""
    text = b""
    while size := int(stream.readline().strip() or b"0", 16):
        text += stream.read(size)
        stream.readline()
        *whole, text = text.split(b"\n\n")
        for one in whole:
            yield one.decode()


def _event(frame: str) -> Event | None:
    parts = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line)
    if "data" not in parts:
        return None
    return Event(parts.get("id"), parts["event"], json.loads(parts["data"]))


@contextmanager
def serving(stage: Any, *, send_buffer: int | None = None, follow: bool = True, **options: Any) -> Iterator[Any]:
    """Serve a stage on a free port, its follower running unless told otherwise, until the block ends."""
    stop, done = threading.Event(), threading.Event()
    options = {"clock": lambda: LATER, "heartbeat": 0.3, **options}
    app = create_app(stage.store, stage.log.store, **options)
    with bind("127.0.0.1", 0) as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        server = Server(app, listener, stop)
        if not follow:
            done.set()
        following = threading.Thread(target=stage.follower.run, args=(done,))
        serve = threading.Thread(target=server.serve_until_stopped)
        for thread in (following, serve):
            thread.start()
        try:
            yield _Running(address(listener).rstrip("/"), app, stop, serve, server)
        finally:
            stop.set()
            serve.join(10)
            done.set()
            following.join(10)
    assert not serve.is_alive()


class _Running(NamedTuple):
    url: str
    app: Any
    stop: threading.Event
    thread: threading.Thread
    server: Server
