"""Order: what was bought, promised, held and cancelled, and what its parcels carry of it."""

from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec

from domain.detection import ABOUT_FINDINGS, AboutFinding, FindingDismissed, FindingEvent, Key, Stored, note
from domain.events import Copy, Fact, Stamp
from domain.facts import Facts
from domain.instant import Instant
from domain.severity import Stake

AgreedBy = Literal["customer", "platform", "merchant"]
_WAY, _HAND_OVER = ("version", "carrier", "settled"), ("possessed", "labelled_at")


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of an order; the price is a decimal string, unknown money where the order names no currency."""

    line_id: str
    sku: str
    quantity: int
    unit_price: str | None = None
    name: str | None = None
    seller_id: str | None = None
    gift: bool = False


class RequestedLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a fulfilment is to ship of a line; no quantity means all of it."""

    line_id: str
    quantity: int | None = None


class Content(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a parcel carries for one order."""

    order_id: str
    sku: str
    quantity: int
    line_id: str | None = None


class OrderPlaced(Fact, frozen=True, kw_only=True):
    """A customer bought something."""

    TOPIC: ClassVar[str] = "order.placed.v1"
    order_id: str
    lines: tuple[Line, ...]
    customer_id: str | None = None
    customer_tier: str | None = None
    sales_channel: str | None = None
    currency: str | None = None
    deliver_by: Instant | None = None
    ship_by: Instant | None = None
    destination: str | None = None

    @property
    def stake(self) -> Stake:
        """Say what the order is worth, where its money is known, and to whom it belongs."""
        worth = sum((Decimal(line.unit_price or 0) * line.quantity for line in self.lines), Decimal(0))
        return Stake(None if self.currency is None else str(worth), self.customer_tier)


class OrderApproved(Fact, frozen=True, kw_only=True):
    """Payment cleared and risk checks passed; the shipping clock may run."""

    TOPIC: ClassVar[str] = "order.approved.v1"
    order_id: str


class FulfillmentRequested(Fact, frozen=True, kw_only=True):
    """A warehouse was asked to ship some or all lines; no ``lines`` means all."""

    TOPIC: ClassVar[str] = "fulfillment.requested.v1"
    fulfillment_id: str
    order_id: str
    warehouse_id: str
    ship_by: Instant | None = None
    lines: tuple[RequestedLine, ...] = ()
    seller_id: str | None = None
    service: str | None = None
    starts_at: Instant | None = None


class PromiseChanged(Fact, frozen=True, kw_only=True):
    """A date was moved; the original stays known."""

    TOPIC: ClassVar[str] = "order.promise_changed.v1"
    order_id: str
    agreed_by: AgreedBy
    fulfillment_id: str | None = None
    ship_by: Instant | None = None
    deliver_by: Instant | None = None
    reason: str | None = None


class OrderHeld(Fact, frozen=True, kw_only=True):
    """The shipping clock stops, for one fulfilment or for the whole order."""

    TOPIC: ClassVar[str] = "order.held.v1"
    order_id: str
    reason: str
    fulfillment_id: str | None = None


class OrderReleased(Fact, frozen=True, kw_only=True):
    """A hold for this reason is over."""

    TOPIC: ClassVar[str] = "order.released.v1"
    order_id: str
    reason: str
    fulfillment_id: str | None = None


class OrderCancelled(Fact, frozen=True, kw_only=True):
    """Lines, or with none named the whole order, are no longer wanted."""

    TOPIC: ClassVar[str] = "order.cancelled.v1"
    order_id: str
    line_ids: tuple[str, ...] = ()
    reason: str | None = None


class ItemPicked(Fact, frozen=True, kw_only=True):
    """An item was taken from its shelf for this order."""

    TOPIC: ClassVar[str] = "item.picked.v1"
    order_id: str
    sku: str
    warehouse_id: str | None = None
    quantity: int | None = None


class ItemOutOfStock(Fact, frozen=True, kw_only=True):
    """The shelf was empty when this order's item was to be picked."""

    TOPIC: ClassVar[str] = "item.out_of_stock.v1"
    order_id: str
    sku: str
    warehouse_id: str | None = None
    quantity: int | None = None


class ItemRestocked(Fact, frozen=True, kw_only=True):
    """The item this order waits for is back on the shelf."""

    TOPIC: ClassVar[str] = "item.restocked.v1"
    order_id: str
    sku: str
    warehouse_id: str | None = None
    quantity: int | None = None


class Packed(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one packing record says for one order."""

    stamp: Stamp
    contents: tuple[Content, ...] = ()
    fulfillment_ids: tuple[str, ...] = ()
    listed: bool = False
    last: bool = False


class OrderParcelChanged(Copy, frozen=True, kw_only=True):
    """What one parcel means for this order, copied from the parcel; its latest version wins."""

    TOPIC: ClassVar[str] = "order.parcel_changed.v1"
    parcel_id: str
    possessed: Stamp | None = None
    voided_at: Instant | None = None
    packed: Stamp | None = None
    labelled_at: Instant | None = None
    contents: tuple[Content, ...] | None = None
    """Null without a packing record."""
    fulfillment_ids: tuple[str, ...] = ()
    carrier: str | None = None
    settled: Stamp | None = None
    """Delivered, refused, on its way back or damaged: nothing is owed on the way to the customer any more."""
    undone: Stamp | None = None
    """Refused, on its way back or lost: what was in it is wanted again."""
    replaced_by: str | None = None
    listed: bool = False
    """The packing record says itself what should be in the box."""
    last: bool = False
    """No further parcel follows for its fulfilments."""
    named: tuple[str, ...] = ()
    """Fulfilments that labels and scans name, where a packing record takes their place for possession."""
    earlier: tuple[Packed, ...] = ()
    """Packing records that a later one replaced."""
    mis_shipped: bool = False
    """What was packed was found wrong."""

    def packs_like(self, known: "OrderParcelChanged", *, handed_over: bool) -> bool:
        """Say whether nothing but the parcel's way to the customer has changed, its hand-over left out or not."""
        way = _WAY if handed_over or known.packed is None else _WAY + _HAND_OVER
        return known == msgspec.structs.replace(self, **{name: getattr(known, name) for name in way})

    @property
    def packings(self) -> tuple[Packed, ...]:
        """List its packing records, earliest first."""
        named = self.fulfillment_ids or self.named
        last = () if self.packed is None else (Packed(self.packed, self.contents or (), named, self.listed, self.last),)
        return (*self.earlier, *last)


class OrderComplaintChanged(Copy, frozen=True, kw_only=True):
    """What one complaint means for this order, copied from the complaint; its latest version wins."""

    TOPIC: ClassVar[str] = "order.complaint_changed.v1"
    complaint_id: str
    category: str | None
    opened: Stamp
    resolved: Stamp | None = None
    """The last resolution that no reopening followed."""
    answered: Stamp | None = None
    spells: tuple[tuple[Stamp, Stamp | None], ...] = ()
    """From when to when it was unresolved; told once it was resolved."""
    channel: str | None = None
    customer_id: str | None = None


OrderFact = (
    OrderPlaced
    | OrderApproved
    | FulfillmentRequested
    | PromiseChanged
    | OrderHeld
    | OrderReleased
    | OrderCancelled
    | ItemPicked
    | ItemOutOfStock
    | ItemRestocked
)
OrderCopy = OrderParcelChanged | OrderComplaintChanged
OrderEvent = OrderFact | OrderCopy | FindingEvent | FindingDismissed
FACTS = OrderFact.__args__
CHANGES = (*FACTS, OrderParcelChanged, OrderComplaintChanged)
"""What an order alone has in its stream; findings are in the streams of other subjects as well."""
EVENTS = (*CHANGES, *ABOUT_FINDINGS)


class Order:
    """All that is known of one order. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = ("complaints", "derived", "facts", "findings", "from_facts", "from_packing", "id", "parcels", "version")

    def __init__(self, identity: str) -> None:
        """Begin with an order of which nothing has been heard."""
        self.id = identity
        self.facts = Facts()
        self.version = 0
        self.parcels: dict[str, OrderParcelChanged] = {}
        self.complaints: dict[str, OrderComplaintChanged] = {}
        self.findings: dict[Key, Stored] = {}
        self.derived: dict[str, Any] = {}
        """What other modules have worked out of the facts and copies, under their names, until these change."""
        self.from_facts: dict[str, Any] = {}
        """The same, of what parcels do not change."""
        self.from_packing: dict[str, Any] = {}
        """The same, of what changes with what is packed, voided or lost, or handed over unless it says otherwise."""

    @property
    def placed(self) -> OrderPlaced | None:
        """Give the placing; none makes the order partial, and nothing is found on it."""
        placed = self.facts.of(OrderPlaced)
        return placed[0] if placed else None


def decide(order: Order, heard: OrderFact | OrderCopy) -> tuple[OrderEvent, ...]:
    """Record what was heard, once; a feed is never refused."""
    if isinstance(heard, OrderParcelChanged):
        return (heard,) if heard.says_more_than(order.parcels.get(heard.parcel_id)) else ()
    if isinstance(heard, OrderComplaintChanged):
        return (heard,) if heard.says_more_than(order.complaints.get(heard.complaint_id)) else ()
    return () if order.facts.holds(heard) else (heard,)


def evolve(order: Order, event: OrderEvent) -> Order:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, AboutFinding):
        note(order.findings, event)
        return order
    order.version += 1
    order.derived.clear()
    if isinstance(event, OrderParcelChanged):
        known, kept = order.parcels.get(event.parcel_id), order.from_packing  # empty while an order is only read back
        if kept and (known is None or not event.packs_like(known, handed_over=kept.get("handed over", True))):
            kept.clear()
        order.parcels[event.parcel_id] = event
        return order
    order.from_facts.clear()
    order.from_packing.clear()
    if isinstance(event, OrderComplaintChanged):
        order.complaints[event.complaint_id] = event
    else:
        order.facts.add(event)
    return order
