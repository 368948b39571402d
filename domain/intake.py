"""Intake: which streams a fact concerns, and how what it changes travels between them.

Parcels tell their orders (a copied fact, the parcel's latest version wins); link streams hold what names a
parent that is not known yet and hand it on in the transaction that makes it known.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from domain import order, parcel
from domain.catalogue import Heartbeat, PriceChanged, SkuBindingChanged
from domain.complaint import EVENTS as COMPLAINT_FACTS
from domain.events import Fact
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
from domain.order import FulfillmentRequested, OrderPlaced
from domain.parcel import ParcelEvent, ParcelLabelled, ParcelOrderLinked, ParcelScanMoved, ParcelScanned
from domain.streams import Work, decide_dossier, stream

Message = tuple[int, int]
"""A message of a batch: which slice, which offset."""


class Intake:
    """Applies facts within one unit of work and remembers which orders they touched."""

    def __init__(self, work: Work) -> None:
        """Begin with no order touched."""
        self._work = work
        self._message: Message | None = None
        self.orders: dict[str, list[Message]] = {}
        """The order streams to look at, in the order in which they were touched, and the messages that did."""

    def take(self, fact: Fact, message: Message | None = None) -> None:
        """Record a fact wherever it belongs; hearing it again changes nothing."""
        self._message = message
        _HANDLERS[type(fact)](self, fact)

    def _touch(self, order_stream: str) -> None:
        messages = self.orders.setdefault(order_stream, [])
        if self._message is not None:
            messages.append(self._message)

    def take_order(self, fact: Any) -> None:
        """Record an order's fact; a fulfilment, named or implicit, also learns whose it is."""
        name = stream("order", fact.order_id)
        if not self._work.record(name, order.decide(self._work.state(name), fact)):
            return
        self._touch(name)
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
        """Keep a complaint's fact."""
        self._keep(stream("complaint", fact.complaint_id), fact)

    def take_price(self, fact: PriceChanged) -> None:
        """Keep a price."""
        self._keep(stream("sku", fact.sku), fact)

    def take_binding(self, fact: SkuBindingChanged) -> None:
        """Keep a SKU binding."""
        self._keep(stream("binding", fact.listing_sku), fact)

    def take_heartbeat(self, _fact: Heartbeat) -> None:
        """Leave it to the batch: a heartbeat is proof of life and nothing else."""

    def _keep(self, name: str, fact: Fact) -> None:
        self._work.record(name, decide_dossier(self._work.state(name), fact))

    def _parcel(self, parcel_id: str, heard: Iterable[ParcelEvent]) -> None:
        name = stream("parcel", parcel_id)
        state: parcel.Parcel = self._work.state(name)
        before = state.meaning
        changed = False
        for one in heard:
            changed |= self._work.record(name, parcel.decide(state, one))
        if changed and state.meaning != before:
            self._await_orders(state, set(state.meaning.fulfillment_ids) - set(before.fulfillment_ids))
            self._tell_orders(state, before.order_ids)

    def _await_orders(self, state: parcel.Parcel, named: set[str]) -> None:
        """Ask whose the newly named fulfilments are; a packing record says so itself."""
        if state.packed is not None:
            return
        for fulfillment_id in sorted(named):
            name = stream("fulfillment", fulfillment_id)
            link = self._work.state(name)
            self._work.record(name, decide_fulfillment(link, FulfillmentAwaited(parcel_id=state.id)))
            for order_id in link.order_ids:
                self._link(state, fulfillment_id, order_id)

    def _tell_orders(self, state: parcel.Parcel, before: tuple[str, ...] = ()) -> None:
        """Tell every order that is named, and those that no longer are."""
        for order_id in dict.fromkeys((*before, *state.meaning.order_ids)):
            name = stream("order", order_id)
            if self._work.record(name, order.decide(self._work.state(name), state.share(order_id))):
                self._touch(name)

    def _link(self, state: parcel.Parcel, fulfillment_id: str, order_id: str) -> bool:
        linked = ParcelOrderLinked(fulfillment_id=fulfillment_id, order_id=order_id)
        return self._work.record(stream("parcel", state.id), parcel.decide(state, linked))

    def _owned(self, fulfillment_id: str, order_id: str) -> None:
        name = stream("fulfillment", fulfillment_id)
        link = self._work.state(name)
        if not self._work.record(name, decide_fulfillment(link, FulfillmentOwned(order_id=order_id))):
            return
        for parcel_id in link.parcel_ids:
            state: parcel.Parcel = self._work.state(stream("parcel", parcel_id))
            if self._link(state, fulfillment_id, order_id):
                self._tell_orders(state)

    def _tracking(self, fact: ParcelLabelled | ParcelScanned, heard: TrackingLinkEvent) -> None:
        """Give the scans of a number to the parcel whose label they belong to, as far as is known now."""
        name = stream("tracking", str(fact.carrier), str(fact.tracking_number))
        link = self._work.state(name)
        before = link.owners()
        if not self._work.record(name, decide_tracking(link, heard)):
            return
        for one in reassigned(link, before):
            if one.before is not None:
                self._parcel(one.before, (ParcelScanMoved(source=one.scan.source, id=one.scan.id),))
            self._parcel(one.after, (msgspec.structs.replace(one.scan, parcel_id=one.after),))


_Handler = Callable[[Intake, Any], None]
_HANDLERS: Final[dict[type[Fact], _Handler]] = {
    **dict.fromkeys(order.FACTS, Intake.take_order),
    **dict.fromkeys(parcel.FACTS, Intake.take_parcel),
    **dict.fromkeys(COMPLAINT_FACTS, Intake.take_complaint),
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
    return ()


_ORDER_FACTS = frozenset(order.FACTS)
_PARCEL_FACTS = frozenset(parcel.FACTS)


def _parcel_streams(fact: Any) -> tuple[str, ...]:
    names = [] if fact.parcel_id is None else [stream("parcel", fact.parcel_id)]
    if isinstance(fact, parcel.ParcelPacked):
        names.extend(stream("order", content.order_id) for content in fact.contents)
    elif not isinstance(fact, parcel.ParcelVoided):
        names.extend(stream("order", order_id) for order_id in fact.order_ids)
        names.extend(stream("fulfillment", one) for one in fact.fulfillment_ids)
    if isinstance(fact, ParcelLabelled) or fact.parcel_id is None:
        names.append(stream("tracking", fact.carrier, fact.tracking_number))
    return tuple(names)
