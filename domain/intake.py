"""Intake: which streams a fact concerns, and how what it changes travels between them.

Parcels and complaints tell their orders what they mean for them, and orders tell back (copies, of which the latest
version wins). Link streams hold what names a parent that is not known yet, and hand it on in the transaction that
makes it known.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from domain import complaint, order, parcel, parcel_events
from domain.catalogue import Heartbeat, PriceChanged, SkuBindingChanged
from domain.events import Copy, Event, Fact
from domain.link import (
    FulfillmentAwaited,
    FulfillmentOwned,
    TrackingLabelled,
    TrackingLinkEvent,
    TrackingScanned,
    decide_fulfillment,
    decide_tracking,
    reassigned,
)
from domain.naming import stream
from domain.order import FulfillmentRequested, OrderPlaced
from domain.parcel_events import ParcelChange, ParcelLabelled, ParcelOrderLinked, ParcelScanMoved, ParcelScanned
from domain.shares import changed, shares
from domain.streams import Work, decide_dossier

Message = tuple[int, int]
"""A message of a batch: which slice, which offset."""


class Intake:
    """Applies facts within one unit of work and remembers which subjects they touched."""

    def __init__(self, work: Work) -> None:
        """Begin with nothing touched."""
        self.work = work
        self._messages: tuple[Message, ...] = ()
        self.touched: dict[str, set[Message]] = {}
        """The streams to look at, in the order in which they were touched, and the messages that did."""

    def take(self, fact: Fact, message: Message | None = None) -> None:
        """Record a fact wherever it belongs; hearing it again changes nothing."""
        self._messages = () if message is None else (message,)
        _HANDLERS[type(fact)](self, fact)

    def hear(self, name: str, events: Iterable[Event]) -> None:
        """Record what a subject was told by the log itself."""
        if self.work.record(name, events):
            self._touch(name)

    def judged(self, name: str, messages: Iterable[Message], before: Any) -> None:
        """Tell others what a judgement changed in what a subject means for them."""
        self._messages = tuple(messages)
        state = self.work.state(name)
        if isinstance(state, parcel.Parcel) and state.meaning != before:
            self._tell_orders(state)

    def _touch(self, name: str) -> None:
        self.touched.setdefault(name, set()).update(self._messages)

    def _order(self, order_id: str, heard: Any) -> bool:
        """Record what an order hears, and tell its parcels and complaints what that changed for them."""
        name = stream("order", order_id)
        state = self.work.state(name)
        before = shares(state)
        if not self.work.record(name, order.decide(state, heard)):
            return False
        self._touch(name)
        for kind, identity, copy in changed(state, before):
            concerned = stream(kind, identity)
            self.hear(concerned, _HEAR_COPY[kind](self.work.state(concerned), copy))
        return True

    def take_order(self, fact: Any) -> None:
        """Record an order's fact; a fulfilment, named or implicit, also learns whose it is."""
        if not self._order(fact.order_id, fact):
            return
        if isinstance(fact, FulfillmentRequested):
            self._owned(fact.fulfillment_id, fact.order_id)
        elif isinstance(fact, OrderPlaced) and fact.ship_by is not None:
            self._owned(fact.order_id, fact.order_id)

    def take_parcel(self, fact: Any) -> None:
        """Record a parcel's fact and tell its orders what changed for them."""
        if isinstance(fact, ParcelScanned) and fact.parcel_id is None:
            self._tracking(fact, TrackingScanned(scan=fact))
            return
        self._parcel(fact.parcel_id, (fact,))
        if isinstance(fact, ParcelLabelled):
            self._tracking(fact, TrackingLabelled(label=fact))

    def take_complaint(self, fact: Any) -> None:
        """Record a complaint's fact and tell its order what changed for it."""
        name = stream("complaint", fact.complaint_id)
        state: complaint.Complaint = self.work.state(name)
        before = state.meaning
        if not self.work.record(name, complaint.decide(state, fact)):
            return
        self._touch(name)
        if state.meaning != before and state.meaning.opened is not None:
            for order_id in dict.fromkeys((before.order_id, state.meaning.order_id)):
                if order_id is not None:
                    self._order(order_id, state.share(order_id))

    def take_price(self, fact: PriceChanged) -> None:
        """Keep a price."""
        self._keep(stream("sku", fact.sku), fact)

    def take_binding(self, fact: SkuBindingChanged) -> None:
        """Keep a SKU binding."""
        self._keep(stream("binding", fact.listing_sku), fact)

    def take_heartbeat(self, _fact: Heartbeat) -> None:
        """Leave it to the batch: a heartbeat is proof of life and nothing else."""

    def _keep(self, name: str, fact: Fact) -> None:
        self.work.record(name, decide_dossier(self.work.state(name), fact))

    def _parcel(self, parcel_id: str, heard: Iterable[ParcelChange]) -> None:
        name = stream("parcel", parcel_id)
        state: parcel.Parcel = self.work.state(name)
        before = state.meaning
        changed = False
        for one in heard:
            changed |= self.work.record(name, parcel.decide(state, one))
        if changed:
            self._touch(name)
        if changed and state.meaning != before:
            self._await_orders(state, set(state.meaning.awaits) - set(before.awaits))
            self._tell_orders(state, before.order_ids)

    def _await_orders(self, state: parcel.Parcel, named: set[str]) -> None:
        """Ask whose the newly named fulfilments are."""
        for fulfillment_id in sorted(named):
            name = stream("fulfillment", fulfillment_id)
            link = self.work.state(name)
            self.work.record(name, decide_fulfillment(link, FulfillmentAwaited(parcel_id=state.id)))
            for order_id in link.order_ids:
                self._link(state, fulfillment_id, order_id)

    def _tell_orders(self, state: parcel.Parcel, before: tuple[str, ...] = ()) -> None:
        """Tell every order that is named, and those that no longer are."""
        for order_id in dict.fromkeys((*before, *state.meaning.order_ids)):
            self._order(order_id, state.share(order_id))

    def _link(self, state: parcel.Parcel, fulfillment_id: str, order_id: str) -> bool:
        linked = ParcelOrderLinked(fulfillment_id=fulfillment_id, order_id=order_id)
        return self.work.record(stream("parcel", state.id), parcel.decide(state, linked))

    def _owned(self, fulfillment_id: str, order_id: str) -> None:
        name = stream("fulfillment", fulfillment_id)
        link = self.work.state(name)
        if not self.work.record(name, decide_fulfillment(link, FulfillmentOwned(order_id=order_id))):
            return
        for parcel_id in link.parcel_ids:
            state: parcel.Parcel = self.work.state(stream("parcel", parcel_id))
            if self._link(state, fulfillment_id, order_id):
                self._tell_orders(state)

    def _tracking(self, fact: ParcelLabelled | ParcelScanned, heard: TrackingLinkEvent) -> None:
        """Give the scans of a number to the parcel whose label they belong to, as far as is known now."""
        name = stream("tracking", str(fact.carrier), str(fact.tracking_number))
        link = self.work.state(name)
        before = link.owners()
        if not self.work.record(name, decide_tracking(link, heard)):
            return
        for one in reassigned(link, before):
            if one.before is not None:
                self._parcel(one.before, (ParcelScanMoved(source=one.scan.source, id=one.scan.id),))
            self._parcel(one.after, (msgspec.structs.replace(one.scan, parcel_id=one.after),))


_HEAR_COPY: Final[dict[str, Callable[[Any, Copy], Any]]] = {
    "parcel": parcel.decide,  # type: ignore[dict-item]  # each hears its own copy
    "complaint": complaint.decide,  # type: ignore[dict-item]
}

_Handler = Callable[[Intake, Any], None]
_HANDLERS: Final[dict[type[Fact], _Handler]] = {
    **dict.fromkeys(order.FACTS, Intake.take_order),
    **dict.fromkeys(parcel_events.FACTS, Intake.take_parcel),
    **dict.fromkeys(complaint.FACTS, Intake.take_complaint),
    PriceChanged: Intake.take_price,
    SkuBindingChanged: Intake.take_binding,
    Heartbeat: Intake.take_heartbeat,
}


def streams_of(fact: Fact) -> tuple[str, ...]:
    """Name the streams a fact is sure to need, to read them ahead."""
    kind = type(fact)
    if isinstance(fact, FulfillmentRequested):
        return stream("order", fact.order_id), stream("fulfillment", fact.fulfillment_id)
    if kind in _ORDER_FACTS:
        return (stream("order", fact.order_id),)  # type: ignore[attr-defined]  # every order fact has one
    if kind in _PARCEL_FACTS:
        return _parcel_streams(fact)
    if kind in _COMPLAINT_FACTS:
        return (stream("complaint", fact.complaint_id),)  # type: ignore[attr-defined]  # every complaint fact has one
    return ()


_ORDER_FACTS = frozenset(order.FACTS)
_PARCEL_FACTS = frozenset(parcel_events.FACTS)
_COMPLAINT_FACTS = frozenset(complaint.FACTS)


def _parcel_streams(fact: Any) -> tuple[str, ...]:
    names = [] if fact.parcel_id is None else [stream("parcel", fact.parcel_id)]
    if isinstance(fact, parcel_events.ParcelPacked):
        names.extend(stream("order", content.order_id) for content in fact.contents)
    elif not isinstance(fact, parcel_events.ParcelVoided):
        names.extend(stream("order", order_id) for order_id in fact.order_ids)
        names.extend(stream("fulfillment", one) for one in fact.fulfillment_ids)
    if isinstance(fact, ParcelLabelled) or fact.parcel_id is None:
        names.append(stream("tracking", fact.carrier, fact.tracking_number))
    return tuple(names)
