"""Incidents of orders: which orders an incident concerns, and whose customers it is a reason to call."""

from collections.abc import Iterable
from typing import Any, Final

from projections.muting import BACKLOGS
from projections.view import Rows

TABLES: Final = ("incident_orders",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS incident_orders (
        order_id TEXT NOT NULL, id TEXT NOT NULL, calls INTEGER NOT NULL,
        PRIMARY KEY (order_id, id)) WITHOUT ROWID""",
    # The orders of an incident; the key gives the incidents of an order.
    "CREATE INDEX IF NOT EXISTS incident_orders_of ON incident_orders (id)",
)


def note(rows: Rows, identity: str, order_ids: Iterable[str]) -> None:
    """Keep that an incident has concerned these orders."""
    rows.executemany(
        "INSERT INTO incident_orders VALUES (?,?,0) ON CONFLICT DO NOTHING", [(one, identity) for one in order_ids]
    )


def call(rows: Rows, identity: str, body: dict[str, Any]) -> None:
    """Keep whose customers are to be called, by the finding that counts; only what changed is written."""
    calls = _to_call(body)
    known = rows.execute("SELECT order_id, calls FROM incident_orders WHERE id = ?", (identity,)).fetchall()
    rows.executemany(
        "UPDATE incident_orders SET calls = ? WHERE order_id = ? AND id = ?",
        [(int(row[0] in calls), row[0], identity) for row in known if row[1] != (row[0] in calls)],
    )


def _to_call(body: dict[str, Any]) -> frozenset[str]:
    """Name the orders whose customers an incident is a reason to call.

    A backlog is none: each of its members has an incident of its own. A cluster names whom it still has to reach.
    """
    if body["kind"] in BACKLOGS:
        return frozenset()
    return frozenset(body["detail"].get("ranked", body["order_ids"]))
