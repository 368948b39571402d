"""The demo season: what it tells, and that its truth is the oracle's."""

import ast
import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.catalogue import LAGS
from deploy.demo.season import COMPLAINTS, LOGISTICS, ORDERS, Season, season
from tests.deploy.paper import violations
from tests.deploy.season_truth import START, told

# One process tells each season once for all.
pytestmark = pytest.mark.xdist_group("season")
SEEDS = (7, 2026)


@pytest.fixture(params=SEEDS)
def full(request: pytest.FixtureRequest) -> Season:
    """Give a whole season."""
    return told(request.param)


def test_the_check_by_the_paper_sees_what_is_wrong() -> None:
    """Each planted mistake is found, so that silence of the check means something."""
    good = {
        "specversion": "1.0",
        "id": "a-1",
        "source": "/shops/own",
        "type": "order.approved.v1",
        "subject": "1",
        "time": "2026-03-02T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"order_id": "1"},
    }
    scan = good | {"type": "parcel.scanned.v1", "data": {"carrier": "sf", "status": "picked_up"}}
    picked = {"order_id": "1", "sku": "A", "quantity": 0}
    assert violations(good) == []
    assert violations(good | {"time": "2026-03-02T00:00:00"})
    assert violations(good | {"id": " a-1"})
    assert violations(good | {"data": {}})
    assert violations(good | {"data": {"order_id": "1", "order": "1"}})
    assert violations(good | {"type": "order.approved.v2"})
    assert violations(good | {"type": "item.picked.v1", "data": picked})
    assert violations(scan)


def test_every_event_keeps_the_contract(full: Season) -> None:
    """Nothing of the season would be refused by a tracker that follows the paper."""
    assert [(one.event["id"], found) for one in full.events if (found := violations(one.event))] == []


def test_topics_and_keys_are_those_of_the_contract(full: Season) -> None:
    """Orders are keyed by order, complaints by complaint, logistics by parcel, else order, else source."""
    for one in full.events:
        data, family = one.event["data"], one.event["type"].split(".")[0]
        if family in {"order", "fulfillment", "price"}:
            assert (one.topic, one.key) == (ORDERS, data.get("order_id", one.event["source"]))
        elif family == "complaint":
            assert (one.topic, one.key) == (COMPLAINTS, data["complaint_id"])
        else:
            named = data.get("parcel_id") or data.get("order_id") or one.event["source"]
            assert (one.topic, one.key) == (LOGISTICS, named)


def test_an_id_is_never_used_for_two_different_events(full: Season) -> None:
    """The same source and id is the same event; some are sent twice."""
    bodies: dict[tuple[str, str], dict[str, Any]] = {}
    for one in full.events:
        assert bodies.setdefault((one.event["source"], one.event["id"]), one.event) == one.event
    assert 1 <= len(full.events) - len(bodies) <= len(full.events) // 50


def test_the_same_seed_tells_the_same_season() -> None:
    """Events, their order, times and the truth follow from seed, start and length."""
    assert season(3, START, days=4) == season(3, START, days=4)


def test_another_seed_or_start_tells_another_one_without_clashing_ids() -> None:
    """Seasons played into one Kafka share no event, no order and no parcel."""
    one, other, later = (
        season(3, START, days=3),
        season(4, START, days=3),
        season(3, START + timedelta(hours=1), days=3),
    )

    def names(some: Season) -> set[str]:
        parcels = {event.event["data"].get("parcel_id") for event in some.events}
        placed = (event.event["data"].get("order_id") for event in some.events if event.topic == ORDERS)
        complaints = (event.key for event in some.events if event.topic == COMPLAINTS)
        return parcels.union(complaints, placed) - {None}

    def ids(some: Season) -> set[str]:
        return {event.event["id"] for event in some.events}

    assert names(one).isdisjoint(names(other))
    assert names(one).isdisjoint(names(later))
    assert ids(one).isdisjoint(ids(other))
    assert ids(one).isdisjoint(ids(later))
    assert [len(some.events) for some in (one, other)] != [len(one.events)] * 2


def test_a_start_without_an_offset_is_refused() -> None:
    """A season has to know when it begins."""
    with pytest.raises(ValueError, match="offset"):
        season(1, datetime(2026, 3, 2))  # noqa: DTZ001 - the point of the test


def test_nothing_is_sent_before_it_happened(full: Season) -> None:
    """Events arrive in the order of `published_at`, within the season, never ahead of their own time."""
    sent = [one.published_at for one in full.events]
    assert sent == sorted(sent)
    assert (sent[0], full.end) == (full.start, full.start + timedelta(days=28))
    assert sent[-1] <= full.end
    for one in full.events:
        assert one.at == datetime.fromisoformat(one.event["time"])
        assert one.at.utcoffset() == timedelta(0)
        assert one.at <= one.published_at <= max(one.at, full.start) + timedelta(hours=3)


def test_scans_arrive_a_little_out_of_order(full: Season) -> None:
    """Carriers report with delay, so that event times go back and forth, by two hours at most."""
    scans = [one for one in full.events if one.event["type"] == "parcel.scanned.v1" and one.at > full.start]
    newest, behind = scans[0].at, 0
    for one in scans:
        newest, behind = max(newest, one.at), behind + (one.at < newest)
    assert behind > len(scans) // 20
    first = {one.event["id"]: one for one in reversed(scans)}.values()
    assert timedelta(hours=1) < max(one.published_at - one.at for one in first) <= timedelta(hours=2)


def test_a_heartbeat_never_promises_too_much(full: Season) -> None:
    """When one arrives, everything of its feed up to its time has arrived; unless a feed is down, it comes hourly."""
    beats: dict[str, datetime] = {}
    late: list[tuple[str, timedelta]] = []
    known: set[tuple[str, str]] = set()
    for one in full.events:
        source, again = one.event["source"], (one.event["source"], one.event["id"]) in known
        known.add((source, one.event["id"]))
        if one.event["type"] == "feed.heartbeat.v1":
            gap = one.at - beats.get(source, one.at - timedelta(hours=1))
            if not again and one.at < full.end and gap != timedelta(hours=1):
                late.append((source, gap))
            beats[source] = max(one.at, beats.get(source, one.at))
        elif source in beats:
            assert again or one.at > beats[source]
    assert beats.keys() == LAGS.keys()
    assert set(beats.values()) == {full.end}
    assert sorted(source for source, _ in late) == ["/carriers/jd", "/carriers/zto"]
    assert all(timedelta(hours=5) < gap < timedelta(hours=14) for _, gap in late)


def data_of(some: Season, kind: str) -> Iterator[dict[str, Any]]:
    """Go through the data of all events of this kind, each once."""
    seen: set[str] = set()
    for one in some.events:
        if one.event["type"] == kind and one.event["id"] not in seen:
            seen.add(one.event["id"])
            yield one.event["data"]


def test_the_world_has_everything_that_can_happen_to_a_shipment(full: Season) -> None:
    """Splits, shared parcels, second parcels, holds, remakes and all the rest occur often enough to be met."""
    requested = list(data_of(full, "fulfillment.requested.v1"))
    placed = {one["order_id"]: one for one in data_of(full, "order.placed.v1")}
    approved = {one["order_id"] for one in data_of(full, "order.approved.v1")}
    packed = list(data_of(full, "parcel.packed.v1"))
    scans = list(data_of(full, "parcel.scanned.v1"))
    cancelled = list(data_of(full, "order.cancelled.v1"))
    moved = Counter(one["agreed_by"] for one in data_of(full, "order.promise_changed.v1"))
    a_request = Counter(one["order_id"] for one in requested)
    orders_in = [{item["order_id"] for item in one["contents"]} for one in packed]
    counts = {
        "orders split over two warehouses": sum(count == 2 for count in a_request.values()),
        "orders without a request": len(placed.keys() - a_request.keys()),
        "orders without an approval": len(placed.keys() - approved),
        "promise in the order only": sum("ship_by" not in one for one in requested),
        "parcels of two orders": sum(len(orders) == 2 for orders in orders_in),
        "parcels that are not the last": sum("last" not in one for one in packed),
        "parcels naming no fulfilment": sum("fulfillment_ids" not in one for one in packed),
        "items naming no line": sum("line_id" not in one["contents"][0] for one in packed),
        "scans by tracking number only": sum("parcel_id" not in one for one in scans),
        "scans by parcel id": sum("parcel_id" in one for one in scans),
        "label echoes": sum(one["status"] == "label_created" for one in scans),
        "failed deliveries": sum(one["status"] == "delivery_failed" for one in scans),
        "cancelled orders": sum("line_ids" not in one for one in cancelled),
        "cancelled lines": sum("line_ids" in one for one in cancelled),
        "holds": len(list(data_of(full, "order.held.v1"))),
        "voids": len(list(data_of(full, "parcel.voided.v1"))),
        "agreed by customer": moved["customer"],
        "agreed by platform": moved["platform"],
        "moved by merchant": moved["merchant"],
        "with personal data": sum("customer" in one for one in placed.values()),
    }
    assert {what: count for what, count in counts.items() if count < 10} == {}
    customer_of = {order: one["customer_id"] for order, one in placed.items()}
    assert all(len({customer_of[order] for order in orders}) == 1 for orders in orders_in)
    assert {one["warehouse_id"] for one in requested} == {"W-HANGZHOU", "W-CHENGDU", "W-SHENYANG"}
    assert {one["carrier"] for one in scans} == {"sf", "yto", "zto", "jd"}


def test_an_ordinary_day_has_forty_to_eighty_orders(full: Season) -> None:
    """The shop is neither dead nor flooded, and sleeps at night."""
    times = [one.at for one in full.events if one.event["type"] == "order.placed.v1"]
    days = Counter((at - full.start) // timedelta(days=1) for at in times)
    ordinary = [days[day] for day in range(3, 28)]
    assert 40 <= sorted(ordinary)[len(ordinary) // 2] <= 80
    hours = Counter((at + timedelta(hours=8)).hour for at in times)
    assert sum(hours[hour] for hour in (20, 21, 22)) > 5 * sum(hours[hour] for hour in (3, 4, 5))


def test_invented_people_are_clearly_invented(full: Season) -> None:
    """Personal data in the demo cannot belong to anybody."""
    people = [one["customer"] for one in data_of(full, "order.placed.v1") if "customer" in one]
    assert all(one["email"].endswith("@example.invalid") and "Invented" in one["name"] for one in people)
    assert all(one["phone"].startswith("+86 000 ") for one in people)


def test_the_season_imports_nothing_of_the_product() -> None:
    """Its truth would prove nothing if it shared code with what it judges."""
    waiting, read = ["deploy.demo.season"], set[str]()
    while waiting:
        name = waiting.pop()
        read.add(name)
        tree = ast.parse(Path(str(importlib.import_module(name).__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for imported in names:
                assert imported.startswith("deploy.demo.") or imported.split(".")[0] in sys.stdlib_module_names
                waiting += [imported] if imported.startswith("deploy.") and imported not in read else []
    assert "deploy.demo.ledger" in read
    assert "deploy.demo.player" not in read
