"""Orders whose facts meet from two topics, and the judge of what became of them: broker against log, by SQL alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.contracts.ingest_runs import Load
from tests.contracts.ingesting import Message, Shop

if TYPE_CHECKING:
    from tests.contracts.ingesting import Acked

SOON = timedelta(seconds=2)
"""How long an order has to be shipped."""
LEFT = 3
"""Every so many orders one is never shipped, so that the ticker has work all the time."""


def told(shop: Shop, number: int) -> list[Message]:
    """Tell of one order in the topic of orders, and of its parcel in that of parcels, key by key."""
    order, parcel = f"{shop.name}-{number}", f"{shop.name}-{number}-p"
    lines = [{"line_id": "1", "sku": "A", "quantity": 1}]
    late = (datetime.now(UTC) + SOON).isoformat()
    asked = {"fulfillment_id": f"{order}-f", "order_id": order, "warehouse_id": "W", "ship_by": late}
    contents = [{"order_id": order, "sku": "A", "quantity": 1}]
    orders, parcels = shop.topics.orders, shop.topics.logistics
    facts = [
        _said(orders, "order.placed", order, order_id=order, lines=lines),
        _said(orders, "fulfillment.requested", order, **asked),
        _said(parcels, "parcel.packed", parcel, parcel_id=parcel, contents=contents),
        _said(orders, "order.approved", order, order_id=order),
    ]
    if number % LEFT:
        facts.append(_said(parcels, "parcel.scanned", parcel, parcel_id=parcel, status="picked_up", order_ids=[order]))
    return facts


def _said(topic: str, kind: str, key: str, **data: Any) -> Message:
    event = {
        "specversion": "1.0",
        "id": f"{kind}-{key}",
        "source": f"/{topic}",
        "type": f"{kind}.v1",
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    return Message(topic, key.encode(), json.dumps(event).encode())


class Flow(Load):
    """A load of orders whose facts meet from two topics."""

    def __init__(self, shop: Shop, pause: float = 0.05, at_once: int = 4) -> None:
        """Tell of so many orders at a time, with a pause after them."""
        super().__init__(shop, pause, at_once)
        self._number = 0

    def next(self, orders: int) -> list[Message]:
        """Tell of so many more orders, each in both topics."""
        found = []
        for _ in range(orders):
            self._number += 1
            found += told(self._shop, self._number)
        return found


def check(shop: Shop) -> None:
    """Compare the log with what the broker acknowledged: each fact once, streams and positions without a hole."""
    sent = Counter((_type(one), one.place) for one in shop.acked)
    assert set(sent.values()) == {1}
    kinds = sorted({kind for kind, _ in sent})
    marks = ",".join("?" * len(kinds))
    rows = shop.store.rows(f"SELECT topic, state FROM stored_events WHERE topic IN ({marks})", *kinds)
    kept = Counter((topic, json.loads(bytes(state))["via"]) for topic, state in rows)
    assert sorted((sent - kept).elements()) == [], "lost"
    assert sorted((kept - sent).elements()) == [], "twice, or made up"
    assert shop.store.quarantine_places() == Counter()
    assert shop.store.seen() == len(shop.acked)
    shop.check_batches()
    check_streams(shop)


def left_lying(shop: Shop) -> set[str]:
    """Name the fulfilments that were never shipped, by what the broker acknowledged."""
    asked, gone = set(), set()
    for one in shop.acked:
        data = json.loads(one.message.value or b"{}")["data"]
        if "ship_by" in data:
            asked.add(data["fulfillment_id"])
        elif "order_ids" in data:
            gone.update(f"{order}-f" for order in data["order_ids"])
    return asked - gone


def found_late(shop: Shop) -> set[str]:
    """Name the fulfilments that were found late."""
    opened = (one["finding"] for one in shop.store.events("finding.opened.v1"))
    return {one["subject"] for one in opened if one["kind"] == "late_shipment"}


def check_streams(shop: Shop) -> None:
    """See that the versions of every stream follow on each other, and that nothing is found twice."""
    versions: dict[str, list[int]] = {}
    query = "SELECT originator_id, originator_version FROM stored_events ORDER BY originator_id, originator_version"
    for name, version in shop.store.rows(query):
        versions.setdefault(name, []).append(version)
    assert all(found[0] == 1 for found in versions.values())
    assert all(after == before + 1 for found in versions.values() for before, after in pairwise(found))
    opened = Counter(
        (one["finding"]["kind"], one["finding"]["subject"], one["finding"]["due_at"])
        for one in shop.store.events("finding.opened.v1")
    )
    assert [found for found, times in opened.items() if times > 1] == []


def _type(one: Acked) -> str:
    return str(json.loads(one.message.value or b"{}")["type"])
