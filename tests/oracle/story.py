"""Short sentences to tell a world in: hours since the first of March, one source, ids that say what and when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.late_shipment import oracle

DAWN = datetime(2026, 3, 1, tzinfo=UTC)
Event = dict[str, Any]


def at(hours: float) -> str:
    """Write the instant so many hours after dawn."""
    return (DAWN + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def event(kind: str, hours: float, *, source: str = "/s", key: str = "", **data: object) -> Event:
    """Tell one event; members given as numbers of hours (``ship_by``, ``starts_at``) become times."""
    dates = {name: at(float(str(data[name]))) for name in ("ship_by", "starts_at") if name in data}
    return {
        "specversion": "1.0",
        "id": key or f"{kind.rpartition('.')[2]}@{hours:g}",
        "source": source,
        "type": f"{kind}.v1",
        "time": at(hours),
        "data": data | dates,
    }


def line(line_id: str, sku: str = "A", quantity: int = 1) -> Mapping[str, object]:
    """Describe one line of an order."""
    return {"line_id": line_id, "sku": sku, "quantity": quantity}


def placed(hours: float = 0, *, order: str = "O", lines: tuple[Mapping[str, object], ...] = (), **more: Any) -> Event:
    """Place an order, of one piece of A on line 1 unless said otherwise."""
    return event("order.placed", hours, order_id=order, lines=list(lines or (line("1"),)), **more)


def requested(hours: float = 0, fulfilment: str = "F", *, order: str = "O", **more: Any) -> Event:
    """Ask warehouse W to send a fulfilment."""
    more = {"warehouse_id": "W"} | more
    return event("fulfillment.requested", hours, fulfillment_id=fulfilment, order_id=order, **more)


def told(kind: str, hours: float, **more: Any) -> Event:
    """Tell something else of order O."""
    return event(f"order.{kind}", hours, **({"order_id": "O"} | more))


def scanned(hours: float, parcel: str = "P", status: str = "picked_up", **more: Any) -> Event:
    """Scan a parcel, which carries fulfilment F unless it names something else."""
    more = more if more.keys() & {"fulfillment_ids", "order_ids"} else more | {"fulfillment_ids": ["F"]}
    return event("parcel.scanned", hours, parcel_id=parcel, status=status, **more)


def packed(parcel: str, *contents: tuple[str, str, int, str | None], hours: float = 0, **more: Any) -> Event:
    """Record what was packed: (order, sku, quantity, line or none)."""
    items = [
        {"order_id": order, "sku": sku, "quantity": count} | ({"line_id": of_line} if of_line else {})
        for order, sku, count, of_line in contents
    ]
    return event("parcel.packed", hours, parcel_id=parcel, contents=items, **more)


def moved(hours: float, ship_by: float, agreed_by: str = "customer", **more: str) -> Event:
    """Move the promise of order O."""
    return told("promise_changed", hours, ship_by=ship_by, agreed_by=agreed_by, **more)


def held(hours: float, reason: str = "payment", **more: str) -> Event:
    """Hold order O."""
    return told("held", hours, reason=reason, **more)


def released(hours: float, reason: str = "payment", **more: str) -> Event:
    """Release order O."""
    return told("released", hours, reason=reason, **more)


def findings(*events: Event, now: float = 99, **rules: str) -> list[dict[str, Any]]:
    """Return what the oracle finds when time stands at ``now``."""
    return oracle([*events, event("feed.heartbeat", now)], {"late_shipment": rules})


def hours(text: str | None) -> float | None:
    """Read a time back as hours after dawn."""
    return None if text is None else (datetime.fromisoformat(text) - DAWN) / timedelta(hours=1)


def late(*events: Event, now: float = 99, **rules: str) -> list[tuple[str, float | None, float | None]]:
    """Return (subject, due, ended) of what the oracle finds."""
    found = findings(*events, now=now, **rules)
    return [(one["subject"], hours(one["due_at"]), hours(one["ended_at"])) for one in found]
