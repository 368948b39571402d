"""P2: real Kafka → committed → all views → visible in the feed, steady, watched from outside."""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from consumers.translate import TOPICS
from tests.benchmarks import polling, report
from tests.benchmarks.live import Live, Newcomer, Ours
from tests.benchmarks.measure import Measured, check
from tests.benchmarks.observer import NotVisible, steady_rate, watch
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.report import Line
from tests.benchmarks.subjects import Subject, SubjectFailed
from tests.benchmarks.workload import PARTITIONS, START, Workload, build
from tests.brokers.apache import ApacheKafka

MEASURE: Final = "P2"
SETTLE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.05

WAYS: Final[dict[str, Callable[[str, Path, int], Live]]] = {"ours": Ours, "newcomer": Newcomer}
SUBJECTS: Final = (
    Subject("ours", "ours"),
    Subject("newcomer end to end", "newcomer", goal=10, beyond=20),
)


@dataclass(frozen=True, slots=True)
class Notes:
    """What stands under the table."""

    messages: int
    kafka: str
    polled_alone: dict[str, float]
    """Events a second of the client library by itself, polled as each subject polls."""
    client_share: dict[str, float]
    """Which part of each subject's time that is."""
    settled: dict[str, float]
    """Seconds from the last event visible until exactly the late ones were shown."""

    def say(self) -> list[str]:
        """Write it for people."""
        source = f"{self.messages:,} messages from {self.kafka}, {PARTITIONS} partitions a topic"
        return [f"{source}, counted from a tenth of the way on", *map(self._say_of, self.client_share)]

    def _say_of(self, name: str) -> str:
        client = f"{self.client_share[name]:.0%} of the time ({self.polled_alone[name]:,.0f}/s alone)"
        shown = f"exactly what is late was shown {self.settled[name]:.2f} s after the last event"
        return f"{name}: kafka-python takes {client}; {shown}"


@dataclass(slots=True)
class Bench:
    """One broker with the workload in it."""

    servers: str
    workload: Workload
    root: Path
    settled: dict[str, list[float]] = field(default_factory=dict)
    _runs: "count[int]" = field(default_factory=count)

    def run_once(self, subject: Subject) -> Outcome:
        """Do the job once; the outcome's seconds are those that all messages would take at the steady rate.

        Raises:
            ResultsDiffer: something else is shown as late than is in the workload.
            SubjectFailed: it did not come to the end.
        """
        sys.stderr.write(f"{MEASURE} {subject.name} …\n")
        directory = self.root / f"live-{next(self._runs)}"
        directory.mkdir()
        began = datetime.now(UTC)
        run = WAYS[subject.module](self.servers, directory, len(self.workload.messages))
        try:
            run.start()
            rate = steady_rate(watch(len(self.workload.messages), run.visible, run.processes.failed))
            found, waited = self._settle(run)
        except (NotVisible, OSError) as failure:
            raise SubjectFailed(subject.name, f"{failure}\n{run.processes.said()}") from failure
        finally:
            run.processes.stop()
        check(subject.name, found, self.workload.late_at(began), self.workload.late_at(datetime.now(UTC)))
        self.settled.setdefault(subject.name, []).append(waited)
        return Outcome(found, len(self.workload.messages) / rate, 0)

    def _settle(self, run: Live) -> tuple[frozenset[str], float]:
        # Time goes on only up to what has been read of every partition, so the last findings come a moment later.
        began = time.perf_counter()
        while True:
            found, waited = run.late(), time.perf_counter() - began
            if found == self.workload.late_at(datetime.now(UTC)) or waited > SETTLE_SECONDS:
                return found, waited
            time.sleep(LOOK_SECONDS)


def measure(messages: int, repetitions: int, root: Path) -> tuple[list[Line], Notes]:
    """Measure both ways in turn from one broker, and the client library alone.

    Raises:
        ResultsDiffer: see ``Bench.run_once``.
        SubjectFailed: likewise.
    """
    with ApacheKafka(root / "kafka") as broker:
        servers = broker.bootstrap_servers
        bench = Bench(servers, build_until_now(messages), root)
        fill(servers, bench.workload)
        measured = [Measured(one, messages) for one in SUBJECTS]
        alone: dict[str, list[float]] = {one.name: [] for one in SUBJECTS}
        for _ in range(repetitions):
            for one in measured:
                one.seconds.append(bench.run_once(one.subject).seconds)
                alone[one.subject.name].append(polling.rate_alone(one.subject.module, servers, messages))
    polled = {name: median(rates) for name, rates in alone.items()}
    shares = {one.subject.name: one.rate / polled[one.subject.name] for one in measured}
    settled = {name: median(seconds) for name, seconds in bench.settled.items()}
    return report.compare(MEASURE, measured), Notes(messages, broker.version, polled, shares, settled)


def build_until_now(messages: int) -> Workload:
    """Make a workload that ends now: live detection goes by the wall clock."""
    length = build(messages).until - START
    return build(messages, start=datetime.now(UTC).replace(microsecond=0) - length)


def fill(servers: str, workload: Workload) -> None:
    """Make the topics and send every message to the partition it was planned for."""
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in TOPICS])
    with closing(KafkaProducer(bootstrap_servers=servers, linger_ms=20, batch_size=1 << 17)) as producer:
        for one in workload.messages:
            producer.send(one.topic, one.value, one.key, partition=one.partition)
        producer.flush()
