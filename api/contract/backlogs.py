"""What leaves about places where work lies, and about what one cause did to many orders; see ``contract.incidents``."""

from typing import Literal

from api.contract.incidents import AsOf, Incident, State, Told

What = Literal["warehouse", "carrier", "facility"]
Stage = Literal["not_shipped", "in_transit", "delivered"]


class Band(Told):
    """How many of the open things are of an age."""

    band: Literal["under_1_day", "1_to_2_days", "2_to_4_days", "over_4_days"]
    hours: int | None
    """The age that they have not reached; null for the oldest."""
    count: int


class Throughput(Told):
    """How many went on in the last 24 whole hours: handed over, at the end of their way, or away from the facility."""

    since: str
    until: str
    count: int
    per_hour: float
    usual_per_hour: float | None
    """The median of the same hours of the weekday, up to four weeks back; null where nothing is known from then."""
    weeks: list[int]
    """Those counts, the last week first."""


class Clearing(Told):
    """When what is open now will have gone on at the present rate, with nothing more coming."""

    hours: float | None
    at: str | None
    reason: Literal["nothing_open", "nothing_left_in_24_hours"] | None
    """Why nothing is predicted."""


class Promised(Told):
    """One open thing and what it is promised."""

    at: str
    order_ids: list[str]
    fulfillment_id: str | None
    parcel_id: str | None


class Counted(Told):
    """How many were late, or late or stalled, at a midnight."""

    at: str
    count: int


class Piled(Told):
    """An open backlog incident; ``/v1/incidents?muted_by=<id>`` lists its members."""

    id: str
    severity: str
    since: str
    count: int
    """At the last midnight that was judged."""
    counted_at: str
    peak: int
    peak_at: str
    needed: int
    """How many it took."""
    members: int
    """How many incidents it speaks for."""


class Backlog(Told):
    """What lies at one place; an incident of its own only where one is named."""

    what: What
    name: str
    unit: Literal["fulfillment", "parcel"]
    open: int
    pieces: int | None
    """Pieces that the open fulfilments still lack; null for parcels."""
    held: int
    """Fulfilments on hold, which are not among the open ones."""
    late: int
    """Open ones whose promise has passed."""
    counted: int
    """How many the rule on backlogs would count now; with a carrier or facility what has stalled as well."""
    ages: list[Band]
    throughput: Throughput
    clears: Clearing
    next_promise: Promised | None
    """The first promise that has not passed."""
    first_to_break: Promised | None
    """The first promise that is not come to in time at the present rate; where nothing goes on, the next one."""
    incident: Piled | None
    midnights: list[Counted]
    """The last seven of the place's zone."""


class BacklogPage(Told):
    """A page of places with something to do, by what they are and by name."""

    backlogs: list[Backlog]
    counted_at: str
    """The time that ages and lateness are reckoned at: no later than what is known."""
    next: str | None
    as_of: AsOf


class BacklogDetail(Told):
    """One place."""

    backlog: Backlog
    counted_at: str
    as_of: AsOf


class ClusterKey(Told):
    """What the cause is, part by part."""

    sku: str | None
    warehouse_id: str | None = None
    binding_version: str | None = None
    lot: str | None = None
    price_change_id: str | None = None


class ClusterCounts(Told):
    """How many orders are in which case."""

    members: int
    proven: int
    """Of these it is known that they were reached; with a price difference, everybody who is owed something."""
    exposed: int
    """May have been reached."""
    silent: int
    """Exposed, and nothing has settled it."""
    interceptable: int
    """Not settled and not delivered."""
    contacted: int
    """The customer was told in a contact of this incident that names the order."""
    settled: int


class Chance(Told):
    """How likely so many troubles are where nothing is wrong."""

    usual_orders: int
    usual_troubles: int
    usual_rate: float
    likelihood: str | None
    """Of so many or more troubles at the usual rate; what made the group is below the policy's significance."""


class Onset(Told):
    """When it began, and what changed then."""

    at: str
    what: Literal["binding_changed", "price_changed", "first_trouble"]
    event: str | None
    """``source#id`` of the change."""
    binding_version: str | None = None
    replaced_at: str | None = None
    """Since when it reaches nobody new."""
    price: str | None = None
    currency: str | None = None
    mistaken_at: str | None = None
    """When the price proved to be a mistake."""


class Cluster(Told):
    """One cause and the orders that it reached."""

    id: str
    """Of its incident."""
    kind: str
    subject: str
    state: State
    severity: str
    since: str
    due_at: str
    knowable_at: str | None
    ended_at: str | None
    key: ClusterKey
    counts: ClusterCounts
    stages: dict[Stage, int]
    """Where the goods are, of what is not settled; empty for a price difference."""
    chance: Chance | None
    onset: Onset
    owed: dict[str, str]
    """What is still to be paid for a price difference, by currency."""
    incident: Incident


class ClusterPage(Told):
    """A page of clusters, the last due first."""

    clusters: list[Cluster]
    next: str | None
    as_of: AsOf


class ClusterDetail(Told):
    """One cluster."""

    cluster: Cluster
    as_of: AsOf


class Member(Told):
    """One order that a cause reached, or may have reached."""

    member: str
    order_id: str
    parcel_id: str | None
    since: str
    """When the cause could reach it."""
    stage: Stage | None
    interceptable: bool
    """Staff can still call before the box is opened."""
    proven_at: str | None
    """Null while it is exposed and silent."""
    settled_at: str | None
    contacted_at: str | None
    amount: str | None
    """What its buyer is owed; null where that is not a matter of money, or cannot be compared."""
    currency: str | None
    quantity: int | None


class MemberPage(Told):
    """A page of members: what is not settled first, of that what can still be saved."""

    members: list[Member]
    next: str | None
    as_of: AsOf
