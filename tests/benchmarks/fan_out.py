"""P7: one change to everybody who listens, each on a connection of its own, and what a connection costs."""

import resource
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from time import perf_counter, sleep
from typing import Final, Self
from urllib.parse import urlsplit

from consumers.translate import Translator
from deploy import clock
from domain.history.enrolment import Partition, enrol
from domain.history.log import Log
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from projections.follower import Follower
from tests.benchmarks import ours
from tests.benchmarks.latency import probes
from tests.benchmarks.live import Processes, serve
from tests.benchmarks.place import STORES, Place, named, on_every_store
from tests.benchmarks.result import OURS, Figure, Result, not_measured, percentile
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import ORDERS, Message

MEASURE: Final = "P7"
FAN_OUT: Final = "fan-out"
MEMORY: Final = "memory"
UNITS: Final = {FAN_OUT: "ms", MEMORY: "KiB"}
SPARE_FILES: Final = 200
PARTITION: Final = "memory/orders/0"
SETTLE_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 20.0
REQUEST: Final = b"GET /v1/feed HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
BEGUN: Final = b"event: heartbeat"
CHANGED: Final = b"event: change"
READ_BYTES: Final = 1 << 16


def measure(stand: Stand) -> list[Result]:
    """Make one change after the other and wait each time until every client has it.

    Raises:
        SubjectFailed: a client was not told.
    """
    wanted, (_, hard) = stand.size.clients + SPARE_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        why_not = f"{wanted} open files are needed and {hard} allowed: raise `ulimit -n`"
        return [
            not_measured(MEASURE, named(store, name), unit, why_not) for store in STORES for name, unit in UNITS.items()
        ]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
    return on_every_store(MEASURE, UNITS, partial(_told, stand))


def _told(stand: Stand, store: str) -> list[Result]:
    size = stand.size
    runs: list[float] = []
    whole: list[float] = []
    each: list[float] = []
    for run in range(size.runs):
        stand.tell(f"{MEASURE} {store} run {run + 1} with {size.clients:,} clients …")
        with stand.place(store) as place, Writer(place) as writer, _served(place) as (url, processes):
            before = processes.resident_kib()
            with closing(Clients(url, size.clients)) as clients:
                changes = [clients.waited(writer) for _ in range(size.changes)]
                each.append((processes.resident_kib() - before) / size.clients)
            runs.append(percentile([wait for waits, _ in changes for wait in waits], 0.99))
            whole.append(percentile([log + max(waits) for waits, log in changes], 0.5))
    notes = (
        (
            f"{size.clients:,} clients, {size.changes} changes a run, one after the other; from the commit of the view "
            "that the feed is read from to the frame in a client's hands"
        ),
        f"from the commit in the log, the view included, to the last client: {percentile(whole, 0.5):.0f} ms",
    )
    figures = {FAN_OUT: (Figure.of(OURS, runs), notes), MEMORY: (Figure.of(OURS, each), ())}
    return [
        Result(measure=MEASURE, name=named(store, name), unit=UNITS[name], ours=figure, notes=told)
        for name, (figure, told) in figures.items()
    ]


class Writer:
    """Makes changes, and takes them into the views at once."""

    def __init__(self, place: Place) -> None:
        """Begin a log and its views."""
        self._closing = ExitStack()
        self._closing.enter_context(place.chosen())
        self._log: Log = self._closing.enter_context(ours.open_log(place.directory))
        policies = adopt(self._log, ours.POLICY, clock.wall())
        enrol(self._log, {Partition(PARTITION, ORDERS, 0): 0})
        self._tracker, self._translator = Tracker(self._log, policies), Translator({})
        self._follower = Follower(self._closing.enter_context(place.views()), self._log.store)
        self._follower.catch_up()
        self._probes = probes(0, 1_000_000)
        self._offset = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._closing.close()

    def change(self) -> tuple[float, float]:
        """Make one; returns when it was in the log, and when in the views."""
        key, told = next(self._probes)
        now = clock.wall()
        first, self._offset = self._offset, self._offset + len(told)
        messages = [Message(ORDERS, 0, first + place, now // 1000, key.encode(), one) for place, one in enumerate(told)]
        self._tracker.take(ours.as_batch(messages, {(ORDERS, 0): PARTITION}, self._translator, now), now)
        logged = perf_counter()
        self._follower.catch_up()
        return logged, perf_counter()


class Clients:
    """Everybody who listens: plain sockets, looked after by one loop."""

    def __init__(self, url: str, count: int) -> None:
        """Connect, and wait until each has heard something.

        Raises:
            SubjectFailed: one was not answered.
        """
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        place = urlsplit(url)
        for _ in range(count):
            one = socket.create_connection((place.hostname, place.port), timeout=PATIENCE_SECONDS)
            one.sendall(REQUEST)
            one.settimeout(0)
            self._selector.register(one, selectors.EVENT_READ, len(self._sockets))
            self._sockets.append(one)
        self._until(BEGUN)
        sleep(SETTLE_SECONDS)  # whatever the beginning keeps busy comes to rest

    def waited(self, writer: Writer) -> tuple[list[float], float]:
        """Make a change; gives each client's milliseconds from the views on, and those from the log to the views."""
        logged, seen = writer.change()
        told = self._until(CHANGED)
        return [(at - seen) * 1000 for at in told], (seen - logged) * 1000

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for one in self._sockets:
            one.close()

    def _until(self, words: bytes) -> list[float]:
        """Give the instants at which each was told these words."""
        told: dict[int, float] = {}
        give_up = perf_counter() + PATIENCE_SECONDS
        while len(told) < len(self._sockets):
            for key, _ in self._selector.select(0.1):
                if words in self._sockets[key.data].recv(READ_BYTES):
                    told.setdefault(key.data, perf_counter())
            if perf_counter() > give_up:
                raise SubjectFailed(OURS, f"{len(self._sockets) - len(told)} clients were not told {words.decode()}")
        return [*told.values()]


@contextmanager
def _served(place: Place) -> Iterator[tuple[str, Processes]]:
    processes = Processes(place.directory)
    try:
        yield serve(processes, place), processes
    except OSError as failure:
        raise SubjectFailed(OURS, f"{failure}\n{processes.said()}") from failure
    finally:
        processes.stop()
