"""P2: real Kafka → committed → all views → visible in the feed, steady, watched from outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks import polling, topics
from tests.benchmarks.live import Live, Newcomer, Ours
from tests.benchmarks.measure import check
from tests.benchmarks.observer import NotVisible, steady_rate, watch
from tests.benchmarks.result import OURS, Figure, Result, not_measured
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import PARTITIONS, START, Workload, build
from tests.stores.cluster import StoreMissingError

MEASURE: Final = "P2"
END_TO_END: Final = "end to end on"
UNIT: Final = "events/s"
NEWCOMER: Final = "newcomer end to end"
FROM_MEMORY: Final = "ours from memory (P1)"
SETTLE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.05

Make = Callable[[str, str, Path, int], Live]
WAYS: Final[dict[str, Make]] = {OURS: Ours, NEWCOMER: Newcomer}


def measure(stand: Stand) -> list[Result]:
    """Measure both ways in turn from one broker, the product on PostgreSQL beside them, and the client library alone.

    Raises:
        ResultsDiffer: something else is shown as late than is in the workload.
        SubjectFailed: a way did not come to the end.
    """
    return [_on_files(stand), _on_a_server(stand)]


def _on_files(stand: Stand) -> Result:
    servers, size = stand.broker.bootstrap_servers, stand.size
    messages = {OURS: size.from_broker, NEWCOMER: size.from_broker // size.slow_share}
    ways = [Way(name, servers, f"p2-{place}", messages[name]) for place, name in enumerate(WAYS)]
    for _ in range(size.runs):
        for one in ways:
            stand.tell(f"{MEASURE} {one.name} …")
            with stand.directory() as directory:
                one.run_once(directory, WAYS[one.name])
    ours, newcomer = ways
    return _result(stand, "SQLite", ours, newcomer)


def _on_a_server(stand: Stand) -> Result:
    try:
        cluster = stand.cluster
    except StoreMissingError as missing:
        return not_measured(MEASURE, f"{END_TO_END} PostgreSQL", UNIT, str(missing))
    ours = Way(OURS, stand.broker.bootstrap_servers, "p2-server", stand.size.from_broker)
    for _ in range(stand.size.runs):
        stand.tell(f"{MEASURE} {ours.name} on PostgreSQL …")
        with stand.directory() as directory, cluster.database() as url:
            ours.run_once(directory, partial(Ours, database=url))
    return _result(stand, "PostgreSQL", ours)


def _result(stand: Stand, store: str, ours: "Way", *others: "Way") -> Result:
    best = stand.best("P1", store)
    memory = Figure.absent(FROM_MEMORY, "P1 was not measured in this run")
    peers = (*(one.figure() for one in others), memory if best is None else Figure.of(FROM_MEMORY, [best]))
    source = f"{stand.broker.version}, {PARTITIONS} partitions a topic, counted from a tenth of the way on"
    notes = (source, *(one.told() for one in (ours, *others)))
    name = f"{END_TO_END} {store}"
    return Result(measure=MEASURE, name=name, unit=UNIT, ours=ours.figure(), peers=peers, notes=notes)


@dataclass(slots=True)
class Way:
    """One way to do the whole job, with a workload of its own in the broker."""

    name: str
    servers: str
    prefix: str
    messages: int
    rates: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    """Events a second of the client library by itself, polled as this way polls."""
    settled: list[float] = field(default_factory=list)
    """Seconds from the last event visible until exactly the late ones were shown."""
    _workload: Workload | None = None

    @property
    def workload(self) -> Workload:
        """Give the messages, which are in the broker from the first time on."""
        if self._workload is None:
            self._workload = build_until_now(self.messages)
            topics.fill(self.servers, self.prefix, self._workload)
        return self._workload

    def run_once(self, directory: Path, make: Make) -> None:
        """Do the job once as it is made, and poll the same messages without doing anything with them.

        Raises:
            ResultsDiffer: something else is shown as late than is in the workload.
            SubjectFailed: it did not come to the end.
        """
        workload, began = self.workload, datetime.now(UTC)
        run = make(self.servers, self.prefix, directory, self.messages)
        try:
            run.start()
            self.rates.append(steady_rate(watch(self.messages, run.visible, run.processes.failed)))
            found, waited = _settle(run, workload)
        except (NotVisible, OSError) as failure:
            raise SubjectFailed(self.name, f"{failure}\n{run.processes.said()}") from failure
        finally:
            run.stop()
        check(self.name, found, workload.late_at(began), workload.late_at(datetime.now(UTC)))
        self.settled.append(waited)
        self.alone.append(polling.rate_alone(self.name, self.servers, self.prefix, self.messages))

    def figure(self) -> Figure:
        """Give the rates."""
        return Figure.of(self.name, self.rates)

    def told(self) -> str:
        """Say for people how much of it the client library is, and when all was shown."""
        alone = median(self.alone)
        client = f"kafka-python takes {median(self.rates) / alone:.0%} of the time ({alone:,.0f}/s alone)"
        shown = f"exactly what is late was shown {median(self.settled):.2f} s after the last event"
        return f"{self.name}: {self.messages:,} messages; {client}; {shown}"


def _settle(run: Live, workload: Workload) -> tuple[frozenset[str], float]:
    # Time goes on only up to what has been read of every partition, so the last findings come a moment later.
    began = time.perf_counter()
    while True:
        found, waited = run.late(), time.perf_counter() - began
        if found == workload.late_at(datetime.now(UTC)) or waited > SETTLE_SECONDS:
            return found, waited
        time.sleep(LOOK_SECONDS)  # between two looks


def build_until_now(messages: int) -> Workload:
    """Make a workload that ends now: live detection goes by the wall clock."""
    length = build(messages).until - START
    return build(messages, start=datetime.now(UTC).replace(microsecond=0) - length)
