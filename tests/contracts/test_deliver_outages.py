"""Delivering while the broker hangs or dies: it waits, and nothing is missing or told in another order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from api.outbound import kafka_topic, outlet
from api.outbound.kafka_topic import KafkaTopics
from api.outbound.records import Record
from tests.brokers.broker import Broker, BrokerMissingError, Capability
from tests.brokers.clients import PATIENCE
from tests.brokers.embedded import EmbeddedKafka
from tests.contracts.delivering import Office, is_delivered, season, values
from tests.contracts.ingesting import until
from tests.contracts.test_deliver import check
from tests.outbound.truth import Truth, truth
from tests.projections.stage import Stage

pytestmark = pytest.mark.timeout(120)
AWAY = 1.2


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Tell two days of a season once."""
    with season(tmp_path_factory.mktemp("season"), days=2) as told:
        yield told


@pytest.fixture(scope="module")
def true(shop: Stage) -> Truth:
    """Read the whole feed and each incident's page."""
    return truth(shop)


@pytest.fixture
def at_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], list[int]]:
    """Let something happen right before a page leaves, of many small ones; lists how many records each page had."""
    monkeypatch.setattr(outlet, "LIMIT", 4)
    pages: list[int] = []
    send = KafkaTopics.send

    def arrange(number: int, happens: Callable[[], None]) -> list[int]:
        def told(topics: KafkaTopics, records: Sequence[Record], stop: threading.Event) -> None:
            pages.append(len(records))
            if len(pages) == number:
                happens()
            send(topics, records, stop)

        monkeypatch.setattr(KafkaTopics, "send", told)
        return pages

    return arrange


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """Start a broker that nobody else uses, to be stopped in the middle."""
    try:
        broker = EmbeddedKafka(tmp_path)
    except BrokerMissingError as missing:
        pytest.skip(f"no embedded broker: {missing}")
    broker.start()
    yield broker
    broker.close()


def test_a_broker_that_hangs_for_a_while_is_waited_for_by_one_client_after_the_other(
    own, shop, true, at_page, monkeypatch
) -> None:
    monkeypatch.setattr(kafka_topic, "PATIENCE", AWAY / 2)
    group = os.getpgid(own._broker._keeper.pid)

    def hang() -> None:
        os.killpg(group, signal.SIGSTOP)
        threading.Timer(AWAY, os.killpg, (group, signal.SIGCONT)).start()

    pages = at_page(3, hang)
    office = Office(own, shop)
    with office.delivering(bootstrap_timeout_ms=500) as registry:
        until(lambda: is_delivered(registry))
        waited = sum(values(registry, "tracker_delivery_waits_total"))
    assert len(pages) > 6
    assert waited > 0
    check(office, true)


@pytest.mark.needs(Capability.RESTART)
def test_a_broker_that_dies_with_a_page_on_its_way_is_waited_for(broker: Broker, shop, true, at_page) -> None:
    def die() -> None:
        broker.kill()
        threading.Timer(AWAY, broker.start).start()

    pages = at_page(3, die)
    office = Office(broker, shop)
    with office.delivering(bootstrap_timeout_ms=1000) as registry:
        until(lambda: is_delivered(registry), 4 * PATIENCE)
    assert len(pages) > 6
    check(office, true)
