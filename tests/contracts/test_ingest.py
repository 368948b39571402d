"""The product's ingest over every broker: what was acknowledged is taken in, once, whatever ends and begins again."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.structs import OffsetAndMetadata

from consumers import loop
from tests.brokers.broker import Broker
from tests.brokers.clients import producer
from tests.contracts.ingest_process import Process
from tests.contracts.ingest_runs import Load, Watcher, running
from tests.contracts.ingesting import Shop, now, until

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def test_what_was_acknowledged_is_taken_in_and_time_moves_on_without_it(shop: Shop) -> None:
    with running(shop, begin="earliest") as run, Watcher(shop) as watcher:
        with Load(shop, linger_ms=40):
            time.sleep(2)  # messages come meanwhile
        run.until(shop.is_taken_in)
        idle_since = now()
        run.until(lambda: shop.is_read_up_to(idle_since))
        time.sleep(0.5)  # nothing comes meanwhile
        with Load(shop, at_once=50, linger_ms=40):
            time.sleep(1)  # messages come meanwhile
        run.until(shop.is_taken_in)
    assert len(shop.acked) > 500
    assert len(shop.store.positions()) == 9, "partitions without a record count as well"
    assert {place: stands for place, (stands, _) in shop.store.positions().items() if stands} == shop.ends()
    shop.check()
    watcher.check()


def test_a_stop_in_the_middle_and_a_start_lose_nothing_and_double_nothing(shop: Shop) -> None:
    shop.send(shop.orders(400))
    for enough in (200, 400, 600):
        with Load(shop), running(shop, begin="earliest") as run:
            run.until(partial(has_taken_in, shop, enough))
    assert not shop.is_taken_in(), "it was not stopped in the middle"
    with running(shop) as run:
        run.until(shop.is_taken_in)
    shop.check()


def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    shop.send(shop.orders(2000))
    for enough in (200, 400):
        with Process(shop, begin="earliest") as process:
            process.until("took")
            until(partial(has_taken_in, shop, enough))
            process.kill()
    assert not shop.is_taken_in(), "it was not killed in the middle"
    with running(shop) as run:
        run.until(shop.is_taken_in)
    shop.check()


def has_taken_in(shop: Shop, events: int) -> bool:
    """Say whether the log holds more than so many events of orders."""
    return sum(shop.store.facts().values()) > events


def test_no_start_stays_silent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A join that completes between two polls is lost on the client; short polls make that likely."""
    monkeypatch.setattr(loop, "POLL_MS", 10)
    with producer(shop.broker) as sender:
        for starts in range(6):
            with running(shop, begin=None if starts else "earliest") as run:
                shop.send(shop.orders(2), sender)
                run.until(shop.is_taken_in, 15)


@pytest.mark.parametrize("to", ["the start", "the end"])
def test_the_groups_own_offsets_mean_nothing(shop: Shop, to: str) -> None:
    shop.send(shop.orders(100))
    with running(shop, begin="earliest") as run:
        run.until(shop.is_taken_in)
    shop.send(shop.orders(100))
    offsets = {TopicPartition(*place): end if to == "the end" else 0 for place, end in shop.ends().items()}
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.alter_group_offsets(
            shop.group, {place: OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
        )
    with running(shop) as run:
        run.until(shop.is_taken_in)
    shop.check()
    assert sum(batch["repeated"] for batch in shop.store.events("batch.taken.v1")) == 0
