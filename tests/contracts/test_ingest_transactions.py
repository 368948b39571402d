"""Transactional producers: what was aborted is never taken in, and the holes it leaves hold nothing up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import producer
from tests.contracts.ingest_runs import Watcher, running
from tests.contracts.ingesting import Shop, now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kafka import KafkaProducer

pytestmark = [pytest.mark.timeout(90), pytest.mark.needs(Capability.TRANSACTIONS)]


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


@pytest.fixture
def sender(shop: Shop) -> Iterator[KafkaProducer]:
    """Return a transactional producer."""
    with producer(shop.broker, transactional_id=shop.name, linger_ms=5) as made:
        made.init_transactions()
        yield made


def test_aborted_batches_are_never_taken_in_and_hold_no_time_up(shop: Shop, sender: KafkaProducer) -> None:
    committed = []
    with running(shop, begin="earliest") as run, Watcher(shop) as watcher:
        for turn in range(6):
            sender.begin_transaction()
            sent = shop.send(shop.orders(20), sender)
            if turn % 2:
                sender.abort_transaction()
            else:
                sender.commit_transaction()
                committed += sent
        shop.acked = committed
        run.until(shop.is_taken_in)
        idle_since = now()
        run.until(lambda: shop.is_read_up_to(idle_since), 10)
    shop.check()
    watcher.check()
    with running(shop) as again:
        sender.begin_transaction()
        shop.send(shop.orders(5), sender)
        sender.commit_transaction()
        again.until(shop.is_taken_in)
    shop.check()


def test_an_open_transaction_holds_time_back_until_it_ends(shop: Shop, sender: KafkaProducer) -> None:
    with running(shop, begin="earliest") as run:
        shop.send(shop.orders(20))
        sender.begin_transaction()
        sent = shop.send(shop.orders(20), sender)
        after = shop.send(shop.orders(20))
        run.until(lambda: len(shop.store.facts()) > 0)
        held = {one.place for one in sent} | {one.place for one in after}
        run.crew.stop.wait(1)
        first_open = {(one.topic, one.partition): one.offset for one in reversed(sent)}
        stands = shop.store.positions()
        assert not held & {place for place in shop.store.facts() if place in {one.place for one in sent}}
        assert all(stands[place][0] <= offset for place, offset in first_open.items())
        sender.commit_transaction()
        run.until(shop.is_taken_in)
    shop.check()
