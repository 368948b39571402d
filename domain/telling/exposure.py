"""Exposure: tells clusters which orders were packed under one SKU binding, and what became of them.

An order packed under a binding costs one event and a row of the index. More is told of it only where something shows
that its own packing was wrong, and of all orders of a binding once so much does that it is no chance: then every
change of theirs is told.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from domain.catalogue import SkuBindingChanged
from domain.complaints.case import MIS_SHIPMENTS
from domain.detection import FINDING_EVENTS
from domain.events import Fact, Stamp
from domain.groups import cluster
from domain.groups.cluster import Cluster, ClusterScopeChanged, parts
from domain.incidents.events import IncidentCompensated, IncidentReopened, IncidentResolved
from domain.naming import stream
from domain.orders.order import Order, OrderCancelled, OrderComplaintChanged, OrderParcelChanged, OrderPlaced
from domain.parcels.events import ParcelPacked
from domain.parcels.parcel import Parcel
from domain.telling import usual
from domain.telling.exposed import Binding, Known, Packing, bound, member, packings, reports
from domain.telling.telling import Heard, Telling
from domain.telling.usual import Counted, Sort

SORT: Final = Sort("mis_shipment_cluster", "binding")
_OF_ORDERS: Final = (OrderPlaced, OrderCancelled, OrderParcelChanged, OrderComplaintChanged)
TOPICS: Final = tuple(
    one.TOPIC
    for one in (
        ParcelPacked, SkuBindingChanged, *_OF_ORDERS, IncidentResolved, IncidentReopened, IncidentCompensated,
        *FINDING_EVENTS,
    )
)  # fmt: skip
"""What may concern the orders packed under a binding."""


def tell(telling: Telling, found: Sequence[Heard]) -> None:
    """Tell clusters what these events of the log mean for them; telling twice is harmless."""
    parcels = {*_found_wrong(found), *_packed(telling, found), *_of_orders(telling, _orders(telling, found))}
    touched = {*SORT.concerned(found), *_tell_parcels(telling, parcels)}
    bindings = {one.stream for one in found if isinstance(one.event, SkuBindingChanged)}
    touched.update(*telling.related(f"bound {one}" for one in bindings).values())
    touched |= {one for one in usual.stirred(telling) if one.startswith("cluster-binding-")}
    for name in sorted(touched):
        _weigh(telling, name)
    SORT.close(telling, found)


def _found_wrong(found: Iterable[Heard]) -> set[str]:
    """Name the parcels of which it was found, or withdrawn, that they were packed wrong."""
    findings = ((one.stream, one.event.finding) for one in found if isinstance(one.event, FINDING_EVENTS))
    return {name for name, wrong in findings if wrong.kind == "mis_shipment" and name.startswith("parcel-")}


def _packed(telling: Telling, found: Iterable[Heard]) -> set[str]:
    """Record that orders were packed; name the parcels of which more must be told than that."""
    packed = [one for heard in found if isinstance(heard.event, ParcelPacked) for one in bound(heard.event)]
    telling.work.load({one.binding.cluster for one in packed})
    asked = [f"exposed {stream('order', one.order_id)}" for one in packed]
    known = telling.related([*asked, *(f"breaks out {one.binding.cluster}" for one in packed)])
    more: set[str] = set()
    for one, order in zip(packed, asked, strict=True):
        telling.relate(f"packed {stream('order', one.order_id)}", stream("parcel", one.packed.parcel_id))
        if order in known or f"breaks out {one.binding.cluster}" in known:
            more.add(stream("parcel", one.packed.parcel_id))
        else:
            _tell_silent(telling, one)
    return more


def _orders(telling: Telling, found: Sequence[Heard]) -> set[str]:
    """Name the orders of which clusters must hear again: a complaint may be the first word of trouble."""
    names = {one.stream for one in found if isinstance(one.event, _OF_ORDERS)}
    known = {name.removeprefix("exposed ") for name in telling.related(f"exposed {name}" for name in names)}
    for one in found:
        if isinstance(one.event, OrderComplaintChanged) and one.event.category in MIS_SHIPMENTS:
            telling.relate(f"exposed {one.stream}", stream("complaint", one.event.complaint_id))
            known.add(one.stream)
        if isinstance(one.event, IncidentCompensated) and SORT.of_incident(one.stream) and one.event.order_id:
            known.add(stream("order", one.event.order_id))
    return known


def _of_orders(telling: Telling, orders: set[str]) -> set[str]:
    """Name the parcels that orders were packed into, those included that were packed otherwise later."""
    return set().union(*telling.related(f"packed {name}" for name in orders).values())


def _tell_parcels(telling: Telling, names: Iterable[str]) -> set[str]:
    """Tell clusters of everything that was packed into parcels; names the clusters that troubles may have joined."""
    wanted = sorted(names)
    telling.work.load(wanted)
    shares = [(parcel, one) for parcel in map(telling.work.state, wanted) for one in packings(parcel)]
    telling.work.load({name for _, one in shares for name in (stream("order", one.order_id), one.binding.cluster)})
    known = telling.related(f"breaks out {one.binding.cluster}" for _, one in shares)
    touched: set[str] = set()
    for parcel, one in shares:
        name = one.binding.cluster
        before = telling.work.state(name).members.get(one.member)
        now = member(one, _known(telling, parcel, one))
        if f"breaks out {name}" in known:
            _follow(telling, one)
        elif now.proven is None and (before is None or before.proven is None):
            _tell_silent(telling, one)
            continue
        if usual.record(telling, name, now, _counted(one.binding)):
            touched.add(name)
    return touched


def _tell_silent(telling: Telling, one: Packing) -> None:
    """Record that an order was packed, without a word on what became of it since."""
    name, silent = one.binding.cluster, one.silent
    before = telling.work.state(name).members.get(one.member)
    if before is not None:
        silent = msgspec.structs.replace(before, since=min(before.since, silent.since))
    usual.record(telling, name, silent, _counted(one.binding))


def _weigh(telling: Telling, name: str) -> None:
    """Find out what is usual once a cluster is suspect, and tell it all of everybody once it breaks out."""
    state: Cluster = telling.work.state(name)
    if not SORT.is_suspect(telling, state):
        return
    binding = Binding(*parts(state.subject))
    telling.relate(f"bound {stream('binding', binding.listing)}", name)
    usual.watch(telling, name, state, _counted(binding))
    telling.intake.hear(name, cluster.decide(state, _scope(telling, state, binding)))
    if SORT.breaks_out(telling, state) and not telling.related([f"breaks out {name}"]):
        telling.relate(f"breaks out {name}", name)
        parcels = {stream("parcel", one.parcel_id) for one in state.members.values() if one.parcel_id is not None}
        _tell_parcels(telling, parcels)


def _follow(telling: Telling, one: Packing) -> None:
    telling.relate(f"exposed {stream('order', one.order_id)}", one.binding.cluster)


def _known(telling: Telling, parcel: Parcel, one: Packing) -> Known:
    order: Order = telling.work.state(stream("order", one.order_id))
    complaints = {said.complaint_id: stream("complaint", said.complaint_id) for said in reports(order, MIS_SHIPMENTS)}
    telling.work.load(complaints.values())
    incident = SORT.incident(cluster.subject(*one.binding))
    states = {name: telling.work.state(where) for name, where in complaints.items()}
    return Known(parcel, order, states, usual.paid_orders(telling, incident))


def _counted(binding: Binding) -> Counted:
    return Counted(f"packed {binding.warehouse_id}", f"mis-shipped {binding.warehouse_id}")


def _scope(telling: Telling, state: Cluster, binding: Binding) -> ClusterScopeChanged:
    began, replaced = _changes(telling, binding)
    counted, until = _counted(binding), usual.first_day(state)
    since = until - usual.WEEKS
    own = [one for one in state.members.values() if since <= one.since < until]
    return ClusterScopeChanged(
        sku=binding.listing,
        warehouse_id=binding.warehouse_id or None,
        began=began,
        replaced=replaced,
        usual_orders=telling.counted(counted.reached, since, until) - len(own),
        usual_troubles=telling.counted(counted.troubled, since, until) - sum(one.proven is not None for one in own),
    )


def _changes(telling: Telling, binding: Binding) -> tuple[Stamp | None, Stamp | None]:
    """Give the change that began a binding, and the one after which nothing was packed under it any more."""
    dossier = telling.work.state(stream("binding", binding.listing))
    here = [one for one in dossier.facts.of(SkuBindingChanged) if one.warehouse_id in {None, binding.warehouse_id}]
    ours = [place for place, one in enumerate(here) if one.version == binding.version]
    if not ours:
        return None, None
    after: list[Fact] = here[ours[-1] + 1 :]
    return here[ours[0]].stamp, after[0].stamp if after else None
