"""P3's background: a season dated while it is sent."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import orjson

from tests.benchmarks.as_it_comes import dated
from tests.benchmarks.workload import Message, build

NOW = datetime(2027, 1, 5, 8, tzinfo=UTC)
RATE = 500.0


def late(messages: Iterable[Message]) -> set[str]:
    """Name what was promised to be handed over earlier than its parcel was, or than the last message came."""
    promised, holds, left, last = {}, {}, {}, datetime.min.replace(tzinfo=UTC)
    for one in messages:
        event = orjson.loads(one.value)
        data, last = event["data"], datetime.fromisoformat(event["time"])
        if event["type"] == "fulfillment.requested.v1":
            promised[data["fulfillment_id"]] = datetime.fromisoformat(data["ship_by"])
        elif event["type"] == "parcel.packed.v1":
            holds[data["parcel_id"]] = data["fulfillment_ids"][0]
        elif event["type"] == "parcel.scanned.v1" and data["status"] == "picked_up":
            left[holds[data["parcel_id"]]] = last
    return {name for name, ship_by in promised.items() if left.get(name, last) > ship_by}


def test_each_event_happens_when_it_is_its_turn_to_be_sent() -> None:
    season = build(2_000).messages
    told = dated(season, NOW, RATE)
    times = [datetime.fromisoformat(orjson.loads(one.value)["time"]) for one in told]
    assert times == sorted(times)
    assert times[0] == NOW
    turn = timedelta(seconds=1 / RATE)
    # Events that happened at the same time still do.
    assert all(NOW + (place - 20) * turn <= at <= NOW + place * turn for place, at in enumerate(times))
    assert [(one.key, one.partition, one.offset) for one in told] == [
        (one.key, one.partition, one.offset) for one in season
    ]


def test_the_same_shipments_are_late() -> None:
    season = build(4_000).messages
    expected = late(season)
    assert len(expected) > 10
    assert late(dated(season, NOW, RATE)) == expected


def test_a_promise_behind_the_last_event_stays_as_far_behind_it() -> None:
    season = build(300).messages
    was, now = (
        orjson.loads(next(one.value for one in reversed(some) if b"ship_by" in one.value))["data"]["ship_by"]
        for some in (season, dated(season, NOW, RATE))
    )
    last = datetime.fromtimestamp(season[-1].timestamp / 1000, UTC)
    ended = NOW + timedelta(seconds=(len(season)) / RATE)
    assert datetime.fromisoformat(was) > last
    assert datetime.fromisoformat(now) - ended == datetime.fromisoformat(was) - last
