"""Keys that name something together: however long each may be, together they fit into the row of an index."""

from collections.abc import Callable
from typing import Any

import pytest

from consumers.lengths import LONGEST
from consumers.rules import MAX_ID, MAX_SKU
from domain.errors import Unreadable
from domain.groups.cluster import subject
from domain.naming import stream
from tests.consumers.said import code, message, placed, read

HAN = "\u8fd0"
PACKED = {"parcel_id": "P", "contents": [{"order_id": "O", "sku": "A", "quantity": 1}]}
ROOM = (LONGEST - len("cluster-binding-") - 2 * len("%3A")) // 9
"""Characters of Han in a cluster's name."""


def packing(sku: str, warehouse: str, version: str, part: str = "contents") -> bytes:
    """Write a packing record whose contents, or what is expected, are of a SKU."""
    said = {part: [{"order_id": "O", "sku": sku, "quantity": 1}], "warehouse_id": warehouse}
    return message("parcel.packed.v1", PACKED | said | {"binding_version": version})


def binding(sku: str, warehouse: str, version: str) -> bytes:
    """Write a change of a binding."""
    said = {"listing_sku": sku, "warehouse_sku": "S", "warehouse_id": warehouse, "version": version}
    return message("sku.binding_changed.v1", said)


def expecting(sku: str, warehouse: str, version: str) -> bytes:
    """Write a packing record of which only what is expected is named at length."""
    return packing(sku, warehouse, version, "expected")


@pytest.mark.parametrize("written", [packing, expecting, binding])
def test_a_binding_that_cannot_be_named_is_held_back_and_one_character_less_is_taken(
    written: Callable[[str, str, str], bytes],
) -> None:
    sku, warehouse = HAN * 100, HAN * 60
    fits = HAN * (ROOM - 160)
    assert len(stream("cluster", "binding", subject(sku, warehouse, fits))) <= LONGEST
    assert code(written(sku, warehouse, fits)) == "taken"
    refused = read(written(sku, warehouse, fits + HAN))
    assert isinstance(refused, Unreadable)
    assert refused.code == "bad_data"
    assert "warehouse_id" in refused.detail
    assert "too long" in refused.detail


def test_a_fall_in_price_that_cannot_be_named_is_held_back() -> None:
    def priced(sku: str, name: str) -> bytes:
        return message("price.changed.v1", {"sku": sku, "price": "1.00", "currency": "CNY"}, id=name)

    assert code(priced(HAN * MAX_SKU, "0" * 36)) == "taken"
    assert code(priced("A" * MAX_SKU, HAN * MAX_ID)) == "taken"
    assert read(priced(HAN * MAX_SKU, HAN * MAX_ID)).detail.startswith("sku and id: too long")  # type: ignore[union-attr]


def test_a_source_whose_feed_cannot_be_named_is_held_back() -> None:
    assert code(message(source="/" + HAN * 200)) == "taken"
    assert code(message(source="/" + "%" * 255)) == "taken"
    refused = read(message(source="/" + HAN * 255))
    assert isinstance(refused, Unreadable)
    assert refused.code == "bad_envelope"


@pytest.mark.parametrize("character", ["A", "%", ":", "\u00e9", HAN, "\U00020000"])
def test_each_key_by_itself_may_be_as_long_as_the_contract_says(character: str) -> None:
    long, sku = character * MAX_ID, character * MAX_SKU
    line: dict[str, Any] = {"line_id": long, "sku": sku, "quantity": 1, "seller_id": long}
    scan = {"parcel_id": long, "carrier": long, "tracking_number": long, "status": "picked_up", "order_ids": [long]}
    content = {"order_id": long, "sku": sku, "quantity": 1}
    box = {"parcel_id": long, "warehouse_id": long, "contents": [content], "fulfillment_ids": [long]}
    assert code(placed(order_id=long, customer_id=long, lines=[line])) == "taken"
    assert code(message("parcel.scanned.v1", scan, id=long)) == "taken"
    assert code(message("parcel.packed.v1", box, id=long)) == "taken"
    assert code(message("price.changed.v1", {"sku": "A", "price": "1", "currency": "CNY"}, id=long)) == "taken"
