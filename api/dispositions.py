"""``/v1/dispositions``: goods that customers are to send back or have destroyed, tracked until there is proof."""

from typing import Annotated, Any, Final, cast

import msgspec
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from api.bounds import IDENTITY, Cursor, IncidentId, PartId
from api.contract import goods as contract
from api.desk.actor import Actor
from api.desk.steps import Key, Staffed
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Reader, Snapshot
from api.tokens import cursor, read_cursor
from domain.dispositions import commands
from domain.dispositions.events import DispositionProven
from domain.errors import IllegalStep
from domain.history.log import Log
from domain.instant import iso
from domain.staff.disposing import Disposing
from projections import dispositions, incidents
from projections.dispositions import Wanted

router = APIRouter(prefix="/v1", tags=["goods"])
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: {"description": "It is not allowed; `code` and `detail` say why."}
}
_Incident = Annotated[str | None, Query(max_length=IDENTITY)]
_Order = Annotated[str | None, Query(min_length=1, max_length=128)]


@router.post("/incidents/{incident_id}/dispositions", operation_id="request_disposition", responses=_REFUSED)
async def request(
    reader: CaughtUp,
    desk: Staffed,
    incident_id: IncidentId,
    body: contract.RequestDisposition,
    actor: Actor,
    key: Key = "",
) -> contract.Disposition:
    """Have goods of an order sent back or destroyed until a time; without proof by then they are listed as overdue."""
    with reader.snapshot() as snapshot:
        if incidents.stream_of(snapshot.rows, incident_id) is None:
            raise Problem("not_found", "No incident has this id.")
    asked = msgspec.convert({**body.said(), "by": actor, "command_id": key}, commands.RequestDisposition)
    goods, at = Disposing(desk.log), reader.clock.now()
    name, position = await run_in_threadpool(goods.request, incident_id, asked, at=at)
    return await run_in_threadpool(_now, reader, goods, name, position)


@router.post("/dispositions/{disposition_id}/prove", operation_id="prove_disposition", responses=_REFUSED)
async def prove(
    reader: CaughtUp,
    desk: Staffed,
    disposition_id: PartId,
    body: contract.ProveDisposition,
    actor: Actor,
    key: Key = "",
) -> contract.Disposition:
    """Record that the goods are back, by a parcel that a carrier says came back or by evidence, or are destroyed."""
    goods = _goods(desk.log, disposition_id)
    asked = msgspec.convert({**body.said(), "by": actor, "command_id": key}, commands.ProveDisposition)
    position = await run_in_threadpool(goods.prove, disposition_id, asked, at=reader.clock.now())
    return await run_in_threadpool(_now, reader, goods, disposition_id, position)


@router.post("/dispositions/{disposition_id}/cancel", operation_id="cancel_disposition", responses=_REFUSED)
async def cancel(
    reader: CaughtUp,
    desk: Staffed,
    disposition_id: PartId,
    body: contract.CancelDisposition,
    actor: Actor,
    key: Key = "",
) -> contract.Disposition:
    """Let the customer keep the goods."""
    goods = _goods(desk.log, disposition_id)
    asked = msgspec.convert({**body.said(), "by": actor, "command_id": key}, commands.CancelDisposition)
    position = await run_in_threadpool(goods.cancel, disposition_id, asked, at=reader.clock.now())
    return await run_in_threadpool(_now, reader, goods, disposition_id, position)


@router.get("/dispositions", operation_id="list_dispositions")
async def list_dispositions(
    reader: CaughtUp,
    onward: Onward,
    state: contract.DispositionState | None = None,
    incident: _Incident = None,
    order: _Order = None,
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.DispositionPage:
    """List goods by the time until which there must be proof, the first due first."""
    after = None if cursor_ is None else cast(tuple[int, str], tuple(read_cursor(cursor_, (int, str))))
    with reader.snapshot() as snapshot:
        found = dispositions.listed(snapshot.rows, limit + 1, Wanted(state, incident, order), after=after)
        page = found[:limit]
        return contract.DispositionPage(
            dispositions=[_shown(one, snapshot) for one in page],
            next=onward.on(cursor([page[-1].until, page[-1].id]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


def _goods(log: Log, name: str) -> Disposing:
    goods = Disposing(log)
    try:
        goods.read(name)
    except IllegalStep as refused:
        raise Problem("not_found", "Nobody has asked for these goods.") from refused
    return goods


def _now(reader: Reader, goods: Disposing, name: str, position: int) -> contract.Disposition:
    """Show it as the log has it, before any view does."""
    state = goods.read(name)
    asked, ended = state.requested, state.ended
    assert asked is not None
    proven = ended if isinstance(ended, DispositionProven) else None
    row = dispositions.Disposition(
        id=name,
        position=position,
        incident=asked.incident,
        order_id=asked.order_id,
        sku=asked.sku,
        quantity=asked.quantity,
        action=asked.action,
        state=state.status,
        until=asked.until,
        refund_on_proof=asked.refund_on_proof,
        requested_by=asked.by,
        requested_at=asked.at,
        why=asked.why,
        parcel_id=None if proven is None else proven.parcel_id,
        seen=None if proven is None else proven.seen,
        evidence=[] if proven is None else list(proven.evidence),
        ended_by=None if ended is None else ended.by,
        ended_at=None if ended is None else ended.at,
        ended_why=None if ended is None else ended.why,
    )
    with reader.snapshot() as snapshot:
        return _shown(row, snapshot)


def _shown(one: dispositions.Disposition, snapshot: Snapshot) -> contract.Disposition:
    times = {
        "until": iso(one.until),
        "requested_at": iso(one.requested_at),
        "ended_at": None if one.ended_at is None else iso(one.ended_at),
        "position": snapshot.token(one.position),
    }
    waits = one.action == "return" and one.state in {"open", "overdue"}
    returned = dispositions.came_back(snapshot.rows, one.order_id, one.requested_at) if waits else []
    return contract.Disposition(**{**one._asdict(), **times}, came_back=returned)
