"""Keys: which orders and parcels a log knows of, in the order of their names, a slice at a time."""

from projections.view import Rows


def orders(rows: Rows, after: str, limit: int) -> list[str]:
    """List the orders after one; the empty name is before the first."""
    found = rows.execute("SELECT order_id FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ?", (after, limit))
    return [row[0] for row in found]


def parcels(rows: Rows, after: str, limit: int) -> list[str]:
    """List the parcels after one."""
    found = rows.execute("SELECT parcel_id FROM parcels WHERE parcel_id > ? ORDER BY parcel_id LIMIT ?", (after, limit))
    return [row[0] for row in found]
