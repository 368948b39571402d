"""Cluster: one cause that may have spoilt many orders, whom it reached, and who has noticed."""

from bisect import insort
from typing import Any, ClassVar, Literal

from domain.detection import AboutFinding, FindingDismissed, FindingEvent, Key, Stored, note
from domain.events import Event, Stamp
from domain.instant import Instant
from domain.severity import Stake

What = Literal["binding", "defect"]
"""The kinds of causes: a SKU binding of a warehouse, and the goods themselves."""
Stage = Literal["not_shipped", "in_transit", "delivered"]
"""Where the goods are; the earlier, the more can be saved."""
STAGES: tuple[Stage, ...] = ("not_shipped", "in_transit", "delivered")


def subject(*parts: str) -> str:
    """Name what a cluster is about, so that no two are named alike.

    >>> subject("TEA:S", "W-1", "3")
    'TEA%3AS:W-1:3'
    """
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


def parts(of: str) -> tuple[str, ...]:
    """Read back what a subject was made of.

    >>> parts("TEA%3AS:W-1:3")
    ('TEA:S', 'W-1', '3')
    """
    return tuple(part.replace("%3A", ":").replace("%25", "%") for part in of.split(":"))


class ClusterScopeChanged(Event, frozen=True, kw_only=True):
    """What the cause is, since when, and how often such trouble is usual; the last word wins."""

    TOPIC: ClassVar[str] = "cluster.scope_changed.v1"
    sku: str
    warehouse_id: str | None = None
    began: Stamp | None = None
    """The change after which it can have begun, such as that of a binding."""
    replaced: Stamp | None = None
    """The change since which it reaches nobody new."""
    usual_orders: int = 0
    """Orders that had nothing to do with the cause, taken as they were when it began."""
    usual_troubles: int = 0
    """How many of these had such trouble."""


class ClusterMemberChanged(Event, frozen=True, kw_only=True):
    """What became of one order that the cause may have reached; the last word on it wins."""

    TOPIC: ClassVar[str] = "cluster.member_changed.v1"
    member: str
    order_id: str
    since: Instant
    """When the cause could reach it, such as its packing."""
    customer_id: str | None = None
    parcel_id: str | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    proven: Stamp | None = None
    """What first showed that it was reached; null while it is exposed and silent."""
    settled: Stamp | None = None
    """What left nothing to be put right: a correction, a refund, a cancellation, or that all was well."""
    stake: Stake | None = None
    gone: bool = False
    """The cause could not have reached it after all."""
    proof: tuple[str, ...] = ()
    """``source#id`` of the input events that prove it."""

    @property
    def stage(self) -> Stage:
        """Say where the goods are."""
        if self.delivered_at is not None:
            return "delivered"
        return "not_shipped" if self.shipped_at is None else "in_transit"

    @property
    def witness(self) -> str:
        """Name who noticed; the customer, so that one who complains often counts once."""
        return f"order {self.order_id}" if self.customer_id is None else f"customer {self.customer_id}"


class ClusterReachCounted(Event, frozen=True, kw_only=True):
    """How many orders the cause may have reached since the count before this one; the last word wins.

    Counts are taken where a rule begins and ends to count, and leave the members out.
    """

    TOPIC: ClassVar[str] = "cluster.reach_counted.v1"
    up_to: Instant
    orders: int


class ClusterClosed(Event, frozen=True, kw_only=True):
    """Staff settled the whole trouble; whatever shows later is another. Where ``undone``, they took that back."""

    TOPIC: ClassVar[str] = "cluster.closed.v1"
    closed: Stamp
    undone: bool = False


ClusterChange = ClusterScopeChanged | ClusterMemberChanged | ClusterReachCounted | ClusterClosed
ClusterEvent = ClusterChange | FindingEvent | FindingDismissed
EVENTS = ClusterChange.__args__


class Cluster:
    """One cause and its orders. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = (
        "closings",
        "derived",
        "findings",
        "id",
        "members",
        "proven",
        "reach",
        "scope",
        "subject",
        "version",
        "what",
    )

    def __init__(self, identity: str) -> None:
        """Begin with nobody reached by ``what-subject``."""
        self.id = identity
        self.what, _, self.subject = identity.partition("-")
        self.scope: ClusterScopeChanged | None = None
        self.members: dict[str, ClusterMemberChanged] = {}
        self.proven: dict[str, ClusterMemberChanged] = {}
        """Those of the members that it is known to have reached."""
        self.reach: dict[Instant, int] = {}
        self.closings: list[Stamp] = []
        """Sorted."""
        self.findings: dict[Key, Stored] = {}
        self.version = 0
        self.derived: dict[Any, Any] = {}
        """What other modules have worked out, under their names, until anything changes."""

    @property
    def ranked(self) -> list[ClusterMemberChanged]:
        """List the orders with something to put right, those that can still be saved first."""
        unsettled = (one for one in self.members.values() if one.settled is None)
        return sorted(unsettled, key=lambda one: (STAGES.index(one.stage), one.since, one.member))


def decide(cluster: Cluster, heard: ClusterChange) -> tuple[ClusterChange, ...]:
    """Record what is not known yet."""
    match heard:
        case ClusterScopeChanged():
            known = heard == cluster.scope
        case ClusterMemberChanged():
            before = cluster.members.get(heard.member)
            known = heard.gone if before is None else before == heard
        case ClusterReachCounted():
            known = cluster.reach.get(heard.up_to, 0) == heard.orders
        case ClusterClosed():
            known = (heard.closed in cluster.closings) != heard.undone
    return () if known else (heard,)


def evolve(cluster: Cluster, event: ClusterEvent) -> Cluster:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, AboutFinding):
        note(cluster.findings, event)
        return cluster
    cluster.version += 1
    cluster.derived.clear()
    match event:
        case ClusterScopeChanged():
            cluster.scope = event
        case ClusterMemberChanged(gone=True):
            cluster.members.pop(event.member, None)
            cluster.proven.pop(event.member, None)
        case ClusterMemberChanged():
            cluster.members[event.member] = event
            cluster.proven.pop(event.member, None)
            if event.proven is not None:
                cluster.proven[event.member] = event
        case ClusterReachCounted():
            cluster.reach[event.up_to] = event.orders
        case ClusterClosed(undone=True):
            cluster.closings.remove(event.closed)
        case ClusterClosed():
            insort(cluster.closings, event.closed)
    return cluster
