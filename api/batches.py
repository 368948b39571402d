"""``/v1/batches``: payments to many members of an incident, drafted, approved, paid and exported.

An approval pays all members before it answers, in transactions of 500; sent again it goes on where it was stopped.
"""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.bounds import IDENTITY, Cursor, IncidentId, PartId
from api.contract import money as contract
from api.contract.desk import Asked
from api.desk.actor import Actor
from api.desk.steps import Key, Staffed
from api.exporting import CSV, JSON_LINES, as_csv, as_json_lines
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Reader, Snapshot
from api.tokens import cursor, read_cursor
from domain.errors import IllegalStep
from domain.history.log import Log
from domain.instant import iso
from domain.payouts.payout import DraftPayout
from domain.staff.cashier import Cashier
from domain.staff.desk import Case
from projections import incidents, payouts

router = APIRouter(prefix="/v1", tags=["money"])
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: {"description": "It is not allowed; `code` and `detail` say why."}
}
_ALL: Final = 1_000_000


@router.post("/incidents/{incident_id}/batches", operation_id="draft_batch", responses=_REFUSED)
async def draft(
    reader: CaughtUp, desk: Staffed, incident_id: IncidentId, body: contract.DraftBatch, actor: Actor, key: Key = ""
) -> contract.Batch:
    """Draft payments to members of an incident; nobody is paid before it is approved."""
    with reader.snapshot() as snapshot:
        about = incidents.stream_of(snapshot.rows, incident_id)
    if about is None:
        raise Problem("not_found", "No incident has this id.")
    asked = msgspec.convert({**body.said(), "by": actor, "command_id": key}, DraftPayout)
    cashier, at = Cashier(desk.log), reader.clock.now()
    name, position = await run_in_threadpool(cashier.draft, Case(incident_id, about), asked, at=at)
    return await run_in_threadpool(_now, reader, cashier, name, position)


@router.post("/batches/{batch_id}/approve", operation_id="approve_batch", responses=_REFUSED)
async def approve(reader: CaughtUp, desk: Staffed, batch_id: PartId, body: Asked, actor: Actor) -> contract.Batch:
    """Approve a batch and pay it: whoever is paid already or over the cap is left out, and it is said why."""
    cashier = _cashier(desk.log, batch_id)
    at = reader.clock.now()
    position = await run_in_threadpool(cashier.approve, batch_id, by=actor, why=body.why, at=at)
    return await run_in_threadpool(_now, reader, cashier, batch_id, position)


@router.post("/batches/{batch_id}/withdraw", operation_id="withdraw_batch", responses=_REFUSED)
async def withdraw(reader: CaughtUp, desk: Staffed, batch_id: PartId, body: Asked, actor: Actor) -> contract.Batch:
    """Pay nobody by this batch any more."""
    cashier = _cashier(desk.log, batch_id)
    at = reader.clock.now()
    position = await run_in_threadpool(cashier.withdraw, batch_id, by=actor, why=body.why, at=at)
    return await run_in_threadpool(_now, reader, cashier, batch_id, position)


@router.get("/batches", operation_id="list_batches")
async def list_batches(
    reader: CaughtUp,
    onward: Onward,
    incident: Annotated[str | None, Query(max_length=IDENTITY)] = None,
    state: contract.BatchState | None = None,
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.BatchPage:
    """List batches, the latest draft first."""
    after = None if cursor_ is None else cast(tuple[int, str], tuple(read_cursor(cursor_, (int, str))))
    with reader.snapshot() as snapshot:
        found = payouts.listed(snapshot.rows, limit + 1, incident=incident, state=state, after=after)
        page = found[:limit]
        return contract.BatchPage(
            batches=[_shown(one, snapshot) for one in page],
            next=onward.on(cursor([page[-1].drafted_at, page[-1].id]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/batches/{batch_id}", operation_id="get_batch")
async def get_batch(
    reader: CaughtUp, onward: Onward, batch_id: PartId, limit: Limit = 100, cursor_: Cursor = None
) -> contract.BatchDetail:
    """Show one batch with its members."""
    after = -1 if cursor_ is None else cast(int, read_cursor(cursor_, (int,))[0])
    with reader.snapshot() as snapshot:
        one = _found(snapshot, batch_id)
        found = payouts.members(snapshot.rows, batch_id, limit + 1, after=after)
        page = found[:limit]
        return contract.BatchDetail(
            batch=_shown(one, snapshot),
            members=[contract.BatchMember(**_member(each, one)) for each in page],
            next=onward.on(cursor([page[-1].place]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get(
    "/batches/{batch_id}/export",
    operation_id="export_batch",
    response_model=contract.BatchRow,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", JSON_LINES)}}},
)
def export(
    reader: CaughtUp, batch_id: PartId, format_: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv"
) -> Response:
    """Give all members of a batch as a file: CSV with a header, or a JSON object a line."""
    with reader.snapshot() as snapshot:
        one = _found(snapshot, batch_id)
        found = payouts.members(snapshot.rows, batch_id, _ALL)
    rows = [_row(each, one) for each in found]
    content = as_csv(list(contract.BatchRow.model_fields), rows) if format_ == "csv" else as_json_lines(rows)
    kind = CSV if format_ == "csv" else JSON_LINES
    return Response(
        content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="batch.{format_}"'}
    )


def _cashier(log: Log, batch: str) -> Cashier:
    cashier = Cashier(log)
    try:
        cashier.read(batch)
    except IllegalStep as refused:
        raise Problem("not_found", "No batch has this id.") from refused
    return cashier


def _found(snapshot: Snapshot, batch: str) -> payouts.Payout:
    one = payouts.one(snapshot.rows, batch)
    if one is None:
        raise Problem("not_found", "No batch has this id.")
    return one


def _now(reader: Reader, cashier: Cashier, name: str, position: int) -> contract.Batch:
    """Show a batch as the log has it, before any view does."""
    state = cashier.read(name)
    drafted, approved = state.drafted, state.approved
    assert drafted is not None
    paid = [state.members[member] for member, why in state.settled.items() if why is None]
    row = payouts.Payout(
        id=name,
        position=position,
        incident=drafted.incident,
        state=state.status,
        drafted_at=drafted.at,
        drafted_by=drafted.by,
        approved_by=None if approved is None else approved.by,
        form=drafted.form,
        currency=drafted.currency,
        members=len(state.members),
        paid=len(paid),
        skipped=len(state.settled) - len(paid),
        total=drafted.total,
        paid_total=f"{sum((Decimal(one.amount) for one in paid), Decimal(0)):f}",
        second=drafted.second,
        why=drafted.why,
        evidence=list(drafted.evidence),
    )
    with reader.snapshot() as snapshot:
        return _shown(row, snapshot)


def _shown(one: payouts.Payout, snapshot: Snapshot) -> contract.Batch:
    same = ("id", "incident", "form", "currency", "members", "paid", "skipped", "total", "paid_total", "drafted_by")
    return contract.Batch(
        **{name: getattr(one, name) for name in (*same, "why", "evidence", "approvals")},
        state=cast(contract.BatchState, one.state),
        needs_second_approval=one.second,
        drafted_at=iso(one.drafted_at),
        position=snapshot.token(one.position),
    )


def _member(one: payouts.Member, batch: payouts.Payout) -> dict[str, Any]:
    return {
        "member": one.member,
        "order_id": one.order_id,
        "amount": one.amount,
        "currency": batch.currency,
        "form": batch.form,
        "state": one.state,
        "code": one.code,
        "reason": one.reason,
        "at": None if one.at is None else iso(one.at),
    }


def _row(one: payouts.Member, batch: payouts.Payout) -> dict[str, Any]:
    return {
        **_member(one, batch),
        "batch": batch.id,
        "incident": batch.incident,
        "drafted_by": batch.drafted_by,
        "approvals": batch.approvals,
        "evidence": batch.evidence,
        "why": batch.why,
    }
