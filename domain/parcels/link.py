"""Links: streams that hold facts whose parent is not known yet, and say whose they are once it is."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import ClassVar, Final

import msgspec

from domain.events import Event, Stamp
from domain.facts import Facts
from domain.parcels.events import ParcelLabelled, ParcelScanned


class FulfillmentOwned(Event, frozen=True, kw_only=True):
    """An order asked for this fulfilment."""

    TOPIC: ClassVar[str] = "fulfillment.owned.v1"
    order_id: str


class FulfillmentAwaited(Event, frozen=True, kw_only=True):
    """A parcel names this fulfilment and must hear whose it is."""

    TOPIC: ClassVar[str] = "fulfillment.awaited.v1"
    parcel_id: str


FulfillmentLinkEvent = FulfillmentOwned | FulfillmentAwaited


class FulfillmentLink:
    """Which orders claim a fulfilment id, and which parcels name it."""

    __slots__ = ("order_ids", "parcel_ids")

    def __init__(self, _identity: str) -> None:
        """Begin with nobody on either side."""
        self.order_ids: tuple[str, ...] = ()
        self.parcel_ids: tuple[str, ...] = ()


def decide_fulfillment(link: FulfillmentLink, heard: FulfillmentLinkEvent) -> tuple[FulfillmentLinkEvent, ...]:
    """Note each order and each parcel once."""
    if isinstance(heard, FulfillmentOwned):
        return () if heard.order_id in link.order_ids else (heard,)
    return () if heard.parcel_id in link.parcel_ids else (heard,)


def evolve_fulfillment(link: FulfillmentLink, event: FulfillmentLinkEvent) -> FulfillmentLink:
    """Apply one event."""
    if isinstance(event, FulfillmentOwned):
        link.order_ids += (event.order_id,)
    else:
        link.parcel_ids += (event.parcel_id,)
    return link


class TrackingLabelled(Event, frozen=True, kw_only=True):
    """From its label on, this tracking number means that parcel, until the number is given out again."""

    TOPIC: ClassVar[str] = "tracking.labelled.v1"
    label: ParcelLabelled


class TrackingScanned(Event, frozen=True, kw_only=True):
    """A scan came by tracking number alone."""

    TOPIC: ClassVar[str] = "tracking.scanned.v1"
    scan: ParcelScanned


TrackingLinkEvent = TrackingLabelled | TrackingScanned
_AT: Final = attrgetter("at")
_STAMP: Final = attrgetter("stamp")
EVENTS = (FulfillmentOwned, FulfillmentAwaited, TrackingLabelled, TrackingScanned)


def names_goods(scan: ParcelScanned) -> bool:
    """Say whether a scan tells whose goods the carrier has."""
    return scan.understood and bool(scan.order_ids or scan.fulfillment_ids)


def unlabelled(scan: ParcelScanned) -> str:
    """Name the parcel that a number stands for as long as nobody has labelled one with it.

    >>> unlabelled(ParcelScanned(at=0, source="/sf", id="1", carrier="sf", tracking_number="SF1"))
    'sf:SF1'
    """
    return f"{scan.carrier}:{scan.tracking_number}"


class TrackingLink:
    """The labels and scans of one carrier's tracking number."""

    __slots__ = ("facts", "named")

    def __init__(self, _identity: str) -> None:
        """Begin with an unknown number."""
        self.facts = Facts()
        self.named = False
        """Whether a scan has said itself whose goods the number stands for."""

    def owner(self, scan: ParcelScanned) -> str | None:
        """Name the parcel of the latest label not after the scan, else of the first label after it.

        A number that nobody has labelled stands for a parcel of its own once a scan says whose goods are in it.
        """
        labels = self.facts.of(ParcelLabelled)
        if not labels:
            return unlabelled(scan) if self.named else None
        return labels[max(bisect_right(labels, scan.at, key=_AT) - 1, 0)].parcel_id

    def owners(self, heard: TrackingLinkEvent) -> dict[Stamp, str | None]:
        """Name the parcel of every scan that may have another once this is known."""
        return {scan.stamp: self.owner(scan) for scan in self.concerned(heard)}

    def concerned(self, heard: TrackingLinkEvent) -> Sequence[ParcelScanned]:
        """List the scans whose parcel this may change: those from a label to the next one, before the first as well.

        Where there is no label, a scan that names whose goods they are may change it for all.
        """
        scans = self.facts.of(ParcelScanned)
        if isinstance(heard, TrackingScanned):
            if names_goods(heard.scan) and not self.facts.of(ParcelLabelled):
                return scans
            place = bisect_left(scans, heard.scan.stamp, key=_STAMP)
            return scans[place : place + 1]
        labels, stamp = self.facts.of(ParcelLabelled), heard.label.stamp
        place = bisect_right(labels, stamp, key=_STAMP)
        is_first = bisect_left(labels, stamp, key=_STAMP) == 0
        begin = 0 if is_first else bisect_left(scans, stamp.at, key=_AT)
        return scans[begin : bisect_left(scans, labels[place].at, key=_AT) if place < len(labels) else len(scans)]


def decide_tracking(link: TrackingLink, heard: TrackingLinkEvent) -> tuple[TrackingLinkEvent, ...]:
    """Note each label and each scan once."""
    fact = heard.label if isinstance(heard, TrackingLabelled) else heard.scan
    return () if link.facts.holds(fact) else (heard,)


def evolve_tracking(link: TrackingLink, event: TrackingLinkEvent) -> TrackingLink:
    """Apply one event."""
    if isinstance(event, TrackingLabelled):
        link.facts.add(event.label)
    else:
        link.facts.add(event.scan)
        link.named = link.named or names_goods(event.scan)
    return link


class Reassigned(msgspec.Struct, frozen=True):
    """A scan whose parcel changed: from nobody or another parcel, to this one."""

    scan: ParcelScanned
    before: str | None
    after: str


def reassigned(link: TrackingLink, heard: TrackingLinkEvent, before: dict[Stamp, str | None]) -> tuple[Reassigned, ...]:
    """List the scans that belong to another parcel than they did before this was heard."""
    return tuple(
        Reassigned(scan, old, new)
        for scan in link.concerned(heard)
        if (new := link.owner(scan)) is not None and (old := before.get(scan.stamp)) != new
    )
