"""What the summary tells: how the work went, in numbers. Times are hours; null where there is nothing to count."""

from api.contract.incidents import AsOf, Told


class Counted(Told):
    """The numbers of some incidents."""

    incidents: int
    resolved: int
    """Settled by staff, or ended by the world."""
    dismissed: int
    """Called wrong by staff."""
    escalated: int
    """Went up to somebody with more say."""
    resolution_rate: float | None
    """The share of those not dismissed that is settled."""
    first_response_hours: float | None
    """Median, from detection to the first thing that staff did."""
    handling_hours: float | None
    """Median, from detection until it was settled."""
    contacted_before_complaint: float | None
    """Of those that the customer was reached or complained about, the share that was reached first."""
    lead_hours: float | None
    """Median, from detection to the first complaint about the same order, where that came later."""


class FalseAlarms(Told):
    """How often staff called a rule's findings wrong."""

    kind: str
    rule: str
    incidents: int
    dismissed: int
    rate: float


class Foreseen(Told):
    """How complaints and findings came one after the other."""

    complaints: int
    foreseen: int
    """Of these a finding was known before."""
    lead_hours: float | None
    """Median, from detection to the complaint."""


class BlindSpot(Told):
    """A complaint that no finding came before."""

    complaint_id: str
    order_id: str | None
    category: str | None
    channel: str | None
    opened_at: str
    position: str
    """Token of the complaint."""
    could_have_at: str | None
    """Token of the first fact of the order that such a complaint is about; null where there is none."""


class Rate(Told):
    """How a rate that platforms rate merchants by stands, over its own window up to the end of the span."""

    rate: str
    """``late_shipment``, of the fulfilments that were due; ``valid_tracking``, of the parcels that were labelled."""
    by: str
    """``all``, ``seller`` or ``warehouse``."""
    name: str
    """Of the seller or warehouse; empty for all, and where none is known or there are several."""
    since: str
    counted: int
    hits: int
    """Late ones, or those that a carrier has scanned."""
    share: float | None
    limit: float | None
    """Of the policy; null where it sets none."""
    broken: bool
    """Whether the limit is reached: a late-shipment rate must stay below it, valid tracking above it."""


class Summary(Told):
    """What came of the incidents that came due, and of the complaints that were opened, in a span."""

    since: str
    until: str
    zone: str
    """Whose days these are."""
    whole: Counted
    by: dict[str, dict[str, Counted]]
    """``kind``, ``warehouse``, ``carrier``, ``channel`` (of the sale) and ``day``, each by value."""
    false_alarms: list[FalseAlarms]
    foreseen: Foreseen
    foreseen_by: dict[str, dict[str, Foreseen]]
    """``category``, ``channel`` and ``day`` of the complaint, each by value."""
    blind_spots: list[BlindSpot]
    """The latest ones first."""
    more_blind_spots: int
    """How many are not listed."""
    paid: dict[str, str]
    """By currency, what orders were paid in the span."""
    rates: list[Rate]
    """Those of all first, then of sellers and warehouses, the broken and then the largest ones first."""
    more_rates: int
    """How many are not listed."""
    as_of: AsOf
