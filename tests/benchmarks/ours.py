"""The product itself on the same job: the translator, tracker and store that live ingest uses, on event time."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import perf_counter

from consumers.backtest import Run
from consumers.translate import Translator
from deploy import memory
from deploy.settings import refuse_forbidden
from domain.detection import FindingOpened, FindingRetracted
from domain.history.batch import Batch, Raw, Slice
from domain.history.enrolment import Partition, enrol
from domain.history.log import Log
from domain.instant import Instant, instant
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import HEADERS, PARTITIONS, TOPICS, Message, Workload, build
from tests.benchmarks.written import Copyist
from tests.stores import engine

# The job that the peers do; whatever other kinds there are by now is not part of it.
POLICY = '[kinds]\nenabled = ["late_shipment"]\n'

PLACE = attrgetter("topic", "partition")


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in, detecting as event time goes on."""
    log = open_log(directory)
    before, ends = log.store.last_position(), list[float]()
    seconds = drive(log, workload, batch, lambda: ends.append(perf_counter()))
    later_half = ends[-1] - ends[len(ends) // 2 - 1]
    outcome = Outcome(late(log, before), seconds, log.store.last_position() - before, later_half)
    log.close()
    return outcome


def drive(log: Log, workload: Workload, batch: int, after: Callable[[], None] = lambda: None) -> float:
    """Take every batch in, doing something ``after`` each; returns the seconds all of it took."""
    now = instant(workload.until)
    names = partitions(workload.first)
    policies = adopt(log, POLICY, now)
    enrol(log, {Partition(name, *place): 0 for place, name in names.items()})
    began = perf_counter()
    tracker, translator = Tracker(log, policies), Translator({})
    driver = Run(tracker, names.values())
    for messages in workload.batches(batch):
        driver.take(as_batch(messages, names, translator, now))
        after()
    for name in names.values():
        driver.frontier.close(name)
    driver.tick()
    after()
    return perf_counter() - began


def partitions(first: int) -> dict[tuple[str, int], str]:
    """Name the partitions of one workload; another one in the same log has others."""
    return {(topic, number): f"memory-{first}/{topic}/{number}" for topic in TOPICS for number in range(PARTITIONS)}


def late(log: Log, position: int = 0) -> frozenset[str]:
    """Name the fulfilments with a finding, made after a position, that was not taken back."""
    found: set[str] = set()
    while rows := list(log.read(position, 10_000, (FindingOpened.TOPIC, FindingRetracted.TOPIC))):
        position = rows[-1][0]
        for _, _, event in rows:
            if isinstance(event, FindingOpened):
                found.add(event.finding.subject)
            elif isinstance(event, FindingRetracted):
                found.discard(event.finding.subject)
    return frozenset(found)


def as_batch(
    messages: Sequence[Message], names: Mapping[tuple[str, int], str], translator: Translator, now: Instant
) -> Batch:
    """Give messages the form of a poll, decoded as ingest decodes them."""
    slices = [
        _slice(place, list(records), names[place], translator, now)
        for place, records in groupby(sorted(messages, key=PLACE), PLACE)
    ]
    return Batch(tuple(slices), now)


def open_log(directory: Path) -> Log:
    """Open the log of a directory as the command line does."""
    memory.look_rarely()
    refuse_forbidden(os.environ)
    return Log(engine.settings(directory / "log.db"))


def _slice(
    place: tuple[str, int], messages: Sequence[Message], name: str, translator: Translator, now: Instant
) -> Slice:
    topic, number = place
    first, following = messages[0].offset, messages[-1].offset + 1
    records = tuple(
        translator.incoming(one.offset, Raw(topic, number, one.key, one.value, HEADERS, one.timestamp * 1000), now)
        for one in messages
    )
    return Slice(name, topic, number, first, following, records)


def main() -> None:
    """Do the job once while every row written is copied."""
    parser = argparse.ArgumentParser()
    for name in ("messages", "batch"):
        parser.add_argument(name, type=int)
    for name in ("directory", "written"):
        parser.add_argument(name, type=Path)
    chosen = parser.parse_args()
    log = open_log(chosen.directory)
    copyist = Copyist(chosen.directory / "log.db")
    drive(log, build(chosen.messages), chosen.batch, copyist.look)
    log.close()
    copyist.written.save(chosen.written)


if __name__ == "__main__":
    main()
