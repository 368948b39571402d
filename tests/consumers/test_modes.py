"""CloudEvents over Kafka: structured, binary and plain, told apart by content-type alone."""

import base64
import json

import pytest

from domain.catalogue import Heartbeat
from domain.history.batch import Foreign
from domain.orders.order import OrderPlaced
from tests.consumers.said import PLACED, STRUCTURED, code, envelope, message, read

DATA = json.dumps(PLACED).encode()
CE = {f"ce_{name}": str(value) for name, value in envelope(data=None).items()}


@pytest.mark.parametrize("content_type", [STRUCTURED, "application/cloudevents+json", "APPLICATION/CloudEvents+JSON"])
def test_structured_mode(content_type: str) -> None:
    assert isinstance(read(message(), content_type=content_type), OrderPlaced)


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain"])
def test_plain_json_of_the_same_structure(content_type: str) -> None:
    assert isinstance(read(message(), content_type=content_type), OrderPlaced)
    assert isinstance(read(message()), OrderPlaced)


@pytest.mark.parametrize(
    "more", [{}, {"content_type": "application/json"}, {"content_type": "application/json; charset=utf-8"}]
)
def test_binary_mode(more: dict[str, str]) -> None:
    assert isinstance(read(DATA, **CE, **more), OrderPlaced)


def test_all_modes_say_the_same() -> None:
    assert read(message()) == read(message(), content_type=STRUCTURED) == read(DATA, **CE)


def test_ce_headers_beside_a_structured_message_do_not_make_it_binary() -> None:
    other = CE | {"ce_id": "another", "ce_type": "order.approved.v1"}
    assert read(message(), content_type=STRUCTURED, **other) == read(message())


def test_header_names_in_capitals_are_the_same_headers() -> None:
    assert isinstance(
        read(DATA, **{name.upper().replace("CE_", "ce_"): value for name, value in CE.items()}), OrderPlaced
    )


def test_a_binary_attribute_that_is_missing_is_missing() -> None:
    assert code(DATA, **{name: value for name, value in CE.items() if name != "ce_id"}) == "not_an_event"


def test_binary_payload_is_held_to_the_same_rules() -> None:
    assert code(b"{", **CE) == "not_json"
    assert code(b"[1]", **CE) == "bad_data"
    assert code(b"", **CE) == "bad_data"
    assert code(b'"\\u0000"', **CE) == "nul"


def test_a_heartbeat_needs_no_data_in_any_mode() -> None:
    beat = CE | {"ce_type": "feed.heartbeat.v1"}
    for value in (b"", b"{}", b"null"):
        assert code(value, **beat) == "taken"
    for data in ({}, None):
        whole = envelope(type="feed.heartbeat.v1", data=data)
        assert code(json.dumps(whole).encode()) == "taken"


def test_data_in_base64_is_read() -> None:
    whole = envelope(data=None, data_base64=base64.b64encode(DATA).decode())
    assert read(json.dumps(whole).encode()) == read(message())


@pytest.mark.parametrize("encoded", ["%%%", "eyI", 7, {"a": 1}, ["x"], "é", base64.b64encode(b"[1]").decode()])
def test_bad_base64_is_bad_data(encoded: object) -> None:
    assert code(json.dumps(envelope(data=None, data_base64=encoded)).encode()) == "bad_data"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", "taken"),
        ("application/json; charset=utf-8", "taken"),
        ("application/vnd.shop+json", "taken"),
        ("text/json", "taken"),
        ("application/xml", "bad_data"),
        ("application/jsonlines", "bad_data"),
        (7, "bad_data"),
    ],
)
def test_the_type_of_the_data_must_be_json(content_type: object, expected: str) -> None:
    assert code(message(datacontenttype=content_type)) == expected


BEAT = CE | {"ce_type": "feed.heartbeat.v1"}


def test_a_binary_event_without_data_may_have_no_value_at_all() -> None:
    found = read(None, **BEAT)
    assert isinstance(found, Heartbeat)
    assert (found.source, found) == ("/shops/a", read(b"", **BEAT))
    assert isinstance(read(None, **(CE | {"ce_type": "image.taken"}), content_type="image/png"), Foreign)


def test_what_a_binary_event_needs_it_needs_without_a_value_too() -> None:
    assert code(None, **CE) == "bad_data"
    assert code(None, **(BEAT | {"ce_specversion": "0.3"})) == "not_an_event"


def test_no_value_without_a_binary_event_s_headers_is_a_tombstone() -> None:
    without = {name: value for name, value in BEAT.items() if name != "ce_specversion"}
    assert code(None) == code(None, **without) == code(None, content_type="application/json") == "tombstone"
    assert code(None, content_type=STRUCTURED, **BEAT) == "tombstone"


@pytest.mark.parametrize("more", [{}, {"content_type": STRUCTURED}])
def test_a_byte_order_mark_before_an_event_or_its_data_is_left_out(more: dict[str, str]) -> None:
    assert read(b"\xef\xbb\xbf" + message(), **more) == read(message())
    assert read(b"\xef\xbb\xbf" + DATA, **CE) == read(message())


def test_a_foreign_event_in_binary_mode_is_never_parsed() -> None:
    found = read(b"\xff\0", **(CE | {"ce_type": "image.taken"}), content_type="image/png")
    assert isinstance(found, Foreign)


def test_unicode_in_binary_attributes_is_utf_8() -> None:
    assert read(DATA, **(CE | {"ce_id": "订单"})).id == "订单"  # type: ignore[union-attr]  # an order
