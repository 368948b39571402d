"""Thresholds: the tables of a policy file, each key with its default and a sentence."""

from fractions import Fraction
from typing import Final, Literal

import msgspec

from domain.calendars.calendar import Calendar, CalendarKind, Calendars, dispatch_by
from domain.instant import Duration, Instant
from domain.policies.maintenance import Maintenance
from domain.policies.routing import Routing
from domain.policies.staffing import Estimates, Incidents

KINDS: Final = (
    "late_shipment",
    "unconfirmed_handover",
    "stalled_parcel",
    "late_delivery",
    "delivery_failed",
    "damaged_parcel",
    "presumed_lost",
    "mis_shipment",
    "stock_out",
    "warehouse_backlog",
    "carrier_backlog",
    "mis_shipment_cluster",
    "product_defect",
    "price_difference",
    "complaint_overdue",
    "broken_promise",
    "feed_silent",
)
"""Every kind of finding that the contract names."""


WAITING: Final = (
    *("stalled_parcel", "unconfirmed_handover", "presumed_lost", "warehouse_backlog", "carrier_backlog"),
    *("late_shipment", "late_delivery"),
)
"""Kinds of absence that a feed could tell of: the first five wait for it unless the policy says otherwise."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: what is not named in it has its default, and what it does not know is refused."""


Counting = Literal["agreed", "original", "latest"]
"""Whose word moves a promise: that of customer or platform, nobody's, or anybody's."""


def _span(text: str) -> Duration:
    return Duration.parse(text)


class LateShipment(Table, frozen=True):
    """Clocks that run until the carrier has the goods."""

    warn_before: Duration = _span("4h")
    promise: Counting = "agreed"
    """Which promise counts: one that customer or platform agreed to, the first one, or whoever moved it last."""
    approval: Literal["implied", "required"] = "implied"
    """Whether an order without ``order.approved`` counts as approved when placed, or is never late."""
    within: Duration | None = None
    """Promises a shipping time where no feed gives one: so long after the clock starts."""
    working_days: int | None = None
    """The same in working days of the warehouse, whose calendar has the cut-off: until the end of the last of them."""


class UnconfirmedHandover(Table, frozen=True):
    """Labelled, but no carrier has it."""

    after: Duration = _span("24h")


class StalledLane(Table, frozen=True):
    """A lane with a threshold of its own."""

    after: Duration


class StalledParcel(Table, frozen=True):
    """In possession without movement; lanes are named ``CARRIER:from-to``."""

    after: Duration = _span("72h")
    lanes: dict[str, StalledLane] = {}


class LateDelivery(Table, frozen=True):
    """The delivery promise."""

    warn_before: Duration = _span("24h")
    promise: Counting = "agreed"
    """Which promise counts, as for ``late_shipment``."""
    date_promises: Literal["instant", "end_of_day"] = "instant"
    """Whether a promise that is a midnight holds as that instant, or until the end of that day at the destination."""


class DeliveryFailed(Table, frozen=True):
    """How long a parcel may wait to be picked up."""

    pickup_wait: Duration = _span("3d")


class LossWindow(Table, frozen=True):
    """A carrier with a loss window of its own."""

    after: Duration


class PresumedLost(Table, frozen=True):
    """How long a parcel may stand still until its carrier counts it as lost."""

    after: Duration = _span("15d")
    carriers: dict[str, LossWindow] = {}


class MisShipment(Table, frozen=True):
    """When what is not packed counts as missing."""

    missing_after: Duration = _span("48h")


class ComplaintOverdue(Table, frozen=True):
    """How soon staff must answer and resolve, by complexity."""

    first_response: Duration = _span("1h")
    general: Duration = _span("24h")
    complex: Duration = _span("24h")
    merge_within: Duration = _span("72h")
    """Complaints of one order about the same trouble that begin so close together are one case."""


class Backlog(Table, frozen=True):
    """When many late things become one big one: at least ``minimum``, and ``factor`` times the 28-day median."""

    minimum: int = 12
    factor: float = 2.0


class Cluster(Table, frozen=True):
    """Members before a batch fault opens."""

    minimum: int = 3
    window: Duration = _span("72h")
    significance: float = 0.001
    """How unlikely, at the usual rate, so many must be before they are no chance."""


class SilentSource(Table, frozen=True):
    """A source with a silence of its own."""

    after: Duration


class FeedSilence(Table, frozen=True):
    """How long a feed may say nothing."""

    after: Duration = _span("2h")
    sources: dict[str, SilentSource] = {}
    waits: tuple[str, ...] = WAITING[:5]
    """Kinds that open only once the feeds they depend on have been heard past the deadline: unknown is not late."""


class PriceProtection(Table, frozen=True):
    """How long after a purchase a lower price is owed."""

    window: Duration = _span("15d")
    settle_within: Duration = _span("7d")
    """How long after the price change each buyer's difference may stay unpaid."""


class Compensation(Table, frozen=True):
    """What may be paid out, in the currency of the order."""

    cap: str | None = None
    """The most one order may be paid over all incidents and forms, as decimal text."""
    second_approval_above: str | None = None
    """An amount beyond this, as decimal text, is paid only when a second person approves."""
    batch_approval_above: str | None = None
    """A batch that comes to more than this is paid only when a second person approves."""


class Rates(Table, frozen=True):
    """The shares by which a platform rates its merchants; nothing here makes a finding."""

    late_shipment: float | None = None
    """The share of orders shipped late must stay below this."""
    late_shipment_window: Duration = _span("30d")
    """The orders that are counted are those due to be shipped in this span up to now."""
    valid_tracking: float | None = None
    """The share of parcels that have a carrier's scan must stay above this."""
    valid_tracking_window: Duration = _span("30d")
    """The parcels that are counted are those labelled in this span up to now."""

    def broken(self, *, late: int, due: int, scanned: int, labelled: int) -> tuple[str, ...]:
        """Name the rates that are not kept with so many late of those due, and so many scanned of those labelled."""
        found = []
        # Exact, as written: in floating point 7 of 100 is less than 0.07.
        if self.late_shipment is not None and due and late >= Fraction(str(self.late_shipment)) * due:
            found.append("late_shipment")
        if self.valid_tracking is not None and labelled and scanned <= Fraction(str(self.valid_tracking)) * labelled:
            found.append("valid_tracking")
        return tuple(found)


class Kinds(Table, frozen=True):
    """Which kinds are reported; the others are still computed where another needs them."""

    enabled: tuple[str, ...] = KINDS


class CarrierCodes(Table, frozen=True):
    """Where carriers' own codes are explained: a CSV of carrier, code, status."""

    file: str | None = None


class Severity(Table, frozen=True):
    """What makes a finding weigh more."""

    high_value: float = 1000.0
    """Value of the order, in its own currency."""
    vip_tiers: tuple[str, ...] = ("vip", "gold", "platinum")


class Thresholds(Table, frozen=True):
    """All thresholds; every table and key may be absent and then has its default."""

    valid_from: Instant | None = None
    """When these rules come into force, RFC 3339 with an offset; without one, when the tracker first sees them."""
    allowed_lateness: Duration = _span("6h")
    """How late an event may arrive in event-time runs before time goes on without it."""
    timezone: str = "Asia/Shanghai"
    """The zone of days and midnights where nothing nearer has one."""
    late_shipment: LateShipment = LateShipment()
    unconfirmed_handover: UnconfirmedHandover = UnconfirmedHandover()
    stalled_parcel: StalledParcel = StalledParcel()
    late_delivery: LateDelivery = LateDelivery()
    delivery_failed: DeliveryFailed = DeliveryFailed()
    presumed_lost: PresumedLost = PresumedLost()
    mis_shipment: MisShipment = MisShipment()
    complaint_overdue: ComplaintOverdue = ComplaintOverdue()
    warehouse_backlog: Backlog = Backlog()
    carrier_backlog: Backlog = Backlog()
    cluster: Cluster = Cluster()
    feed_silence: FeedSilence = FeedSilence()
    price_protection: PriceProtection = PriceProtection()
    kinds: Kinds = Kinds()
    carrier_codes: CarrierCodes = CarrierCodes()
    incidents: Incidents = Incidents()
    compensation: Compensation = Compensation()
    rates: Rates = Rates()
    routing: Routing = Routing()
    """Which cases are hard, and to whom those go."""
    maintenance: dict[str, Maintenance] = {}
    """Stretches of known trouble at a warehouse or carrier, each under a name."""
    calendars: Calendars = Calendars()
    feeds: dict[str, list[str]] = {}
    """Carrier or warehouse to the sources that speak of it."""
    zones: dict[str, str] = {}
    """Source to the time zone of its times that carry no offset; sources not named here must send one."""
    severity: Severity = Severity()
    estimates: Estimates = Estimates()

    def calendar(self, kind: CalendarKind, name: str | None = None) -> Calendar | None:
        """Return somebody's business calendar, or none for whoever works around the clock."""
        found = self.calendars.of(kind, name)
        return None if found is None or found.always else found

    def zone(self, name: str | None) -> str:
        """Return the time zone of a warehouse or destination: its calendar's, else the policy's."""
        found = self.calendars.warehouses.get(name or "") or self.calendars.destinations.get(name or "")
        return self.timezone if found is None else found.timezone

    def loss_window(self, carrier: str | None) -> Duration:
        """Return how long a parcel of this carrier may stand still until it counts as lost."""
        own = self.presumed_lost.carriers.get(carrier or "")
        return self.presumed_lost.after if own is None else own.after

    def dispatch_deadline(self, started: Instant, warehouse_id: str | None) -> Instant | None:
        """Return by when the rules themselves want something shipped, if they do; the earlier of the two where both."""
        rule = self.late_shipment
        found = [] if rule.within is None else [started + rule.within]
        if rule.working_days is not None:
            own = self.calendars.of("warehouses", warehouse_id) or Calendar(timezone=self.timezone)
            found.append(dispatch_by(started, rule.working_days, own))
        return min(found, default=None)

    def maintenance_of(
        self, at: Instant, *, warehouse: str | None = None, carrier: str | None = None
    ) -> Maintenance | None:
        """Return what is being mended at an instant at one of these places; the one that lasts longest."""
        known = [one for one in self.maintenance.values() if one.covers(at, warehouse=warehouse, carrier=carrier)]
        return max(known, key=lambda one: one.until, default=None)
