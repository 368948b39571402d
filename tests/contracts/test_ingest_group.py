"""Two ingest processes over one store: whoever owns a partition, every record is taken in once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brokers.broker import Broker
from tests.contracts.ingest_process import Process
from tests.contracts.ingesting import Load, Shop, until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def all_work(*processes: Process, batches: int = 3) -> None:
    """Wait until each of the processes has taken more batches in."""
    before = [len(process.heard("took")) for process in processes]
    until(lambda: all(len(p.heard("took")) >= had + batches for p, had in zip(processes, before, strict=True)))


def test_two_that_begin_at_once_share_the_work_until_one_leaves(shop: Shop) -> None:
    shop.send(shop.orders(50))
    with Load(shop, pause=0.02):
        leaves, stays = Process(shop, begin="earliest"), Process(shop, begin="earliest")
        with leaves, stays:
            all_work(leaves, stays)
            leaves.end()
            all_work(stays)
            until(lambda: {number for took in stays.heard("took") for _, number, *_ in took} == {0, 1, 2})
            stays.end()
    with Process(shop) as last:
        until(shop.is_taken_in)
        last.end()
    shop.check()


def test_a_process_that_was_away_too_long_is_fenced_and_comes_back(shop: Shop) -> None:
    with Load(shop, pause=0.02), Process(shop, begin="earliest") as away:
        all_work(away)
        held = away.freeze()
        with Process(shop) as other:
            until(lambda: all(shop.store.positions()[topic, number][0] > end for topic, number, _, end in held))
            away.thaw()
            until(lambda: "ingest_fenced_total" in away.heard("noted"))
            all_work(away, other)
            other.end()
            away.end()
    with Process(shop) as last:
        until(shop.is_taken_in)
        last.end()
    shop.check()
