"""Catalogue facts: prices and SKU bindings, in streams of their own because many orders share them."""

from typing import ClassVar

from domain.events import Fact


class PriceChanged(Fact, frozen=True, kw_only=True):
    """A listing has another price, which must be there; an amount without a currency is kept as unknown money."""

    TOPIC: ClassVar[str] = "price.changed.v1"
    sku: str
    price: str | None = None
    currency: str | None = None
    sales_channel: str | None = None
    mistaken: bool | None = None


class SkuBindingChanged(Fact, frozen=True, kw_only=True):
    """From now on this listing is packed from that warehouse SKU."""

    TOPIC: ClassVar[str] = "sku.binding_changed.v1"
    listing_sku: str
    warehouse_sku: str
    version: str
    warehouse_id: str | None = None


class Heartbeat(Fact, frozen=True, kw_only=True):
    """A feed was alive and complete up to its time; it moves frontiers and leaves no event of its own."""

    TOPIC: ClassVar[str] = "feed.heartbeat.v1"


CatalogueFact = PriceChanged | SkuBindingChanged
EVENTS = CatalogueFact.__args__
