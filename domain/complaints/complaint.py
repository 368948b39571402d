"""Complaint: what a customer said, what staff answered, and what its order means for it."""

from itertools import takewhile
from typing import ClassVar, Literal, NamedTuple

import msgspec

from domain.detection import AboutFinding, FindingDismissed, FindingEvent, Key, Stored, note
from domain.events import Copy, Fact, Stamp
from domain.facts import Facts
from domain.orders.order import OrderComplaintChanged
from domain.severity import Stake

Category = Literal[
    "late",
    "not_received",
    "wrong_item",
    "missing_item",
    "extra_item",
    "damaged",
    "defective",
    "price_difference",
    "other",
]
Complexity = Literal["general", "complex"]


class ComplainedItem(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was wrong with one item."""

    sku: str
    received_sku: str | None = None
    quantity: int | None = None


class ComplaintOpened(Fact, frozen=True, kw_only=True):
    """A customer complained."""

    TOPIC: ClassVar[str] = "complaint.opened.v1"
    complaint_id: str
    channel: str
    order_id: str | None = None
    customer_id: str | None = None
    category: Category | None = None
    complexity: Complexity | None = None
    items: tuple[ComplainedItem, ...] = ()
    text: str | None = None
    language: str | None = None
    evidence: tuple[str, ...] = ()


class ComplaintAnswered(Fact, frozen=True, kw_only=True):
    """Somebody answered; the first answer stops the first-response clock."""

    TOPIC: ClassVar[str] = "complaint.answered.v1"
    complaint_id: str
    by: str | None = None
    channel: str | None = None


class ComplaintCategorised(Fact, frozen=True, kw_only=True):
    """Somebody said what it is about."""

    TOPIC: ClassVar[str] = "complaint.categorised.v1"
    complaint_id: str
    category: Category
    by: str | None = None


class ComplaintEscalated(Fact, frozen=True, kw_only=True):
    """It went to somebody with more say."""

    TOPIC: ClassVar[str] = "complaint.escalated.v1"
    complaint_id: str
    to: str | None = None
    reason: str | None = None


class ComplaintResolved(Fact, frozen=True, kw_only=True):
    """It was settled."""

    TOPIC: ClassVar[str] = "complaint.resolved.v1"
    complaint_id: str
    reason: str | None = None


class ComplaintReopened(Fact, frozen=True, kw_only=True):
    """It was not settled after all; its clock starts again."""

    TOPIC: ClassVar[str] = "complaint.reopened.v1"
    complaint_id: str
    reason: str | None = None


class ComplaintWaiting(Fact, frozen=True, kw_only=True):
    """It waits on somebody; only waiting on the customer pauses the resolution clock."""

    TOPIC: ClassVar[str] = "complaint.waiting.v1"
    complaint_id: str
    on: Literal["customer", "carrier", "staff"]


class Sibling(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One complaint of an order, as the order knows it."""

    complaint_id: str
    category: str | None
    opened: Stamp
    answered: Stamp | None = None
    spells: tuple[tuple[Stamp, Stamp | None], ...] = ()
    """From when to when it was unresolved; without any, since it was opened."""


class ComplaintOrderChanged(Copy, frozen=True, kw_only=True):
    """What its order means for this complaint, copied from the order; its latest version wins."""

    TOPIC: ClassVar[str] = "complaint.order_changed.v1"
    order_id: str
    stake: Stake | None = None
    """Null while the order is not known to have been placed."""
    mis_shipped: tuple[str, ...] = ()
    """Parcels of the order that were packed wrong; what customers say of it is then no finding of its own."""
    siblings: tuple[Sibling, ...] = ()
    """Every complaint about an order that has several, this one included, in the order in which they were opened."""


ComplaintFact = (
    ComplaintOpened
    | ComplaintAnswered
    | ComplaintCategorised
    | ComplaintEscalated
    | ComplaintResolved
    | ComplaintReopened
    | ComplaintWaiting
)
ComplaintChange = ComplaintFact | ComplaintOrderChanged
ComplaintEvent = ComplaintChange | FindingEvent | FindingDismissed
FACTS = ComplaintFact.__args__
EVENTS = (*FACTS, ComplaintOrderChanged)


class Spell(NamedTuple):
    """A stretch of time in which somebody owed the customer a resolution."""

    started: Stamp
    """The opening, or a reopening of what had been resolved."""
    settled: Stamp | None


class Meaning(NamedTuple):
    """All of a complaint that its order needs to know."""

    order_id: str | None = None
    category: Category | None = None
    opened: Stamp | None = None
    resolved: Stamp | None = None
    """What settled it, unless it was reopened since."""
    answered: Stamp | None = None
    """What stopped the time to answer: the first answer, or a resolution."""
    spells: tuple[Spell, ...] = ()
    """The stretches in which it was unresolved, where that is not all the time since it was opened."""
    channel: str | None = None
    customer_id: str | None = None


class Complaint:
    """All that is known of one complaint. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = ("facts", "findings", "id", "meaning", "orders", "version")

    def __init__(self, identity: str) -> None:
        """Begin with a complaint of which nothing has been heard."""
        self.id = identity
        self.version = 0
        self.facts = Facts()
        self.orders: dict[str, ComplaintOrderChanged] = {}
        """What each order that it has ever named has said."""
        self.findings: dict[Key, Stored] = {}
        self.meaning = Meaning()

    @property
    def opening(self) -> ComplaintOpened | None:
        """Give the opening that counts: the first; without one no clock has started."""
        opened = self.facts.of(ComplaintOpened)
        return opened[0] if opened else None

    @property
    def order(self) -> ComplaintOrderChanged | None:
        """Give what is known of the order it names; null while that has said nothing."""
        order_id = self.meaning.order_id
        return None if order_id is None else self.orders.get(order_id)

    def share(self, order_id: str) -> OrderComplaintChanged:
        """Say what an opened complaint means for one order; for one it no longer names, that it says nothing of it."""
        meaning = self.meaning
        if meaning.opened is None:
            raise ValueError(f"complaint {self.id} has not been opened; no order needs to know of it")
        named = order_id == meaning.order_id
        return OrderComplaintChanged(
            complaint_id=self.id,
            version=self.version,
            category=meaning.category if named else None,
            opened=meaning.opened,
            resolved=meaning.resolved if named else None,
            answered=meaning.answered if named else None,
            spells=meaning.spells if named else (),
            channel=meaning.channel,
            customer_id=meaning.customer_id,
        )


def decide(complaint: Complaint, heard: ComplaintChange) -> tuple[ComplaintEvent, ...]:
    """Record what was heard, once; a feed is never refused, and an answer may be heard before the opening."""
    if isinstance(heard, ComplaintOrderChanged):
        return (heard,) if heard.says_more_than(complaint.orders.get(heard.order_id)) else ()
    return () if complaint.facts.holds(heard) else (heard,)


def evolve(complaint: Complaint, event: ComplaintEvent) -> Complaint:
    """Apply one event. Refuses nothing and reads no clock."""
    complaint.version += 1
    if isinstance(event, AboutFinding):
        note(complaint.findings, event)
    elif isinstance(event, ComplaintOrderChanged):
        complaint.orders[event.order_id] = event
    else:
        complaint.facts.add(event)
        complaint.meaning = _meaning(complaint)
    return complaint


def spells(complaint: Complaint) -> tuple[Spell, ...]:
    """List the stretches in which it was unresolved, earliest first.

    A resolution counts once, and a reopening where a resolution came before it. What is said to have happened before
    the opening counts as if it had happened with it.
    """
    opening = complaint.opening
    if opening is None:
        return ()
    turns: list[ComplaintResolved | ComplaintReopened] = [
        *complaint.facts.of(ComplaintResolved),
        *complaint.facts.of(ComplaintReopened),
    ]
    found: list[Spell] = []
    started: Stamp | None = opening.stamp
    turns.sort(key=lambda one: one.stamp)
    before = [turn for turn in turns if turn.at < opening.at]
    settled = list(takewhile(lambda turn: isinstance(turn, ComplaintResolved), reversed(before)))
    if settled:
        found.append(Spell(opening.stamp, settled[-1].stamp))
        started = None
    for turn in turns[len(before) :]:
        if isinstance(turn, ComplaintReopened):
            started = turn.stamp if started is None else started
        elif started is not None:
            found.append(Spell(started, turn.stamp))
            started = None
    if started is not None:
        found.append(Spell(started, None))
    return tuple(found)


def unfinished(complaint: Complaint) -> bool:
    """Say whether somebody still owes the customer a resolution."""
    return complaint.meaning.opened is not None and complaint.meaning.resolved is None


def said(complaint: Complaint) -> tuple[ComplaintOpened | ComplaintCategorised, ...]:
    """List who said what it is about, the last word last; whoever categorises knows better than who opened it."""
    opening = complaint.opening
    first = () if opening is None or opening.category is None else (opening,)
    return (*first, *complaint.facts.of(ComplaintCategorised))


def _meaning(complaint: Complaint) -> Meaning:
    opening, words = complaint.opening, said(complaint)
    category = words[-1].category if words else None
    if opening is None:
        return Meaning(category=category)
    unresolved = spells(complaint)
    return Meaning(
        order_id=opening.order_id,
        category=category,
        opened=opening.stamp,
        resolved=unresolved[-1].settled,
        answered=_answered(complaint),
        spells=unresolved if unresolved[0].settled else (),
        channel=opening.channel,
        customer_id=opening.customer_id,
    )


def _answered(complaint: Complaint) -> Stamp | None:
    heard = (*complaint.facts.of(ComplaintAnswered), *complaint.facts.of(ComplaintResolved))
    return min((one.stamp for one in heard), default=None)
