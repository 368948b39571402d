"""What leaves about orders; see ``contract.incidents``."""

from typing import Any, Literal

from api.contract.incidents import AsOf, Incident, Told

Because = Literal["warn_before", "queue"]


class AtRisk(Told):
    """A fulfilment that is to be shipped and is not packed, or an order that is to be delivered."""

    kind: Literal["late_shipment", "late_delivery"]
    """What it will become, if nothing is done."""
    order_id: str
    fulfillment_id: str | None
    """Null for a delivery, which is of the whole order."""
    warehouse_id: str | None
    deadline: str
    warn_at: str
    because: list[Because]
    """Its deadline is near, or its warehouse does not come to it in time at the present rate."""


class AtRiskPage(Told):
    """A page of what is at risk, the most urgent first."""

    at_risk: list[AtRisk]
    next: str | None
    as_of: AsOf


class Line(Told):
    """A line of an order."""

    line_id: str
    sku: str
    quantity: int
    name: str | None
    unit_price: str | None
    gift: bool
    cancelled: bool


class PromiseChange(Told):
    """A date that was moved."""

    at: str
    ship_by: str | None
    agreed_by: str


class HoldSpan(Told):
    """A stretch during which the shipping clock stood."""

    since: str
    until: str | None


class Fulfillment(Told):
    """One clock's worth of an order."""

    fulfillment_id: str
    implicit: bool
    warehouse_id: str | None
    quantities: dict[str, int]
    state: Literal["open", "held", "packed", "handed_over", "cancelled"]
    ship_by: str | None
    deadline: str | None
    warn_at: str | None
    completed_at: str | None
    promise_changes: list[PromiseChange]
    holds: list[HoldSpan]
    at_risk: bool
    because: list[Because]
    """Why it is at risk."""


class Delivery(Told):
    """The delivery clock of an order that is not wholly delivered, and not late yet."""

    deadline: str
    warn_at: str
    at_risk: bool


class Packed(Told):
    """What a parcel holds of this order."""

    sku: str
    quantity: int
    line_id: str | None


class Parcel(Told):
    """A parcel and where it was last seen."""

    parcel_id: str
    carrier: str | None
    tracking_number: str | None = None
    packed_at: str | None
    labelled_at: str | None
    possessed_at: str | None
    voided_at: str | None
    replaced_by: str | None = None
    contents: list[Packed] | None
    scans: int = 0
    status: str | None = None
    status_at: str | None = None
    region: str | None = None
    estimated_delivery: str | None = None
    order_ids: list[str] = []


class Happening(Told):
    """One fact, or one thing a rule said."""

    at: str
    """World time: when it happened; of what a rule said, when what it found began to hold, or ended."""
    recorded_at: str
    """When the tracker's log took it, and so when we knew."""
    position: str
    """Token of the position of the log at which it and all that came with it was known, as ``as_of`` takes it."""
    type: str
    about: dict[str, Any]
    rule: str | None = None
    """Which rule said it; null of a fact."""
    policy: str | None = None
    """Hash of the policy that it judged by; ``tracker config show`` lists the policies."""
    proof: list[str] | None = None
    """``source#id`` of the input events that it rests on."""
    source: str | None = None
    id: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class SayableDate(Told):
    """A date that may be named to the customer."""

    at: str
    what: Literal["ship_by", "deliver_by", "estimated_delivery"]
    by: str
    """``customer`` or ``platform`` who agreed to it, or ``carrier`` whose estimate it is."""


class SayableParcel(Told):
    """What may be said of one parcel; ``value`` of the statement is then its id or its tracking number."""

    parcel_id: str
    tracking_number: str | None
    claims: dict[str, str]


class Sayable(Told):
    """What may be said to the customer, from facts: each claim with the time since which it is true."""

    order_id: str
    claims: dict[str, str]
    """Of the whole order: ``warehouse_shipped`` (仓库已发货), ``shipped`` (已发货), ``delivered`` (已签收)."""
    dates: list[SayableDate]
    parcels: list[SayableParcel]
    true_at: str
    """Token of the position of the log that this was read at; send it with the contact."""


class OrderDetail(Told):
    """All that is known of one order."""

    order_id: str
    partial: bool
    """First heard of mid-life: rules that need its start do not fire on it."""
    stale: bool
    placed_at: str | None = None
    approved_at: str | None = None
    cancelled_at: str | None = None
    customer_id: str | None = None
    customer_tier: str | None = None
    sales_channel: str | None = None
    destination: str | None = None
    currency: str | None = None
    deliver_by: str | None = None
    lines: list[Line] = []
    fulfillments: list[Fulfillment]
    parcels: list[Parcel]
    delivery: Delivery | None
    incidents: list[Incident]
    may_say: Sayable | None
    timeline: list[Happening]
    as_of: AsOf


class OrderHistory(Told):
    """All that was known to have happened to one order, in the order in which it was learnt."""

    order_id: str
    timeline: list[Happening]
    as_of: AsOf


class Found(Told):
    """Orders that an order id, a parcel id or a tracking number leads to."""

    order_ids: list[str]
