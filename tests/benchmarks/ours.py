"""The product itself on the same job: the translator, tracker and store that live ingest uses, on event time."""

import argparse
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import perf_counter

from consumers.backtest import Run
from consumers.translate import Translator
from deploy import memory
from deploy.wiring import open_log
from domain.adoption import adopt
from domain.batch import Batch, Raw, Slice
from domain.detection import FindingOpened, FindingRetracted
from domain.enrolment import Partition, enrol
from domain.instant import Instant, instant
from domain.log import Log
from domain.tracker import Tracker
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import HEADERS, PARTITIONS, TOPICS, Message, Workload, build
from tests.benchmarks.written import Copyist

# The job that the peers do; whatever other kinds there are by now is not part of it.
POLICY = '[kinds]\nenabled = ["late_shipment"]\n'

PLACE = attrgetter("topic", "partition")
NAMES = {(topic, number): f"memory/{topic}/{number}" for topic in TOPICS for number in range(PARTITIONS)}
STARTS = {Partition(name, *place): 0 for place, name in NAMES.items()}


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in, detecting as event time goes on."""
    log = _open(directory)
    seconds = drive(log, workload, batch)
    outcome = Outcome(late(log), seconds, sum(_count(directory)))
    log.close()
    return outcome


def drive(log: Log, workload: Workload, batch: int, after: Callable[[], None] = lambda: None) -> float:
    """Take every batch in, doing something ``after`` each; returns the seconds all of it took."""
    now = instant(workload.until)
    policies = adopt(log, POLICY, now)
    enrol(log, STARTS)
    began = perf_counter()
    tracker, translator = Tracker(log, policies), Translator({})
    driver = Run(tracker, NAMES.values())
    for messages in workload.batches(batch):
        driver.take(_batch(messages, translator, now))
        after()
    for name in NAMES.values():
        driver.frontier.close(name)
    driver.tick()
    after()
    return perf_counter() - began


def late(log: Log) -> frozenset[str]:
    """Name the fulfilments with a finding that was not taken back."""
    found: set[str] = set()
    position = 0
    while rows := list(log.read(position, 10_000, (FindingOpened.TOPIC, FindingRetracted.TOPIC))):
        position = rows[-1][0]
        for _, _, event in rows:
            if isinstance(event, FindingOpened):
                found.add(event.finding.subject)
            elif isinstance(event, FindingRetracted):
                found.discard(event.finding.subject)
    return frozenset(found)


def _batch(messages: Sequence[Message], translator: Translator, now: Instant) -> Batch:
    slices = [
        _slice(place, list(records), translator, now) for place, records in groupby(sorted(messages, key=PLACE), PLACE)
    ]
    return Batch(tuple(slices), now)


def _slice(place: tuple[str, int], messages: Sequence[Message], translator: Translator, now: Instant) -> Slice:
    topic, number = place
    first, following = messages[0].offset, messages[-1].offset + 1
    records = tuple(
        translator.incoming(one.offset, Raw(topic, number, one.key, one.value, HEADERS, one.timestamp * 1000), now)
        for one in messages
    )
    return Slice(NAMES[place], topic, number, first, following, records)


def _open(directory: Path) -> Log:
    # As the command line does.
    memory.look_rarely()
    return open_log(directory / "log.db")


def _count(directory: Path) -> list[int]:
    with closing(sqlite3.connect(directory / "log.db")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names]


def main() -> None:
    """Do the job once while every row written is copied."""
    parser = argparse.ArgumentParser()
    for name in ("messages", "batch"):
        parser.add_argument(name, type=int)
    for name in ("directory", "written"):
        parser.add_argument(name, type=Path)
    chosen = parser.parse_args()
    log = _open(chosen.directory)
    copyist = Copyist(chosen.directory / "log.db")
    drive(log, build(chosen.messages), chosen.batch, copyist.look)
    log.close()
    copyist.written.save(chosen.written)


if __name__ == "__main__":
    main()
