"""Intake: which streams a fact concerns, and how what it changes travels between them.

Parcels and complaints tell their orders what they mean for them, and orders tell back (copies, of which the latest
version wins): once for all that a batch says of them, and only what is different then. Link streams hold what names a
parent that is not known yet, and hand it on in the transaction that makes it known.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from domain.catalogue import Heartbeat, PriceChanged, SkuBindingChanged
from domain.complaints import complaint
from domain.events import Copy, Event, Fact
from domain.history.log import NO_FAULT
from domain.history.streams import Work, decide_dossier
from domain.history.suspicion import Failure, Message
from domain.naming import stream
from domain.orders import order
from domain.orders.order import FulfillmentRequested, Order, OrderPlaced
from domain.parcels import events as parcel_events
from domain.parcels import parcel
from domain.parcels.events import ParcelChange, ParcelLabelled, ParcelOrderLinked, ParcelScanMoved, ParcelScanned
from domain.parcels.link import (
    FulfillmentAwaited,
    FulfillmentOwned,
    TrackingLabelled,
    TrackingLinkEvent,
    TrackingScanned,
    decide_fulfillment,
    decide_tracking,
    reassigned,
)
from domain.shares import changed, shares


class _Untold(msgspec.Struct, frozen=True, gc=False):
    """What a subject meant for others when it last told them, and the messages that may have changed it since."""

    before: Any
    messages: set[Message]


class Intake:
    """Applies facts within one unit of work and remembers which subjects they touched."""

    def __init__(self, work: Work) -> None:
        """Begin with nothing touched."""
        self.work = work
        self._messages: tuple[Message, ...] = ()
        self.touched: OrderedDict[str, set[Message]] = OrderedDict()
        """The streams to look at, in the order in which they were touched, and the messages that did."""
        self.latest: dict[str, None] = {}
        """Those that the last message touched."""
        self.failures: list[Failure] = []
        """Who could not tell others what messages changed."""
        # Emptied from the front, which of a plain dictionary takes the longer the more was there before.
        self._parts: OrderedDict[str, _Untold] = OrderedDict()
        self._orders: OrderedDict[str, _Untold] = OrderedDict()

    def take(self, fact: Fact, message: Message | None = None) -> None:
        """Record a fact wherever it belongs; hearing it again changes nothing."""
        self._messages = () if message is None else (message,)
        self.latest.clear()
        _HANDLERS[type(fact)](self, fact)

    def hear(self, name: str, events: Iterable[Event]) -> None:
        """Record what a subject was told by the log itself."""
        if self.work.record(name, events):
            self._touch(name)

    def judged(self, name: str, messages: Iterable[Message], before: Any) -> None:
        """Tell others what a judgement changed in what a subject means for them."""
        state = self.work.state(name)
        if isinstance(state, parcel.Parcel) and state.meaning != before:
            self._parts[name] = _Untold(before, set(messages))
            self.tell()

    def tell(self) -> None:
        """Let everything that has changed tell those whom it concerns, until nobody has any news."""
        self._look_up_orders()
        while untold := self._parts or self._orders:
            # Orders last: they answer once all of their parcels and complaints have spoken.
            name, one = untold.popitem(last=False)
            self._messages = tuple(one.messages)
            self.work.because(name)
            try:
                self._say(name, one.before)
            except NO_FAULT:
                raise
            except Exception as error:
                if not one.messages:
                    raise
                self.failures.append(Failure(name, frozenset(one.messages), error))

    def forget(self, latest: Message) -> None:
        """Forget what the last message touched, and whom it kept from telling others."""
        for name in self.latest:
            self.touched[name].discard(latest)
            if not self.touched[name]:
                del self.touched[name]
            for untold in (self._parts, self._orders):
                if name in untold:
                    untold[name].messages.discard(latest)
        self.latest.clear()
        self.failures.clear()

    def _look_up_orders(self) -> None:
        parcels = [self.work.state(name) for name in self._parts if name.startswith("parcel-")]
        self.work.load(stream("order", one) for state in parcels for one in state.meaning.order_ids)

    def _say(self, name: str, before: Any) -> None:
        """Tell others what is different in what a subject means for them."""
        state = self.work.state(name)
        if isinstance(state, Order):
            for kind, identity, copy in changed(state, before):
                concerned = stream(kind, identity)
                self.hear(concerned, _HEAR_COPY[kind](self.work.state(concerned), copy))
        elif state.meaning == before:
            return
        elif isinstance(state, parcel.Parcel):
            self._await_orders(state, before)
            for order_id in dict.fromkeys((*before.order_ids, *state.meaning.order_ids)):
                self._order(order_id, state.share(order_id))
        elif state.meaning.opened is not None:
            for order_id in dict.fromkeys((before.order_id, state.meaning.order_id)):
                if order_id is not None:
                    self._order(order_id, state.share(order_id))

    def _touch(self, name: str) -> None:
        messages = self.touched.get(name)
        if messages is None:
            self.touched[name] = set(self._messages)
        else:
            messages.update(self._messages)
        self.latest[name] = None

    def _order(self, order_id: str, heard: Any) -> bool:
        """Record what an order hears."""
        name = stream("order", order_id)
        state = self.work.state(name)
        untold = self._orders.get(name)
        if untold is None:
            untold = self._orders[name] = _Untold(shares(state), set())
        if not self.work.record(name, order.decide(state, heard)):
            return False
        untold.messages.update(self._messages)
        self._touch(name)
        return True

    def _part(self, name: str, state: Any) -> None:
        """Keep what a parcel or complaint, which is about to hear something, has told its orders."""
        if name not in self._parts:
            self._parts[name] = _Untold(state.meaning, set())
        self._parts[name].messages.update(self._messages)

    def take_order(self, fact: Any) -> None:
        """Record an order's fact."""
        self._order(fact.order_id, fact)

    def take_placing(self, fact: OrderPlaced) -> None:
        """Record what was bought; where that has a shipping date, its implicit fulfilment learns whose it is."""
        if self._order(fact.order_id, fact) and fact.ship_by is not None:
            self._owned(fact.order_id, fact.order_id)

    def take_request(self, fact: FulfillmentRequested) -> None:
        """Record a request; the fulfilment learns whose it is."""
        if self._order(fact.order_id, fact):
            self._owned(fact.fulfillment_id, fact.order_id)

    def take_parcel(self, fact: Any) -> None:
        """Record a parcel's fact."""
        self._parcel(fact.parcel_id, (fact,))

    def take_label(self, fact: ParcelLabelled) -> None:
        """Record a label, and that its tracking number means that parcel."""
        self._parcel(fact.parcel_id, (fact,))
        self._tracking(fact, TrackingLabelled(label=fact))

    def take_scan(self, fact: ParcelScanned) -> None:
        """Record a scan; one that names no parcel goes to that of its tracking number."""
        if fact.parcel_id is None:
            self._tracking(fact, TrackingScanned(scan=fact))
        else:
            self._parcel(fact.parcel_id, (fact,))

    def take_complaint(self, fact: Any) -> None:
        """Record a complaint's fact."""
        name = stream("complaint", fact.complaint_id)
        state: complaint.Complaint = self.work.state(name)
        self._part(name, state)
        if self.work.record(name, complaint.decide(state, fact)):
            self._touch(name)

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
        self._part(name, state)
        for one in heard:
            if self.work.record(name, parcel.decide(state, one)):
                self._touch(name)

    def _await_orders(self, state: parcel.Parcel, before: parcel.Meaning) -> None:
        """Ask whose the newly named fulfilments are; once it names fewer orders itself, whose all of them are."""
        named = set(state.meaning.awaits)
        if state.meaning.order_ids and set(state.meaning.order_ids).issuperset(before.order_ids):
            named.difference_update(before.awaits)
        for fulfillment_id in sorted(named):
            name = stream("fulfillment", fulfillment_id)
            link = self.work.state(name)
            self.work.record(name, decide_fulfillment(link, FulfillmentAwaited(parcel_id=state.id)))
            for order_id in link.order_ids:
                self._link(state, fulfillment_id, order_id)

    def _link(self, state: parcel.Parcel, fulfillment_id: str, order_id: str) -> None:
        """Let a parcel hear whose a fulfilment is, unless it names that order itself."""
        if order_id not in state.meaning.order_ids:
            linked = ParcelOrderLinked(fulfillment_id=fulfillment_id, order_id=order_id)
            self.work.record(stream("parcel", state.id), parcel.decide(state, linked))

    def _owned(self, fulfillment_id: str, order_id: str) -> None:
        name = stream("fulfillment", fulfillment_id)
        link = self.work.state(name)
        if not self.work.record(name, decide_fulfillment(link, FulfillmentOwned(order_id=order_id))):
            return
        for parcel_id in link.parcel_ids:
            concerned = stream("parcel", parcel_id)
            state: parcel.Parcel = self.work.state(concerned)
            self._part(concerned, state)
            self._link(state, fulfillment_id, order_id)

    def _tracking(self, fact: ParcelLabelled | ParcelScanned, heard: TrackingLinkEvent) -> None:
        """Give the scans of a number to the parcel whose label they belong to, as far as is known now."""
        name = stream("tracking", str(fact.carrier), str(fact.tracking_number))
        link = self.work.state(name)
        before = link.owners(heard)
        if not self.work.record(name, decide_tracking(link, heard)):
            return
        for one in reassigned(link, heard, before):
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
    OrderPlaced: Intake.take_placing,
    FulfillmentRequested: Intake.take_request,
    **dict.fromkeys(parcel_events.FACTS, Intake.take_parcel),
    ParcelLabelled: Intake.take_label,
    ParcelScanned: Intake.take_scan,
    **dict.fromkeys(complaint.FACTS, Intake.take_complaint),
    PriceChanged: Intake.take_price,
    SkuBindingChanged: Intake.take_binding,
    Heartbeat: Intake.take_heartbeat,
}
