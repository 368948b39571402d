"""What the contract says of an event, written down by the paper and by nothing of the product."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

Check = Callable[[object], bool] | dict[str, Any]
"""A dict of checks is an object with these members."""


def ident(value: object, longest: int = 128) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= longest
        and value == value.strip()
        and unicodedata.is_normalized("NFC", value)
        and not any(unicodedata.category(letter) == "Cc" for letter in value)
    )


def sku(value: object) -> bool:
    return ident(value, 200)


def quantity(value: object) -> bool:
    return whole(value) and value in range(1, 1_000_001)


def whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def text(value: object) -> bool:
    return isinstance(value, str)


def flag(value: object) -> bool:
    return isinstance(value, bool)


def money(value: object) -> bool:
    return isinstance(value, str) and Decimal(value) >= 0


def currency(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None


def instant(value: object) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


def one_of(*values: str) -> Callable[[object], bool]:
    return lambda value: value in values


def each(check: Check) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and not any(wrong("", one, check) for one in value)


ITEM = {"order_id": ident, "sku": sku, "quantity": quantity, "line_id?": ident}
LINE = {
    "line_id": ident,
    "sku": sku,
    "quantity": quantity,
    "unit_price?": money,
    "name?": text,
    "seller_id?": ident,
    "gift?": flag,
}
HELD = {
    "order_id": ident,
    "fulfillment_id?": ident,
    "reason": one_of("payment", "fraud", "address", "customer_request", "stock"),
}
STOCK = {"order_id": ident, "sku": sku, "warehouse_id?": ident, "quantity?": quantity}
CATEGORY = one_of(
    "late",
    "not_received",
    "wrong_item",
    "missing_item",
    "extra_item",
    "damaged",
    "defective",
    "price_difference",
    "other",
)
STATUSES = (
    "label_created",
    "picked_up",
    "in_transit",
    "arrived_facility",
    "departed_facility",
    "out_for_delivery",
    "ready_for_pickup",
    "delivery_failed",
    "delivery_delayed",
    "on_hold",
    "customs_hold",
    "delivered",
    "refused",
    "return_to_sender",
    "returned",
    "lost",
    "damaged",
    "cancelled",
    "unknown",
)
DATA: dict[str, dict[str, Any]] = {
    "order.placed.v1": {
        "order_id": ident,
        "lines": each(LINE),
        "customer_id?": ident,
        "customer_tier?": text,
        "sales_channel?": text,
        "currency?": currency,
        "deliver_by?": instant,
        "ship_by?": instant,
        "destination?": text,
        "customer?": {"name?": text, "phone?": text, "email?": text},
    },
    "order.approved.v1": {"order_id": ident},
    "fulfillment.requested.v1": {
        "fulfillment_id": ident,
        "order_id": ident,
        "warehouse_id": ident,
        "ship_by?": instant,
        "lines?": each({"line_id": ident, "quantity?": quantity}),
    },
    "order.promise_changed.v1": {
        "order_id": ident,
        "fulfillment_id?": ident,
        "ship_by?": instant,
        "deliver_by?": instant,
        "agreed_by": one_of("customer", "platform", "merchant"),
        "reason?": text,
    },
    "order.held.v1": HELD,
    "order.released.v1": HELD,
    "order.cancelled.v1": {"order_id": ident, "line_ids?": each(ident), "reason?": text},
    "price.changed.v1": {
        "sku": sku,
        "price": money,
        "currency": currency,
        "sales_channel?": text,
        "mistaken?": flag,
    },
    "item.picked.v1": STOCK,
    "item.out_of_stock.v1": STOCK,
    "item.restocked.v1": STOCK,
    "sku.binding_changed.v1": {"listing_sku": sku, "warehouse_sku": sku, "version": ident, "warehouse_id?": ident},
    "parcel.packed.v1": {
        "parcel_id": ident,
        "warehouse_id?": ident,
        "contents": each(ITEM),
        "expected?": each(ITEM),
        "fulfillment_ids?": each(ident),
        "weight_g?": whole,
        "expected_weight_g?": whole,
        "binding_version?": ident,
        "last?": flag,
    },
    "parcel.labelled.v1": {
        "parcel_id": ident,
        "carrier": ident,
        "tracking_number": ident,
        "order_ids?": each(ident),
        "fulfillment_ids?": each(ident),
    },
    "parcel.scanned.v1": {
        "parcel_id?": ident,
        "carrier?": ident,
        "tracking_number?": ident,
        "status?": one_of(*STATUSES),
        "raw_code?": text,
        "raw_text?": text,
        "facility_id?": ident,
        "region?": text,
        "estimated_delivery?": instant,
        "reason?": text,
    },
    "parcel.voided.v1": {"parcel_id": ident, "replaced_by?": ident},
    "feed.heartbeat.v1": {},
    "complaint.opened.v1": {
        "complaint_id": ident,
        "order_id?": ident,
        "customer_id?": ident,
        "channel": text,
        "category?": CATEGORY,
        "complexity?": one_of("general", "complex"),
        "items?": each({"sku": sku, "received_sku?": sku, "quantity?": quantity}),
        "text?": text,
        "language?": text,
    },
    "complaint.answered.v1": {"complaint_id": ident, "by?": ident, "channel?": text},
    "complaint.categorised.v1": {"complaint_id": ident, "category": CATEGORY, "by?": ident},
    "complaint.escalated.v1": {"complaint_id": ident, "to?": text, "reason?": text},
    "complaint.resolved.v1": {"complaint_id": ident, "reason?": text},
    "complaint.reopened.v1": {"complaint_id": ident, "reason?": text},
    "complaint.waiting.v1": {"complaint_id": ident, "on": one_of("customer", "carrier", "staff")},
}
ENVELOPE = {
    "specversion": one_of("1.0"),
    "id": ident,
    "source": ident,
    "type": one_of(*DATA),
    "subject": ident,
    "time": instant,
    "datacontenttype": one_of("application/json"),
    "data": lambda value: isinstance(value, dict),
}


def wrong(where: str, value: object, check: Check) -> list[str]:
    """List what is wrong with a value; a dict of checks means an object with these members and no others."""
    if not isinstance(check, dict):
        return [] if check(value) else [f"{where}: {value!r}"]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    missing = [name for name in check if not name.endswith("?") and name not in value]
    unknown = [name for name in value if name not in check and f"{name}?" not in check]
    inside = [
        problem
        for name, member in value.items()
        if name not in unknown
        for problem in wrong(f"{where}.{name}", member, check[name if name in check else f"{name}?"])
    ]
    return [f"{where}: no {name}" for name in missing] + [f"{where}: unknown {name}" for name in unknown] + inside


def violations(event: dict[str, Any]) -> list[str]:
    """List where an event breaks the contract."""
    found = wrong("", event, ENVELOPE) or wrong(event["type"], event["data"], DATA[event["type"]])
    data = event["data"]
    if event["type"] == "parcel.scanned.v1":
        if "parcel_id" not in data and not {"carrier", "tracking_number"} <= data.keys():
            found.append("a scan of nothing")
        if not {"status", "raw_code", "raw_text"} & data.keys():
            found.append("a scan that says nothing")
    return found
