"""Topics: which events belong where, and under which key."""

from typing import Any, Final

from consumers.translate import COMPLAINTS, LOGISTICS, ORDERS

_FAMILY: Final = {
    "order": ORDERS,
    "fulfillment": ORDERS,
    "price": ORDERS,
    "complaint": COMPLAINTS,
}
_KEYS: Final = {
    ORDERS: ("order_id", "sku"),
    LOGISTICS: ("parcel_id", "order_id", "listing_sku"),
    COMPLAINTS: ("complaint_id",),
}


def place(event: Any) -> tuple[str, str | None]:
    """Give the default topic and the record key of an event; what is no event goes where it will be quarantined."""
    if not isinstance(event, dict):
        return LOGISTICS, None
    topic = _FAMILY.get(str(event.get("type")).split(".")[0], LOGISTICS)
    data = event.get("data")
    known = data if isinstance(data, dict) else {}
    keys = (known.get(name) for name in _KEYS[topic])
    key = next((key for key in keys if isinstance(key, str)), None)
    source = event.get("source")
    return topic, key if key is not None else source if isinstance(source, str) else None
