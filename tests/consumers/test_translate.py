"""Translation: every type of the contract becomes its fact, and nothing that nobody needs is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.rules import FREE, RULES
from consumers.translate import FACTS, TYPES, WRITTEN, Translator
from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Foreign
from domain.instant import DAY, HOUR, iso
from domain.orders.order import OrderPlaced
from domain.parcels.events import ParcelScanned
from tests.consumers.contract import CONTRACT
from tests.consumers.said import code, incoming, line, message, placed, read
from tests.story import LATER, at, raw


def test_the_contract_s_types_are_the_types() -> None:
    assert {f"{name}.v1" for name in CONTRACT} == set(TYPES)


@pytest.mark.parametrize("name", CONTRACT)
def test_every_type_with_every_member_becomes_its_fact_and_loses_none(name: str) -> None:
    found = read(message(f"{name}.v1", CONTRACT[name]))
    assert type(found) is TYPES[f"{name}.v1"]
    assert set(found.__struct_fields__) - {"at", "source", "id", "via"} - WRITTEN == set(CONTRACT[name])
    assert [member for member in CONTRACT[name] if getattr(found, member) in (None, ())] == []


@pytest.mark.parametrize("name", CONTRACT)
def test_null_for_what_is_optional_is_nothing(name: str) -> None:
    data = CONTRACT[name]
    for member in data:
        without = {key: value for key, value in data.items() if key != member}
        assert code(message(f"{name}.v1", without)) == code(message(f"{name}.v1", without | {member: None}))


def test_a_fact_says_from_which_record_it_came() -> None:
    assert read(message()).via == "orders.events.v1/0/7"  # type: ignore[union-attr]  # an order


def test_every_field_of_every_fact_has_a_rule_or_is_known_to_need_none() -> None:
    unruled = {
        (kind.__name__, name)
        for fact in FACTS
        for kind in (fact, *_parts(fact))
        for name in kind.__struct_fields__
        if name not in RULES and name not in FREE
    }
    assert unruled == set()
    assert RULES.keys() & FREE == set()


def test_no_rule_is_left_over() -> None:
    used = {name for fact in FACTS for kind in (fact, *_parts(fact)) for name in kind.__struct_fields__}
    assert set(RULES) - used == set()
    assert FREE - used == set()


def _parts(fact: type[Fact]) -> list[Any]:
    members = {"lines", "contents", "expected", "items"} & set(fact.__struct_fields__)
    return [fact.__annotations__[member].__args__[0] for member in members]


# Time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2026-03-01T00:00:00+08:00", "2026-02-28T16:00:00Z"),
        ("2026-03-01T00:00:00-05:30", "2026-03-01T05:30:00Z"),
        ("2026-03-01T00:00:00.5Z", "2026-03-01T00:00:00.500000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_read_to_the_microsecond_with_their_offset(text: str, expected: str) -> None:
    assert iso(read(message(time=text)).at) == expected  # type: ignore[arg-type, union-attr]  # an order


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00", "2016-12-31t23:59:60z"])
def test_a_leap_second_is_the_second_after_it(text: str) -> None:
    assert read(message(time=text)) == read(message(time="2017-01-01T00:00:00Z"))
    fraction = text.replace(":60", ":60.25")
    assert read(message(time=fraction)) == read(message(time="2017-01-01T00:00:00.25Z"))


@pytest.mark.parametrize("text", ["2016-12-31T22:59:60Z", "2016-12-31T23:59:60+08:00", "2016-12-31T23:59:61Z"])
def test_a_second_60_that_ends_no_day_of_utc_is_no_time(text: str) -> None:
    assert code(message(time=text)) == "bad_envelope"


def test_promises_reach_to_the_ends_of_the_calendar() -> None:
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00"):
        assert code(placed(ship_by=text)) == "taken"


ZONES = {"/shops/a": "America/New_York"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T12:00:00", "2026-01-01T17:00:00Z"),
        ("2026-07-01T12:00:00", "2026-07-01T16:00:00Z"),
        ("2026-03-08T01:59:59", "2026-03-08T06:59:59Z"),
        ("2026-03-08T03:00:00", "2026-03-08T07:00:00Z"),
        ("2025-11-02T00:59:59", "2025-11-02T04:59:59Z"),
        ("2025-11-02T02:00:00", "2025-11-02T07:00:00Z"),
        ("2026-01-01T12:00:00+08:00", "2026-01-01T04:00:00Z"),
        ("2024-02-29T23:59:59", "2024-03-01T04:59:59Z"),
    ],
)
def test_without_offset_policy_may_give_the_source_a_zone(text: str, expected: str) -> None:
    assert iso(read(message(time=text), zones=ZONES).at) == expected  # type: ignore[arg-type, union-attr]  # an order


@pytest.mark.parametrize("text", ["2026-03-08T02:30:00", "2025-11-02T01:30:00", "0001-01-01T00:00:00"])
def test_hours_that_are_not_or_are_twice_in_a_zone_are_no_trouble(text: str) -> None:
    assert code(message(time=text), zones=ZONES) == "taken"


def test_the_zone_holds_for_the_source_s_promises_and_for_nobody_else_s() -> None:
    found = read(placed(ship_by="2026-01-01T12:00:00"), zones=ZONES)
    assert isinstance(found, OrderPlaced)
    assert found.ship_by is not None
    assert iso(found.ship_by) == "2026-01-01T17:00:00Z"
    assert code(message(time="2026-01-01T12:00:00", source="/shops/b"), zones=ZONES) == "bad_envelope"


def test_more_than_a_day_ahead_of_the_clock_is_the_future() -> None:
    assert code(message(time=iso(LATER + DAY))) == "taken"
    assert code(message(time=iso(LATER + DAY + 1))) == "future"
    assert code(message(time="9999-12-31T23:59:59Z")) == "future"
    assert code(message(time=iso(LATER), source="/x"), now=LATER - 25 * HOUR) == "future"


def test_a_time_long_ago_is_taken_and_flagged() -> None:
    assert "time_long_ago" in incoming(message(time="1970-01-01T00:00:00Z")).flags
    assert incoming(message()).flags == ()


def test_a_promise_that_has_passed_when_it_is_made_is_flagged() -> None:
    assert incoming(placed(ship_by="2026-02-28T00:00:00Z")).flags == ("ship_by_in_the_past",)


# Scans


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"parcel_id": "P"}, "taken"),
        ({"carrier": "SF", "tracking_number": "N"}, "taken"),
        ({"carrier": "SF"}, "bad_data"),
        ({"tracking_number": "N"}, "bad_data"),
        ({}, "bad_data"),
        ({"parcel_id": None, "carrier": "SF", "tracking_number": "N"}, "taken"),
        ({"parcel_id": "", "carrier": "SF", "tracking_number": "N"}, "bad_data"),
        ({"parcel_id": "P", "status": "teleported"}, "bad_data"),
    ],
)
def test_a_scan_needs_a_parcel_or_a_carrier_s_number(data: dict[str, Any], expected: str) -> None:
    assert code(message("parcel.scanned.v1", {"status": "in_transit"} | data)) == expected


CODES = {("SF", "30"): "in_transit", ("YTO", "30"): "delivered"}


def scan(carrier: str | None, number: str, status: str | None = None) -> ParcelScanned:
    """Read a scan with a carrier's own code."""
    data = {"parcel_id": "P", "carrier": carrier, "raw_code": number, "status": status}
    found = Translator({}, CODES).incoming(0, raw(message("parcel.scanned.v1", data)), LATER).content
    assert isinstance(found, ParcelScanned)
    return found


def test_a_carrier_s_own_code_is_normalised_by_carrier_and_code() -> None:
    assert scan("SF", "30").status == "in_transit"
    assert scan("YTO", "30").status == "delivered"
    assert scan("SF", "30", "lost").status == "lost"


def test_an_unknown_code_keeps_its_raw_form_and_has_no_status() -> None:
    for carrier in ("SF", "ZTO", None):
        found = scan(carrier, "99")
        assert (found.status, found.raw_code, found.possesses) == (None, "99", False)
        assert found.code_means == ()


def test_a_code_without_its_carrier_keeps_what_it_means_at_each_that_has_it() -> None:
    found = scan(None, "30")
    assert (found.status, found.raw_code) == (None, "30")
    assert found.code_means == (("SF", "in_transit"), ("YTO", "delivered"))
    assert scan(None, "30", "lost").code_means == scan("ZTO", "30").code_means == ()


def test_only_a_code_that_no_carrier_in_question_has_counts_as_unknown() -> None:
    def flags(**data: Any) -> tuple[str, ...]:
        told = raw(message("parcel.scanned.v1", {"parcel_id": "P", **data}))
        return Translator({}, CODES).incoming(0, told, LATER).flags

    assert flags(raw_code="99") == flags(raw_code="30", carrier="ZTO") == ("unknown_carrier_code",)
    assert flags(raw_code="30") == flags(raw_code="30", carrier="SF") == ()


@pytest.mark.parametrize("odd", [[["SF", "lost"]], "x", 7, {}])
def test_what_a_code_means_is_not_for_producers_to_say(odd: Any) -> None:
    found = read(message("parcel.scanned.v1", {"parcel_id": "P", "raw_code": "30", "code_means": odd}))
    assert isinstance(found, ParcelScanned)
    assert found.code_means == ()


# Dates and times


DAY_ALONE = placed(ship_by="2026-03-04")


def test_a_day_alone_is_its_first_midnight_where_policy_gives_the_source_a_zone() -> None:
    found = read(DAY_ALONE, zones={"/shops/a": "Asia/Shanghai"})
    assert found == read(placed(ship_by="2026-03-04T00:00:00+08:00"))
    assert code(DAY_ALONE, zones={"/shops/b": "Asia/Shanghai"}) == "bad_data"


@pytest.mark.parametrize("text", ["2026-02-30", "2026-3-4", "20260304", "2026-03-04 ", "\u06602026-03-04"])
def test_what_is_no_day_is_none_with_a_zone_either(text: str) -> None:
    assert code(placed(ship_by=text), zones={"/shops/a": "UTC"}) == "bad_data"


def test_the_time_of_an_event_is_never_a_day_alone() -> None:
    assert code(message(time="2026-03-01"), zones={"/shops/a": "UTC"}) == "bad_envelope"


@pytest.mark.parametrize("offset", ["Z", "+00:00", "z"])
def test_a_fraction_of_a_second_may_be_of_any_length_and_counts_to_the_microsecond(offset: str) -> None:
    found = read(message(time=f"2026-03-01T00:00:00.1234567890123{offset}"))
    assert found.at == at(0) + 123456  # type: ignore[union-attr]  # an order


@pytest.mark.parametrize("time", ["yesterday", 7, "2026-03-01T00:00:00", ""])
def test_how_other_families_write_their_times_is_no_reason_to_hold_them_back(time: Any) -> None:
    found = read(message("weather.changed", time=time))
    assert isinstance(found, Foreign)
    assert found.at is None


# What is not kept


@pytest.mark.parametrize("kind", ["order.placed", "complaint.opened"])
def test_personal_data_is_dropped_before_anything_is_stored_and_counted(kind: str) -> None:
    person = {"name": "Canary Li", "phone": "+86 555", "email": "c@example.com"}
    one = incoming(message(f"{kind}.v1", CONTRACT[kind] | {"customer": person}))
    assert "Canary" not in repr(one.content)
    assert set(one.flags) >= {f"personal_{name}_dropped" for name in person}
    assert one.digest == incoming(message(f"{kind}.v1", CONTRACT[kind])).digest


def test_the_body_is_its_type_time_subject_and_data_however_written() -> None:
    digest = incoming(message()).digest
    assert len(digest) == 8
    assert incoming(message(time="2026-03-01T08:00:00+08:00")).digest == digest
    assert incoming(b"  " + json.dumps(json.loads(message()), indent=2, sort_keys=True).encode()).digest == digest
    assert incoming(message(id="2", source="/x", traceparent="y")).digest == digest
    others = [message(subject="O"), message(time="2026-03-01T00:00:01Z"), placed(order_id="Q"), line(quantity=2)]
    assert len({incoming(other).digest for other in others} | {digest}) == 5


def test_an_amount_without_a_currency_is_never_a_reason_for_quarantine() -> None:
    assert code(line(unit_price="9.90")) == "taken"
    assert code(message("price.changed.v1", {"sku": "A", "price": "9.90"})) == "taken"


def test_reading_never_raises_on_any_of_the_contract_s_events_cut_anywhere() -> None:
    whole = message("parcel.packed.v1", CONTRACT["parcel.packed"])
    for end in range(len(whole)):
        assert isinstance(read(whole[:end]), Unreadable)


def test_this_file_is_beside_the_contract_it_mirrors() -> None:
    """The member names above come from the contract; where it is at hand, each of its types is here."""
    contract = Path(__file__).parents[3] / "shared" / "contract" / "events.md"
    if not contract.exists():
        pytest.skip("shared/contract is not beside the repository: the list of types was not compared")
    text = contract.read_text()
    assert all(f"`{name}.v1`" in text for name in CONTRACT)
