"""Reading ahead: which streams facts are sure to need, so that those of a whole batch are read in two goes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from domain.complaints import complaint
from domain.events import Fact
from domain.history.streams import Work
from domain.naming import stream
from domain.orders import order
from domain.orders.order import FulfillmentRequested
from domain.parcels.events import ParcelLabelled, ParcelPacked, ParcelScanned, ParcelVoided


def read_ahead(work: Work, facts: Sequence[Fact]) -> None:
    """Read the streams that facts are sure to need, and then those to whom the first ones say that they are of news."""
    work.load(name for fact in facts for name in streams_of(fact))
    work.load(_awaiting(work, facts))


def streams_of(fact: Fact) -> Sequence[str]:
    """Name the streams a fact is sure to need."""
    name = _STREAMS.get(type(fact))
    return () if name is None else name(fact)


def _awaiting(work: Work, facts: Iterable[Fact]) -> Iterator[str]:
    """Name the parcels that wait to hear whose a fulfilment is: another process may have read of them."""
    for fact in facts:
        if isinstance(fact, FulfillmentRequested):
            link = work.state(stream("fulfillment", fact.fulfillment_id))
            yield from (stream("parcel", one) for one in link.parcel_ids)


def _order_streams(fact: Any) -> Sequence[str]:
    return (stream("order", fact.order_id),)


def _requested_streams(fact: FulfillmentRequested) -> Sequence[str]:
    return stream("order", fact.order_id), stream("fulfillment", fact.fulfillment_id)


def _complaint_streams(fact: Any) -> Sequence[str]:
    return (stream("complaint", fact.complaint_id),)


def _packed_streams(fact: ParcelPacked) -> Sequence[str]:
    return stream("parcel", fact.parcel_id), *(stream("order", content.order_id) for content in fact.contents)


def _voided_streams(fact: ParcelVoided) -> Sequence[str]:
    return (stream("parcel", fact.parcel_id),)


def _labelled_streams(fact: ParcelLabelled) -> Sequence[str]:
    tracking = stream("tracking", fact.carrier, fact.tracking_number)
    return stream("parcel", fact.parcel_id), tracking, *_named_streams(fact)


def _scanned_streams(fact: ParcelScanned) -> Sequence[str]:
    if fact.parcel_id is None:
        return stream("tracking", str(fact.carrier), str(fact.tracking_number)), *_named_streams(fact)
    name = stream("parcel", fact.parcel_id)
    return (name, *_named_streams(fact)) if fact.order_ids or fact.fulfillment_ids else (name,)


def _named_streams(fact: ParcelLabelled | ParcelScanned) -> Iterator[str]:
    yield from (stream("order", one) for one in fact.order_ids)
    yield from (stream("fulfillment", one) for one in fact.fulfillment_ids)


_STREAMS: Final[dict[type[Fact], Callable[[Any], Sequence[str]]]] = {
    **dict.fromkeys(order.FACTS, _order_streams),
    FulfillmentRequested: _requested_streams,
    **dict.fromkeys(complaint.FACTS, _complaint_streams),
    ParcelPacked: _packed_streams,
    ParcelLabelled: _labelled_streams,
    ParcelScanned: _scanned_streams,
    ParcelVoided: _voided_streams,
}
