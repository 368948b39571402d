"""What the summary tells: how the work went, in numbers. Times are hours; null where there is nothing to count."""

from api.contract import AsOf, Told


class Counted(Told):
    """The numbers of some incidents."""

    incidents: int
    resolved: int
    """Settled by staff, or ended by the world."""
    dismissed: int
    """Called wrong by staff."""
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
    as_of: AsOf
