"""``tracker deliver`` on a real broker: what subscribers read is what the feed and the pages say."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from api.outbound import outlets
from api.outbound.kafka_setup import TopicUnfit
from consumers.translate import Translator
from domain.history.batch import Batch, Raw, Slice
from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import PATIENCE, recreate_topic
from tests.contracts.delivering import Office, Told, is_delivered, season, shop_in, values
from tests.contracts.ingesting import until
from tests.outbound.truth import Truth, truth
from tests.projections.stage import Stage
from tests.story import at, placed, requested

pytestmark = pytest.mark.timeout(120)
TRACKER = Path(sys.executable).with_name("tracker")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Tell two days of a season once."""
    with season(tmp_path_factory.mktemp("season"), days=2) as told:
        yield told


@pytest.fixture(scope="module")
def true(shop: Stage) -> Truth:
    """Read the whole feed and each incident's page."""
    return truth(shop)


def check(office: Office, true: Truth) -> None:
    """Hold what subscribers rely on; the topics are read without the product."""
    told = office.read(office.outbound.changes)
    bodies: dict[str, Told] = {}
    for one in told:
        assert bodies.setdefault(one.id, one) == one, "an id came with another content"
    first_seen = list(bodies.values())
    assert sorted((one.data["id"], str(one.data)) for one in first_seen) == sorted(
        (one["id"], str(one)) for one in true.changes
    )
    for incident in true.pages:
        wanted = [one["id"] for one in true.changes if one["incident"]["id"] == incident]
        mine = [one for one in told if one.key == incident.encode()]
        assert list(dict.fromkeys(one.data["id"] for one in mine)) == wanted
        assert mine[-1].data["id"] == wanted[-1]
        assert len({one.partition for one in mine}) == 1
    latest = {one.key: one for one in office.read(office.outbound.states)}
    assert {str((one.key or b"").decode()): one.data for one in latest.values()} == {
        name: {member: value for member, value in page.items() if member in outlets.STATE}
        for name, page in true.pages.items()
    }


def test_every_change_and_every_state_of_a_season_arrives(broker: Broker, shop: Stage, true: Truth) -> None:
    office = Office(broker, shop)
    office.deliver()
    check(office, true)
    told = office.read(office.outbound.changes)
    assert len(told) == len(true.changes) > 10
    assert {one.partition for one in told} == {0, 1, 2}
    for one in told:
        assert one.header("ce_specversion") == "1.0"
        assert one.header("ce_subject") == (one.key or b"").decode() == one.data["incident"]["id"]
        assert one.header("ce_type") == f"incident.{one.data['change']}.v1"
        assert one.header("ce_time") == one.data["known_up_to"]
        assert one.header("ce_source") == f"/order-incidents/{shop.log.store.epoch()}"
        assert one.header("content-type") == "application/json"
    office.deliver()
    assert len(office.read(office.outbound.changes)) == len(told), "a second start repeats nothing"


def test_killed_in_the_middle_it_repeats_and_misses_nothing(broker: Broker, shop: Stage, true: Truth) -> None:
    office = Office(broker, shop)
    with office.process(limit=2) as process:
        process.hear("page", 5)
    told = office.read(office.outbound.changes)
    assert 0 < len({one.id for one in told}) < len(true.changes), "it was not killed in the middle"
    office.deliver()
    check(office, true)


def test_stopped_in_the_middle_and_continued_it_does_not_have_the_last_word(
    broker: Broker, shop: Stage, true: Truth
) -> None:
    office = Office(broker, shop)
    with office.process(limit=3, stops_before=3) as stopped:
        stopped.hear("stopped")
        office.deliver()
        before = office.read(office.outbound.changes)
        turns = _turns(shop)
        stopped.send(signal.SIGCONT)
        until(lambda: _turns(shop) > turns)
        assert stopped.end() == 0
    office.deliver()
    check(office, true)
    assert len(office.read(office.outbound.changes)) > len(before), "it had a page in hand, which left late"


def _turns(told: Stage) -> int:
    return next(one.term for one in told.log.recorder.leases() if one.name == "deliver")


def test_what_goes_on_while_it_runs_leaves_at_once(broker: Broker, tmp_path: Path) -> None:
    with shop_in(tmp_path) as told:
        office = Office(broker, told)
        with office.delivering() as registry:
            until(lambda: is_delivered(registry))
            told.desk.take(placed(0, of="O1", key="p1"), requested(0, "F1", of="O1", ship_by=20))
            told.come(30)
            until(lambda: sum(values(registry, "tracker_delivered_total")) == 2)
        (change,) = office.read(office.outbound.changes)
        assert (change.data["change"], change.data["incident"]["subject"]) == ("opened", "F1")


DEAD = [
    Raw("orders", 1, b"\xff\x00key", b"\xfe\x00not json", (("who", b"\xff\x00"), ("none", None), ("who", b"")), 5),
    Raw("orders", 0, None, b"{}", (), None),
    Raw("orders", 2, b"only a key", None, (("content-type", b"application/json"),), None),
    Raw("orders", 0, b"", b"", (), None),
    Raw("orders", 1, None, None, (("who", b"nobody"), ("none", None)), None),
    Raw("orders", 1, b"no key", None, (), None),
    Raw("orders", 0, b"large", b"x" * 900_000, (), None),
]


def test_a_dead_letter_is_what_came_byte_for_byte_and_says_why(broker: Broker, tmp_path: Path) -> None:
    with shop_in(tmp_path) as told:
        office = Office(broker, told)
        topic = office.topics.orders
        raws = [one._replace(topic=topic) for one in DEAD]
        now = at(0)
        records = tuple(Translator({}).incoming(offset, raw, now) for offset, raw in enumerate(raws))
        part = Slice("c/orders/0", topic, 0, None, len(raws), records)
        told.desk.tracker.take(Batch((part,), now), now)
        held = [one for _, _, one in told.log.store.quarantined("held")]
        assert len(held) == len(raws)
        office.deliver()
        letters = office.read(f"{topic}.dlq")
        by_offset = {int(one.header("__connect.errors.offset") or -1): one for one in letters}
        assert by_offset.keys() == set(range(len(raws)))
        for offset, raw in enumerate(raws):
            letter = by_offset[offset]
            assert (letter.key, letter.value) == (raw.key, raw.value)
            assert letter.headers[: len(raw.headers)] == [*raw.headers]
            assert letter.header("__connect.errors.topic") == topic
            assert letter.header("__connect.errors.partition") == str(raw.partition)
            (kept,) = [one for one in held if one.offset == offset]
            assert letter.header("__connect.errors.exception.class.name") == kept.code
            assert letter.header("__connect.errors.exception.message") == kept.detail
        office.deliver()
        assert len(office.read(f"{topic}.dlq")) == len(raws), "each leaves once"


def test_what_is_not_wanted_is_not_made(broker: Broker, tmp_path: Path) -> None:
    with shop_in(tmp_path) as told:
        office = Office(broker, told, states="", dead_letters=False)
        with office.delivering() as registry:
            until(lambda: values(registry, "tracker_delivery_behind") == [0])
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
            there = set(admin.list_topics())
        assert office.outbound.changes in there
        assert not {one for one in there if one.endswith(".dlq") and one.removesuffix(".dlq") in office.topics.names()}


def test_topics_are_made_with_the_policy_that_they_need(broker: Broker, tmp_path: Path) -> None:
    with shop_in(tmp_path) as told:
        office = Office(broker, told)
        office.deliver()
    names = {
        office.outbound.changes: "delete",
        office.outbound.states: "compact",
        f"{office.topics.orders}.dlq": "delete",
    }
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        found = admin.describe_configs(asked, config_filter="all")["topic"]
    assert {name: found[name]["cleanup.policy"]["value"] for name in names} == names
    assert found[f"{office.topics.orders}.dlq"]["retention.ms"]["value"] == str(30 * 24 * 3600 * 1000)


def run_tracker(office: Office) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TRACKER), "deliver"],
        env=office.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_topic_that_is_missing_and_not_to_be_made_is_named_with_what_makes_it(broker: Broker, shop: Stage) -> None:
    office = Office(broker, shop, create=False)
    done = run_tracker(office)
    assert done.returncode == 1
    assert f"kafka-topics.sh --create --topic {office.outbound.changes} --partitions 3" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_topic_that_would_lose_changes_is_refused(broker: Broker, shop: Stage) -> None:
    office = Office(broker, shop)
    recreate_topic(broker, office.outbound.changes, cleanup_policy="compact")
    with pytest.raises(TopicUnfit) as refused, office.delivering():
        until(office.crew.stop.is_set)
    assert f"--entity-name {office.outbound.changes} --add-config cleanup.policy=delete" in str(refused.value)


@pytest.mark.needs(Capability.RESTART)
def test_while_the_broker_is_away_it_waits_and_loses_nothing(broker: Broker, shop: Stage, true: Truth) -> None:
    office = Office(broker, shop)
    broker.kill()
    with office.delivering(bootstrap_timeout_ms=1000) as registry:
        until(lambda: values(registry, "tracker_delivery_waits_total")[0] > 1)
        broker.start()
        until(lambda: is_delivered(registry), 4 * PATIENCE)
    check(office, true)
