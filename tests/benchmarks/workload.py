"""The one input of every measurement: seeded contract messages in order of world time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
from kafka.partitioner.default import murmur2

ORDERS = "orders.events.v1"
LOGISTICS = "logistics.events.v1"
TOPICS = (ORDERS, LOGISTICS)
PARTITIONS = 3
SEED = 20260302

HEADERS = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
START = datetime(2026, 3, 2, tzinfo=UTC)
SEASON = timedelta(days=20)
EVENTS_AN_ORDER = 9
PROMISE = timedelta(hours=48)
SHARE_SPLIT = 0.10
SHARE_LATE = 0.04
SHARE_NEVER = 0.01

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One record as a poll returns it: raw bytes and where they stood."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Workload:
    """The messages, and what is late among them by the plan that made them."""

    messages: tuple[Message, ...]
    promises: tuple["Promise", ...]
    until: datetime
    seed: int
    first: int = 0
    """The number of its first order."""

    @property
    def late(self) -> frozenset[str]:
        """Name what is late when the last message has been read."""
        return self.late_at(self.until)

    def late_at(self, now: datetime) -> frozenset[str]:
        """Name what is late for someone who has read everything, at that time."""
        return frozenset(one.fulfillment_id for one in self.promises if one.is_late(self.until, now))

    def batches(self, size: int) -> Iterator[Sequence[Message]]:
        """Cut the messages as a poll of at most ``size`` records would."""
        for start in range(0, len(self.messages), size):
            yield self.messages[start : start + size]


@dataclass(frozen=True, slots=True)
class Planned:
    """One event before it became bytes."""

    at: datetime
    source: str
    id: str
    type: str
    subject: str
    key: str
    data: Json


@dataclass(frozen=True, slots=True)
class Promise:
    """What a fulfilment was promised, and when it really left."""

    fulfillment_id: str
    requested_at: datetime
    ship_by: datetime
    handed_over_at: datetime | None

    def is_late(self, until: datetime, now: datetime) -> bool:
        """Say whether this is a late shipment at ``now`` for someone who has read up to ``until``."""
        if self.requested_at > until or self.ship_by >= now:
            return False
        left_at = self.handed_over_at
        return left_at is None or left_at > min(until, self.ship_by)


def build(messages: int, seed: int = SEED, start: datetime = START, *, first: int = 0) -> Workload:
    """Make exactly so many messages; the same arguments give the same bytes for ever.

    ``first`` is the number of the first order, so that several workloads fit into one log.
    """
    orders = messages // EVENTS_AN_ORDER * 3 // 2 + 10
    numbers = range(first, first + orders)
    stories = [Story(Random(f"{seed}-{one}"), one, start + SEASON * (one - first) / orders) for one in numbers]
    return tell(stories, seed, first, messages)


def tell(stories: "Sequence[Story]", seed: int, first: int, messages: int | None = None) -> Workload:
    """Put the events of stories in order of time, so many of them, and into partitions."""
    events = sorted((one for story in stories for one in story.events), key=lambda one: (one.at, one.source, one.id))
    events = events[:messages]
    promises = tuple(promise for story in stories for promise in story.promises)
    return Workload(tuple(_records(events)), promises, events[-1].at, seed, first)


class Story:
    """One order from placing to the door."""

    def __init__(self, random: Random, number: int, around: datetime) -> None:
        """Tell the whole story at once, into ``events`` and ``promises``."""
        self.events: list[Planned] = []
        self.promises: list[Promise] = []
        self._random = random
        self._order_id = f"SO-2026-{number:08d}"
        self._shop = f"/shops/{random.choice(('tmall', 'jd', 'own'))}"
        self._warehouse = random.choice(("W-SP", "W-NB", "W-CD", "W-GZ"))
        self._carrier = random.choice(("sf", "zto", "yto"))
        self._placed_at = around.replace(microsecond=0) + self._between(0, 0.02)
        self._lines = self._some_lines()
        self._ship_by = self._promised()
        self._tell()

    def _promised(self) -> datetime:
        return self._placed_at + PROMISE

    def _tell(self) -> None:
        self._order("order.placed.v1", self._placed_at, self._placed())
        approved_at = self._placed_at + self._between(0.02, 0.5)
        self._order("order.approved.v1", approved_at, {"order_id": self._order_id})
        for number, lines in enumerate(self._shares(), start=1):
            requested_at = approved_at + self._between(0.01, 0.1)
            name = f"{self._order_id}-F{number}"
            self._order("fulfillment.requested.v1", requested_at, self._request(name, lines))
            left_at = self._travel(name, f"PC-2026-{self._order_id[-8:]}{number}", lines)
            self.promises.append(Promise(name, requested_at, self._ship_by, left_at))

    def _travel(self, fulfillment_id: str, parcel_id: str, lines: list[Json]) -> datetime | None:
        fate = self._random.random()
        if fate < SHARE_NEVER:
            return None
        packed_at = self._placed_at + self._between(2, 30)
        picked_up_at = packed_at + self._between(1, 12)
        if fate < SHARE_NEVER + SHARE_LATE:
            picked_up_at = self._ship_by + self._between(0.5, 30)
        warehouse = f"/warehouses/{self._warehouse}"
        packed = self._packed(fulfillment_id, parcel_id, lines)
        self._add(warehouse, "parcel.packed.v1", packed_at, parcel_id, packed)
        labelled = self._labelled(fulfillment_id, parcel_id)
        self._add(warehouse, "parcel.labelled.v1", packed_at + self._between(0.05, 0.4), parcel_id, labelled)
        moved_at = picked_up_at + self._between(4, 24)
        self._scan(parcel_id, "picked_up", picked_up_at)
        self._scan(parcel_id, "in_transit", moved_at)
        self._scan(parcel_id, "delivered", moved_at + self._between(8, 48))
        return picked_up_at

    def _placed(self) -> Json:
        return {
            "order_id": self._order_id,
            "customer_id": f"C{self._random.randrange(10**6):06d}",
            "currency": "CNY",
            "destination": f"{self._random.randrange(10, 82)}0000",
            "lines": self._lines,
        }

    def _request(self, fulfillment_id: str, lines: list[Json]) -> Json:
        return {
            "fulfillment_id": fulfillment_id,
            "order_id": self._order_id,
            "warehouse_id": self._warehouse,
            "ship_by": text_of(self._ship_by),
            "lines": [{"line_id": one["line_id"]} for one in lines],
        }

    def _packed(self, fulfillment_id: str, parcel_id: str, lines: list[Json]) -> Json:
        contents = [
            {"order_id": self._order_id} | {name: one[name] for name in ("sku", "quantity", "line_id")} for one in lines
        ]
        return {
            "parcel_id": parcel_id,
            "warehouse_id": self._warehouse,
            "fulfillment_ids": [fulfillment_id],
            "contents": contents,
        }

    def _labelled(self, fulfillment_id: str, parcel_id: str) -> Json:
        return {
            "parcel_id": parcel_id,
            "carrier": self._carrier,
            "tracking_number": f"{self._carrier.upper()}{self._random.randrange(10**12):012d}",
            "order_ids": [self._order_id],
            "fulfillment_ids": [fulfillment_id],
        }

    def _scan(self, parcel_id: str, status: str, at: datetime) -> None:
        hub = f"{self._carrier.upper()}-{self._random.randrange(400):03d}"
        scan = {"parcel_id": parcel_id, "carrier": self._carrier, "status": status, "facility_id": hub}
        self._add(f"/carriers/{self._carrier}", "parcel.scanned.v1", at, parcel_id, scan)

    def _order(self, name: str, at: datetime, data: Json) -> None:
        self._add(self._shop, name, at, self._order_id, data)

    def _add(self, source: str, name: str, at: datetime, key: str, data: Json) -> None:
        event_id = f"{self._random.getrandbits(96):024x}"
        self.events.append(Planned(at, source, event_id, name, key, key, data))

    def _some_lines(self) -> list[Json]:
        count = self._random.choices((1, 2, 3), (6, 3, 1))[0]
        return [
            {
                "line_id": str(number),
                "sku": f"SKU-{self._random.randrange(5000):04d}",
                "quantity": self._random.randint(1, 3),
                "unit_price": f"{self._random.randrange(900, 99900) / 100:.2f}",
            }
            for number in range(1, count + 1)
        ]

    def _shares(self) -> list[list[Json]]:
        if len(self._lines) > 1 and self._random.random() < SHARE_SPLIT / 0.4:
            return [self._lines[:1], self._lines[1:]]
        return [self._lines]

    def _between(self, least_hours: float, most_hours: float) -> timedelta:
        return timedelta(seconds=round(self._random.uniform(least_hours, most_hours) * 3600))


def _records(events: Sequence[Planned]) -> Iterator[Message]:
    ends: dict[tuple[str, int], int] = {}
    for one in events:
        topic = LOGISTICS if one.type.startswith("parcel.") else ORDERS
        key = one.key.encode()
        # The partition that a Kafka producer would choose by itself.
        partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
        offset = ends.get((topic, partition), 0)
        ends[topic, partition] = offset + 1
        yield Message(topic, partition, offset, int(one.at.timestamp() * 1000), key, body(one))


def body(event: Planned) -> bytes:
    """Write an event as the contract has it."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject,
            "time": text_of(event.at),
            "data": event.data,
        }
    )


def text_of(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
