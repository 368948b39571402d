"""Whatever a process warned of and ends by itself is told once when it is over, with how long it lasted."""

import asyncio
import logging
import threading
import time
from contextlib import contextmanager

import pytest
from eventsourcing.persistence import OperationalError
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.live import Live
from api.reading import ProductClock, Reader
from api.sharded.live import MergedLive
from api.sharded.shards import Shard
from consumers.translate import Translator
from deploy.delivering import DeliveryMeter
from deploy.leading import leased
from deploy.settings import Settings
from deploy.telemetry import Meter
from deploy.wiring import System
from deploy.workers import ticks
from projections.follower import follow
from projections.outage import Outage
from projections.views import ViewsAway
from tests.contracts.ingesting import until
from tests.deploy.test_leading import Book, Clock, idle
from tests.projections.stage import stage
from tests.story import LATER, placed


@pytest.fixture
def told(tmp_path, engine):  # noqa: ARG001  # on every store
    with stage(tmp_path) as made:
        yield made


@contextmanager
def away(store):
    """Let the views be away, for those who read and for those who write."""

    @contextmanager
    def gone(*_):
        raise ViewsAway("connection refused")
        yield

    store.reading = store.writing = gone
    try:
        yield
    finally:
        del store.reading, store.writing


def ends(caplog, words):
    return [one.getMessage() for one in caplog.records if one.levelno == logging.INFO and words in one.getMessage()]


def test_an_outage_counts_from_when_it_was_found_out_and_ends_once():
    outage = Outage()
    assert outage.end() is None
    outage.begin()
    time.sleep(0.15)  # it lasts a while
    outage.begin()
    assert outage.end() >= 0.1
    assert outage.end() is None


@pytest.mark.parametrize("outcome", ["stored", "repeated"])
def test_ingest_tells_once_that_broker_and_store_are_back(outcome):
    meter = Meter(CollectorRegistry())
    with capture_logs() as entries:
        for _ in range(3):
            meter("ingest_store_waits_total", 1, "no server")
        meter("ingest_client_renewed_total", 1, "no broker")
        meter("ingest_partitions_halted", 1, "orders/0")
        meter.tried("conflict")
        assert [one for one in entries if one["log_level"] == "info"] == []
        meter.tried(outcome)
        meter.tried(outcome)
    over = [one for one in entries if one["log_level"] == "info"]
    assert {one["event"] for one in over} == {"taking in again"}
    assert sorted(one["after"] for one in over) == ["ingest_client_renewed_total", "ingest_store_waits_total"]
    assert all(one["seconds"] >= 0 for one in over)


def test_delivery_tells_once_that_it_goes_on():
    meter = DeliveryMeter(CollectorRegistry())
    with capture_logs() as entries:
        meter.delivered("changes", 1, 0)
        meter.waits("the broker: no answer")
        meter.waits("the broker: no answer")
        meter.delivered("changes", 2, 0)
        meter.stands_still("a topic is missing")
        meter.rests()
        meter.delivered("changes", 2, 0)
    over = [one for one in entries if one["log_level"] == "info"]
    assert [(one["event"], one["seconds"] >= 0) for one in over] == [("delivering again", True)]


def test_a_ticker_that_the_store_did_not_let_look_tells_that_it_does(told, monkeypatch):
    stop = threading.Event()
    system = System(told.log, told.desk.tracker, Translator({}), lambda: LATER)

    def gone(*_):
        raise OperationalError("no server")

    running = threading.Thread(target=ticks(system, Settings()).run, args=(stop,))
    with capture_logs() as entries:
        monkeypatch.setattr(told.log.store, "positions", gone)
        running.start()
        until(lambda: any(one["event"] == "deadlines wait for the store" for one in entries))
        monkeypatch.undo()
        until(lambda: any(one["event"] == "deadlines fire again" for one in entries))
        time.sleep(0.5)  # a second word would have come by then
        stop.set()
        running.join(10)
    assert {one["why"] for one in entries if one["log_level"] == "warning"} == {"no server"}
    [over] = [one for one in entries if one["event"] == "deadlines fire again"]
    assert over["seconds"] >= 0


def test_a_lease_that_could_not_be_renewed_and_is_again_is_told():
    book, stop, tried = Book(Clock()), threading.Event(), threading.Event()
    worker = leased("work", idle, book, lambda _, active: tried.set() if active else None, span=1.2)
    running = threading.Thread(target=worker.run, args=(stop,))
    with capture_logs() as entries:
        running.start()
        assert tried.wait(10)
        book.away = True
        until(lambda: any(one["event"] == "lease not renewed" for one in entries))
        book.away = False
        until(lambda: any(one["event"] == "lease renewed again" for one in entries))
        stop.set()
        running.join(10)
    [over] = [one for one in entries if one["event"] == "lease renewed again"]
    assert (over["role"], over["seconds"] >= 0) == ("work", True)


def test_views_that_waited_tell_that_they_go_on(told, caplog):
    caplog.set_level(logging.INFO)
    stop = threading.Event()
    running = threading.Thread(target=follow, args=(told.store, told.log.store, stop))
    with away(told.store):
        running.start()
        until(lambda: any("the views wait" in one.getMessage() for one in caplog.records))
    until(lambda: ends(caplog, "the views go on after"))
    with away(told.store):
        told.desk.take(placed(0))
        until(lambda: caplog.messages.count("the views wait: connection refused") > 1)
    until(lambda: len(ends(caplog, "the views go on after")) == 2)
    stop.set()
    running.join(10)


def test_a_log_that_was_away_is_told_of_by_the_views_as_well(told, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    stop = threading.Event()

    def gone(*_):
        raise OperationalError("no server")

    running = threading.Thread(target=follow, args=(told.store, told.log.store, stop))
    monkeypatch.setattr(told.log.store, "positions", gone)
    running.start()
    until(lambda: any("the views wait" in one.getMessage() for one in caplog.records))
    monkeypatch.undo()
    until(lambda: ends(caplog, "the views go on after"))
    stop.set()
    running.join(10)


def test_a_live_feed_that_could_not_read_tells_that_it_does(told, caplog):
    caplog.set_level(logging.INFO)
    live = Live(Reader(told.store, told.log.store, ProductClock(lambda: LATER)), heartbeat=5, capacity=9)
    fails = [RuntimeError("no views")]

    async def one_round():
        if fails:
            raise fails.pop()
        return False

    live._round = one_round

    async def story():
        running = asyncio.ensure_future(live.run())
        await come(lambda: ends(caplog, "the live feed reads again after"))
        await asyncio.sleep(0.2)  # a second word would have come by then
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert len(ends(caplog, "the live feed reads again after")) == 1


def test_a_shard_that_was_stale_is_told_when_it_can_be_read_again(told, caplog):
    caplog.set_level(logging.INFO)
    told.hear(placed(0))
    reader = Reader(told.store, told.log.store, ProductClock(lambda: LATER))
    live = MergedLive([Shard("east", lambda: reader)], ProductClock(lambda: LATER), heartbeat=5, capacity=9)

    async def story():
        running = asyncio.ensure_future(live.run())
        with away(told.store):
            await come(lambda: "shard east cannot be read: away" in caplog.messages)
        await come(lambda: ends(caplog, "shard east can be read again after"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await live.shards["east"].rest()

    asyncio.run(story())
    assert len(ends(caplog, "can be read again")) == 1


async def come(is_so):
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.02)  # between two looks
    raise AssertionError("it did not come")
