"""Money as producers write it: without a currency it is unknown, whatever it looks like, and refuses nothing."""

from typing import Any

import pytest

from domain.catalogue import PriceChanged
from domain.errors import Unreadable
from domain.orders.order import OrderPlaced
from tests.consumers.said import PLACED, code, incoming, message, placed, read

ODD_FORMS = [
    "12,50",
    "",
    "nine",
    "1e9",
    "9.",
    "\u0663",
    "1.0123456789",
    "9" * 19,
    12.5,
    12,
    True,
    [],
    {},
    ["9.90"],
    {"a": 1},
]


def order(price: Any, **members: Any) -> OrderPlaced:
    """Read an order of one line at this price."""
    found = read(placed(lines=[PLACED["lines"][0] | {"unit_price": price}], **members))
    assert isinstance(found, OrderPlaced)
    return found


def price(amount: Any, **members: Any) -> PriceChanged:
    """Read a new price."""
    found = read(message("price.changed.v1", {"sku": "A", "price": amount, **members}))
    assert isinstance(found, PriceChanged)
    return found


# given an amount without a currency, when it is read, then it is unknown money and the event is taken


@pytest.mark.parametrize("none", [{}, {"currency": None}, {"currency": ""}])
@pytest.mark.parametrize("form", ODD_FORMS, ids=str)
def test_an_amount_of_any_form_without_a_currency_is_unknown_money(form: Any, none: dict[str, Any]) -> None:
    found = order(form, **none)
    assert (found.lines[0].unit_price, found.currency, found.stake.value) == (None, None, None)
    assert (price(form, **none).price, price(form, **none).currency) == (None, None)


@pytest.mark.parametrize("none", [{}, {"currency": None}, {"currency": ""}])
def test_a_decimal_amount_without_a_currency_is_kept_as_it_came(none: dict[str, Any]) -> None:
    assert order("-9.90", **none).lines[0].unit_price == price("-9.90", **none).price == "-9.90"
    assert order("9.90", **none).stake.value is None


def test_every_line_is_looked_at() -> None:
    lines = [PLACED["lines"][0] | {"line_id": str(n), "unit_price": one} for n, one in enumerate(["1", "x", None, 2])]
    found = read(placed(lines=lines))
    assert isinstance(found, OrderPlaced)
    assert [one.unit_price for one in found.lines] == ["1", None, None, None]


@pytest.mark.parametrize("members", [{}, {"price": None}, {"currency": "CNY"}, {"price": None, "currency": "CNY"}])
def test_a_price_that_is_not_said_is_no_new_price(members: dict[str, Any]) -> None:
    refused = read(message("price.changed.v1", {"sku": "A", **members}))
    assert isinstance(refused, Unreadable)
    assert (refused.code, "`price`" in refused.detail) == ("bad_data", True)


# given a currency, then amounts are decimal text and it is an ISO 4217 code, in whatever case


@pytest.mark.parametrize("written", ["CNY", "cny", "Cny"])
def test_a_currency_counts_in_small_letters_too(written: str) -> None:
    assert order("9.90", currency=written).currency == price("9.90", currency=written).currency == "CNY"


@pytest.mark.parametrize("form", ODD_FORMS, ids=str)
def test_an_amount_with_a_currency_must_be_decimal_text(form: Any) -> None:
    assert code(placed(currency="cny", lines=[PLACED["lines"][0] | {"unit_price": form}])) == "bad_data"
    assert code(message("price.changed.v1", {"sku": "A", "price": form, "currency": "CNY"})) == "bad_data"


@pytest.mark.parametrize("currency", ["yuan", "CN", " ", " CNY", "C Y", "\uff23\uff2e\uff39", "\u017fek", 156, ["CNY"]])
def test_what_is_no_currency_code_is_refused(currency: Any) -> None:
    assert code(placed(currency=currency)) == "bad_data"


@pytest.mark.parametrize("lines", [[], {}, "x", [1], [None]])
def test_lines_that_are_none_are_refused_for_that(lines: Any) -> None:
    assert code(placed(lines=lines)) == "bad_data"


def test_the_same_event_with_another_amount_is_still_another() -> None:
    first, other = (incoming(placed(lines=[PLACED["lines"][0] | {"unit_price": one}])) for one in ("a", "b"))
    assert first.content == other.content
    assert first.digest != other.digest
