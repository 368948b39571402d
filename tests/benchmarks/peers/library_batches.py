"""`eventsourcing` by someone who has read its source: batches, orjson, a cache, the view in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, StoredEvent, Transcoder
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory

from tests.benchmarks.peers import shipments
from tests.benchmarks.peers.newcomer import Order, Parcel
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Message, Workload

POSITIONS = """CREATE TABLE IF NOT EXISTS positions (
    topic TEXT, partition INTEGER, next_offset INTEGER, PRIMARY KEY (topic, partition)) WITHOUT ROWID"""
TIMES = {"timestamp", "placed_at", "approved_at", "ship_by", "scanned_at"}


class Facts:
    """What one batch says to the view and to the positions."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.promised: list[tuple[str, str, str]] = []
        self.packed: list[tuple[str, str]] = []
        self.handed_over: list[tuple[str, str]] = []
        self.ends: dict[tuple[str, int], int] = {}


class OrjsonTranscoder(Transcoder):
    """Lets orjson write datetimes and UUIDs as text."""

    def encode(self, obj: object) -> bytes:
        """Turn an event's state into bytes."""
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:
        """Turn bytes into an event's state."""
        state = orjson.loads(data)
        for name in TIMES & state.keys():
            state[name] = datetime.fromisoformat(state[name])
        return state


class Recorder(SQLiteApplicationRecorder):
    """Writes the view's rows and the positions in the transaction of the events."""

    def construct_create_table_statements(self) -> list[str]:
        """Add the view and the positions to the library's tables."""
        return [*super().construct_create_table_statements(), *shipments.TABLES, POSITIONS]

    def _insert_events(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **beside: Any) -> Sequence[int]:
        facts: Facts = beside["facts"]
        rows = [
            (one.originator_id.hex, one.originator_version, one.topic, one.state)  # type: ignore[union-attr]
            for one in stored_events
        ]
        c.executemany(self.insert_events_statement, rows)
        shipments.promise(c, facts.promised)
        c.executemany(shipments.PACKED, facts.packed)
        shipments.hand_over(c, facts.handed_over)
        c.execute(shipments.OVERDUE, (beside["now"],))
        ends = [(*place, offset) for place, offset in facts.ends.items()]
        c.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", ends)
        # Ids are given in order by the one writer, so the last one tells them all.
        c.execute("SELECT max(rowid) FROM stored_events")
        last = c.fetchone()[0] or 0
        return range(last - len(rows) + 1, last + 1)


class Shop(Application[UUID]):
    """Takes a batch of messages in with one save."""

    _now = ""

    def construct_transcoder(self) -> Transcoder:
        """Use orjson for the events."""
        return OrjsonTranscoder()

    def construct_recorder(self) -> ApplicationRecorder:
        """Use the recorder that also keeps the view."""
        assert isinstance(self.factory, SQLiteFactory)
        self.factory.application_recorder_class = Recorder
        return self.factory.application_recorder()

    def take(self, messages: Sequence[Message]) -> None:
        """Do what all messages of a batch say, in one transaction."""
        facts = Facts()
        touched: dict[UUID, Order | Parcel] = {}
        for message in messages:
            self._take(orjson.loads(message.value), touched, facts)
            facts.ends[message.topic, message.partition] = message.offset + 1
        self.save(*touched.values(), facts=facts, now=self._now)

    def _take(self, body: dict[str, Any], touched: dict[UUID, Order | Parcel], facts: Facts) -> None:
        self._now = max(self._now, datetime.fromisoformat(body["time"]).isoformat())
        if body["type"].startswith("parcel."):
            self._take_parcel(body, touched, facts)
        else:
            self._take_order(body, touched, facts)

    def _take_order(self, body: dict[str, Any], touched: dict[UUID, Order | Parcel], facts: Facts) -> None:
        data, happened_at = body["data"], datetime.fromisoformat(body["time"])
        name = Order.create_id(data["order_id"])
        if body["type"] == "order.placed.v1":
            touched[name] = Order(data["order_id"], data["lines"], happened_at)
            return
        order = touched.get(name) or self._load(name, touched)
        assert isinstance(order, Order)
        if body["type"] == "order.approved.v1":
            order.approve(happened_at)
            return
        ship_by = datetime.fromisoformat(data["ship_by"])
        order.request_fulfillment(data["fulfillment_id"], ship_by)
        facts.promised.append((data["fulfillment_id"], data["order_id"], ship_by.isoformat()))

    def _take_parcel(self, body: dict[str, Any], touched: dict[UUID, Order | Parcel], facts: Facts) -> None:
        data = body["data"]
        name = Parcel.create_id(data["parcel_id"])
        if body["type"] == "parcel.packed.v1":
            fulfillment_id = data["fulfillment_ids"][0]
            touched[name] = Parcel(data["parcel_id"], fulfillment_id, data["contents"])
            facts.packed.append((data["parcel_id"], fulfillment_id))
            return
        parcel = touched.get(name) or self._load(name, touched)
        assert isinstance(parcel, Parcel)
        if body["type"] == "parcel.labelled.v1":
            parcel.label(data["carrier"], data["tracking_number"])
            return
        scanned_at = datetime.fromisoformat(body["time"])
        parcel.scan(data["status"], scanned_at)
        if data["status"] in shipments.POSSESSION:
            facts.handed_over.append((scanned_at.isoformat(), data["parcel_id"]))

    def _load(self, name: UUID, touched: dict[UUID, Order | Parcel]) -> Order | Parcel:
        aggregate: Order | Parcel = self.repository.get(name)
        touched[name] = aggregate
        return aggregate


def open_shop(directory: Path) -> Shop:
    """Open the application on its own SQLite file, with every cache setting that helps."""
    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(directory / "shop.db"),
        "AGGREGATE_CACHE_MAXSIZE": "100000",
        "AGGREGATE_CACHE_FASTFORWARD": "n",
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
    }
    return Shop(env=settings)


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in."""
    shop = open_shop(directory)
    began = perf_counter()
    for messages in workload.batches(batch):
        shop.take(messages)
    seconds = perf_counter() - began
    outcome = _outcome(shop, seconds)
    shop.close()
    return outcome


def _outcome(shop: Shop, seconds: float) -> Outcome:
    assert isinstance(shop.recorder, Recorder)
    with shop.recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("SELECT fulfillment_id FROM late")
        late = frozenset(row[0] for row in cursor.fetchall())
        counted = " + ".join(
            f"(SELECT count(*) FROM {table})"
            for table in ("stored_events", "shipments", "parcels", "late", "positions")
        )
        cursor.execute(f"SELECT {counted}")
        return Outcome(late, seconds, int(cursor.fetchone()[0]))
