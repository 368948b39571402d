"""What cannot be taken in: kept as it came, with where it came from, and retried or given up on record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers import quarantine
from domain.instant import instant
from tests.brokers.broker import Broker
from tests.contracts.ingest_runs import running
from tests.contracts.ingesting import Message, Shop

_FOREIGN_HEADERS = (("x-trace", b"\xfe\x00"), ("empty", b""))
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def rubbish(shop: Shop) -> dict[str, Message]:
    """Make one message of each kind that cannot be taken in, by the code it must be kept under."""
    topic, key = shop.topics.orders, b"\xff\x00key"
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    return {
        "not_json": Message(topic, key, b'\x80{"not": json', _FOREIGN_HEADERS),
        "headers": shop.event("order.placed", 4)._replace(headers=(("content-type", b"\xfe"),)),
        "tombstone": Message(topic, key, None),
        "too_deep": Message(shop.topics.logistics, key, b'{"a":' * 100 + b"1" + b"}" * 100),
        "unknown_type": shop.event("order.placed", 0, type="order.placed.v9"),
        "bad_data": shop.event("order.placed", 1, data={"order_id": "x"}),
        "bad_envelope": shop.event("order.placed", 2, time="yesterday"),
        "future": shop.event("order.placed", 3, id="early", time=tomorrow),
    }


def test_rubbish_is_kept_as_it_came_and_the_rest_goes_on(shop: Shop) -> None:
    sent: dict[str, tuple[str, Message]] = {}
    with running(shop, begin="earliest") as run:
        for code, message in rubbish(shop).items():
            (acked,) = shop.send([message])
            sent[acked.place] = code, message
            shop.send(shop.orders(3))
        shop.send([message._replace(headers=_FOREIGN_HEADERS) for message in shop.orders(3)])
        run.until(shop.is_taken_in)
        run.until(lambda: shop.is_read_up_to(shop.acked[-1].at))
    shop.check()
    kept = shop.store.rows('SELECT topic, number, "offset", code, key, value, headers FROM quarantine')
    assert len(kept) == len(sent)
    for topic, number, offset, code, key, value, headers in kept:
        told = tuple((name, bytes.fromhex(text)) for name, text in json.loads(headers))
        assert (code, Message(topic, key, value, told)) == sent[f"{topic}/{number}/{offset}"]


def test_what_is_retried_or_dropped_is_on_record(shop: Shop) -> None:
    with running(shop, begin="earliest") as run:
        shop.send(list(rubbish(shop).values()))
        run.until(shop.is_taken_in)
        tracker, translator = run.parts.tracker, run.parts.translator
        listed = {row["code"]: row for row in quarantine.listed(tracker)}
        later = instant(datetime.now(UTC) + timedelta(days=3))
        with pytest.raises(quarantine.StillUnreadable, match="not_json"):
            quarantine.retry(tracker, translator, listed["not_json"]["id"], until=0, by="li.wei", now=later)
        quarantine.retry(tracker, translator, listed["future"]["id"], until=0, by="li.wei", now=later)
        quarantine.drop(tracker, listed["tombstone"]["id"], by="ana", why="a test", now=later)
        with pytest.raises(quarantine.NotInQuarantine, match="retried"):
            quarantine.retry(tracker, translator, listed["future"]["id"], until=0, by="li.wei", now=later)
        shop.send(shop.orders(10))
        run.until(shop.is_taken_in)
    settled = [(one["action"], one["by"], one.get("why", "")) for one in shop.store.events("quarantine.settled.v1")]
    assert settled == [("retried", "li.wei", ""), ("dropped", "ana", "a test")]
    future = listed["future"]
    assert shop.store.facts()[f"{future['topic']}/{future['partition']}/{future['offset']}"] == 1
    states = dict(shop.store.rows("SELECT code, status FROM quarantine"))
    assert (states["future"], states["tombstone"], states["not_json"]) == ("retried", "dropped", "held")


def test_a_partition_of_nothing_but_rubbish_stops_and_holds_nobody_else_up(shop: Shop) -> None:
    with running(shop, begin="earliest") as run:
        shop.send([Message(shop.topics.logistics, None, b"rubbish", partition=1)] * 400)
        shop.send(shop.orders(20))
        run.until(lambda: len(run.loop.halted) == 1)
        shop.acked = [one for one in shop.acked if one.topic == shop.topics.orders]
        run.until(shop.is_taken_in)
        (halted,) = run.loop.halted.values()
        assert "records were unreadable" in halted.why
        assert shop.store.positions()[shop.topics.logistics, 1][0] < 400
