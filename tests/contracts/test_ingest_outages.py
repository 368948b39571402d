"""A broker that ends, falls silent or loses records while the product reads from it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, TopicPartition

from consumers.source import RecordsGone
from deploy.workers import Crew, Worker
from tests.brokers.apache import ApacheKafka
from tests.brokers.broker import Broker, Capability
from tests.contracts.ingest_runs import Load, Watcher, running
from tests.contracts.ingesting import Shop, now

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)
PROMISED = 10.0
SILENT_SECONDS = 7  # longer than the loop waits for an answer


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


@pytest.mark.needs(Capability.RESTART)
def test_the_loop_goes_on_after_its_broker_was_killed_and_came_back(shop: Shop) -> None:
    with running(shop, begin="earliest") as run, Watcher(shop) as watcher:
        with Load(shop, pause=0.05):
            time.sleep(1)  # messages come meanwhile
            try:
                shop.broker.kill()
                time.sleep(1)  # it is away that long
            finally:
                shop.broker.start()
            time.sleep(1)  # messages come meanwhile
        run.until(shop.is_taken_in)
        back_since = now()
        run.until(lambda: shop.is_read_up_to(back_since))
    shop.check()
    watcher.check()
    with running(shop) as again:
        shop.send(shop.orders(1))
        again.until(shop.is_taken_in)
    shop.check()


def test_the_loop_goes_on_after_its_broker_was_silent(shop: Shop) -> None:
    with running(shop, begin="earliest") as run, Watcher(shop) as watcher:
        with Load(shop, pause=0.05):
            run.until(lambda: shop.is_read_up_to(0))
            with silence(shop.broker):
                acked = len(shop.acked)
                time.sleep(SILENT_SECONDS)  # it is silent that long
                assert len(shop.acked) <= acked + 100, "it was not silent"
            time.sleep(1)  # messages come meanwhile
        back_since = now()
        run.until(shop.is_taken_in)
        run.until(lambda: shop.is_read_up_to(back_since))
    shop.check()
    watcher.check()


def test_it_ends_within_ten_seconds_while_its_broker_is_silent(shop: Shop) -> None:
    with running(shop, begin="earliest") as run:
        run.until(lambda: shop.is_read_up_to(0))
    with silence(shop.broker):
        again = Crew([Worker("ingest", run.loop.run)])
        again.start()
        time.sleep(0.5)  # it tries meanwhile
        began = time.monotonic()
        again.end()
        took = time.monotonic() - began
    (thread,) = again._threads
    thread.join(60)
    assert took < 9.5, "it had not ended when its crew gave up waiting"


@contextmanager
def silence(broker: Broker) -> Iterator[None]:
    """Stop the broker's processes, so that its sockets stay open and nothing answers."""
    if broker.name == "container":
        broker._container.pause()  # type: ignore[attr-defined]  # each kind of broker has its own
        try:
            yield
        finally:
            broker._container.unpause()  # type: ignore[attr-defined]  # each kind of broker has its own
        return
    keeper = broker._broker._keeper if broker.name == "embedded" else broker._keeper  # type: ignore[attr-defined]  # each kind of broker has its own
    os.killpg(keeper.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(keeper.pid, signal.SIGCONT)


@pytest.mark.needs(Capability.DELETE_RECORDS, Capability.OFFSET_OUT_OF_RANGE)
def test_records_that_are_gone_unread_stop_it_until_the_gap_is_accepted(shop: Shop) -> None:
    shop.send(shop.orders(60))
    with running(shop, begin="earliest") as run:
        run.until(shop.is_taken_in)
    stands = dict(shop.ends())
    shop.send(shop.orders(60))
    place, end = max(shop.ends().items(), key=lambda one: one[1] - stands[one[0]])
    gone = stands[place], end - 5
    assert gone[1] > gone[0]
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.delete_records({TopicPartition(*place): gone[1]})
    with running(shop) as run:
        refused = run.failure()
    assert isinstance(refused, RecordsGone)
    assert f"records {gone[0]} to {gone[1] - 1} are gone" in str(refused)
    assert "--accept-gaps" in str(refused)
    assert shop.store.positions()[place][0] == gone[0], "it went on without permission"
    assert not shop.store.events("ingest.gap_accepted.v1")
    with running(shop, accept_gaps=True) as run:
        run.until(shop.is_taken_in)
    (gap,) = shop.store.events("ingest.gap_accepted.v1")
    assert (gap["expected"], gap["next"]) == gone
    shop.acked = [
        one for one in shop.acked if (one.topic, one.partition) != place or not gone[0] <= one.offset < gone[1]
    ]
    shop.check()


@pytest.mark.needs(Capability.DELETE_RECORDS)
def test_records_that_are_gone_after_they_were_read_are_no_gap(shop: Shop) -> None:
    shop.send(shop.orders(60))
    with running(shop, begin="earliest") as run:
        run.until(shop.is_taken_in)
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.delete_records({TopicPartition(*place): end for place, end in shop.ends().items()})
    shop.send(shop.orders(10))
    with running(shop) as run:
        run.until(shop.is_taken_in)
    assert not shop.store.events("ingest.gap_accepted.v1")
    shop.check()


def test_a_record_that_rotted_on_the_brokers_disk_stops_its_partition_only(shop: Shop) -> None:
    """The checksum no longer fits: the client raises at each poll, and must neither hang nor skip it."""
    if not isinstance(shop.broker, ApacheKafka):
        pytest.skip("the broker's files are out of reach: tested on apache")
    shop.send([message._replace(partition=1) for message in shop.orders(20)])
    segment = shop.broker._data / f"{shop.topics.orders}-1" / "00000000000000000000.log"
    stored = segment.read_bytes()
    rotten = stored.index(b"order.approved.v1")
    segment.write_bytes(stored[:rotten] + b"O" + stored[rotten + 1 :])
    shop.acked.clear()
    began = time.monotonic()
    with running(shop, begin="earliest") as run:
        run.until(lambda: len(run.loop.halted) == 1)
        assert time.monotonic() - began < PROMISED
        shop.send([message._replace(partition=0) for message in shop.orders(20)])
        run.until(shop.is_taken_in)
        (halted,) = run.loop.halted.values()
    assert (shop.topics.orders, 1) in shop.store.positions()
    assert f"topic='{shop.topics.orders}', partition=1" in halted.why
    shop.check()
