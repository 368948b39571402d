"""Shares: what an order means for each of its parcels and complaints, to be copied into their streams."""

from collections.abc import Iterator
from typing import Final

import msgspec

from domain.complaints.case import MIS_SHIPMENTS
from domain.complaints.complaint import ComplaintOrderChanged, Sibling
from domain.events import Copy, Stamp
from domain.orders.order import Order, OrderCancelled, OrderParcelChanged, OrderPlaced, PromiseChanged
from domain.orders.packing import Packing, has_unlisted
from domain.parcels.events import ParcelOrderChanged, Promised

Shares = dict[tuple[str, str], Copy]
"""Kind and id of the subject it is for, and what to tell it; without the version."""
_UNTOLD: Final = 0


def shares(order: Order) -> Shares:
    """Say what the order means for everything it is known to concern, worked out once until the next event."""
    if not order.parcels and not order.complaints:
        return {}
    found: Shares | None = order.from_packing.get("shares")
    if found is None:
        for_parcels = list(_for_parcels(order))
        found = order.from_packing["shares"] = {("parcel", one.parcel_id): copy for one, copy in for_parcels}
        if order.complaints:
            for_all = _for_complaints(order)
            found.update({("complaint", one): for_all for one in order.complaints})
        # Who handed what over, and when, is told only of what is missing, and where nobody says what was packed.
        is_told = any(one.packed is None or copy.missing or copy.missing_before for one, copy in for_parcels)
        order.from_packing["handed over"] = is_told
    return found


def changed(order: Order, before: Shares) -> Iterator[tuple[str, str, Copy]]:
    """Give what the order has to tell whom, by kind and id, after it meant something else before."""
    for (kind, identity), copy in shares(order).items():
        known = before.get((kind, identity))
        if known is not copy and known != copy:
            yield kind, identity, msgspec.structs.replace(copy, version=order.version)


def _for_complaints(order: Order) -> ComplaintOrderChanged:
    placed = order.placed
    several = order.complaints.values() if len(order.complaints) > 1 else ()
    siblings = (Sibling(one.complaint_id, one.category, one.opened, one.answered, one.spells) for one in several)
    return ComplaintOrderChanged(
        order_id=order.id,
        version=_UNTOLD,
        stake=None if placed is None else placed.stake,
        mis_shipped=tuple(sorted(one.parcel_id for one in order.parcels.values() if one.mis_shipped)),
        siblings=tuple(sorted(siblings, key=lambda one: (one.opened, one.complaint_id))),
    )


def _for_parcels(order: Order) -> Iterator[tuple[OrderParcelChanged, ParcelOrderChanged]]:
    if not order.parcels:
        return
    placed, all_alike = order.placed, _for_any_parcel(order)
    for parcel in order.parcels.values():
        if placed is None or not has_unlisted(parcel):
            yield parcel, all_alike
        else:
            packing = Packing.of(order, placed)
            lacking, missing = packing.lacking(parcel), packing.missing(parcel)
            before = packing.missing_before(missing)
            yield parcel, msgspec.structs.replace(all_alike, lacking=lacking, missing=missing, missing_before=before)


def _for_any_parcel(order: Order) -> ParcelOrderChanged:
    found: ParcelOrderChanged | None = order.from_facts.get("share")
    if found is None:
        placed = order.placed
        found = order.from_facts["share"] = ParcelOrderChanged(
            order_id=order.id,
            version=_UNTOLD,
            cancelled=cancellation(order),
            promised=() if placed is None else _promised(order, placed),
            destination=None if placed is None else placed.destination,
            stake=None if placed is None else placed.stake,
            corrected=_corrected(order),
        )
    return found


def _corrected(order: Order) -> tuple[Stamp, ...]:
    reporting = (one for one in order.complaints.values() if one.category in MIS_SHIPMENTS)
    return tuple(sorted(one.resolved for one in reporting if one.resolved is not None))


def _promised(order: Order, placed: OrderPlaced) -> tuple[Promised, ...]:
    first = () if placed.deliver_by is None else (Promised(placed.deliver_by, placed.at),)
    changes = order.facts.of(PromiseChanged)
    return (*first, *(Promised(one.deliver_by, one.at, one.agreed_by) for one in changes if one.deliver_by is not None))


def cancellation(order: Order, sku: str | None = None) -> Stamp | None:
    """Give the cancellation that left nothing of the order, or nothing of one SKU of it."""
    cancellations, placed = order.facts.of(OrderCancelled), order.placed
    lines = placed.lines if cancellations and placed is not None else ()
    left = {line.line_id for line in lines if sku in (None, line.sku)}
    known = bool(left)
    for cancelled in cancellations:
        left -= set(cancelled.line_ids)
        if not cancelled.line_ids or (known and not left):
            return cancelled.stamp
    return None
