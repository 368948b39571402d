"""P9: two ingest processes of one consumer group on one PostgreSQL log, against one."""

import os
import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from deploy.settings import Settings
from deploy.store.postgres import is_begun
from tests.benchmarks import processor, topics
from tests.benchmarks.end_to_end import build_until_now
from tests.benchmarks.live import Processes, start_role
from tests.benchmarks.looking import Database, Taken
from tests.benchmarks.measure import turned
from tests.benchmarks.observer import NotVisible, steady_rate, watch
from tests.benchmarks.ours import POLICY
from tests.benchmarks.place import POSTGRES, Place
from tests.benchmarks.result import Figure, Result
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import Workload

MEASURE: Final = "P9"
ONE: Final = "one process"
TWO: Final = "ours, two processes"
COUNTS: Final = {TWO: 2, ONE: 1}
PARTITIONS: Final = 4
"""A number that two can share evenly, whoever assigns them."""
BEGIN_SECONDS: Final = 1.0
"""For the last process to be told what it was assigned."""


class Spent(NamedTuple):
    """Microseconds of processor time a message."""

    ingest: float
    server: float
    broker: float

    def per_message(self, before: "Spent", messages: int) -> "Spent":
        """Take seconds for microseconds a message, counted from an earlier look."""
        return Spent(*((now - then) / messages * 1_000_000 for now, then in zip(self, before, strict=True)))

    def told(self) -> str:
        """Say for people what takes how much."""
        return f"{sum(self):.0f} µs (ingest {self.ingest:.0f}, PostgreSQL {self.server:.0f}, Kafka {self.broker:.0f})"


def measure(stand: Stand) -> list[Result]:
    """Let one and two processes in turn take the same messages in.

    Raises:
        SubjectFailed: they did not come to the end.
    """
    workload = build_until_now(stand.size.two_processes)
    rates: dict[str, list[float]] = {name: [] for name in COUNTS}
    spent: dict[str, list[Spent]] = {name: [] for name in COUNTS}
    for repetition in range(stand.size.runs):
        for name in turned(tuple(COUNTS), repetition):
            stand.tell(f"{MEASURE} {name} …")
            with stand.place(POSTGRES) as place:
                run = Run(stand, place, f"p9-{stand.number()}")
                rate, used = run.measure(workload, COUNTS[name])
                rates[name].append(rate)
                spent[name].append(used)
    ours, one = (Figure.of(name, rates[name]) for name in COUNTS)
    used = {name: Spent(*(median(part) for part in zip(*spent[name], strict=True))) for name in COUNTS}
    notes = (
        (
            f"{len(workload.messages):,} messages in {PARTITIONS} partitions a topic, shown to all at once by the end "
            "of a transaction when every process had its partitions; counted by the batches in the log, from a tenth "
            "of the way on; broker and database run on the same cores"
        ),
        f"processor time a message: {' with one process, '.join(used[name].told() for name in (ONE, TWO))} with two",
        ceiling(used[ONE], median(rates[ONE]), os.cpu_count() or 1),
    )
    return [Result(measure=MEASURE, name="two processes", unit="events/s", ours=ours, peers=(one,), notes=notes)]


def ceiling(used: Spent, rate: float, cores: int) -> str:
    """Say what no number of processes can pass here, by what a message takes with one."""
    most = cores / sum(used) * 1_000_000
    return (
        f"{cores} cores that do nothing else are through with {most:,.0f} messages a second at what one takes with one "
        f"process, {most / rate:.2f} × its rate; more no number of processes can reach on this machine"
    )


@dataclass(frozen=True, slots=True)
class Run:
    """One group on a database of its own, with topics of its own."""

    stand: Stand
    place: Place
    name: str

    def measure(self, workload: Workload, processes: int) -> tuple[float, Spent]:
        """Give the steady rate of so many processes together, and what a message took of the processors.

        Raises:
            SubjectFailed: they did not come to the end.
        """
        running = Processes(self.place.directory)
        servers, messages = self.stand.broker.bootstrap_servers, len(workload.messages)
        try:
            with topics.hidden(servers, self.name, workload, PARTITIONS) as show:
                for number in range(processes):
                    self._start(running, number)
                running.wait_until(lambda: topics.has_settled(servers, self.name, processes))
                time.sleep(BEGIN_SECONDS)  # so that both read by then
                with closing(Taken(Database(self._url))) as taken:
                    before = self._spent(running)
                    show()
                    rate = steady_rate(watch(messages, taken.count, running.failed))
                    return rate, self._spent(running).per_message(before, messages)
        except (NotVisible, OSError) as failure:
            raise SubjectFailed(self.name, f"{failure}\n{running.said()}") from failure
        finally:
            running.stop()

    @property
    def _url(self) -> str:
        assert self.place.url is not None
        return self.place.url

    def _spent(self, running: Processes) -> Spent:
        server, broker = str(self.stand.cluster.data), str(self.stand.root / "kafka")
        return Spent(running.processor_seconds(), processor.seconds(server), processor.seconds(broker))

    def _start(self, running: Processes, number: int) -> None:
        policy = self.place.directory / "policy.toml"
        policy.write_text(POLICY)
        place = self.place.directory / f"ingest-{number}"
        place.mkdir()
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": self.stand.broker.bootstrap_servers,
            "DATABASE_URL": self._url,
            "TRACKER_DATA_DIR": str(place),
            "TRACKER_POLICY": str(policy),
            "TRACKER_KAFKA__GROUP": self.name,
            **topics.settings(self.name),
        }
        start_role(running, settings, "ingest", "--from", "earliest")
        if number == 0:
            # The first one begins the log, which the others then find.
            schema = Settings.model_fields["database_schema"].default
            running.wait_until(lambda: is_begun(self._url, schema))
