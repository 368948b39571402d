"""Price cut: a price that fell, and who had just bought at the old one."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, NamedTuple

from domain.detection import AboutFinding, FindingDismissed, FindingEvent, Key, Stored, note
from domain.events import Event, Fact, Stamp
from domain.instant import Duration, Instant
from domain.severity import Stake


class PriceCutChanged(Event, frozen=True, kw_only=True):
    """What one price change said, and what became known of it since; the last word wins."""

    TOPIC: ClassVar[str] = "price_cut.changed.v1"
    sku: str
    changed: Stamp
    """The price change itself."""
    price: str | None = None
    currency: str | None = None
    sales_channel: str | None = None
    """Where it holds; null is everywhere."""
    mistaken: Stamp | None = None
    """What said that the price was a mistake; where that is the change itself, it never held."""
    confirmed: bool = False
    """Somebody said that the price is meant."""


class PriceCutBuyerChanged(Event, frozen=True, kw_only=True):
    """One purchase of what has become cheaper; the last word on it wins."""

    TOPIC: ClassVar[str] = "price_cut.buyer_changed.v1"
    buyer: str
    """Names one line of one order."""
    order_id: str
    bought: Stamp
    quantity: int
    unit_price: str | None = None
    currency: str | None = None
    sales_channel: str | None = None
    settled: Stamp | None = None
    """What left nothing to be paid: a payment, a refusal, or a cancellation."""
    stake: Stake | None = None
    gone: bool = False


class PriceAnswered(Fact, frozen=True, kw_only=True):
    """In the SKU's own stream: staff said whether one of its prices is a mistake; the last word counts."""

    TOPIC: ClassVar[str] = "price.answered.v1"
    change: str
    """The id of the price change."""
    mistake: bool
    by: str
    why: str


PriceCutChange = PriceCutChanged | PriceCutBuyerChanged
PriceCutEvent = PriceCutChange | FindingEvent | FindingDismissed
EVENTS = (*PriceCutChange.__args__, PriceAnswered)


class Owed(NamedTuple):
    """What one buyer has paid too much."""

    buyer: PriceCutBuyerChanged
    amount: Decimal | None
    """Null where money without a currency, or of two, cannot be compared."""


class PriceCut:
    """One price change and the purchases before it. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = ("buyers", "change", "findings", "id", "version")

    def __init__(self, identity: str) -> None:
        """Begin with nothing known of ``sku:price change id``."""
        self.id = identity
        self.change: PriceCutChanged | None = None
        self.buyers: dict[str, PriceCutBuyerChanged] = {}
        self.findings: dict[Key, Stored] = {}
        self.version = 0


def decide(cut: PriceCut, heard: PriceCutChange) -> tuple[PriceCutChange, ...]:
    """Record what is not known yet."""
    if isinstance(heard, PriceCutChanged):
        return () if heard == cut.change else (heard,)
    known = cut.buyers.get(heard.buyer)
    return () if known == heard or (known is None and heard.gone) else (heard,)


def evolve(cut: PriceCut, event: PriceCutEvent) -> PriceCut:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, AboutFinding):
        note(cut.findings, event)
        return cut
    cut.version += 1
    if isinstance(event, PriceCutChanged):
        cut.change = event
    elif event.gone:
        cut.buyers.pop(event.buyer, None)
    else:
        cut.buyers[event.buyer] = event
    return cut


def owed(cut: PriceCut, change: PriceCutChanged, window: Duration) -> Iterator[Owed]:
    """Give everybody who bought at a higher price within a span before the change, in the order of the world.

    A purchase at the very instant of the change was made at the new price; one as old as the span is still in it.
    """
    for one in sorted(cut.buyers.values(), key=lambda each: (each.bought, each.buyer)):
        if _concerned(one, change, window):
            amount = _difference(one, change)
            if amount is None or amount > 0:
                yield Owed(one, amount)


def _concerned(buyer: PriceCutBuyerChanged, change: PriceCutChanged, window: Duration) -> bool:
    since: Instant = change.changed.at - buyer.bought.at
    settled_before = buyer.settled is not None and buyer.settled.at <= change.changed.at
    return 0 < since <= window and not settled_before and change.sales_channel in {None, buyer.sales_channel}


def _difference(buyer: PriceCutBuyerChanged, change: PriceCutChanged) -> Decimal | None:
    if buyer.unit_price is None or change.price is None or buyer.currency is None:
        return None
    if buyer.currency != change.currency:
        return None
    return (Decimal(buyer.unit_price) - Decimal(change.price)) * buyer.quantity
