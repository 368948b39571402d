"""The state of the demo world while its season is being made up."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final

from deploy.demo.batches import Batches
from deploy.demo.boxes import Boxes
from deploy.demo.calls import Calls
from deploy.demo.complaints import ComplaintBook
from deploy.demo.counters import Counters
from deploy.demo.journal import Journal
from deploy.demo.ledger import Ledger
from deploy.demo.waybills import Waybills

if TYPE_CHECKING:
    from deploy.demo.catalogue import Carrier, Good, Shop, Warehouse
    from deploy.demo.scan import Scan

# Orders of the last two days before the start are still open when the season begins. The first of their promises
# runs out after the start, so nothing is late before anybody looks.
BACKLOG: Final = timedelta(hours=46)
_EARLIEST: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order, or the part of it that a fulfilment owes."""

    line_id: str
    good: Good
    quantity: int


@dataclass(slots=True, eq=False)
class Fulfilment:
    """What one warehouse owes of an order; `lines` shrink when customers cancel."""

    fulfilment_id: str
    order: Order
    warehouse: Warehouse
    lines: list[Line]
    requested_at: datetime
    ready_at: datetime
    implicit: bool = False


@dataclass(slots=True, eq=False)
class Order:
    """An order; `slip` is the time for which the warehouse mislays it."""

    placed_at: datetime
    shop: Shop
    customer_id: str
    lines: list[Line]
    warehouse: Warehouse
    destination: tuple[str, str]
    slip: timedelta = timedelta()
    plain: bool = False
    order_id: str = ""
    fulfilments: list[Fulfilment] = field(default_factory=list)
    companion: Order | None = None
    cancelled_at: datetime | None = None
    complained: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What a warehouse packs in one go: one fulfilment, or two of one customer."""

    fulfilments: list[Fulfilment]

    @property
    def name(self) -> str:
        """The id of its first fulfilment."""
        return self.fulfilments[0].fulfilment_id

    @property
    def warehouse(self) -> Warehouse:
        """Where it is packed."""
        return self.fulfilments[0].warehouse

    @property
    def ready_at(self) -> datetime:
        """From when on it may be packed."""
        return max(one.ready_at for one in self.fulfilments)


@dataclass(frozen=True, slots=True)
class Packing:
    """A job and the time at which the warehouse gets round to it."""

    job: Job
    packed_at: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel and its whole way; `contents` say what of which fulfilment is in it."""

    parcel_id: str
    warehouse: Warehouse
    carrier: Carrier
    tracking_number: str
    contents: tuple[tuple[Fulfilment, Line], ...]
    labelled_at: datetime
    scans: tuple[Scan, ...] = ()
    mistake: str = ""
    binding: str | None = None

    @property
    def possession_at(self) -> datetime:
        """From when on the carrier has it."""
        return self.scans[0].at

    @property
    def delivered_at(self) -> datetime | None:
        """When the customer had it, if ever."""
        return next((scan.at for scan in self.scans if scan.status == "delivered"), None)


@dataclass(frozen=True, slots=True)
class Surge:
    """A promotion: so many further orders of one good, all for one warehouse."""

    since: datetime
    until: datetime
    warehouse: str
    sku: str
    orders: int


@dataclass(frozen=True, slots=True)
class Pace:
    """A time in which a warehouse packs faster or slower than it should."""

    since: datetime
    until: datetime
    warehouse: str
    factor: float


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which a carrier does not come to one warehouse."""

    since: datetime
    until: datetime
    carrier: str
    warehouse: str


@dataclass(frozen=True, slots=True)
class Jam:
    """A time in which nothing leaves one facility of a carrier."""

    since: datetime
    until: datetime
    facility_id: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a carrier's system is down: it tells nothing, and does not even say that it is alive."""

    since: datetime
    until: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What a warehouse takes from the shelf for a listing, under one version of its table."""

    since: datetime
    warehouse: str
    version: str
    listing: str
    shelf: str


class World:
    """Holds what story elements change beforehand, and what came of it."""

    def __init__(self, seed: int, start: datetime, days: int) -> None:
        """Open an empty world; everything in it follows from these three."""
        self.start = start.astimezone(UTC).replace(microsecond=0)
        self.end = self.start + timedelta(days=days)
        self.opening = self.start - BACKLOG
        self.earliest = self.start - _EARLIEST
        self.mark = sha256(f"{seed} {self.start.isoformat()} {days}".encode()).hexdigest()[:5].upper()
        self._seed = seed
        self.journal = Journal(self.mark.lower(), self.start, self.end, self.dice)
        self.ledger = Ledger(self.end)
        self.counters = Counters(self.end)
        self.waybills = Waybills(self.end)
        self.complaints = ComplaintBook(self.end)
        self.boxes = Boxes(self.end)
        self.batches = Batches(self.end)
        self.calls = Calls(self.end)
        self.surges: list[Surge] = []
        self.paces: list[Pace] = []
        self.stalls: list[Stall] = []
        self.jams: list[Jam] = []
        self.outages: list[Outage] = []
        self.bindings: list[Binding] = []
        self.orders: list[Order] = []
        self.parcels: list[Parcel] = []
        self._parcels_by_order: defaultdict[str, list[Parcel]] = defaultdict(list)
        self.numbers: Counter[str] = Counter()

    def parcels_of(self, order: Order) -> list[Parcel]:
        """List the parcels in which something of an order travels."""
        if len(self._parcels_by_order) == 0:
            for parcel in self.parcels:
                for name in {one.order.order_id for one, _ in parcel.contents}:
                    self._parcels_by_order[name].append(parcel)
        return self._parcels_by_order[order.order_id]

    def delivered_at(self, order: Order) -> datetime | None:
        """Return when the first parcel of an order reached the customer."""
        known = [one.delivered_at for one in self.parcels_of(order)]
        return min((at for at in known if at is not None), default=None)

    def price(self, good: Good, channel: str, at: datetime) -> str:
        """Return what a good costs in a sales channel at a time."""
        known = [one for one in self.batches.prices if (one.sku, one.channel) == (good.sku, channel) and one.at <= at]
        return known[-1].price if known else good.price

    def binding(self, warehouse: Warehouse, at: datetime) -> str | None:
        """Return the version of the bindings by which a warehouse picks at a time, if it keeps such a table."""
        known = [one for one in self.bindings if one.warehouse == warehouse.name and one.since <= at]
        return known[-1].version if known else None

    def outage(self, source: str, at: datetime) -> Outage | None:
        """Return the outage of a feed at a time, if its system is down then."""
        return next((one for one in self.outages if one.source == source and one.since <= at < one.until), None)

    def is_down(self, source: str, at: datetime) -> bool:
        """Say whether the system of a feed is down."""
        return self.outage(source, at) is not None

    def dice(self, purpose: str) -> Random:
        """Return randomness of its own for each purpose, so that a new story element changes no old one."""
        return Random(f"{self._seed}/{purpose}")


def minutes(dice: Random, low: float, high: float) -> timedelta:
    """Roll a time of so many minutes, in whole seconds."""
    return timedelta(seconds=int(dice.uniform(low * 60, high * 60)))


def hours(dice: Random, low: float, high: float) -> timedelta:
    """Roll a time of so many hours, in whole seconds."""
    return minutes(dice, low * 60, high * 60)
