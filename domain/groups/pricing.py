"""Pricing: what each price change of a SKU meant, in the order of the world, and what buyers had paid when it came."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from domain.catalogue import PriceChanged
from domain.events import Stamp
from domain.groups.price_cut import PriceAnswered, PriceCutChanged
from domain.orders.order import Line, OrderPlaced


class Cut(NamedTuple):
    """One price change, whether or not it made anything cheaper."""

    change: PriceChanged
    falls: bool
    again: bool = False
    """It only says the price before it again."""
    mistaken: Stamp | None = None
    """What said that it was a mistake."""
    confirmed: bool = False

    def answered(self, answer: PriceAnswered) -> "Cut":
        """Give it as it is by what staff answered; a feed that calls it a mistake after that has the last word."""
        if answer.mistake:
            return self._replace(mistaken=min(self.mistaken or answer.stamp, answer.stamp), confirmed=False)
        later = self.mistaken if self.mistaken is not None and self.mistaken > answer.stamp else None
        return self._replace(mistaken=later, confirmed=later is None)

    @property
    def owes(self) -> bool:
        """Say whether anybody could ever be owed something for it."""
        return self.falls and self.mistaken != self.change.stamp

    @property
    def says(self) -> PriceCutChanged:
        """Tell it; one that owes nobody anything says of itself that it never held."""
        return PriceCutChanged(
            sku=self.change.sku,
            changed=self.change.stamp,
            price=self.change.price,
            currency=self.change.currency,
            sales_channel=self.change.sales_channel,
            mistaken=self.mistaken,
            confirmed=self.confirmed,
        )


def cuts(changes: Sequence[PriceChanged]) -> list[Cut]:
    """Say what every price change of a SKU meant, earliest first.

    >>> from domain.instant import HOUR
    >>> prices = [("100", None), ("1", None), ("100", True), ("90", None), ("90", False)]
    >>> said = [
    ...     PriceChanged(at=n * HOUR, source="/shop", id=str(n), sku="TEA", price=price, mistaken=mistaken)
    ...     for n, (price, mistaken) in enumerate(prices)
    ... ]
    >>> [one.change.price for one in cuts(said) if one.falls and one.mistaken is None]
    ['100', '90']
    >>> [one.change.price for one in cuts(said) if one.mistaken is not None]
    ['1']
    >>> [one.change.price for one in cuts(said) if one.confirmed]
    ['90']
    """
    found: list[Cut] = []
    held: dict[str | None, list[int]] = {}
    for place, change in enumerate(changes):
        places = held.setdefault(change.sales_channel, [])
        before = [found[one] for one in places[-2:]]
        if before and _same(before[-1].change, change):
            found.append(Cut(change, falls=False, again=True))
            found[places[-1]] = _with_word(before[-1], change)
            continue
        if before and change.mistaken and len(before) > 1 and _same(before[0].change, change):
            # The price goes back to what it was: it is the one in between that was a mistake.
            found[places[-1]] = _with_word(before[-1], change)
            found.append(Cut(change, falls=False))
        else:
            falls = not before or _fell(before[-1].change, change)
            own = Cut(change, falls)
            found.append(own if change.mistaken is None else _with_word(own, change))
        places.append(place)
    return found


def told_anew(known: Sequence[Cut], heard: PriceChanged) -> int:
    """Give the place of the first price change that means something else since one of them was heard."""
    earlier = (
        place
        for place, one in enumerate(known)
        if one.change.stamp < heard.stamp and one.change.sales_channel == heard.sales_channel and not one.again
    )
    own = next(place for place, one in enumerate(known) if one.change.stamp == heard.stamp)
    return max(earlier, default=own)


def paid_before(known: Sequence[Cut], placed: OrderPlaced, line: Line) -> str | None:
    """Say what a piece had cost its buyer before the last of these changes: less than at first, if owed for another."""
    price = line.unit_price
    for one in known[:-1]:
        change = one.change
        lowers = one.falls and one.mistaken is None and change.at > placed.at and _holds_for(change, placed)
        if lowers and price is not None and change.price is not None and Decimal(change.price) < Decimal(price):
            price = change.price
    return price


def concerns(change: PriceChanged, placed: OrderPlaced, price: str | None) -> bool:
    """Say whether a buyer has, as far as can be told, paid more than the new price."""
    if change.sales_channel not in {None, placed.sales_channel}:
        return False
    comparable = price is not None and change.price is not None and placed.currency is not None
    if not comparable or placed.currency != change.currency:
        return True
    return Decimal(price or 0) > Decimal(change.price or 0)


def lines(placed: OrderPlaced, sku: str) -> Iterator[Line]:
    """Give the lines of an order that bought a SKU."""
    return (line for line in placed.lines if line.sku == sku)


def skus(placings: Iterable[OrderPlaced]) -> set[str]:
    """Name everything that these orders bought."""
    return {line.sku for placed in placings for line in placed.lines}


def _same(before: PriceChanged, change: PriceChanged) -> bool:
    if before.price is None or change.price is None:
        return False
    return before.currency == change.currency and Decimal(before.price) == Decimal(change.price)


def _fell(before: PriceChanged, change: PriceChanged) -> bool:
    """Say whether a price is lower than the one before; what cannot be compared is left to what buyers paid."""
    if before.price is None or change.price is None or before.currency != change.currency:
        return True
    return Decimal(change.price) < Decimal(before.price)


def _with_word(cut: Cut, said: PriceChanged) -> Cut:
    if said.mistaken is None:
        return cut
    return cut._replace(mistaken=said.stamp if said.mistaken else None, confirmed=not said.mistaken)


def _holds_for(change: PriceChanged, placed: OrderPlaced) -> bool:
    return change.currency == placed.currency and change.sales_channel in {None, placed.sales_channel}
