"""What ``tracker doctor`` says of the topics that are told of something, on every broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from api.outbound.kafka_look import Seen, look
from api.outbound.kafka_setup import prepared
from api.outbound.topic import Making
from deploy.doctoring import Check, examine
from deploy.outgoing import outgoing
from tests.brokers.broker import Broker
from tests.brokers.clients import recreate_topic
from tests.contracts.delivering import Office
from tests.contracts.ingesting import until
from tests.projections.stage import stage

MAKING = Making(partitions=2)


@pytest.fixture
def office(broker: Broker, tmp_path: Path) -> Office:
    """Name topics that nobody else uses; nothing is told to them."""
    with stage(tmp_path) as told:
        return Office(broker, told)


def seen(office: Office, making: Making = MAKING) -> dict[str, Seen]:
    settings = office.settings()
    topics = outgoing(settings.outbound, settings.topics.names()).topics()
    found = look(settings.kafka.connection(str(settings.bootstrap_servers)), topics, making)
    assert [one.topic for one in found] == [one.name for one in topics]
    return {one.topic: one for one in found}


def test_topics_that_are_not_there_are_said_to_be_made_and_are_not(office: Office) -> None:
    found = seen(office)
    assert all(one.ok for one in found.values())
    assert found[office.outbound.states].found == "not there; is made with 2 partitions, cleanup.policy=compact"
    with KafkaAdminClient(bootstrap_servers=office.broker.bootstrap_servers) as admin:
        assert set(found).isdisjoint(admin.list_topics())


def test_topics_that_are_not_there_and_not_to_be_made_are_named_with_what_makes_them(office: Office) -> None:
    found = seen(office, MAKING._replace(allowed=False))
    assert {one.ok for one in found.values()} == {False}
    letters = found[f"{office.topics.orders}.dlq"]
    assert letters.mend.startswith(f"kafka-topics.sh --create --topic {letters.topic} --partitions 2 --config")
    assert f"--config retention.ms={30 * 24 * 3600 * 1000}" in letters.mend


def test_topics_that_we_made_are_right(office: Office) -> None:
    settings = office.settings()
    topics = outgoing(settings.outbound, settings.topics.names()).topics()
    prepared(settings.kafka.connection(str(settings.bootstrap_servers)), topics, MAKING)
    # Another broker of the cluster, or this one in a moment, may not have heard of it yet.
    until(lambda: all("not there" not in one.found for one in seen(office).values()))
    found = seen(office)
    assert [one for one in found.values() if not one.ok] == []
    assert found[office.outbound.states].found.startswith("partitions: 2, replicas: 1, cleanup.policy=compact")


def test_topics_that_lose_records_are_named_with_what_mends_them(office: Office) -> None:
    recreate_topic(office.broker, office.outbound.changes, cleanup_policy="compact")
    recreate_topic(office.broker, office.outbound.states, cleanup_policy="compact,delete")
    found = seen(office)
    changes, states = found[office.outbound.changes], found[office.outbound.states]
    assert (changes.ok, states.ok) == (False, False)
    assert "all but the last of a key would be lost" in changes.found
    assert changes.mend.endswith(f"--entity-name {changes.topic} --add-config cleanup.policy=delete")
    assert "the last state of some would be removed" in states.found
    assert states.mend.endswith(f"--entity-name {states.topic} --add-config cleanup.policy=compact")


def test_the_doctor_looks_at_them(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in office.environment().items():
        monkeypatch.setenv(name, value)
    for topic in office.topics.names():
        recreate_topic(office.broker, topic)
    recreate_topic(office.broker, office.outbound.changes, cleanup_policy="compact")
    checks: dict[str, Check] = {one.what: one for one in examine()}
    assert not checks[f"topic {office.outbound.changes}"].ok
    assert checks[f"topic {office.outbound.states}"].ok
    assert {one for one in checks if one.endswith(".dlq")} == {f"topic {one}.dlq" for one in office.topics.names()}


def test_a_store_that_is_away_keeps_nothing_else_from_being_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in office.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@/nothing?host={tmp_path}")
    for topic in office.topics.names():
        recreate_topic(office.broker, topic)
    checks: dict[str, Check] = {one.what: one for one in examine()}
    assert (checks["store"].ok, checks["broker"].ok, checks["topics"].ok) == (False, True, False)
    assert checks[f"topic {office.outbound.changes}"].ok
