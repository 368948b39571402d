"""Exposed: what one parcel, its order and what was said of it mean for a binding that the order was packed under."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from domain.complaints.case import MIS_SHIPMENTS
from domain.complaints.complaint import Complaint
from domain.detection import Finding
from domain.events import Stamp
from domain.groups.cluster import ClusterMemberChanged, subject
from domain.instant import Instant
from domain.naming import stream
from domain.orders.order import Order, OrderComplaintChanged
from domain.parcels.events import SETTLING, ParcelPacked, ParcelScanned, ParcelVoided
from domain.parcels.parcel import Parcel
from domain.shares import cancellation

STAFF = "staff"
"""The source of what people say to an incident."""


class Binding(NamedTuple):
    """By what a warehouse picked a listing."""

    listing: str
    warehouse_id: str
    """Empty where the packing record names none."""
    version: str

    @property
    def cluster(self) -> str:
        """Name the stream of the orders packed under it."""
        return _cluster(self)


@lru_cache(maxsize=4096)
def _cluster(binding: Binding) -> str:
    return stream("cluster", "binding", subject(*binding))


class Packing(NamedTuple):
    """One order's share of one parcel, packed under one binding."""

    binding: Binding
    order_id: str
    packed: ParcelPacked
    """The first packing record that says so."""

    @property
    def member(self) -> str:
        """Name it within its cluster."""
        return subject(self.packed.parcel_id, self.order_id)

    @property
    def silent(self) -> ClusterMemberChanged:
        """Say no more of it than that it was packed."""
        return ClusterMemberChanged(
            member=self.member, order_id=self.order_id, since=self.packed.at, parcel_id=self.packed.parcel_id
        )


class Known(NamedTuple):
    """All that is known around a packing."""

    parcel: Parcel
    order: Order
    complaints: Mapping[str, Complaint]
    paid: Mapping[str, Stamp]
    """When staff paid for it, by order or member."""


class _Trouble(NamedTuple):
    """One thing that shows that a packing was wrong."""

    shown: Stamp
    settled: Stamp | None
    proof: tuple[str, ...]


def bound(packed: ParcelPacked) -> Iterator[Packing]:
    """Name the bindings of a packing record: of what should be in the box where it says so, else of what is."""
    if packed.binding_version is not None:
        meant = {(one.sku, one.order_id) for one in packed.expected or packed.contents}
        for sku, order_id in sorted(meant):
            yield Packing(Binding(sku, packed.warehouse_id or "", packed.binding_version), order_id, packed)


def packings(parcel: Parcel) -> list[Packing]:
    """List every binding that an order in a parcel was ever packed under; packing it again undoes none."""
    found: dict[tuple[Binding, str], Packing] = {}
    for one in chain.from_iterable(bound(packed) for packed in parcel.facts.of(ParcelPacked)):
        found.setdefault((one.binding, one.order_id), one)
    return list(found.values())


def member(packing: Packing, known: Known) -> ClusterMemberChanged:
    """Say all that is known of one share of a parcel."""
    found = [*_found_wrong(packing, known), *_reported(packing, known)]
    troubles = sorted(found, key=lambda one: (one.shown, one.proof))
    possessed, placed = known.parcel.meaning.possessed, known.order.placed
    customers = (None if placed is None else placed.customer_id, *_complainants(packing, known))
    return ClusterMemberChanged(
        member=packing.member,
        order_id=packing.order_id,
        since=packing.packed.at,
        customer_id=next((one for one in customers if one is not None), None),
        parcel_id=packing.packed.parcel_id,
        shipped_at=None if possessed is None else possessed.at,
        delivered_at=delivered_at(known.parcel),
        proven=troubles[0].shown if troubles else None,
        settled=min(_settling(packing, known, troubles), default=None),
        stake=None if placed is None else placed.stake,
        proof=tuple(dict.fromkeys(chain.from_iterable(one.proof for one in troubles))),
    )


def delivered_at(parcel: Parcel) -> Instant | None:
    """Say when a parcel came to the customer; one that was refused, damaged or came back before never did whole."""
    first = next((scan for scan in parcel.facts.of(ParcelScanned) if scan.status in SETTLING), None)
    return first.at if first is not None and first.status == "delivered" else None


def reports(order: Order, category: Iterable[str]) -> list[OrderComplaintChanged]:
    """List the complaints about an order that are of these categories, in the order in which they were opened."""
    wanted = frozenset(category)
    found = (one for one in order.complaints.values() if one.category in wanted)
    return sorted(found, key=lambda one: (one.opened, one.complaint_id))


def _found_wrong(packing: Packing, known: Known) -> Iterator[_Trouble]:
    """Give the mis-shipments that the packing records themselves show."""
    records = [one.stamp for one in known.parcel.facts.of(ParcelPacked) if _is_of(packing, one)]
    for key, stored in known.parcel.findings.items():
        wrong = stored.finding
        # Another order may have been packed at the same instant, and packed right.
        shown = [one for one in records if one.ref in wrong.proof]
        if key.kind != "mis_shipment" or stored.retracted or stored.dismissed is not None or not shown:
            continue
        ours = {one.binding.listing for one in packings(known.parcel) if one.order_id == packing.order_id}
        if _concerns(packing.binding.listing, _named(wrong), ours):
            ended = None if wrong.ended_at is None else _stamp(wrong.ended_at, _ender(wrong))
            yield _Trouble(shown[0], ended, wrong.proof)


def _reported(packing: Packing, known: Known) -> Iterator[_Trouble]:
    """Give what customers said once it was packed; what names another line of the order is not about this one."""
    for one in _complaints(packing, known):
        yield _Trouble(one.opened, one.resolved, (one.opened.ref,))


def _complaints(packing: Packing, known: Known) -> Iterator[OrderComplaintChanged]:
    placed = known.order.placed
    ordered = set() if placed is None else {line.sku for line in placed.lines}
    ordered |= {one.binding.listing for one in packings(known.parcel) if one.order_id == packing.order_id}
    for one in reports(known.order, MIS_SHIPMENTS):
        opening = known.complaints[one.complaint_id].opening
        named = set() if opening is None else {item.sku for item in opening.items}
        if one.opened >= packing.packed.stamp and _concerns(packing.binding.listing, named, ordered):
            yield one


def _complainants(packing: Packing, known: Known) -> Iterator[str | None]:
    return (one.customer_id for one in _complaints(packing, known))


def _settling(packing: Packing, known: Known, troubles: Iterable[_Trouble]) -> Iterator[Stamp]:
    """Give whatever left nothing to be put right."""
    voided = next(iter(known.parcel.facts.of(ParcelVoided)), None)
    again = (one for one in known.parcel.facts.of(ParcelPacked) if one.stamp > packing.packed.stamp)
    otherwise = next((one for one in again if not _is_of(packing, one)), None)
    ends = (
        cancellation(known.order),
        None if voided is None else voided.stamp,
        None if otherwise is None else otherwise.stamp,
        known.paid.get(packing.order_id, known.paid.get(packing.member)),
        *(one.settled for one in troubles),
    )
    return (end for end in ends if end is not None)


def _is_of(packing: Packing, packed: ParcelPacked) -> bool:
    return any((one.binding, one.order_id) == packing[:2] for one in bound(packed))


def _concerns(listing: str, named: set[str], known: set[str]) -> bool:
    """Say whether what names some goods is about this listing; what names none that are known is about all."""
    return listing in named or not named & known


def _named(wrong: Finding) -> set[str]:
    kinds = ("wrong_item", "missing_item", "extra_item")
    items: Iterable[dict[str, Any]] = chain.from_iterable(wrong.detail.get(kind, ()) for kind in kinds)
    return {one["sku"] for one in items}


def _ender(wrong: Finding) -> str:
    """Name the event that ended a finding, or the parcel that brought what was missing."""
    return str(wrong.detail.get("ended_by") or f"parcel#{wrong.detail.get('supplied_by', '')}")


def _stamp(at: Instant, ref: str) -> Stamp:
    """Read back ``source#id``; wherever it is divided, it is shown the same."""
    source, _, name = ref.rpartition("#")
    return Stamp(at, source, name)
