"""Lengths: keys that name a feed, a cluster or a fall in price may be too long for that, though none is by itself.

Names are found by indexes, and PostgreSQL refuses a row of one that is too long: what would be named so is held back
here, on every store alike, before anything hears of it.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, Final

from domain.catalogue import PriceChanged, SkuBindingChanged
from domain.errors import Unreadable
from domain.events import Fact
from domain.groups.cluster import subject
from domain.naming import stream
from domain.parcels.events import ParcelPacked

LONGEST: Final = 2_000
"""Characters of a name. A row holds 2,704 bytes; the longest names stand in one twice, where they are compressed."""
_WIDEST: Final = 12
"""Characters that one of a key becomes in a name, at most: four bytes, percent-encoded."""


def check_source(source: str) -> None:
    """Accept a source whose feed can be named.

    Raises:
        Unreadable: it is too long for that.
    """
    _check("bad_envelope", "source", lambda: stream("feed", source), source)


def check(fact: Fact) -> None:
    """Accept a fact if what it is about can be named by its keys.

    Raises:
        Unreadable: it names the keys that are too long for that.
    """
    named = _NAMED.get(type(fact))
    if named is not None:
        named(fact)


def _packing(fact: ParcelPacked) -> None:
    if fact.binding_version is not None:
        for sku in {one.sku for one in chain(fact.contents, fact.expected)}:
            _binding("sku, warehouse_id and binding_version", sku, fact.warehouse_id, fact.binding_version)


def _change_of_binding(fact: SkuBindingChanged) -> None:
    _binding("listing_sku, warehouse_id and version", fact.listing_sku, fact.warehouse_id, fact.version)


def _binding(said: str, sku: str, warehouse_id: str | None, version: str) -> None:
    keys = (sku, warehouse_id or "", version)
    _check("bad_data", said, lambda: stream("cluster", "binding", subject(*keys)), *keys)


def _price(fact: PriceChanged) -> None:
    _check("bad_data", "sku and id", lambda: stream("price_cut", subject(fact.sku, fact.id)), fact.sku, fact.id)


def _check(code: str, said: str, name: Callable[[], str], *keys: str) -> None:
    # Nearly every key is far too short to need a name made for it.
    if sum(map(len, keys)) * _WIDEST > LONGEST and (length := len(name())) > LONGEST:
        raise Unreadable(
            code, f"{said}: too long for a name of {length} characters, percent-encoded; at most {LONGEST}"
        )


_NAMED: Final[dict[type[Fact], Callable[[Any], None]]] = {
    ParcelPacked: _packing,
    SkuBindingChanged: _change_of_binding,
    PriceChanged: _price,
}
