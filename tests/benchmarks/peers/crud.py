"""Tables and upserts, no history: what most teams would write, a batch a transaction."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.peers.shipments import POSSESSION
from tests.benchmarks.workload import Message, Workload

TABLES = """
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY, customer_id TEXT, destination TEXT, currency TEXT,
    placed_at TEXT, approved_at TEXT, lines TEXT) WITHOUT ROWID;
CREATE TABLE shipments (
    fulfillment_id TEXT PRIMARY KEY, order_id TEXT, warehouse_id TEXT, ship_by TEXT, handed_over_at TEXT) WITHOUT ROWID;
CREATE INDEX waiting ON shipments (ship_by) WHERE handed_over_at IS NULL;
CREATE TABLE parcels (
    parcel_id TEXT PRIMARY KEY, fulfillment_id TEXT, contents TEXT, carrier TEXT, tracking_number TEXT,
    status TEXT, facility_id TEXT, scanned_at TEXT) WITHOUT ROWID;
CREATE TABLE late (fulfillment_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE positions (
    topic TEXT, partition INTEGER, next_offset INTEGER, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
"""

PLACED = """INSERT INTO orders (order_id, customer_id, destination, currency, placed_at, lines)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET
    customer_id = excluded.customer_id, destination = excluded.destination, currency = excluded.currency,
    placed_at = excluded.placed_at, lines = excluded.lines"""
APPROVED = """INSERT INTO orders (order_id, approved_at) VALUES (?, ?)
    ON CONFLICT (order_id) DO UPDATE SET approved_at = excluded.approved_at"""
REQUESTED = """INSERT INTO shipments (fulfillment_id, order_id, warehouse_id, ship_by) VALUES (?, ?, ?, ?)
    ON CONFLICT (fulfillment_id) DO UPDATE SET
    order_id = excluded.order_id, warehouse_id = excluded.warehouse_id, ship_by = excluded.ship_by"""
PACKED = """INSERT INTO parcels (parcel_id, fulfillment_id, contents) VALUES (?, ?, ?)
    ON CONFLICT (parcel_id) DO UPDATE SET fulfillment_id = excluded.fulfillment_id, contents = excluded.contents"""
LABELLED = """INSERT INTO parcels (parcel_id, fulfillment_id, carrier, tracking_number) VALUES (?, ?, ?, ?)
    ON CONFLICT (parcel_id) DO UPDATE SET fulfillment_id = excluded.fulfillment_id,
    carrier = excluded.carrier, tracking_number = excluded.tracking_number"""
SCANNED = """INSERT INTO parcels (parcel_id, status, facility_id, scanned_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (parcel_id) DO UPDATE SET status = excluded.status, facility_id = excluded.facility_id,
    scanned_at = excluded.scanned_at WHERE parcels.scanned_at IS NULL OR parcels.scanned_at <= excluded.scanned_at"""
BROKEN = """INSERT OR IGNORE INTO late SELECT fulfillment_id FROM shipments
    WHERE fulfillment_id = ? AND handed_over_at > ship_by"""
HANDED_OVER = """INSERT INTO shipments (fulfillment_id, handed_over_at)
    SELECT fulfillment_id, ? FROM parcels WHERE parcel_id = ?
    ON CONFLICT (fulfillment_id) DO UPDATE SET handed_over_at = excluded.handed_over_at
    WHERE shipments.handed_over_at IS NULL OR shipments.handed_over_at > excluded.handed_over_at"""
TOO_LATE = """INSERT OR IGNORE INTO late SELECT fulfillment_id FROM shipments JOIN parcels USING (fulfillment_id)
    WHERE parcel_id = ? AND handed_over_at > ship_by"""
IN_TIME = """DELETE FROM late WHERE fulfillment_id = (SELECT fulfillment_id FROM shipments
    JOIN parcels USING (fulfillment_id) WHERE parcel_id = ? AND handed_over_at <= ship_by)"""
OVERDUE = """INSERT OR IGNORE INTO late
    SELECT fulfillment_id FROM shipments WHERE handed_over_at IS NULL AND ship_by < ?"""

# Parents first, so that a scan in the same batch finds its parcel and shipment.
ORDER = (PLACED, APPROVED, REQUESTED, BROKEN, PACKED, LABELLED, SCANNED, HANDED_OVER, IN_TIME, TOO_LATE)

COUNTED = ("orders", "shipments", "parcels", "late", "positions")

Rows = dict[str, list[tuple[Any, ...]]]


def open_tables(path: Path) -> sqlite3.Connection:
    """Open the tables in WAL mode; every commit reaches the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(TABLES)
    return connection


def take(connection: sqlite3.Connection, messages: Sequence[Message], now: str) -> str:
    """Take a batch in: all of its upserts, what is overdue, and the positions, or nothing; returns the new now."""
    now, rows, ends = decoded(messages, now)
    connection.execute("BEGIN IMMEDIATE")
    for statement, values in rows.items():
        connection.executemany(statement, values)
    connection.execute(OVERDUE, (now,))
    positions = [(*place, offset) for place, offset in ends.items()]
    connection.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", positions)
    connection.execute("COMMIT")
    return now


def decoded(messages: Sequence[Message], now: str) -> tuple[str, Rows, dict[tuple[str, int], int]]:
    """Read a batch: where time stands then, rows by statement, and positions by partition."""
    rows: Rows = {statement: [] for statement in ORDER}
    ends: dict[tuple[str, int], int] = {}
    for message in messages:
        body = orjson.loads(message.value)
        ROWS[body["type"]](body["data"], body["time"], rows)
        ends[message.topic, message.partition] = message.offset + 1
        now = max(now, body["time"])
    return now, rows, ends


def _placed(data: dict[str, Any], at: str, rows: Rows) -> None:
    lines = orjson.dumps(data["lines"]).decode()
    rows[PLACED].append((data["order_id"], data["customer_id"], data["destination"], data["currency"], at, lines))


def _approved(data: dict[str, Any], at: str, rows: Rows) -> None:
    rows[APPROVED].append((data["order_id"], at))


def _requested(data: dict[str, Any], _: str, rows: Rows) -> None:
    rows[REQUESTED].append((data["fulfillment_id"], data["order_id"], data["warehouse_id"], data["ship_by"]))
    rows[BROKEN].append((data["fulfillment_id"],))


def _packed(data: dict[str, Any], _: str, rows: Rows) -> None:
    contents = orjson.dumps(data["contents"]).decode()
    rows[PACKED].append((data["parcel_id"], data["fulfillment_ids"][0], contents))


def _labelled(data: dict[str, Any], _: str, rows: Rows) -> None:
    label = (data["parcel_id"], data["fulfillment_ids"][0], data["carrier"], data["tracking_number"])
    rows[LABELLED].append(label)


def _scanned(data: dict[str, Any], at: str, rows: Rows) -> None:
    rows[SCANNED].append((data["parcel_id"], data["status"], data["facility_id"], at))
    if data["status"] in POSSESSION:
        rows[HANDED_OVER].append((at, data["parcel_id"]))
        rows[IN_TIME].append((data["parcel_id"],))
        rows[TOO_LATE].append((data["parcel_id"],))


ROWS = {
    "order.placed.v1": _placed,
    "order.approved.v1": _approved,
    "fulfillment.requested.v1": _requested,
    "parcel.packed.v1": _packed,
    "parcel.labelled.v1": _labelled,
    "parcel.scanned.v1": _scanned,
}


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in."""
    with closing(open_tables(directory / "crud.db")) as connection:
        now = ""
        began = perf_counter()
        for messages in workload.batches(batch):
            now = take(connection, messages, now)
        seconds = perf_counter() - began
        late = frozenset(row[0] for row in connection.execute("SELECT fulfillment_id FROM late"))
        return Outcome(late, seconds, sum(_count(connection)))


def _count(connection: sqlite3.Connection) -> list[int]:
    return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED]
