"""Orders: what each order is to ship until when, and which of it is about to be late."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from domain.history.batch import PolicyAdopted
from domain.incidents.assurance import EVENTS as ASSURANCES
from domain.judging.standing import order_is_open
from domain.naming import stream as name_of
from domain.orders.order import EVENTS, Order
from projections.order_document import Due, clocks, document, due_delivery
from projections.subjects import Subjects
from projections.view import Rows, Streams, among

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_SLICE: Final = 1000


class Orders:
    """Keeps every order with its fulfilments; what can still be late is found by when it must be warned of."""

    name = "orders"
    version = 2
    tables = ("orders", "fulfillments", "deliveries")
    schema = (
        """CREATE TABLE IF NOT EXISTS orders (
            order_id TEXT PRIMARY KEY, position INTEGER NOT NULL, open INTEGER NOT NULL,
            body BLOB NOT NULL) WITHOUT ROWID""",
        # What a new policy writes anew.
        "CREATE INDEX IF NOT EXISTS orders_open ON orders (order_id) WHERE open = 1",
        """CREATE TABLE IF NOT EXISTS fulfillments (
            order_id TEXT NOT NULL, fulfillment_id TEXT NOT NULL, warehouse TEXT, deadline INTEGER, warn_at INTEGER,
            PRIMARY KEY (order_id, fulfillment_id)) WITHOUT ROWID""",
        # What is to be shipped soon, the first deadline first: everywhere, and at a warehouse.
        """CREATE INDEX IF NOT EXISTS fulfillments_due ON fulfillments (deadline, order_id, fulfillment_id)
            WHERE warn_at IS NOT NULL""",
        """CREATE INDEX IF NOT EXISTS fulfillments_due_at
            ON fulfillments (warehouse, deadline, order_id, fulfillment_id) WHERE warn_at IS NOT NULL""",
        # Only what is still to be delivered.
        """CREATE TABLE IF NOT EXISTS deliveries (
            order_id TEXT PRIMARY KEY, deadline INTEGER NOT NULL, warn_at INTEGER NOT NULL) WITHOUT ROWID""",
        # What is to be delivered soon, the first deadline first.
        "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (deadline, order_id, warn_at)",
    )
    topics = frozenset(event.TOPIC for event in (*EVENTS, *ASSURANCES, PolicyAdopted))

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write the order anew; another policy writes every open order anew."""
        if "policy" in streams:
            _write_open(rows, subjects)
        # Findings are in the streams of other subjects as well.
        touched = {name: entries[-1].position for name, entries in streams.items() if name.startswith("order-")}
        _write(rows, touched, subjects)


VIEW = Orders()


def one(rows: Rows, order_id: str) -> tuple[int, dict[str, Any]] | None:
    """Give an order with the position of its last change."""
    return several(rows, [order_id]).get(order_id)


def several(rows: Rows, order_ids: Sequence[str]) -> dict[str, tuple[int, dict[str, Any]]]:
    """Give these orders, as far as they are known, each with the position of its last change."""
    found = among(rows, "SELECT order_id, position, body FROM orders WHERE order_id IN ({among})", order_ids)
    return {order_id: (position, _DECODE(body)) for order_id, position, body in found}


def delivery(rows: Rows, order_id: str) -> Due | None:
    """Give the delivery clock of an order, while it runs."""
    row = rows.execute("SELECT deadline, warn_at FROM deliveries WHERE order_id = ?", (order_id,)).fetchone()
    return None if row is None else Due(*row)


def _write_open(rows: Rows, subjects: Subjects) -> None:
    last = ""
    while page := rows.execute(
        "SELECT order_id, position FROM orders WHERE open = 1 AND order_id > ? ORDER BY order_id LIMIT ?",
        (last, _SLICE),
    ).fetchall():
        positions = {name_of("order", row[0]): row[1] for row in page}
        read = subjects.load(positions)
        _write(rows, positions, subjects)
        subjects.release(read)
        last = page[-1][0]


def _write(rows: Rows, positions: Mapping[str, int], subjects: Subjects) -> None:
    """Write orders, each as it stands since a position, with its clocks."""
    orders, fulfillments, implicit = [], [], []
    running: dict[str, Due | None] = {}
    for stream, position in positions.items():
        order: Order = subjects.get(stream)
        still_open = order_is_open(order)
        # An open order is shown by all that is known today, a finished one by what was known at its last change.
        policies = subjects.policies(None if still_open else position)
        shown = clocks(order, policies)
        orders.append((order.id, position, int(still_open), _ENCODE(document(order, shown))))
        fulfillments += [
            (order.id, one.fulfillment.id, one.fulfillment.warehouse_id, one.deadline, one.warn_at) for one in shown
        ]
        running[order.id] = due_delivery(order, policies) if still_open else None
        placed = order.placed
        if placed is not None and placed.ship_by is not None and order.id not in {one.fulfillment.id for one in shown}:
            implicit.append((order.id, order.id))
    rows.executemany(
        "INSERT INTO orders VALUES (?,?,?,?) ON CONFLICT (order_id) DO UPDATE SET "
        "position = excluded.position, open = excluded.open, body = excluded.body",
        orders,
    )
    rows.executemany(
        "INSERT INTO fulfillments VALUES (?,?,?,?,?) ON CONFLICT (order_id, fulfillment_id) DO UPDATE SET "
        "warehouse = excluded.warehouse, deadline = excluded.deadline, warn_at = excluded.warn_at",
        fulfillments,
    )
    # The implicit fulfilment, should there have been one before the first request was heard of.
    rows.executemany("DELETE FROM fulfillments WHERE order_id = ? AND fulfillment_id = ?", implicit)
    rows.executemany(
        "DELETE FROM deliveries WHERE order_id = ?", [(name,) for name, due in running.items() if due is None]
    )
    rows.executemany(
        "INSERT INTO deliveries VALUES (?,?,?) ON CONFLICT (order_id) DO UPDATE SET "
        "deadline = excluded.deadline, warn_at = excluded.warn_at",
        [(name, due.deadline, due.warn_at) for name, due in running.items() if due is not None],
    )
