"""``/v1/orders``: what an order still has to ship, what is about to be late, and all that happened."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query

from api.bounds import Cursor
from api.contract import orders as contract
from api.incidents import shown_together
from api.known import KnownAt, until
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Reader, Snapshot
from api.sayings import may_say
from api.tokens import cursor, read_cursor
from domain.instant import FOREVER, Instant, iso
from domain.naming import stream
from projections import checkpoints, history, incidents, orders, parcels, risk
from projections.query import Filter
from projections.risk import After, Kind, Warned

router = APIRouter(prefix="/v1", tags=["orders"])
_PARCEL = frozenset(contract.Parcel.model_fields)


@router.get("/orders", operation_id="list_orders_at_risk")
async def list_orders(
    reader: CaughtUp,
    onward: Onward,
    at_risk: Annotated[bool, Query(description="Must be true: the only list of orders there is so far.")],
    kind: Annotated[list[Kind], Query(max_length=2, description="What it would become.")] = [],  # noqa: B006
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.AtRiskPage:
    """List what must be shipped or delivered soon, or will not be in time at its warehouse's pace; by urgency."""
    if not at_risk:
        raise Problem("not_found", "Orders are listed with at_risk=true.")
    after = None
    if cursor_ is not None:
        deadline, order_id, fulfillment_id = read_cursor(cursor_, (int, str, str))
        after = After(cast(int, deadline), cast(str, order_id), cast(str, fulfillment_id))
    with reader.snapshot() as snapshot:
        now = _time(snapshot)
        found = risk.listed(
            snapshot.rows, now, Warned.by(snapshot.policies()), limit + 1, after=after, kinds=kind or risk.KINDS
        )
        page = found[:limit]
        more = len(found) > limit
        return contract.AtRiskPage(
            at_risk=[
                contract.AtRisk(
                    kind=one.kind,
                    order_id=one.order_id,
                    fulfillment_id=one.fulfillment_id or None,
                    warehouse_id=one.warehouse,
                    deadline=iso(one.deadline),
                    warn_at=iso(one.warn_at),
                    because=list(one.because),
                )
                for one in page
            ],
            next=onward.on(cursor([page[-1].deadline, page[-1].order_id, page[-1].fulfillment_id]) if more else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/orders/{order_id:path}/history", operation_id="get_order_history")
def get_history(
    reader: CaughtUp, order_id: Annotated[str, Path(max_length=128)], as_of: KnownAt = None
) -> contract.OrderHistory:
    """List what we knew of an order and its parcels, and what rules said and by which policy, as we learnt it."""
    with reader.snapshot() as snapshot:
        _order(snapshot, order_id)
        told = _timeline(reader, snapshot, order_id, as_of)
        timeline = [_happening(one, snapshot) for one in told]
        return contract.OrderHistory(order_id=order_id, timeline=timeline, as_of=reader.as_of(snapshot))


@router.get("/orders/{order_id:path}", operation_id="get_order")
async def get_order(reader: CaughtUp, order_id: Annotated[str, Path(max_length=128)]) -> contract.OrderDetail:
    """Show one order: fulfilments with their clocks, parcels, incidents, and everything that happened."""
    with reader.snapshot() as snapshot:
        body = _order(snapshot, order_id)
        summaries = parcels.several(snapshot.rows, _parcels(body))
        known = incidents.listed(snapshot.rows, Filter(order=order_id), 500)
        risky = risk.of_order(snapshot.rows, order_id, _time(snapshot))
        due = orders.delivery(snapshot.rows, order_id)
        return contract.OrderDetail(
            **{
                **body,
                "fulfillments": [
                    contract.Fulfillment(
                        **one,
                        at_risk=one["fulfillment_id"] in risky,
                        because=list(risky.get(one["fulfillment_id"], ())),
                    )
                    for one in body["fulfillments"]
                ],
                "parcels": [_parcel(one, summaries.get(one["parcel_id"], {})) for one in body["parcels"]],
            },
            delivery=None
            if due is None
            else contract.Delivery(deadline=iso(due.deadline), warn_at=iso(due.warn_at), at_risk="" in risky),
            stale=stream("order", order_id) in checkpoints.waiting(snapshot.rows, orders.VIEW.name),
            incidents=shown_together(known, snapshot),
            may_say=next(iter(may_say(reader, snapshot, [order_id])), None),
            timeline=[_happening(one, snapshot) for one in sorted(_timeline(reader, snapshot, order_id))],
            as_of=reader.as_of(snapshot),
        )


@router.get("/search", operation_id="search")
async def search(reader: CaughtUp, q: Annotated[str, Query(min_length=1, max_length=128)]) -> contract.Found:
    """Find orders by order id, parcel id or tracking number."""
    with reader.snapshot() as snapshot:
        direct = [q] if orders.one(snapshot.rows, q) is not None else []
        return contract.Found(order_ids=direct or parcels.orders_of(snapshot.rows, q))


def _time(snapshot: Snapshot) -> Instant:
    """Give the instant that grades are read at: no later than what is known."""
    return -FOREVER if snapshot.known_up_to is None else snapshot.known_up_to


def _order(snapshot: Snapshot, order_id: str) -> dict[str, Any]:
    found = orders.one(snapshot.rows, order_id)
    if found is None:
        raise Problem("not_found", "No order has this id.")
    return found[1]


def _parcels(body: dict[str, Any]) -> list[str]:
    return [one["parcel_id"] for one in body["parcels"]]


def _timeline(reader: Reader, snapshot: Snapshot, order_id: str, as_of: str | None = None) -> list[history.Told]:
    up_to = until(as_of, reader, snapshot.stands[orders.VIEW.name].position)
    return history.timeline(reader.log, order_id, up_to)


def _happening(one: history.Told, snapshot: Snapshot) -> contract.Happening:
    return contract.Happening(**one.entry, position=snapshot.token(one.complete_at))


def _parcel(body: dict[str, Any], summary: dict[str, Any]) -> contract.Parcel:
    known = {name: value for name, value in summary.items() if name in _PARCEL}
    return contract.Parcel(**{**body, **known})
