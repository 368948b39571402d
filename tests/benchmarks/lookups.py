"""P6: what people open, over HTTP, on a log that has grown large: one order, the worklist, one incident."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Final
from urllib.parse import quote, urlsplit

from tests.benchmarks.growth_log import Grown
from tests.benchmarks.live import Processes, serve
from tests.benchmarks.place import named, on_every_store
from tests.benchmarks.result import OURS, Figure, Result, percentile
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed

MEASURE: Final = "P6"
PAGES: Final = ("order, its state and history", "worklist page", "incident page", "list of incidents")
PAGE: Final = 50
SHARE: Final = 0.99
WARM: Final = 5


def measure(stand: Stand) -> list[Result]:
    """Serve the grown log, and open one page after the other.

    Raises:
        SubjectFailed: a page was not given.
    """
    return on_every_store(MEASURE, dict.fromkeys(PAGES, "ms"), partial(_opened, stand))


def _opened(stand: Stand, store: str) -> list[Result]:
    grown = stand.grown(store)
    # What other measures have put into the log since it was grown.
    grown.follow()
    with _served(stand, grown) as pages:
        waits: dict[str, list[list[float]]] = {}
        for run in range(stand.size.runs):
            for name, paths in pages.paths(grown, run).items():
                stand.tell(f"{MEASURE} {store}: {name}, run {run + 1} …")
                times = [pages.open(next(paths)) for _ in range(stand.size.requests + WARM)]
                waits.setdefault(name, []).append(times[WARM:])
    source = f"p99 of {stand.size.requests} requests on one connection, on {grown.events:,} events"
    return [_result(named(store, name), runs, source) for name, runs in waits.items()]


def _result(name: str, runs: list[list[float]], source: str) -> Result:
    half = f"half of the requests took {median(percentile(one, 0.5) for one in runs):.1f} ms or less"
    figure = Figure.of(OURS, [percentile(one, SHARE) for one in runs])
    return Result(measure=MEASURE, name=name, unit="ms", ours=figure, notes=(source, half))


class Pages:
    """A client on one connection."""

    def __init__(self, url: str) -> None:
        """Connect."""
        place = urlsplit(url)
        assert place.hostname is not None
        self._connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)

    def open(self, path: str) -> float:
        """Read a page; returns the milliseconds.

        Raises:
            SubjectFailed: it was not given.
        """
        began = perf_counter()
        self._read(path)
        return (perf_counter() - began) * 1000

    def paths(self, grown: Grown, seed: int) -> dict[str, Iterator[str]]:
        """Give what is opened, over and over, by kind: other orders each time."""
        found = json.loads(self._read("/v1/incidents?limit=500"))["incidents"]
        assert found, "nothing is late in this log"
        orders = [f"/v1/orders/{quote(one)}" for one in grown.order_ids(500, seed)]
        kinds = (
            orders,
            [f"/v1/worklist?limit={PAGE}"],
            [f"/v1/incidents/{quote(one['id'])}" for one in found],
            [f"/v1/incidents?limit={PAGE}"],
        )
        return {name: cycle(paths) for name, paths in zip(PAGES, kinds, strict=True)}

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _read(self, path: str) -> bytes:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise SubjectFailed(OURS, f"{path}: {answer.status} {body[:500]!r}")
        return body


@contextmanager
def _served(stand: Stand, grown: Grown) -> Iterator[Pages]:
    with stand.directory() as directory:
        processes = Processes(directory)
        try:
            pages = Pages(serve(processes, grown.place))
            yield pages
            pages.close()
        except OSError as failure:
            raise SubjectFailed(OURS, f"{failure}\n{processes.said()}") from failure
        finally:
            processes.stop()
