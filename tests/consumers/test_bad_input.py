"""Bad input, row by row of the failure matrix: it is held back under a code, quickly, and nothing else is harmed."""

from time import process_time
from typing import Any

import pytest

from domain.errors import Unreadable
from domain.history.batch import Raw
from tests.consumers.said import PLACED, code, line, message, placed, read
from tests.story import Desk, memory_log, requested, scanned, topics
from tests.story import placed as an_order

GOOD = message()
DEEP = 200_000
MIB = 1 << 20


def with_number(number: str) -> bytes:
    """Write a good message with one more member that holds this number."""
    return GOOD.replace(b'"data": {', b'"data": {"n": ' + number.encode() + b", ", 1)


def padded(size: int) -> bytes:
    """Write a good message of exactly this size."""
    return placed(destination="x" * (size - len(placed(destination=""))))


def yuan(**members: Any) -> bytes:
    """Write an order.placed in yuan with these members of its line changed."""
    return placed(currency="CNY", lines=[PLACED["lines"][0] | members])


ROWS: dict[str, tuple[bytes, set[str]]] = {
    # 13: malformed JSON, bad UTF-8, BOM
    "nothing": (b"", {"not_json"}),
    "blank": (b"  \n", {"not_json"}),
    "cut off": (GOOD[:-5], {"not_json"}),
    "two events": (GOOD + GOOD, {"not_json"}),
    "trailing comma": (GOOD[:-1] + b",}", {"not_json"}),
    "single quotes": (GOOD.replace(b'"', b"'"), {"not_json"}),
    "comment": (b"// x\n" + GOOD, {"not_json"}),
    "byte order mark inside": (GOOD.replace(b'{"order_id"', b'\xef\xbb\xbf{"order_id"'), {"not_json"}),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + GOOD, {"not_json"}),
    "a byte order mark alone": (b"\xef\xbb\xbf", {"not_json"}),
    "bad UTF-8": (GOOD.replace(b'"O"', b'"\xff"'), {"not_json"}),
    "overlong UTF-8": (GOOD.replace(b'"O"', b'"\xc0\xaf"'), {"not_json"}),
    "UTF-16": (GOOD.decode().encode("utf-16"), {"not_json"}),
    "no object": (b"[]", {"not_an_event"}),
    "a string": (b'"hello"', {"not_an_event"}),
    "null": (b"null", {"not_an_event"}),
    "an empty object": (b"{}", {"not_an_event"}),
    "a batch of events": (b"[" + GOOD + b"]", {"not_an_event"}),
    # 14: size, depth, long integers
    "10 MB": (padded(10_000_000), {"too_large"}),
    "one byte above 1 MiB": (padded(MIB + 1), {"too_large"}),
    "nested arrays": (b"[" * DEEP + b"]" * DEEP, {"not_json", "too_deep"}),
    "nested arrays without end": (b"[" * DEEP, {"not_json", "too_deep"}),
    "nested objects": (b'{"a":' * (DEEP // 2) + b"1" + b"}" * (DEEP // 2), {"not_json", "too_deep"}),
    "nested data": (with_number("[" * 1000 + "]" * 1000), {"not_json", "too_deep"}),
    "64 levels below data": (with_number("[" * 64 + "]" * 64), {"too_deep"}),
    "an unended string of quotes": (b"[" + b"[]," * 70 + b'"' + b'\\"' * 400_000, {"not_json"}),
    "brackets in unended strings": (b'["' + b"[" * 1_000_000, {"not_json"}),
    "5,000 digits": (with_number("1" * 5000), {"number", "not_json"}),
    "5,000 digits below zero": (with_number("-" + "1" * 5000), {"number", "not_json"}),
    "2**64": (with_number(str(2**64)), {"number"}),
    "2**63": (with_number(str(2**63)), {"number"}),
    "-2**63 - 1": (with_number(str(-(2**63) - 1)), {"number"}),
    # 15: numbers that JSON has not
    "NaN": (with_number("NaN"), {"not_json"}),
    "Infinity": (with_number("Infinity"), {"not_json"}),
    "-Infinity": (with_number("-Infinity"), {"not_json"}),
    "1e999": (with_number("1e999"), {"not_json"}),
    "-1e999": (with_number("-1e999"), {"not_json"}),
    "leading zero": (with_number("007"), {"not_json"}),
    "hexadecimal": (with_number("0x10"), {"not_json"}),
    # 16: text that no store should have to keep
    "NUL": (placed(destination="a\0b"), {"nul"}),
    "NUL in a name": (message(data=PLACED | {"a\0b": 1}), {"nul"}),
    "NUL in the subject": (message(subject="\0"), {"nul"}),
    "NUL behind a backslash": (placed(destination="\\\0"), {"nul"}),
    "raw NUL": (GOOD.replace(b'"O"', b'"\0"'), {"not_json"}),
    "raw line break": (GOOD.replace(b'"O"', b'"\n"'), {"not_json"}),
    "lone surrogate": (GOOD.replace(b'"O"', b'"\\ud800"'), {"not_json"}),
    "reversed surrogates": (GOOD.replace(b'"O"', b'"\\udc00\\ud800"'), {"not_json"}),
    # 18: types of our families that we do not know
    "too new": (message("order.placed.v2"), {"unknown_type"}),
    "unknown": (message("parcel.eaten.v1"), {"unknown_type"}),
    "no version": (message("order.placed"), {"unknown_type"}),
    "family alone": (message("order"), {"unknown_type"}),
    # 19: quantities and money
    "quantity 0": (line(quantity=0), {"bad_data"}),
    "quantity -0": (line(quantity=1).replace(b'"quantity": 1', b'"quantity": -0'), {"bad_data"}),
    "quantity below 0": (line(quantity=-1), {"bad_data"}),
    "quantity above a million": (line(quantity=1_000_001), {"bad_data"}),
    "half a piece": (line(quantity=0.5), {"bad_data"}),
    "quantity as text": (line(quantity="1"), {"bad_data"}),
    "quantity true": (line(quantity=True), {"bad_data"}),
    "quantity null": (line(quantity=None), {"bad_data"}),
    "price as a number": (yuan(unit_price=9.9), {"bad_data"}),
    "price in words": (yuan(unit_price="nine"), {"bad_data"}),
    "price infinite": (yuan(unit_price="Infinity"), {"bad_data"}),
    "price with an exponent": (yuan(unit_price="1e9"), {"bad_data"}),
    "price in other digits": (yuan(unit_price="\u0663.\u0665"), {"bad_data"}),
    "price empty": (yuan(unit_price=""), {"bad_data"}),
    "price with a comma": (yuan(unit_price="12,50"), {"bad_data"}),
    "price of ten decimals": (yuan(unit_price="1.0123456789"), {"bad_data"}),
    "unknown currency form": (placed(currency="yuan"), {"bad_data"}),
    "currency a number": (placed(currency=156), {"bad_data"}),
    "currency in other letters": (placed(currency="\u017fek"), {"bad_data"}),
    # 20: ids
    "no order id": (message(data={"lines": PLACED["lines"]}), {"bad_data"}),
    "empty order id": (placed(order_id=""), {"bad_data"}),
    "order id a number": (placed(order_id=7), {"bad_data"}),
    "129 characters": (placed(order_id="x" * 129), {"bad_data"}),
    "SKU of 201 characters": (line(sku="x" * 201), {"bad_data"}),
    "outer blank": (placed(order_id=" O"), {"bad_data"}),
    "outer blank of another script": (placed(order_id="O\u3000"), {"bad_data"}),
    "tab inside": (placed(order_id="a\tb"), {"bad_data"}),
    "C1 control character": (placed(order_id="a\x85b"), {"bad_data"}),
    "not NFC": (placed(order_id="Cafe\u0301"), {"bad_data"}),
    "no lines": (placed(lines=[]), {"bad_data"}),
    "lines no list": (placed(lines={}), {"bad_data"}),
    "no id": (message(id=None), {"not_an_event"}),
    "empty id": (message(id=""), {"not_an_event"}),
    "id a number": (message(id=7), {"not_an_event"}),
    "long id": (message(id="x" * 129), {"bad_envelope"}),
    "id with outer blank": (message(id="1 "), {"bad_envelope"}),
    "no source": (message(source=None), {"not_an_event"}),
    "long source": (message(source="/" * 257), {"bad_envelope"}),
    "no type": (GOOD.replace(b'"type"', b'"kind"'), {"not_an_event"}),
    "long type": (message("x" * 257), {"bad_envelope"}),
    "type with a line break": (message("weather.\nchanged"), {"bad_envelope"}),
    "no specversion": (message(specversion=None), {"not_an_event"}),
    "old specversion": (message(specversion="0.3"), {"not_an_event"}),
    "data no object": (message(data=[1]), {"bad_data"}),
    "data text": (message(data="x"), {"bad_data"}),
    "data XML": (message(datacontenttype="application/xml"), {"bad_data"}),
    # times
    "no time": (message(time=None), {"bad_envelope"}),
    "no offset": (message(time="2026-03-01T00:00:00"), {"bad_envelope"}),
    "a number for a time": (message(time=1772323200), {"bad_envelope"}),
    "a date for a time": (message(time="2026-03-01"), {"bad_envelope"}),
    "a time in other digits": (message(time="\u0662026-03-01T00:00:00Z"), {"bad_envelope"}),
    "30 February": (message(time="2026-02-30T00:00:00Z"), {"bad_envelope"}),
    "29 February of no leap year": (message(time="2100-02-29T00:00:00Z"), {"bad_envelope"}),
    "25 o'clock": (message(time="2026-03-01T25:00:00Z"), {"bad_envelope"}),
    "offset of a day": (message(time="2026-03-01T00:00:00+24:00"), {"bad_envelope"}),
    "offset of 99 minutes": (message(time="2026-03-01T00:00:00+01:99"), {"bad_envelope"}),
    "year 0": (message(time="0000-01-01T00:00:00Z"), {"bad_envelope"}),
    "other digits": (message(time="２０２６-03-01T00:00:00Z"), {"bad_envelope"}),
    "promise without offset": (placed(ship_by="2026-03-01T00:00:00"), {"bad_data"}),
    "promise a number": (placed(ship_by=1772323200000000), {"bad_data"}),
}


@pytest.mark.parametrize("name", ROWS)
def test_it_is_held_back_under_its_code(name: str) -> None:
    value, codes = ROWS[name]
    assert code(value) in codes


@pytest.mark.parametrize("name", [name for name, (value, _) in ROWS.items() if len(value) > 10_000])
def test_a_large_one_is_refused_in_less_than_50_milliseconds(name: str) -> None:
    value, _ = ROWS[name]
    took = []
    for _ in range(3):
        begun = process_time()
        assert isinstance(read(value), Unreadable)
        took.append(process_time() - begun)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    "value",
    [
        padded(MIB),
        with_number("[" + "[]," * 300_000 + "[]]"),
        with_number("[" + "9223372036854775807," * 50_000 + "1]"),
        placed(destination="\u0301" * 150_000),
        placed(destination='\\"[{' * 100_000),
        message(data=PLACED | {f"k{n}": n for n in range(60_000)}),
    ],
    ids=["1 MiB", "300,000 lists", "50,000 long integers", "combining marks", "brackets in text", "60,000 members"],
)
def test_a_large_good_one_is_read_in_reasonable_time(value: bytes) -> None:
    begun = process_time()
    assert code(value) == "taken"
    assert process_time() - begun < 1


def test_everything_bad_in_one_batch_is_held_back_untouched_and_the_good_commits() -> None:
    bad = [value for value, _ in ROWS.values() if len(value) < 10_000]
    before, after = (an_order(0), requested(0, ship_by=10)), (scanned(12),)
    with memory_log() as log:
        desk = Desk(log)
        desk.take(*before, *bad, *after, until=20)
        assert [one.raw.value for _, _, one in log.store.quarantined()] == bad
        assert desk.found() == [("ended", "F", 10, 12)]
        assert log.store.positions()["test/orders/0"].next == len(bad) + 3
        assert sum(name == "batch.taken.v1" for name in topics(log)) == 1


def test_a_tombstone_is_no_event() -> None:
    assert code(None) == "tombstone"


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"k" * 100_000])
def test_the_key_does_not_matter(key: bytes | None) -> None:
    assert code(Raw("t", 0, key, GOOD, (), None)) == "taken"


def headers(*pairs: tuple[str, bytes | None]) -> Raw:
    """Give a good message these headers."""
    return Raw("t", 0, None, GOOD, pairs, None)


def test_a_flood_of_headers_is_refused() -> None:
    assert code(headers(*[("x", b"")] * 64)) == "taken"
    assert code(headers(*[("x", b"")] * 65)) == "headers"
    assert code(headers(("x", b"y" * 16_384))) == "headers"
    assert code(headers(("x" * 16_385, None))) == "headers"


def test_headers_of_ours_that_are_no_text_are_refused() -> None:
    assert code(headers(("ce_id", b"\xff"))) == "headers"


def test_headers_of_others_are_bytes_and_no_trouble() -> None:
    assert code(headers(("x-trace", b"\xfe\x00"))) == "taken"


def test_a_header_without_a_value_is_no_trouble() -> None:
    assert code(headers(("x", None))) == "taken"
