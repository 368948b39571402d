"""Parcel events: what feeds say of a parcel, and what others mean for it."""

from typing import ClassVar, Final

import msgspec

from domain.detection import FindingDismissed, FindingEvent
from domain.events import Copy, Event, Fact, Stamp
from domain.instant import Instant
from domain.orders.order import AgreedBy, Content
from domain.orders.shortage import Lacking, Missing
from domain.severity import Stake

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
TERMINAL: Final = frozenset({"delivered", "refused", "return_to_sender", "returned", "lost"})
"""Where a parcel's way ends; no scan undoes it, however late it arrives."""
UNDOING: Final = TERMINAL - {"delivered"}
"""Statuses after which the customer still lacks what was in it."""
RETURNED: Final = frozenset({"return_to_sender", "returned"})
"""Statuses that say that the goods came back."""
SETTLING: Final = TERMINAL - {"lost"} | {"damaged"}
"""Statuses after which no delivery is owed any more; what is lost still is."""


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
    code_means: tuple[tuple[str, str], ...] = ()
    """Of a raw code that came without status and carrier: what it means at each carrier, by the table of the day."""

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


class Promised(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A delivery date."""

    deliver_by: Instant
    at: Instant
    """When it was made."""
    agreed_by: AgreedBy | None = None
    """Who moved it there; null for the original."""


class ParcelOrderChanged(Copy, frozen=True, kw_only=True):
    """What one of its orders means for this parcel, copied from the order; its latest version wins."""

    TOPIC: ClassVar[str] = "parcel.order_changed.v1"
    order_id: str
    cancelled: Stamp | None = None
    """When nothing of the order was left."""
    promised: tuple[Promised, ...] = ()
    """Delivery dates in the order in which they were made."""
    destination: str | None = None
    stake: Stake | None = None
    """Null while the order is not known to have been placed."""
    lacking: tuple[Lacking, ...] = ()
    missing: tuple[Missing, ...] = ()
    missing_before: tuple[Missing, ...] = ()
    """The same for other parcels of these fulfilments, as far as they were packed before."""
    corrected: tuple[Stamp, ...] = ()
    """Resolutions of complaints about wrong, missing or extra items."""


ParcelFact = ParcelPacked | ParcelLabelled | ParcelScanned | ParcelVoided
ParcelChange = ParcelFact | ParcelOrderLinked | ParcelScanMoved | ParcelOrderChanged
ParcelEvent = ParcelChange | FindingEvent | FindingDismissed
FACTS = ParcelFact.__args__
EVENTS = (*FACTS, ParcelOrderLinked, ParcelScanMoved, ParcelOrderChanged)
