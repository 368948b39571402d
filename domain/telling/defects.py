"""Defects: tells clusters of complaints about damaged or defective goods, and who else bought them.

How many orders of the goods were placed is counted. Whose they are is told once so many complain that it is no chance:
those placed from the first order that was spoilt until the last complaint, and then every change of theirs.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from domain.complaints.complaint import Complaint
from domain.detection import FINDING_EVENTS
from domain.groups import cluster
from domain.groups.cluster import Cluster, ClusterMemberChanged, ClusterReachCounted, ClusterScopeChanged
from domain.groups.outbreak import outbreaks
from domain.incidents.events import IncidentCompensated, IncidentReopened, IncidentResolved
from domain.instant import Instant
from domain.naming import stream
from domain.orders.order import Order, OrderCancelled, OrderComplaintChanged, OrderParcelChanged, OrderPlaced
from domain.shares import cancellation
from domain.telling import usual
from domain.telling.exposed import reports
from domain.telling.telling import Heard, Telling
from domain.telling.usual import Counted, Sort

SORT: Final = Sort("product_defect", "defect")
DEFECTS: Final = frozenset({"damaged", "defective"})
"""Categories of complaint that speak of the goods themselves."""
_COUNTED: Final = Counted("sold", "defective", by_members=False)
_OF_ORDERS: Final = (OrderPlaced, OrderCancelled, OrderParcelChanged, OrderComplaintChanged)
_OURS: Final = (
    *_OF_ORDERS, IncidentResolved, IncidentReopened, IncidentCompensated, *FINDING_EVENTS,
)  # fmt: skip
TOPICS: Final = tuple(one.TOPIC for one in _OURS)
"""What may concern goods that are not as they should be."""


def tell(telling: Telling, found: Sequence[Heard]) -> None:
    """Tell clusters what these events of the log mean for them; telling twice is harmless.

    Only the count of what is sold is kept by adding up: each placing is told once, with the place in the log.
    """
    placings = [one.event for one in found if isinstance(one.event, OrderPlaced)]
    for placed in placings:
        telling.count(_COUNTED.reached, placed.at, len(note_sold(telling, placed)))
    orders = _orders(telling, found)
    telling.work.load(sorted(orders))
    touched = {name for order in sorted(orders) for name in _tell_order(telling, telling.work.state(order))}
    touched |= {*SORT.concerned(found), *_sold_before(telling, placings)}
    touched |= {one for one in usual.stirred(telling) if one.startswith("cluster-defect-")}
    for name in sorted(touched):
        _weigh(telling, name)
    SORT.close(telling, found)


def note_sold(telling: Telling, placed: OrderPlaced) -> set[str]:
    """Note in the index what an order bought; gives the SKUs."""
    skus = {line.sku for line in placed.lines}
    for sku in skus:
        telling.relate(f"sold {_sku(sku)}", stream("order", placed.order_id), placed.at)
    return skus


def sold(telling: Telling, sku: str, since: Instant, until: Instant) -> list[str]:
    """Name the orders of a SKU that were placed between two instants, both included."""
    return telling.related([f"sold {_sku(sku)}"], since, until).get(f"sold {_sku(sku)}", [])


def _sku(sku: str) -> str:
    return stream("sku", sku)


def _orders(telling: Telling, found: Iterable[Heard]) -> set[str]:
    """Name the orders that complain of defects or did, and those that may have to."""
    ours = {one.stream: one.event for one in found if isinstance(one.event, _OF_ORDERS)}
    known = {name.removeprefix("defective ") for name in telling.related(f"defective {one}" for one in ours)}
    for one in found:
        if isinstance(one.event, OrderComplaintChanged) and one.event.category in DEFECTS:
            # What it bought may not be known before it is placed.
            telling.relate(f"defective {one.stream}", stream("complaint", one.event.complaint_id))
            known.add(one.stream)
        if isinstance(one.event, IncidentCompensated) and SORT.of_incident(one.stream) and one.event.order_id:
            known.add(stream("order", one.event.order_id))
    return known


def _tell_order(telling: Telling, order: Order) -> set[str]:
    """Tell clusters of every defect that an order's complaints speak of, and those that they no longer speak of."""
    name = stream("order", order.id)
    wanted = {
        (stream("cluster", "defect", cluster.subject(sku)), one.complaint_id): (sku, one)
        for one in reports(order, DEFECTS)
        for sku in _complained_of(telling.work.state(stream("complaint", one.complaint_id)), order)
    }
    for where, _ in wanted:
        telling.relate(f"defective {name}", where)
    named = telling.related([f"defective {name}"]).get(f"defective {name}", [])
    before = [one for one in named if one.startswith("cluster-")]
    touched = set()
    for where in before:
        state: Cluster = telling.work.state(where)
        now = [_member(telling, order, *wanted[key]) for key in wanted if key[0] == where]
        silent = state.members.get(order.id)
        if silent is not None and not now:
            now = [_silent(telling, order, cluster.parts(state.subject)[0])]
        known = (*state.proven.values(), *(() if silent is None else (silent,)))
        names = {one.member for one in now}
        gone = [one for one in known if one.order_id == order.id and one.member not in names]
        for one in (*(msgspec.structs.replace(each, gone=True) for each in gone), *now):
            if usual.record(telling, where, one, _COUNTED):
                touched.add(where)
    return touched


def _complained_of(complaint: Complaint, order: Order) -> Iterator[str]:
    """Name the SKUs that are meant; where none is named, that of an order with a single one."""
    opening, placed = complaint.opening, order.placed
    named = {item.sku for item in opening.items} if opening is not None else set()
    bought = {line.sku for line in placed.lines} if placed is not None else set()
    yield from sorted(named or (bought if len(bought) == 1 else set()))


def _sold_before(telling: Telling, placings: Iterable[OrderPlaced]) -> Iterator[str]:
    """Name the suspect clusters of what was sold before their last trouble: among more orders, it weighs less."""
    first: dict[str, Instant] = {}
    for placed in placings:
        for line in placed.lines:
            what = f"suspect {_sku(line.sku)}"
            first[what] = min(placed.at, first.get(what, placed.at))
    for what, names in telling.related(first).items():
        for name in names:
            state: Cluster = telling.work.state(name)
            if any(one.proven is not None and one.proven.at >= first[what] for one in state.proven.values()):
                yield name


def _member(telling: Telling, order: Order, sku: str, said: OrderComplaintChanged) -> ClusterMemberChanged:
    placed = order.placed
    paid = usual.paid_orders(telling, SORT.incident(cluster.subject(sku)))
    ends = [said.resolved, paid.get(order.id, paid.get(said.complaint_id))]
    return ClusterMemberChanged(
        member=said.complaint_id,
        order_id=order.id,
        since=said.opened.at if placed is None else min(placed.at, said.opened.at),
        customer_id=said.customer_id if placed is None else placed.customer_id or said.customer_id,
        delivered_at=said.opened.at,
        proven=said.opened,
        settled=min((end for end in ends if end is not None), default=None),
        stake=None if placed is None else placed.stake,
        proof=(said.opened.ref,),
    )


def _weigh(telling: Telling, name: str) -> None:
    """Find out what is usual, and among how many orders, once a cluster is suspect."""
    state: Cluster = telling.work.state(name)
    if not SORT.is_suspect(telling, state):
        return
    [sku] = cluster.parts(state.subject)
    telling.relate(f"suspect {_sku(sku)}", name)
    usual.watch(telling, name, state, _COUNTED)
    _count_reached(telling, name, state, sku)
    telling.intake.hear(name, cluster.decide(state, _scope(telling, state, sku)))
    if _tell_buyers(telling, name, state, sku):
        # Who has become a member is no longer one of the others.
        _count_reached(telling, name, state, sku)


def _tell_buyers(telling: Telling, name: str, state: Cluster, sku: str) -> bool:
    """Tell a cluster who bought the same and has said nothing, as soon as it is no chance; says whether it was news."""
    wanted = {order for since, until in _spans(telling, state) for order in sold(telling, sku, since, until)}
    spoilt = {stream("order", one.order_id) for one in state.proven.values()}
    silent = {stream("order", one.order_id): one for one in state.members.values() if one.proven is None}
    gone = sorted(silent.keys() - wanted)
    for order in gone:
        usual.record(telling, name, msgspec.structs.replace(silent[order], gone=True), _COUNTED)
    new = sorted(wanted - spoilt - silent.keys())
    telling.work.load(new)
    for order in new:
        telling.relate(f"defective {order}", name)
        usual.record(telling, name, _silent(telling, telling.work.state(order), sku), _COUNTED)
    return bool(new or gone)


def _spans(telling: Telling, state: Cluster) -> Iterator[tuple[Instant, Instant]]:
    """Give from the first spoilt order to the last complaint of whatever any of the policies finds to be no chance."""
    for policy in (one for one in telling.policies if SORT.kind in one.kinds.enabled):
        for outbreak in outbreaks(state, policy):
            shown = (one.proven.at for one in outbreak.proven if one.proven is not None)
            yield outbreak.began, max(shown)


def _silent(telling: Telling, order: Order, sku: str) -> ClusterMemberChanged:
    """Say what became of the goods of a buyer who has not complained."""
    placed = order.placed
    assert placed is not None, "only orders that were placed are known to have bought anything"
    holding = [
        one
        for one in order.parcels.values()
        if one.voided_at is None and (one.contents is None or any(content.sku == sku for content in one.contents))
    ]
    delivered = (one.settled.at for one in holding if one.settled is not None and one.settled != one.undone)
    ends = [cancellation(order, sku), usual.paid_orders(telling, SORT.incident(cluster.subject(sku))).get(order.id)]
    return ClusterMemberChanged(
        member=order.id,
        order_id=order.id,
        since=placed.at,
        customer_id=placed.customer_id,
        parcel_id=min((one.parcel_id for one in holding), default=None),
        shipped_at=min((one.possessed.at for one in holding if one.possessed is not None), default=None),
        delivered_at=min(delivered, default=None),
        settled=min((end for end in ends if end is not None), default=None),
        stake=placed.stake,
    )


def _count_reached(telling: Telling, name: str, state: Cluster, sku: str) -> None:
    for reach in list(_reach(telling, state, sku)):
        telling.intake.hear(name, cluster.decide(state, reach))


def _reach(telling: Telling, state: Cluster, sku: str) -> Iterator[ClusterReachCounted]:
    """Count the orders between the instants at which the rule begins and ends to count; members are counted as such."""
    troubled = state.proven.values()
    ends = {one.since - 1 for one in troubled} | {one.proven.at for one in troubled if one.proven is not None}
    edges = sorted(ends)
    placed = telling.first(f"sold {_sku(sku)}", edges[0] + 1, edges[-1]) if edges else {}
    own = {stream("order", one.order_id) for one in state.members.values()}
    others = sorted(at for name, at in placed.items() if name not in own)
    counts = {until: _within(others, since, until) for since, until in pairwise(edges)}
    for until in sorted({*counts, *state.reach}):
        yield ClusterReachCounted(up_to=until, orders=counts.get(until, 0))


def _within(instants: Sequence[Instant], after: Instant, until: Instant) -> int:
    return bisect_right(instants, until) - bisect_right(instants, after)


def _scope(telling: Telling, state: Cluster, sku: str) -> ClusterScopeChanged:
    until = usual.first_day(state)
    since = until - usual.WEEKS
    own = telling.first(f"sold {_sku(sku)}", since, until - 1)
    troubled = sum(since <= one.since < until for one in state.proven.values())
    return ClusterScopeChanged(
        sku=sku,
        usual_orders=telling.counted(_COUNTED.reached, since, until) - len(own),
        usual_troubles=telling.counted(_COUNTED.troubled, since, until) - troubled,
    )
