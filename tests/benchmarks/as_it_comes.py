"""A season told as fast as it is sent: what a shop says while it happens, and not what it says of weeks ago."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson

from tests.benchmarks.workload import Message, text_of


def dated(messages: Sequence[Message], start: datetime, rate: float) -> list[Message]:
    """Date a season, in order, so that it begins now and brings so many messages a second.

    Every event happens when it is its turn, and every promise passes between the same two events as it did: the same
    shipments are late. What lies behind the last event stays as far behind it as it was.
    """
    turns = [one.timestamp for one in messages]

    def moved(at: str) -> datetime:
        was = datetime.fromisoformat(at)
        behind = was - datetime.fromtimestamp(turns[-1] / 1000, UTC)
        place = bisect_left(turns, was.timestamp() * 1000)
        return start + timedelta(seconds=place / rate) + max(behind, timedelta(0))

    def told(one: Message) -> Message:
        event = orjson.loads(one.value)
        at = moved(event["time"])
        event["time"] = text_of(at)
        if "ship_by" in event["data"]:
            event["data"]["ship_by"] = text_of(moved(event["data"]["ship_by"]))
        return replace(one, timestamp=int(at.timestamp() * 1000), value=orjson.dumps(event))

    return [told(one) for one in messages]
