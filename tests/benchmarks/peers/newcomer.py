"""`eventsourcing` as its documentation teaches it: one save an event, one transaction an event in the view."""

import json
from abc import abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.sqlite import SQLiteFactory, SQLiteTrackingRecorder
from eventsourcing.utils import Environment

from tests.benchmarks.peers import shipments
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Workload

PAGE = 100


class Order(Aggregate):
    """An order, its lines and what the warehouses were asked for."""

    @event("Placed")
    def __init__(self, order_id: str, lines: list[dict[str, Any]], placed_at: datetime) -> None:
        """Begin with what the customer bought."""
        self.order_id = order_id
        self.lines = lines
        self.placed_at = placed_at
        self.approved_at: datetime | None = None
        self.ship_by: dict[str, datetime] = {}

    @staticmethod
    def create_id(order_id: str) -> UUID:
        """Name the aggregate after the order."""
        return uuid5(NAMESPACE_URL, f"/orders/{order_id}")

    @event("Approved")
    def approve(self, approved_at: datetime) -> None:
        """Let the shipping clock run."""
        self.approved_at = approved_at

    @event("FulfillmentRequested")
    def request_fulfillment(self, fulfillment_id: str, ship_by: datetime) -> None:
        """Ask a warehouse to send something by a time."""
        self.ship_by[fulfillment_id] = ship_by


class Parcel(Aggregate):
    """A parcel from packing to delivery."""

    @event("Packed")
    def __init__(self, parcel_id: str, fulfillment_id: str, contents: list[dict[str, Any]]) -> None:
        """Begin with what is in the box."""
        self.parcel_id = parcel_id
        self.fulfillment_id = fulfillment_id
        self.contents = contents
        self.carrier = ""
        self.tracking_number = ""
        self.status = "packed"

    @staticmethod
    def create_id(parcel_id: str) -> UUID:
        """Name the aggregate after the parcel."""
        return uuid5(NAMESPACE_URL, f"/parcels/{parcel_id}")

    @event("Labelled")
    def label(self, carrier: str, tracking_number: str) -> None:
        """Put the carrier's label on it."""
        self.carrier = carrier
        self.tracking_number = tracking_number

    @event("Scanned")
    def scan(self, status: str, scanned_at: datetime) -> None:
        """Hear from the carrier."""
        self.status = status
        self.scanned_at = scanned_at


class Shop(Application[UUID]):
    """Takes messages in, one aggregate and one transaction each."""

    now = datetime.min.replace(tzinfo=UTC)

    def take(self, value: bytes) -> None:
        """Do what one message says."""
        body = json.loads(value)
        happened_at = datetime.fromisoformat(body["time"])
        self.now = max(self.now, happened_at)
        data = body["data"]
        match body["type"]:
            case "order.placed.v1":
                self.save(Order(order_id=data["order_id"], lines=data["lines"], placed_at=happened_at))
            case "order.approved.v1":
                order: Order = self.repository.get(Order.create_id(data["order_id"]))
                order.approve(happened_at)
                self.save(order)
            case "fulfillment.requested.v1":
                order = self.repository.get(Order.create_id(data["order_id"]))
                order.request_fulfillment(data["fulfillment_id"], datetime.fromisoformat(data["ship_by"]))
                self.save(order)
            case "parcel.packed.v1":
                self.save(Parcel(data["parcel_id"], data["fulfillment_ids"][0], data["contents"]))
            case "parcel.labelled.v1":
                parcel: Parcel = self.repository.get(Parcel.create_id(data["parcel_id"]))
                parcel.label(data["carrier"], data["tracking_number"])
                self.save(parcel)
            case "parcel.scanned.v1":
                parcel = self.repository.get(Parcel.create_id(data["parcel_id"]))
                parcel.scan(data["status"], happened_at)
                self.save(parcel)


class ShipmentsView(TrackingRecorder):
    """What the projection needs from its database."""

    @abstractmethod
    def promise(self, fulfillment_id: str, order_id: str, ship_by: datetime, tracking: Tracking) -> None:
        """Note by when a fulfilment is to leave."""

    @abstractmethod
    def pack(self, parcel: str, fulfillment_id: str, tracking: Tracking) -> None:
        """Note which fulfilment a parcel carries."""

    @abstractmethod
    def hand_over(self, parcel: str, at: datetime, tracking: Tracking) -> None:
        """Note when a carrier had the parcel."""


class SQLiteShipmentsView(SQLiteTrackingRecorder, ShipmentsView):
    """Keeps rows and position in one SQLite transaction an event."""

    def construct_create_table_statements(self) -> list[str]:
        """Add our tables to the library's."""
        return [*super().construct_create_table_statements(), *shipments.TABLES]

    def promise(self, fulfillment_id: str, order_id: str, ship_by: datetime, tracking: Tracking) -> None:
        """Note by when a fulfilment is to leave."""
        with self.datastore.transaction(commit=True) as cursor:
            shipments.promise(cursor, [(fulfillment_id, order_id, ship_by.isoformat())])
            self._insert_tracking(cursor, tracking)

    def pack(self, parcel: str, fulfillment_id: str, tracking: Tracking) -> None:
        """Note which fulfilment a parcel carries."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(shipments.PACKED, (parcel, fulfillment_id))
            self._insert_tracking(cursor, tracking)

    def hand_over(self, parcel: str, at: datetime, tracking: Tracking) -> None:
        """Note when a carrier had the parcel, and whether that was late."""
        with self.datastore.transaction(commit=True) as cursor:
            shipments.hand_over(cursor, [(at.isoformat(), parcel)])
            self._insert_tracking(cursor, tracking)

    def flag_overdue(self, now: datetime) -> None:
        """Flag what should have left by now."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(shipments.OVERDUE, (now.isoformat(),))

    def late(self) -> frozenset[str]:
        """List the late fulfilments."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT fulfillment_id FROM late")
            return frozenset(row[0] for row in cursor.fetchall())

    def count_rows(self) -> int:
        """Count what the view holds."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM shipments) + (SELECT count(*) FROM parcels)")
            return int(cursor.fetchone()[0])


class Shipments(Projection[SQLiteShipmentsView]):
    """Turns events into the view."""

    @singledispatchmethod
    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        """Move on past events that the view does not show."""
        _ = domain_event
        self.view.insert_tracking(tracking)

    @process_event.register
    def _(self, domain_event: Order.FulfillmentRequested, tracking: Tracking) -> None:  # type: ignore[name-defined]
        order_id = str(domain_event.originator_id)
        self.view.promise(domain_event.fulfillment_id, order_id, domain_event.ship_by, tracking)

    @process_event.register
    def _(self, domain_event: Parcel.Packed, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.pack(str(domain_event.originator_id), domain_event.fulfillment_id, tracking)

    @process_event.register
    def _(self, domain_event: Parcel.Scanned, tracking: Tracking) -> None:  # type: ignore[name-defined]
        if domain_event.status not in shipments.POSSESSION:
            self.view.insert_tracking(tracking)
            return
        self.view.hand_over(str(domain_event.originator_id), domain_event.scanned_at, tracking)


class Follower:
    """Brings the view up to date by polling: SQLite has no subscriptions."""

    def __init__(self, shop: Shop, view: SQLiteShipmentsView) -> None:
        """Follow this application into this view."""
        self._shop = shop
        self._projection = Shipments(view)

    def catch_up(self) -> int:
        """Process everything recorded so far, and return the position reached."""
        view = self._projection.view
        position = view.max_tracking_id(self._shop.name) or 0
        while True:
            page = self._shop.recorder.select_notifications(position, PAGE, inclusive_of_start=False)
            for notification in page:
                tracking = Tracking(self._shop.name, notification.id)
                self._projection.process_event(self._shop.mapper.to_domain_event(notification), tracking)
                position = notification.id
            if len(page) < PAGE:
                return position


def open_shop(directory: Path) -> Shop:
    """Open the application on its own SQLite file."""
    return Shop(env=_settings(directory / "shop.db"))


def open_view(directory: Path) -> SQLiteShipmentsView:
    """Open the view on its own SQLite file."""
    environment = Environment("Shipments", _settings(directory / "view.db"))
    view = SQLiteFactory(environment).tracking_recorder(SQLiteShipmentsView)
    assert isinstance(view, SQLiteShipmentsView)
    return view


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every message in, the view following after each batch."""
    shop, view = open_shop(directory), open_view(directory)
    follower = Follower(shop, view)
    began = perf_counter()
    for messages in workload.batches(batch):
        for message in messages:
            shop.take(message.value)
        follower.catch_up()
        view.flag_overdue(shop.now)
    seconds = perf_counter() - began
    outcome = Outcome(view.late(), seconds, len(workload.messages) + view.count_rows())
    shop.close()
    view.datastore.close()
    return outcome


def _settings(path: Path) -> dict[str, str]:
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
