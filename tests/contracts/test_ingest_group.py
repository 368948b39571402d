"""Two ingest processes over one store: whoever owns a partition, every record is taken in once."""

from __future__ import annotations

import threading
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.brokers.broker import Broker
from tests.brokers.clients import PATIENCE
from tests.contracts.ingest_process import Process
from tests.contracts.ingest_runs import Load, running
from tests.contracts.ingesting import Shop, now, until

if TYPE_CHECKING:
    from domain.history.batch import Batch
    from domain.instant import Instant
    from domain.intake.attempt import Taken

pytestmark = pytest.mark.timeout(120)
PAUSE = 2.5
BATCHES = 6


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def share_the_work(*processes: Process) -> None:
    """Wait until each process has lately taken in some of the partitions, no two the same, and together all."""
    before = [len(process.heard("took")) for process in processes]

    def is_shared() -> bool:
        lately = [process.heard("took")[had:][-BATCHES:] for process, had in zip(processes, before, strict=True)]
        owned = [{number for took in batches for _, number, *_ in took} for batches in lately]
        return all(len(batches) == BATCHES for batches in lately) and sorted(chain(*owned)) == [0, 1, 2]

    until(is_shared, 2 * PATIENCE, lambda: [process.story() for process in processes])


def read_the_rest(shop: Shop) -> None:
    """Let one more process take in what is left, and check the whole."""
    with Process(shop) as last:
        until(shop.is_taken_in, story=lambda: [last.story(), shop.store.positions(), shop.ends()])
        last.end()
    shop.check()


def test_two_that_begin_at_once_share_the_work_until_one_leaves(shop: Shop) -> None:
    shop.send(shop.orders(50))
    with Load(shop, pause=0.02):
        leaves, stays = Process(shop, begin="earliest"), Process(shop, begin="earliest")
        with leaves, stays:
            share_the_work(leaves, stays)
            leaves.end()
            share_the_work(stays)
            stays.end()
    read_the_rest(shop)


def test_a_process_that_was_away_too_long_is_fenced_and_comes_back(shop: Shop) -> None:
    if shop.broker.name == "embedded":
        pytest.skip("its groups may wait for ever for a member that fell silent: tested on apache and container")
    with Load(shop, pause=0.02), Process(shop, begin="earliest") as away:
        share_the_work(away)
        held = away.freeze()
        with Process(shop) as other:
            wait_until_passed(shop, held, other)
            away.thaw()
            until(lambda: "ingest_fenced_total" in away.heard("noted"), story=away.story)
            share_the_work(away, other)
            other.end()
            away.end()
    read_the_rest(shop)


def test_two_that_both_believe_they_own_everything_take_each_record_in_once(shop: Shop) -> None:
    with Load(shop, pause=0.02), Process(shop, begin="earliest") as one:
        share_the_work(one)
        held = one.freeze()
        shop.group += ".other"
        with Process(shop) as other:
            wait_until_passed(shop, held, other)
            one.thaw()
            until(lambda: "ingest_fenced_total" in one.heard("noted"), story=one.story)
            before = len(one.heard("took")), len(other.heard("took"))
            until(lambda: len(one.heard("took")) > before[0] + BATCHES, story=one.story)
            until(lambda: len(other.heard("took")) > before[1] + BATCHES, story=other.story)
            one.end()
            other.end()
    read_the_rest(shop)


def wait_until_passed(shop: Shop, held: list[tuple[str, int, int, int]], other: Process) -> None:
    """Wait until the other process has taken in more than this batch holds."""
    until(
        lambda: all(shop.store.positions()[topic, number][0] > end for topic, number, _, end in held),
        story=lambda: [held, shop.store.positions(), shop.ends(), other.story()],
    )


def test_a_batch_that_takes_longer_than_the_group_waits_stops_nothing(shop: Shop) -> None:
    with Load(shop, pause=0.05), running(shop, begin="earliest", options={"max_poll_interval_ms": 1_000}) as run:
        run.until(lambda: len(shop.store.facts()) > 20)
        take, slept = run.parts.tracker.take, threading.Event()

        def slowly(batch: Batch, until: Instant) -> Taken:
            if not slept.is_set():
                slept.set()
                time.sleep(PAUSE)  # as a slow store
            return take(batch, until)

        run.parts.tracker.take = slowly  # type: ignore[method-assign] # a store that is slow once
        run.until(slept.is_set)
        time.sleep(PAUSE)  # it is slow meanwhile
        later = now()
        run.until(lambda: any(one.at > later and one.place in shop.store.facts() for one in shop.acked))
    with running(shop) as last:
        last.until(shop.is_taken_in)
    shop.check()
