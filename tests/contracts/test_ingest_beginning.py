"""Where reading begins: at the first start, on topics that were made anew, and on partitions that were added."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from consumers.cloudevents import point
from consumers.cluster import SourceFailed
from deploy.wiring import CannotStart
from domain.history.enrolment import TopicReplaced
from tests.brokers.broker import Broker, Capability
from tests.brokers.clients import recreate_topic
from tests.contracts.ingest_process import Process
from tests.contracts.ingest_runs import Load, running
from tests.contracts.ingesting import QUICK, Message, Shop, until

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def test_a_first_start_that_does_not_say_where_to_begin_is_refused(shop: Shop) -> None:
    with pytest.raises(CannotStart, match=r"--from earliest .* --from latest .* --from 20"), running(shop):
        pass
    assert not shop.store.positions()


def test_topics_that_do_not_exist_are_named(shop: Shop) -> None:
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.delete_topics([shop.topics.logistics])
        until(lambda: shop.topics.logistics not in admin.list_topics())
    with (
        pytest.raises(SourceFailed, match=f"topics do not exist: {shop.topics.logistics};"),
        running(shop, begin="latest"),
    ):
        pass


def test_from_latest_takes_only_what_comes_later(shop: Shop) -> None:
    shop.send(shop.orders(100), linger_ms=50)
    before, shop.acked = shop.acked, []
    with running(shop, begin="latest") as run:
        shop.send(shop.orders(50))
        run.until(shop.is_taken_in)
    assert not {one.place for one in before} & shop.store.facts().keys()
    shop.check()


def test_from_latest_does_not_wait_for_a_busy_topic_to_rest(shop: Shop) -> None:
    with Load(shop, pause=0.002):
        until(lambda: len(shop.acked) > 100)
        began = time.monotonic()
        with running(shop, begin="latest") as run:
            took = time.monotonic() - began
            run.until(lambda: len(shop.store.facts()) > 100)
    first = min(int(place.rsplit("/", 1)[1]) for place in shop.store.facts())
    assert took < 10
    assert first > 0


def test_from_a_time_takes_what_came_since(shop: Shop) -> None:
    shop.send(shop.orders(50))
    before, shop.acked = shop.acked, []
    time.sleep(0.05)  # so that what comes is later
    since = datetime.now(UTC)
    time.sleep(0.05)  # so that what comes is later
    shop.send(shop.orders(50))
    with running(shop, begin=point(since.isoformat())) as run:
        run.until(shop.is_taken_in)
    assert not {one.place for one in before} & shop.store.facts().keys()
    shop.check()
    (live,) = shop.store.events("tracker.went_live.v1")
    assert live["begun_from"] == str(point(since.isoformat()))


def test_a_later_start_ignores_where_to_begin(shop: Shop) -> None:
    with running(shop, begin="earliest") as run:
        shop.send(shop.orders(20))
        run.until(shop.is_taken_in)
    shop.send(shop.orders(20))
    with running(shop, begin="latest") as run:
        run.until(shop.is_taken_in)
    shop.check()


def test_a_topic_that_was_made_anew_is_read_only_when_that_is_accepted(shop: Shop) -> None:
    with running(shop, begin="earliest") as run:
        shop.send(shop.orders(50))
        run.until(shop.is_taken_in)
    former, stood = shop.acked, shop.store.positions()
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.delete_topics([shop.topics.orders])
        until(lambda: shop.topics.orders not in admin.list_topics())
    recreate_topic(shop.broker, shop.topics.orders, partitions=3)
    shop.acked = []
    shop.send(shop.orders(60))
    with pytest.raises(TopicReplaced, match=f"{shop.topics.orders}: .* --accept-new-topics"), running(shop):
        pass
    assert shop.store.positions() == stood
    with running(shop, accept_new_topics=True) as run:
        run.until(lambda: len(shop.acked) + len(former) == shop.store.seen())
        new_ones = "SELECT MIN(taken_up_to) FROM positions WHERE next > 0"
        run.until(lambda: shop.store.rows(new_ones)[0][0] is not None)
    assert sum(shop.store.facts().values()) == len(shop.acked) + len(former)
    with running(shop) as run:  # and from then on it is the topic
        shop.send(shop.orders(1))
        run.until(lambda: len(shop.acked) + len(former) == shop.store.seen())


@pytest.mark.needs(Capability.RESTART)  # an embedded broker cannot add partitions
def test_partitions_that_are_added_are_read_from_their_start(shop: Shop) -> None:
    with running(shop, begin="latest") as run:
        shop.send(shop.orders(20))
        run.until(shop.is_taken_in)
    add_partitions(shop, 5)
    shop.send(to_partition(shop, 3) + to_partition(shop, 4))
    with running(shop) as run:
        run.until(shop.is_taken_in)
    shop.check()


@pytest.mark.needs(Capability.RESTART)
def test_partitions_that_are_added_while_it_runs_are_read_from_their_start(shop: Shop) -> None:
    with running(shop, begin="latest", options={"metadata_max_age_ms": 500}) as run:
        shop.send(shop.orders(20))
        run.until(shop.is_taken_in)
        add_partitions(shop, 4)
        shop.send(to_partition(shop, 3))
        run.until(shop.is_taken_in)
        with Process(shop, QUICK | {"metadata_max_age_ms": 500}) as second:
            add_partitions(shop, 6)
            shop.send(to_partition(shop, 4) + to_partition(shop, 5))
            run.until(shop.is_taken_in)
            second.end()
    shop.check()


def add_partitions(shop: Shop, count: int) -> None:
    """Let the topic of orders have so many partitions."""
    with KafkaAdminClient(bootstrap_servers=shop.broker.bootstrap_servers) as admin:
        admin.create_partitions({shop.topics.orders: count})


def to_partition(shop: Shop, number: int) -> list[Message]:
    """Tell of orders whose events go to one partition."""
    return [message._replace(partition=number) for message in shop.orders(10)]
