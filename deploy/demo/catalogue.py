"""Who takes part in the demo world: shops, warehouses, carriers and goods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Final

LOCAL: Final = timezone(timedelta(hours=8))
PROMISE: Final = timedelta(hours=48)
DELIVERY: Final = timedelta(days=6)
# A report of a shop or a warehouse is in Kafka after this time at the latest; carriers say their own.
HOUSE_LAG: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Shop:
    """A sales channel and the feed that it reports on."""

    source: str
    channel: str
    prefix: str
    share: float
    approves: float


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse: its share of the orders, the parcels that it packs in a normal hour, and who collects most."""

    name: str
    share: float
    rate: float
    region: str
    house_carrier: str

    @property
    def source(self) -> str:
        """The feed that it reports on."""
        return f"/warehouses/{self.name}"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: the local hours at which it collects, and how well it reports."""

    name: str
    share: float
    rounds: tuple[int, ...]
    lag: timedelta
    nameless: float
    prefix: str

    @property
    def source(self) -> str:
        """The feed that it reports on."""
        return f"/carriers/{self.name}"


@dataclass(frozen=True, slots=True)
class Good:
    """Something that can be bought."""

    sku: str
    name: str
    price: str


SHOPS: Final = (
    Shop("/shops/tmall", "tmall", "TM", 0.50, 1.0),
    Shop("/shops/jd", "jd", "JD", 0.32, 1.0),
    Shop("/shops/own", "own", "OW", 0.18, 0.5),
)

WAREHOUSES: Final = {
    one.name: one
    for one in (
        Warehouse("W-HANGZHOU", 0.45, 4.0, "CN-ZJ", "yto"),
        Warehouse("W-CHENGDU", 0.30, 3.2, "CN-SC", "sf"),
        Warehouse("W-SHENYANG", 0.25, 2.8, "CN-LN", "zto"),
    )
}

# Only a few carriers put the parcel id on every scan; the others know their own tracking number and nothing else.
CARRIERS: Final = {
    one.name: one
    for one in (
        Carrier("sf", 0.30, (10, 14, 18, 21), timedelta(minutes=20), 0.05, "SF"),
        Carrier("jd", 0.20, (11, 17, 20), timedelta(minutes=30), 0.05, "JDV"),
        Carrier("zto", 0.25, (13, 19), timedelta(minutes=45), 0.60, "ZT"),
        Carrier("yto", 0.25, (12, 20), timedelta(hours=2), 1.00, "YT"),
    )
}

GOODS: Final = (
    Good("MUG-350-BLUE", "Enamel mug 350 ml, blue", "39.00"),
    Good("MUG-350-RED", "Enamel mug 350 ml, red", "39.00"),
    Good("KETTLE-1L7", "Kettle 1.7 l", "189.00"),
    Good("TEA-LONGJING-250", "Longjing tea 250 g", "128.00"),
    Good("TEA-PUER-357", "Pu'er cake 357 g", "168.00"),
    Good("LAMP-DESK-W", "Desk lamp, white", "219.00"),
    Good("TOWEL-SET-4", "Towels, set of 4", "89.90"),
    Good("PAN-28", "Wok 28 cm", "259.00"),
    Good("QUILT-200-230", "Quilt 200 x 230", "499.00"),
    Good("BOTTLE-750", "Steel bottle 750 ml", "79.00"),
    Good("SLIPPERS-42", "Slippers, size 42", "45.00"),
    Good("UMBRELLA-XL", "Umbrella XL", "69.00"),
)
PROMOTED: Final = "QUILT-200-230"
# The service desk, where staff answer for all shops.
DESK: Final = "/service/desk"

REGIONS: Final = (
    ("CN-ZJ", "310000"),
    ("CN-SH", "200000"),
    ("CN-BJ", "100000"),
    ("CN-GD", "510000"),
    ("CN-SC", "610000"),
    ("CN-LN", "110000"),
    ("CN-HB", "430000"),
    ("CN-XJ", "830000"),
)

# Orders by local hour of the day: a low at five in the morning, peaks at noon and at nine in the evening.
HOURLY_ORDERS: Final = (
    2.6, 1.6, 0.9, 0.6, 0.4, 0.4, 0.8, 1.8, 3.2, 4.6, 5.6, 5.8,
    6.2, 5.6, 4.9, 4.8, 4.7, 4.4, 4.7, 6.1, 7.8, 8.8, 7.9, 5.0,
)  # fmt: skip

# Every feed, with the longest time that a report of it takes to reach Kafka.
LAGS: Final = dict.fromkeys(
    [shop.source for shop in SHOPS] + [house.source for house in WAREHOUSES.values()] + [DESK], HOUSE_LAG
) | {carrier.source: carrier.lag for carrier in CARRIERS.values()}
