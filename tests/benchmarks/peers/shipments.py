"""The view of both library peers: what was promised, what has left, what is late."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class Cursor(Protocol):
    """As much of a database cursor as the view needs."""

    def execute(self, statement: str, parameters: Sequence[object] = ..., /) -> object:
        """Run one statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> object:
        """Run one statement for many rows."""


# A carrier has the parcel from any of these on.
POSSESSION = frozenset(
    {
        "picked_up",
        "in_transit",
        "arrived_facility",
        "departed_facility",
        "out_for_delivery",
        "ready_for_pickup",
        "delivered",
    }
)

TABLES = (
    """CREATE TABLE IF NOT EXISTS shipments (
        fulfillment_id TEXT PRIMARY KEY, order_id TEXT, ship_by TEXT, handed_over_at TEXT) WITHOUT ROWID""",
    """CREATE INDEX IF NOT EXISTS waiting ON shipments (ship_by) WHERE handed_over_at IS NULL""",
    """CREATE TABLE IF NOT EXISTS parcels (
        parcel TEXT PRIMARY KEY, fulfillment_id TEXT) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS late (fulfillment_id TEXT PRIMARY KEY) WITHOUT ROWID""",
)

PROMISED = """INSERT INTO shipments (fulfillment_id, order_id, ship_by) VALUES (?, ?, ?)
    ON CONFLICT (fulfillment_id) DO UPDATE SET order_id = excluded.order_id, ship_by = excluded.ship_by"""
PACKED = "INSERT OR REPLACE INTO parcels VALUES (?, ?)"
HANDED_OVER = """INSERT INTO shipments (fulfillment_id, handed_over_at)
    SELECT fulfillment_id, ? FROM parcels WHERE parcel = ?
    ON CONFLICT (fulfillment_id) DO UPDATE SET handed_over_at =
        min(excluded.handed_over_at, coalesce(shipments.handed_over_at, excluded.handed_over_at))"""
# The scan may come after the deadline was flagged and still be in time, or be the first to show lateness.
IN_TIME = """DELETE FROM late WHERE fulfillment_id IN (
    SELECT fulfillment_id FROM parcels JOIN shipments USING (fulfillment_id)
    WHERE parcel = ? AND handed_over_at <= ship_by)"""
TOO_LATE = """INSERT OR IGNORE INTO late
    SELECT fulfillment_id FROM parcels JOIN shipments USING (fulfillment_id)
    WHERE parcel = ? AND handed_over_at > ship_by"""
BROKEN = """INSERT OR IGNORE INTO late
    SELECT fulfillment_id FROM shipments WHERE fulfillment_id = ? AND handed_over_at > ship_by"""
OVERDUE = """INSERT OR IGNORE INTO late
    SELECT fulfillment_id FROM shipments WHERE handed_over_at IS NULL AND ship_by < ?"""


def promise(cursor: Cursor, rows: Sequence[tuple[str, str, str]]) -> None:
    """Note by when fulfilments are to leave, as (fulfilment, order, time); a carrier may have spoken before."""
    cursor.executemany(PROMISED, rows)
    cursor.executemany(BROKEN, [(fulfillment_id,) for fulfillment_id, _, _ in rows])


def hand_over(cursor: Cursor, rows: Sequence[tuple[str, str]]) -> None:
    """Note the parcels that carriers took, as (time, parcel), and judge them."""
    parcels = [(parcel,) for _, parcel in rows]
    cursor.executemany(HANDED_OVER, rows)
    cursor.executemany(IN_TIME, parcels)
    cursor.executemany(TOO_LATE, parcels)
