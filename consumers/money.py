"""Money as producers write it: an amount counts in the currency named with it; without one it is unknown money.

Unknown money is kept and never a reason to refuse an event. So an amount without a currency may have any form; what is
no decimal text is left out, since nothing could ever be done with it.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from consumers.rules import is_amount
from domain.catalogue import PriceChanged
from domain.events import Fact
from domain.orders.order import OrderPlaced

_Content = dict[str, Any]


def read(kind: type[Fact], content: _Content) -> None:
    """Put the money of an event's members, in place, in the form that the rules ask for, as far as it is meant."""
    amounts = AMOUNTS.get(kind)
    if amounts is None:
        return
    currency = content.get("currency")
    if currency is None or currency == "":
        content.pop("currency", None)
        _leave_unknown(*amounts(content))
    elif isinstance(currency, str) and currency.isascii():
        content["currency"] = currency.upper()


def _leave_unknown(name: str, holders: Iterable[Any]) -> None:
    for one in holders:
        if isinstance(one, dict) and not is_amount(one.get(name)):
            one.pop(name, None)


def _of_lines(content: _Content) -> tuple[str, Iterable[Any]]:
    lines = content.get("lines")
    return "unit_price", lines if isinstance(lines, list) else ()


def _of_price(content: _Content) -> tuple[str, Iterable[Any]]:
    return "price", (content,)


AMOUNTS: Final[dict[type[Fact], Callable[[_Content], tuple[str, Iterable[Any]]]]] = {
    OrderPlaced: _of_lines,
    PriceChanged: _of_price,
}
"""The events that name a currency, and where their amounts stand."""
