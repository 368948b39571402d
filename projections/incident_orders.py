"""Incidents of orders: which orders an incident concerns, and whose customers it is a reason to call."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from projections.muting import BACKLOGS
from projections.view import Rows, among

TABLES: Final = ("incident_orders",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS incident_orders (
        order_id TEXT NOT NULL, id TEXT NOT NULL, calls INTEGER NOT NULL,
        PRIMARY KEY (order_id, id)) WITHOUT ROWID""",
    # The orders of an incident; the key gives the incidents of an order.
    "CREATE INDEX IF NOT EXISTS incident_orders_of ON incident_orders (id)",
)


def note(rows: Rows, told: Mapping[str, Iterable[str]], bodies: Mapping[str, dict[str, Any]]) -> None:
    """Keep the orders that incidents have concerned, and by the findings that count whose customers are to be called.

    Only what changed is written.
    """
    known: dict[str, dict[str, int]] = {identity: {} for identity in bodies}
    for identity, order_id, calls in among(
        rows, "SELECT id, order_id, calls FROM incident_orders WHERE id IN ({among})", [*bodies]
    ):
        known[identity][order_id] = calls
    come, other = [], []
    for identity, body in bodies.items():
        before, called = known[identity], _to_call(body)
        come += [(one, identity, int(one in called)) for one in dict.fromkeys(told[identity]) if one not in before]
        other += [(int(one in called), one, identity) for one, calls in before.items() if calls != (one in called)]
    rows.executemany("INSERT INTO incident_orders VALUES (?,?,?)", come)
    rows.executemany("UPDATE incident_orders SET calls = ? WHERE order_id = ? AND id = ?", other)


def _to_call(body: dict[str, Any]) -> frozenset[str]:
    """Name the orders whose customers an incident is a reason to call.

    A backlog is none: each of its members has an incident of its own. A cluster names whom it still has to reach.
    """
    if body["kind"] in BACKLOGS:
        return frozenset()
    return frozenset(body["detail"].get("ranked", body["order_ids"]))
