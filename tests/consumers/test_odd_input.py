"""Odd input: what only looks bad is taken in, and kept as it came."""

from typing import Any

import msgspec
import pytest

from domain.errors import Unreadable
from domain.history.batch import Raw
from tests.consumers.said import PLACED, code, envelope, line, message, placed, read
from tests.story import Desk, memory_log, raw, written
from tests.story import placed as an_order

GOOD = message()


def with_number(number: str) -> bytes:
    """Write a good message with one more member that holds this number."""
    return GOOD.replace(b'"data": {', b'"data": {"n": ' + number.encode() + b", ", 1)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (with_number(str(2**63 - 1)), "the largest integer"),
        (with_number(str(-(2**63))), "the smallest integer"),
        (with_number("12345678901234567890.5"), "a long fraction"),
        (with_number('"' + "9" * 5000 + '"'), "digits in text"),
        (with_number("-0"), "minus zero where nobody reads it"),
        (with_number("[" * 60 + "]" * 60), "deep, but not too deep"),
        (placed(destination="\\u0000"), "a backslash and u0000, six harmless characters"),
        (placed(destination="\u202egnp.exe\u200b"), "bidirectional and zero-width characters in text"),
        (placed(order_id="../../etc/passwd"), "an id like a path"),
        (placed(order_id="a-b%2D c"), "an id with what streams escape"),
        (placed(order_id="订单１"), "an id of another script"),
        (placed(order_id="x" * 128), "128 characters"),
        (line(sku="x" * 200), "a SKU of 200 characters"),
        (line(quantity=1_000_000), "a million pieces"),
        (line(unit_price="9.90"), "an amount without a currency"),
        (line(gift=None, unit_price=None, name=None), "null for an optional member"),
        (placed(customer_id=None, ship_by=None), "null for an optional member of data"),
        (placed(note={"_type_": "x", "_data_": 1}, anything=[None]), "unknown members"),
        (message("order.approved.v1", {"order_id": "O", "ship_by": "soon"}), "an unknown member named like a time"),
        (message(subject="O", dataschema="x", traceparent="00"), "attributes nobody asked for"),
        (message(time="2026-03-01t00:00:00z"), "lower case in a time"),
        (message(time="2026-03-01 00:00:00+00:00"), "a blank in a time"),
        (message(time="2026-03-01T00:00:00.123456789Z"), "nanoseconds"),
        (message(time="2026-03-01T00:00:00-00:00"), "an unknown local offset"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_only_looks_bad_is_taken(value: bytes, why: str) -> None:
    assert code(value) == "taken", why


def test_of_equal_keys_the_last_counts() -> None:
    twice = GOOD.replace(b'"order_id": "O"', b'"order_id": "first", "order_id": "last"')
    assert read(twice).order_id == "last"  # type: ignore[union-attr]  # an order


def test_text_is_kept_as_it_came() -> None:
    odd = "\u202eabc\u200b\u2028 ﷽ 👩‍👩‍👧 e\u0301"
    assert read(placed(destination=odd)).destination == odd  # type: ignore[union-attr]  # an order


def test_every_fact_s_own_bytes_are_read_back() -> None:
    assert code(written(an_order(0))) == "taken"


@pytest.mark.parametrize(
    "kind", ["weather.changed", "orders.placed.v1", "com.example.someevent", "x", "Order.placed.v1"]
)
def test_types_of_other_families_are_skipped_whatever_they_carry(kind: str) -> None:
    for data in ({}, [1], "text", 7, {"order_id": " "}):
        assert code(message(kind, data)) == "foreign"
    assert code(message(kind, datacontenttype="application/xml")) == "foreign"


def test_a_foreign_event_may_have_no_time() -> None:
    assert read(message("weather.changed", time=None)).at is None  # type: ignore[union-attr]  # foreign


def test_a_foreign_event_from_the_future_is_refused_like_any_other() -> None:
    assert code(message("weather.changed", time="2099-01-01T00:00:00Z")) == "future"


@pytest.mark.parametrize("member", ["_type_", "_data_"])
def test_a_payload_with_the_library_s_own_words_is_stored_and_read_back(member: str) -> None:
    poison: Any = {"_type_": "tuple_as_list", "_data_": [1]}
    texts = {"destination": str(poison), "customer_tier": member, "sales_channel": '{"_type_":"x","_data_":1}'}
    with memory_log() as log:
        desk = Desk(log)
        whole = envelope(data=PLACED | texts | {"extra": poison, member: poison})
        desk.take(message(data=whole["data"]), message("order.placed.v9", poison))
        [stored] = log.stream("order-O")
        assert {name: getattr(stored, name) for name in texts} == texts
        [(_, _, held)] = log.store.quarantined()
        assert held.raw.value == message("order.placed.v9", poison)
        assert list(log.read(0, 99))


def test_quarantine_keeps_key_value_headers_and_stamp_untouched() -> None:
    record = Raw("t", 3, b"\0key\xff", b"{\xff", (("h", b"\xff\0"), ("none", None), ("h", b"2")), 123)
    with memory_log() as log:
        desk = Desk(log)
        batch = desk.batch(b"{")
        part = batch.slices[0]
        one = msgspec.structs.replace(part.records[0], raw=record, content=Unreadable("not_json", "x"))
        desk.tracker.take(batch._replace(slices=(part._replace(records=(one,)),)), 0)
        [(_, status, held)] = log.store.quarantined()
        assert (held.raw, status) == (record, "held")


def test_raw_is_what_the_tests_think_it_is() -> None:
    assert raw(GOOD, content_type="application/json").headers == (("content-type", b"application/json"),)
