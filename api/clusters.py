"""``/v1/clusters``: what one cause did to many orders, and whom of these staff can still call in time."""

from collections import defaultdict
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query

from api.bounds import Cursor, IncidentId
from api.contract import backlogs as contract
from api.contract.incidents import State
from api.incidents import shown
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Snapshot
from api.tokens import cursor, read_cursor
from domain.groups.chance import Usual
from domain.groups.cluster import parts
from domain.instant import Instant, iso
from projections import causes, incidents
from projections.causes import Asked, Cause, Ranked
from projections.clusters import KINDS, SETTLED, Member
from projections.incidents import Incident
from projections.query import After, Filter

router = APIRouter(prefix="/v1", tags=["clusters"])
_Kind = Annotated[list[Literal["mis_shipment_cluster", "product_defect", "price_difference"]], Query(max_length=3)]
_Name = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("/clusters", operation_id="list_clusters")
async def list_clusters(
    reader: CaughtUp,
    onward: Onward,
    kind: _Kind = [],  # noqa: B006  # FastAPI copies defaults
    state: Annotated[list[State], Query(max_length=3)] = [],  # noqa: B006
    sku: _Name = None,
    warehouse: _Name = None,
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.ClusterPage:
    """List what was found to have one cause, the last due first."""
    after = None if cursor_ is None else After(*cast(tuple[int, str], read_cursor(cursor_, (int, str))))
    also = [] if sku is None else [causes.of_sku(sku)]
    with reader.snapshot() as snapshot:
        found: list[Incident] = []
        # One kind after the other, because each has an index of its own.
        for name in dict.fromkeys(kind or KINDS):
            wanted = Filter(kind=(name,), state=tuple(state), warehouse=() if warehouse is None else (warehouse,))
            found += incidents.listed(snapshot.rows, wanted, limit + 1, also=also, after=after)
        found.sort(key=lambda one: (one.due_at, one.id), reverse=True)
        page = found[:limit]
        return contract.ClusterPage(
            clusters=[_cluster(one, snapshot) for one in page],
            next=onward.on(cursor([page[-1].due_at, page[-1].id]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/clusters/{cluster_id}", operation_id="get_cluster")
async def get_cluster(reader: CaughtUp, cluster_id: IncidentId) -> contract.ClusterDetail:
    """Show one cause."""
    with reader.snapshot() as snapshot:
        return contract.ClusterDetail(
            cluster=_cluster(_known(snapshot, cluster_id), snapshot), as_of=reader.as_of(snapshot)
        )


@router.get("/clusters/{cluster_id}/members", operation_id="list_cluster_members")
async def list_members(
    reader: CaughtUp,
    onward: Onward,
    cluster_id: IncidentId,
    proven: Annotated[bool | None, Query(description="Whether it is known that the cause reached it.")] = None,
    settled: Annotated[bool | None, Query(description="Whether nothing is left to put right.")] = None,
    stage: Annotated[list[contract.Stage], Query(max_length=3)] = [],  # noqa: B006  # FastAPI copies defaults
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.MemberPage:
    """List the orders that a cause reached or may have reached, those first that can still be saved."""
    after = None if cursor_ is None else Ranked(*cast(tuple[int, int, str], read_cursor(cursor_, (int, int, str))))
    with reader.snapshot() as snapshot:
        stream = _stream(snapshot, _known(snapshot, cluster_id))
        found = causes.members(snapshot.rows, stream, Asked(proven, settled, tuple(stage)), limit + 1, after)
        page = found[:limit]
        return contract.MemberPage(
            members=[_member(one, cluster_id, snapshot) for one in page],
            next=onward.on(cursor([page[-1].rank, page[-1].since, page[-1].member]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


def _known(snapshot: Snapshot, cluster_id: str) -> Incident:
    found = incidents.one(snapshot.rows, cluster_id)
    if found is None or found.body["kind"] not in KINDS:
        raise Problem("not_found", "No cluster has this id.")
    return found


def _stream(snapshot: Snapshot, one: Incident) -> str:
    return incidents.stream_of(snapshot.rows, one.id) or ""


def _cluster(one: Incident, snapshot: Snapshot) -> contract.Cluster:
    cause, body = causes.one(snapshot.rows, _stream(snapshot, one)), one.body
    return contract.Cluster(
        id=one.id,
        **{name: body[name] for name in ("kind", "subject", "state", "severity", "since", "due_at", "ended_at")},
        knowable_at=body["detail"].get("knowable_at"),
        key=_key(one),
        counts=_counts(one, cause, snapshot),
        stages=cast(Any, cause.stages),
        chance=_chance(one, cause),
        onset=_onset(one, cause),
        owed=_owed(cause, snapshot) if one.body["state"] == "open" else {},
        incident=shown(one, snapshot),
    )


def _key(one: Incident) -> contract.ClusterKey:
    named = parts(one.body["subject"])
    if one.body["kind"] == "mis_shipment_cluster":
        listing, warehouse, version = named
        return contract.ClusterKey(sku=listing, warehouse_id=warehouse or None, binding_version=version)
    if one.body["kind"] == "price_difference":
        return contract.ClusterKey(sku=named[0], price_change_id=named[1])
    return contract.ClusterKey(sku=named[0], lot=named[1] if len(named) > 1 else None)


def _counts(one: Incident, cause: Cause, snapshot: Snapshot) -> contract.ClusterCounts:
    counts = cause.counts
    return contract.ClusterCounts(
        members=counts["members"],
        proven=counts["proven"],
        exposed=counts["members"] - counts["proven"],
        silent=counts["silent"],
        interceptable=counts["not_shipped"] + counts["in_transit"],
        contacted=causes.contacted(snapshot.rows, cause.stream, one.id),
        settled=counts["settled"],
    )


def _chance(one: Incident, cause: Cause) -> contract.Chance | None:
    if cause.scope is None:
        return None
    usual = Usual(cause.scope.usual_orders, cause.scope.usual_troubles)
    if not usual.known:
        return None
    return contract.Chance(
        usual_orders=usual.orders,
        usual_troubles=usual.troubles,
        usual_rate=usual.rate,
        likelihood=one.body["detail"].get("likelihood"),
    )


def _onset(one: Incident, cause: Cause) -> contract.Onset:
    scope, change = cause.scope, cause.change
    if change is not None:
        return contract.Onset(
            at=iso(change.changed.at),
            what="price_changed",
            event=change.changed.ref,
            price=change.price,
            currency=change.currency,
            mistaken_at=None if change.mistaken is None else iso(change.mistaken.at),
        )
    if scope is not None and scope.began is not None:
        return contract.Onset(
            at=iso(scope.began.at),
            what="binding_changed",
            event=scope.began.ref,
            binding_version=parts(one.body["subject"])[-1],
            replaced_at=None if scope.replaced is None else iso(scope.replaced.at),
        )
    return contract.Onset(at=one.body["since"], what="first_trouble", event=None)


def _owed(cause: Cause, snapshot: Snapshot) -> dict[str, str]:
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in causes.owed(snapshot.rows, cause.stream):
        totals[currency] += Decimal(amount)
    return {currency: f"{total:f}" for currency, total in sorted(totals.items())}


def _member(one: Member, cluster_id: str, snapshot: Snapshot) -> contract.Member:
    return contract.Member(
        member=one.member,
        order_id=one.order_id,
        parcel_id=one.parcel_id,
        since=iso(one.since),
        stage=cast(Any, one.stage),
        interceptable=one.stage in {"not_shipped", "in_transit"} and one.rank < SETTLED,
        proven_at=_iso(one.proven_at),
        settled_at=_iso(one.settled_at),
        contacted_at=_iso(causes.contacted_at(snapshot.rows, cluster_id, one)),
        amount=one.amount,
        currency=one.currency,
        quantity=one.quantity,
    )


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
