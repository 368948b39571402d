"""P9: two ingest processes of one consumer group on one PostgreSQL log, against one."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

from deploy.settings import Settings
from tests.benchmarks import topics
from tests.benchmarks.end_to_end import build_until_now
from tests.benchmarks.live import Processes, start_role
from tests.benchmarks.measure import turned
from tests.benchmarks.observer import NotVisible, steady_rate, watch
from tests.benchmarks.ours import POLICY
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


def measure(stand: Stand) -> list[Result]:
    """Let one and two processes in turn take the same messages in.

    Raises:
        SubjectFailed: they did not come to the end.
    """
    workload = build_until_now(stand.size.two_processes)
    rates: dict[str, list[float]] = {name: [] for name in COUNTS}
    spent: dict[str, list[float]] = {name: [] for name in COUNTS}
    for repetition in range(stand.size.runs):
        for name in turned(tuple(COUNTS), repetition):
            stand.tell(f"{MEASURE} {name} …")
            with stand.cluster.database() as url, stand.directory() as directory:
                run = Run(stand.broker.bootstrap_servers, url, directory, f"p9-{stand.number()}")
                rate, seconds = run.measure(workload, COUNTS[name])
                rates[name].append(rate)
                spent[name].append(seconds / len(workload.messages))
    notes = (
        (
            f"{len(workload.messages):,} messages in {PARTITIONS} partitions a topic, shown to all at once by the end "
            "of a transaction when every process had its partitions; counted by the batches in the log, from a tenth "
            "of the way on; broker and database run on the same cores"
        ),
        f"processor time of ingest a message: {' and '.join(_told(spent[name], name) for name in COUNTS)}",
    )
    ours, one = (Figure.of(name, rates[name]) for name in COUNTS)
    return [Result(measure=MEASURE, name="two processes", unit="events/s", ours=ours, peers=(one,), notes=notes)]


@dataclass(frozen=True, slots=True)
class Run:
    """One group on a database of its own, with topics of its own."""

    servers: str
    url: str
    directory: Path
    name: str

    def measure(self, workload: Workload, processes: int) -> tuple[float, float]:
        """Give the steady rate of so many processes together, and the processor time that they used.

        Raises:
            SubjectFailed: they did not come to the end.
        """
        running = Processes(self.directory)
        try:
            with topics.hidden(self.servers, self.name, workload, PARTITIONS) as show:
                for number in range(processes):
                    self._start(running, number)
                running.wait_until(lambda: topics.has_settled(self.servers, self.name, processes))
                time.sleep(BEGIN_SECONDS)
                with psycopg.connect(self.url, autocommit=True) as connection:
                    before = running.processor_seconds()
                    show()
                    rate = steady_rate(watch(len(workload.messages), lambda: taken(connection), running.failed))
                    return rate, running.processor_seconds() - before
        except (NotVisible, OSError) as failure:
            raise SubjectFailed(self.name, f"{failure}\n{running.said()}") from failure
        finally:
            running.stop()

    def _start(self, running: Processes, number: int) -> None:
        policy = self.directory / "policy.toml"
        policy.write_text(POLICY)
        place = self.directory / f"ingest-{number}"
        place.mkdir()
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "DATABASE_URL": self.url,
            "TRACKER_DATA_DIR": str(place),
            "TRACKER_POLICY": str(policy),
            "TRACKER_KAFKA__GROUP": self.name,
            **topics.settings(self.name),
        }
        start_role(running, settings, "ingest", "--from", "earliest")
        if number == 0:
            # The first one begins the log, which the others then find.
            with psycopg.connect(self.url, autocommit=True) as connection:
                running.wait_until(lambda: is_begun(connection))


def _told(seconds: list[float], name: str) -> str:
    return f"{median(seconds) * 1_000_000:.0f} µs ({name})"


def is_begun(connection: "psycopg.Connection[Any]") -> bool:
    """Say whether there is a log, with nothing taken in yet."""
    try:
        return taken(connection) == 0
    except psycopg.errors.UndefinedTable:
        return False


def taken(connection: "psycopg.Connection[Any]") -> int:
    """Count the records taken in, by the batches in the log: positions also pass what is no record."""
    schema = Settings.model_fields["database_schema"].default
    query = f"SELECT COALESCE(SUM((convert_from(state, 'UTF8')::json->>'records')::int), 0) FROM {schema}.stored_events"
    [(found,)] = connection.execute(f"{query} WHERE topic = 'batch.taken.v1'".encode()).fetchall()
    return int(found)
