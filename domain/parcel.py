"""Parcel: what is packed, labelled, scanned and voided, and what that means for each order in it."""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from domain.events import Event, Fact, Stamp
from domain.facts import Facts
from domain.instant import Instant
from domain.order import Content, OrderParcelChanged

STATUSES: Final = [
    "label_created",
    "picked_up",
    "in_transit",
    "arrived_facility",
    "departed_facility",
    "out_for_delivery",
    "ready_for_pickup",
    "delivery_failed",
    "delivery_delayed",
    "on_hold",
    "customs_hold",
    "delivered",
    "refused",
    "return_to_sender",
    "returned",
    "lost",
    "damaged",
    "cancelled",
    "unknown",
]
NO_POSSESSION: Final = frozenset({"label_created", "cancelled", "unknown"})
"""A label is not possession; neither is talk."""


class ParcelPacked(Fact, frozen=True, kw_only=True):
    """A warehouse closed the box; ``expected`` is what should be in it and never counts as shipped."""

    TOPIC: ClassVar[str] = "parcel.packed.v1"
    parcel_id: str
    contents: tuple[Content, ...]
    warehouse_id: str | None = None
    expected: tuple[Content, ...] = ()
    fulfillment_ids: tuple[str, ...] = ()
    weight_g: float | None = None
    expected_weight_g: float | None = None
    binding_version: str | None = None
    last: bool = False


class ParcelLabelled(Fact, frozen=True, kw_only=True):
    """The shop says 'shipped'; nobody has collected it yet."""

    TOPIC: ClassVar[str] = "parcel.labelled.v1"
    parcel_id: str
    carrier: str
    tracking_number: str
    order_ids: tuple[str, ...] = ()
    fulfillment_ids: tuple[str, ...] = ()


class ParcelScanned(Fact, frozen=True, kw_only=True):
    """A carrier saw the parcel; ``status`` is null where its own code is not in any table."""

    TOPIC: ClassVar[str] = "parcel.scanned.v1"
    parcel_id: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    status: str | None = None
    raw_code: str | None = None
    raw_text: str | None = None
    facility_id: str | None = None
    region: str | None = None
    order_ids: tuple[str, ...] = ()
    fulfillment_ids: tuple[str, ...] = ()
    estimated_delivery: Instant | None = None
    reason: str | None = None

    @property
    def understood(self) -> bool:
        """Say whether the scan says anything; what is in no table changes nothing."""
        return self.status is not None and self.status != "unknown"

    @property
    def possesses(self) -> bool:
        """Say whether the carrier has the parcel in its hands."""
        return self.status is not None and self.status not in NO_POSSESSION


class ParcelVoided(Fact, frozen=True, kw_only=True):
    """The label was voided or the parcel made again; all its clocks stop."""

    TOPIC: ClassVar[str] = "parcel.voided.v1"
    parcel_id: str
    replaced_by: str | None = None


class ParcelOrderLinked(Event, frozen=True, kw_only=True):
    """A fulfilment this parcel names turned out to belong to an order."""

    TOPIC: ClassVar[str] = "parcel.order_linked.v1"
    fulfillment_id: str
    order_id: str


class ParcelScanMoved(Event, frozen=True, kw_only=True):
    """A scan given by tracking number belongs to another parcel with the same recycled number."""

    TOPIC: ClassVar[str] = "parcel.scan_moved.v1"
    source: str
    id: str


ParcelFact = ParcelPacked | ParcelLabelled | ParcelScanned | ParcelVoided
ParcelEvent = ParcelFact | ParcelOrderLinked | ParcelScanMoved
FACTS = ParcelFact.__args__
EVENTS = (*FACTS, ParcelOrderLinked, ParcelScanMoved)


class Meaning(NamedTuple):
    """All of a parcel that any of its orders needs to know."""

    possessed: Stamp | None
    voided_at: Instant | None
    packed: Stamp | None
    labelled_at: Instant | None
    carrier: str | None
    fulfillment_ids: tuple[str, ...]
    order_ids: tuple[str, ...]


class Parcel:
    """All that is known of one parcel. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = ("facts", "fulfillment_ids", "id", "links", "meaning", "order_ids", "version")

    def __init__(self, identity: str) -> None:
        """Begin with a parcel of which nothing has been heard."""
        self.id = identity
        self.version = 0
        self.facts = Facts()
        self.fulfillment_ids: set[str] = set()
        self.order_ids: set[str] = set()
        self.links: dict[str, set[str]] = {}
        """Fulfilment id to the orders it turned out to belong to."""
        self.meaning = Meaning(None, None, None, None, None, (), ())

    @property
    def packed(self) -> ParcelPacked | None:
        """Give the packing record that counts: the last one."""
        packed = self.facts.of(ParcelPacked)
        return packed[-1] if packed else None

    def share(self, order_id: str) -> OrderParcelChanged:
        """Say what this parcel means for one order; for one it no longer names, that it carries nothing of it."""
        packed, meaning = self.packed, self.meaning
        contents: tuple[Content, ...] | None = None
        if packed is not None or order_id not in meaning.order_ids:
            held = () if packed is None else packed.contents
            contents = tuple(content for content in held if content.order_id == order_id)
        return OrderParcelChanged(
            parcel_id=self.id,
            version=self.version,
            possessed=meaning.possessed,
            voided_at=meaning.voided_at,
            packed_at=None if packed is None else packed.at,
            labelled_at=meaning.labelled_at,
            contents=contents,
            fulfillment_ids=meaning.fulfillment_ids if packed is None else packed.fulfillment_ids,
            carrier=meaning.carrier,
        )


def decide(parcel: Parcel, heard: ParcelEvent) -> tuple[ParcelEvent, ...]:
    """Record what was heard, once; a feed is never refused."""
    if isinstance(heard, ParcelOrderLinked):
        return () if heard.order_id in parcel.links.get(heard.fulfillment_id, ()) else (heard,)
    if isinstance(heard, ParcelScanMoved):
        return (heard,)
    return () if parcel.facts.holds(heard) else (heard,)


def evolve(parcel: Parcel, event: ParcelEvent) -> Parcel:
    """Apply one event. Refuses nothing and reads no clock."""
    parcel.version += 1
    match event:
        case ParcelOrderLinked():
            parcel.links.setdefault(event.fulfillment_id, set()).add(event.order_id)
        case ParcelScanMoved():
            parcel.facts.drop(ParcelScanned, event.source, event.id)
            _name_again(parcel)
        case ParcelPacked():
            parcel.facts.add(event)
            parcel.order_ids.update(content.order_id for content in event.contents)
        case ParcelVoided():
            parcel.facts.add(event)
        case _:
            parcel.facts.add(event)
            if isinstance(event, ParcelScanned) and (not event.understood or _says_nothing_new(parcel, event)):
                return parcel
            parcel.fulfillment_ids.update(event.fulfillment_ids)
            parcel.order_ids.update(event.order_ids)
    parcel.meaning = _meaning(parcel)
    return parcel


def _says_nothing_new(parcel: Parcel, scan: ParcelScanned) -> bool:
    """Say whether a scan leaves the parcel's meaning as it is, as most do."""
    possessed = parcel.meaning.possessed
    return (
        (not scan.possesses or (possessed is not None and possessed < scan.stamp))
        and parcel.fulfillment_ids.issuperset(scan.fulfillment_ids)
        and parcel.order_ids.issuperset(scan.order_ids)
    )


def _name_again(parcel: Parcel) -> None:
    """Work out anew what the parcel's remaining facts name."""
    scans = (scan for scan in parcel.facts.of(ParcelScanned) if scan.understood)
    named: list[ParcelLabelled | ParcelScanned] = [*parcel.facts.of(ParcelLabelled), *scans]
    parcel.fulfillment_ids = {one for fact in named for one in fact.fulfillment_ids}
    parcel.order_ids = {one for fact in named for one in fact.order_ids}
    parcel.order_ids.update(content.order_id for fact in parcel.facts.of(ParcelPacked) for content in fact.contents)


def _meaning(parcel: Parcel) -> Meaning:
    facts = parcel.facts
    possessed = next((scan for scan in facts.of(ParcelScanned) if scan.possesses), None)
    voided = facts.of(ParcelVoided)
    packed = parcel.packed
    labels = facts.of(ParcelLabelled)
    return Meaning(
        possessed=None if possessed is None else possessed.stamp,
        voided_at=voided[0].at if voided else None,
        packed=None if packed is None else packed.stamp,
        labelled_at=labels[0].at if labels else None,
        carrier=_carrier(labels, () if possessed is None else (possessed,)),
        fulfillment_ids=tuple(sorted(parcel.fulfillment_ids)),
        order_ids=tuple(sorted(parcel.order_ids.union(*(parcel.links.get(one, ()) for one in parcel.fulfillment_ids)))),
    )


def _carrier(*told_by: Iterable[ParcelLabelled | ParcelScanned]) -> str | None:
    return next((fact.carrier for facts in told_by for fact in facts if fact.carrier), None)
