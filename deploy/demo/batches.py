"""The books of what reached many customers at once: a wrong binding, a faulty batch, a lower price."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from deploy.demo.wrong import Wrong

_PROTECTED: Final = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A new price in one sales channel."""

    at: datetime
    sku: str
    channel: str
    price: str
    source: str
    mistaken: bool = False


@dataclass(frozen=True, slots=True)
class Purchase:
    """A line that was bought, and when it was given up."""

    at: datetime
    sku: str
    channel: str
    price: str
    dropped_at: datetime | None


@dataclass(slots=True)
class Batches:
    """Keeps what was planned to go wrong for many; only what the season is long enough for may be entered."""

    end: datetime
    prices: list[PriceChange] = field(default_factory=list)
    _planned: list[Wrong] = field(default_factory=list)

    def enter(self, incident: str, key: str, first_noticed: datetime, hub: str | None = None) -> None:
        """Enter a trouble that nobody will have put right by the end, and when the first customer noticed."""
        self._planned.append(Wrong(incident, key, first_noticed, None, hub=hub))

    def wrongs(self, purchases: list[Purchase], names: dict[PriceChange, str]) -> list[Wrong]:
        """List them, and every lower price for which somebody who had just bought is owed the difference."""
        cuts = [one for change in self.prices for one in self._cut(change, purchases, names)]
        return [*self._planned, *cuts]

    def _cut(self, change: PriceChange, purchases: list[Purchase], names: dict[PriceChange, str]) -> list[Wrong]:
        if change.at >= self.end or change.mistaken or not any(_is_owed(one, change) for one in purchases):
            return []
        words = (
            one.at for one in self.prices if one.mistaken and (one.sku, one.channel) == (change.sku, change.channel)
        )
        over = min((at for at in words if change.at < at <= self.end), default=None)
        return [Wrong("price_difference", f"{change.sku}:{names[change]}", change.at, over)]


def _is_owed(one: Purchase, change: PriceChange) -> bool:
    return (
        (one.sku, one.channel) == (change.sku, change.channel)
        and timedelta() < change.at - one.at <= _PROTECTED
        and Decimal(one.price) > Decimal(change.price)
        and not (one.dropped_at is not None and one.dropped_at <= change.at)
    )
