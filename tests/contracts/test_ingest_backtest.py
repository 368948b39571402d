"""A backtest through the broker finds what it finds without: the same bytes, in whatever order messages came."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

import orjson
import pytest

from consumers import topics, translate
from deploy import backtests
from deploy.kafka_settings import Kafka, Topics
from deploy.settings import Settings
from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import PATIENCE, producer, recreate_topic
from tests.generator import files

pytestmark = pytest.mark.timeout(90)
ORDERS, SMALL_POLL = 150, 50


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a season, as it happened and as it arrives."""
    out = tmp_path_factory.mktemp("season")
    files.write(ORDERS, 11, out)
    return out


@pytest.fixture
def settings(broker: Broker, tmp_path: Path) -> Settings:
    """Give the settings of somebody who has this broker."""
    kafka = Kafka(session_timeout_ms=2_000)
    names = Topics(**{kind: f"season-{token_hex(4)}.{kind}" for kind in ("orders", "logistics", "complaints")})
    return Settings(data_dir=tmp_path, bootstrap_servers=broker.bootstrap_servers, kafka=kafka, topics=names)


@pytest.mark.parametrize("order", ["events.jsonl", "events.arrival.jsonl"])
def test_through_kafka_gives_the_same_bytes(settings: Settings, season: Path, tmp_path: Path, order: str) -> None:
    events, policy = season / order, season / "policy.toml"
    straight, through = tmp_path / "straight.jsonl", tmp_path / "through.jsonl"
    told, written = backtests.of_file(events, policy, straight, retracted=False)
    again, as_well = backtests.through_kafka(
        settings, events, policy, through, partitions=3, poll=SMALL_POLL, retracted=False
    )
    assert through.read_bytes() == straight.read_bytes()
    assert written.findings == as_well.findings > ORDERS / 10
    assert again.messages == told.messages > 20 * SMALL_POLL
    assert (again.taken, again.repeated) == (told.taken, told.repeated)


def test_from_kafka_gives_the_same_bytes(settings: Settings, season: Path, broker: Broker, tmp_path: Path) -> None:
    check_from_kafka(settings, season, broker, tmp_path)


@pytest.mark.needs(Capability.TRANSACTIONS)
def test_from_kafka_comes_to_an_end_behind_transactions(
    settings: Settings, season: Path, broker: Broker, tmp_path: Path
) -> None:
    with producer(broker, transactional_id=settings.topics.orders) as opened:
        opened.init_transactions()
        check_from_kafka(settings, season, broker, tmp_path, transactional_id=f"{settings.topics.orders}-season")
        opened.begin_transaction()
        opened.send(settings.topics.orders, b"open", partition=0).get(PATIENCE)
        found, again = tmp_path / "found.jsonl", tmp_path / "again.jsonl"
        backtests.from_kafka(settings, season / "policy.toml", again, poll=SMALL_POLL, retracted=False)
        assert again.read_bytes() == found.read_bytes()
        opened.abort_transaction()


def check_from_kafka(settings: Settings, season: Path, broker: Broker, tmp_path: Path, **producing: str) -> None:
    """Produce the season into the configured topics, and compare what is found there with what the file says."""
    for topic in settings.topics.names():
        recreate_topic(broker, topic, partitions=3)
    names = dict(zip(translate.TOPICS, settings.topics.names(), strict=True))
    events, policy = season / "events.arrival.jsonl", season / "policy.toml"
    with producer(broker, linger_ms=5, **producing) as sender:
        if producing:
            sender.init_transactions()
            sender.begin_transaction()
        for line in events.read_bytes().splitlines():
            topic, key = topics.place(orjson.loads(line))
            sender.send(names[topic], line, key=(key or "").encode())
        if producing:
            sender.commit_transaction()
        sender.flush(PATIENCE)
    straight, found = tmp_path / "straight.jsonl", tmp_path / "found.jsonl"
    told, _ = backtests.of_file(events, policy, straight, retracted=False)
    outcome, _ = backtests.from_kafka(settings, policy, found, poll=SMALL_POLL, retracted=False)
    assert found.read_bytes() == straight.read_bytes()
    assert (outcome.messages, outcome.taken) == (told.messages, told.taken)
