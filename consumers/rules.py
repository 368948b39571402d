"""The contract's rules on single values: ids, SKUs, quantities, money. One rule a field name."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from domain.parcels.events import STATUSES

MAX_ID: Final = 128
MAX_SKU: Final = 200
MAX_QUANTITY: Final = 1_000_000

_AMOUNT = re.compile(r"-?\d{1,18}(\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_STATUS = frozenset(STATUSES)

Rule = Callable[[Any], None]


def identifier(value: str, longest: int = MAX_ID) -> None:
    """Accept 1–128 characters without control characters or outer blanks, in NFC.

    Raises:
        ValueError: it is not that.
    """
    if value.isascii() and value.isprintable():
        if not (0 < len(value) <= longest) or value[0] == " " or value[-1] == " ":
            raise ValueError(f"{value[:40]!r} is no id of 1 to {longest} characters without outer blanks")
        return
    if not 0 < len(value) <= longest:
        raise ValueError(f"an id of {len(value)} characters; 1 to {longest} are allowed")
    if value != value.strip() or any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise ValueError(f"{value[:40]!r} has control characters or outer blanks")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError(f"{value[:40]!r} is not in Unicode normal form C")


recurring = lru_cache(maxsize=1 << 15)(identifier)
"""The same for what comes again: ids of an order with each of its events, a carrier with each of its scans."""


def _sku(value: str) -> None:
    recurring(value, MAX_SKU)


def _identifiers(values: tuple[str, ...]) -> None:
    for value in values:
        recurring(value)


def _quantity(value: int) -> None:
    if not 1 <= value <= MAX_QUANTITY:
        raise ValueError(f"quantity {value} is not between 1 and {MAX_QUANTITY}")


def is_amount(value: Any) -> bool:
    """Say whether this is an amount as the contract writes them: a decimal number in text."""
    return isinstance(value, str) and _AMOUNT.fullmatch(value) is not None


def _amount(value: str) -> None:
    if not is_amount(value):
        raise ValueError(f"{value[:40]!r} is no decimal amount")


def _currency(value: str) -> None:
    if not _CURRENCY.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no ISO 4217 currency")


def _status(value: str) -> None:
    if value not in _STATUS:
        raise ValueError(f"unknown status {value[:40]!r}")


def _members(values: tuple[msgspec.Struct, ...]) -> None:
    for value in values:
        check(value)


FREE: Final = frozenset(
    [
        "at",
        "via",
        "source",
        "id",
        "customer_tier",
        "sales_channel",
        "destination",
        "name",
        "gift",
        "service",
        "reason",
        "agreed_by",
        "weight_g",
        "expected_weight_g",
        "last",
        "raw_code",
        "raw_text",
        "code_means",
        "region",
        "mistaken",
        "category",
        "complexity",
        "channel",
        "text",
        "language",
        "evidence",
        "by",
        "to",
        "on",
        "deliver_by",
        "ship_by",
        "starts_at",
        "estimated_delivery",
    ]
)
"""Fields without a rule beyond their type; the envelope's and all times are checked where they are read."""

RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(
        [
            "order_id",
            "line_id",
            "customer_id",
            "seller_id",
            "fulfillment_id",
            "warehouse_id",
            "parcel_id",
            "carrier",
            "tracking_number",
            "facility_id",
            "complaint_id",
            "version",
            "binding_version",
            "replaced_by",
        ],
        recurring,
    ),
    **dict.fromkeys(("sku", "received_sku", "listing_sku", "warehouse_sku"), _sku),
    **dict.fromkeys(("line_ids", "order_ids", "fulfillment_ids"), _identifiers),
    **dict.fromkeys(("lines", "contents", "expected", "items"), _members),
    "quantity": _quantity,
    "unit_price": _amount,
    "price": _amount,
    "currency": _currency,
    "status": _status,
}


def check(record: msgspec.Struct) -> None:
    """Check every field of a fact or of one of its parts.

    Raises:
        ValueError: names the field and what is wrong.
    """
    name = ""
    try:
        for name, rule in _BY_TYPE.get(type(record)) or _rules_of(type(record)):
            value = getattr(record, name)
            if value is not None:
                rule(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


_BY_TYPE: dict[type, tuple[tuple[str, Rule], ...]] = {}


def _rules_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, Rule], ...]:
    found = _BY_TYPE[kind] = tuple((name, RULES[name]) for name in kind.__struct_fields__ if name in RULES)
    return found
