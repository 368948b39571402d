"""Topics: every type of the contract has its topic and its key."""

import pytest

from consumers.topics import place
from consumers.translate import COMPLAINTS, LOGISTICS, ORDERS, TYPES
from tests.consumers.contract import CONTRACT
from tests.consumers.said import envelope

TABLE = {
    ORDERS: ("order", "fulfillment", "price"),
    LOGISTICS: ("item", "parcel", "sku", "feed"),
    COMPLAINTS: ("complaint",),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_every_type_goes_where_the_contract_says(name: str) -> None:
    topic, key = place(envelope(type=f"{name}.v1", data=CONTRACT[name]))
    assert name.split(".", maxsplit=1)[0] in TABLE[topic]
    assert key is not None


def test_every_family_is_placed() -> None:
    assert {name.split(".")[0] for name in TYPES} == {family for families in TABLE.values() for family in families}


@pytest.mark.parametrize(
    ("name", "data", "key"),
    [
        ("order.placed", {"order_id": "O"}, "O"),
        ("fulfillment.requested", {"order_id": "O", "fulfillment_id": "F"}, "O"),
        ("parcel.scanned", {"parcel_id": "P", "order_id": "O"}, "P"),
        ("item.picked", {"order_id": "O", "sku": "A"}, "O"),
        ("feed.heartbeat", {}, "/shops/a"),
        ("parcel.scanned", {"carrier": "SF", "tracking_number": "N"}, "/shops/a"),
        ("complaint.opened", {"complaint_id": "C", "order_id": "O"}, "C"),
    ],
)
def test_the_key_is_the_order_the_parcel_or_the_complaint_else_the_source(
    name: str, data: dict[str, str], key: str
) -> None:
    assert place(envelope(type=f"{name}.v1", data=data))[1] == key


@pytest.mark.parametrize(
    "rubbish", [None, 7, [], "x", {}, {"type": 7, "source": 8, "data": 9}, {"data": {"parcel_id": 7}}]
)
def test_rubbish_goes_where_it_will_be_held_back(rubbish: object) -> None:
    assert place(rubbish) == (LOGISTICS, None)
