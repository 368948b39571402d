"""``/v1/worklist``: whom to call, in which order, what may be said; and who was told what is not true any more."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from api import problems
from api.bounds import TOKEN, Cursor, IncidentId
from api.contract import worklist as contract
from api.contract.desk import Statement
from api.contract.incidents import Incident
from api.incidents import shown_together
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Reader, Snapshot
from api.sayings import may_say
from api.tokens import Token, cursor, read_cursor
from domain.incidents.events import Statement as Said
from domain.instant import iso
from domain.policies.routing import Routing, goes_to
from domain.severity import GRADES
from domain.staff import messages
from domain.staff.statements import Overclaimed, must_hold
from projections import contacts, incidents, stakes, worklist
from projections.sayings import facts_at
from projections.worklist import Rank, Wanted

router = APIRouter(prefix="/v1", tags=["worklist"])
_SHOWN: Final = 50
"""Incidents of one task that are listed; a customer with more is called anyway."""
_Assignee = Annotated[list[Annotated[str, Query(min_length=1, max_length=128)]], Query(max_length=20)]


@router.get("/worklist", operation_id="list_worklist")
async def list_worklist(
    reader: CaughtUp,
    onward: Onward,
    limit: Limit = 50,
    cursor_: Cursor = None,
    assignee: _Assignee = [],  # noqa: B006  # FastAPI copies defaults
    difficulty: Annotated[Literal["hard", "normal"] | None, Query(description="As routed by the policy.")] = None,
    to_contact: Annotated[bool | None, Query(description="Whether the customer has to be reached now.")] = None,
) -> contract.Worklist:
    """List customers to call, one task each, first those for whom most can still be saved."""
    hard = None if difficulty is None else difficulty == "hard"
    after = None if cursor_ is None else _after(cursor_)
    with reader.snapshot() as snapshot:
        wanted = Wanted(tuple(assignee), hard, to_contact)
        found = worklist.tasks(snapshot.rows, snapshot.now, wanted, limit + 1, after)
        page = found[:limit]
        return contract.Worklist(
            tasks=_tasks(page, snapshot),
            ranked_by=[contract.Ranked(by=by, why=why) for by, why in worklist.RANKED_BY],
            next=onward.on(_cursor_at(page[-1].rank) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/worklist/{task_id:path}", operation_id="get_task")
async def get_task(
    reader: CaughtUp,
    task_id: Annotated[str, Path(max_length=140)],
    since: Annotated[str | None, Query(max_length=TOKEN, description="Token of the list this was opened from.")] = None,
) -> contract.TaskDetail:
    """Open a customer's task: what is still true, what has ended meanwhile, and what may be said."""
    position = None if since is None else read_position(reader, since)
    with reader.snapshot() as snapshot:
        rows = snapshot.rows
        if not worklist.known(rows, task_id):
            raise Problem("not_found", "Nobody has heard of this customer, order or complaint.")
        found = worklist.task(rows, snapshot.now, task_id)
        cleared = worklist.cleared(rows, task_id, position, _SHOWN)
        ended = incidents.several(rows, cleared)
        kind, _, key = task_id.partition("-")
        wrong = contacts.told_wrong(rows, _SHOWN, now=snapshot.now, customer=key) if kind == "customer" else []
        return contract.TaskDetail(
            id=task_id,
            task=None if found is None else _tasks([found], snapshot)[0],
            cleared_meanwhile=shown_together([ended[name] for name in cleared if name in ended], snapshot),
            may_say=may_say(reader, snapshot, [] if found is None else found.orders[:_SHOWN]),
            told_wrong=[_told_wrong(one, snapshot) for one in wrong],
            as_of=reader.as_of(snapshot),
        )


@router.get("/told-wrong", operation_id="list_told_wrong")
async def list_told_wrong(
    reader: CaughtUp, onward: Onward, limit: Limit = 50, cursor_: Cursor = None
) -> contract.ToldWrongPage:
    """List whom we told something that has become untrue, until a contact corrects it."""
    after = "" if cursor_ is None else cast(str, read_cursor(cursor_, (str,))[0])
    with reader.snapshot() as snapshot:
        found = contacts.told_wrong(snapshot.rows, limit + 1, now=snapshot.now, after=after)
        page = found[:limit]
        return contract.ToldWrongPage(
            told_wrong=[_told_wrong(one, snapshot) for one in page],
            next=onward.on(cursor([page[-1].contact_id]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.post(
    "/incidents/{incident_id}/draft",
    operation_id="draft_message",
    response_model=contract.Draft,
    responses={409: {"description": "It claims more than the facts; `claim` is the first such claim."}},
)
async def draft(
    request: Request, reader: CaughtUp, incident_id: IncidentId, body: contract.DraftAsked
) -> contract.Draft | JSONResponse:
    """Write a message to a customer about an incident, or check one, against the facts of now; stores nothing."""
    with reader.snapshot() as snapshot:
        found = incidents.one(snapshot.rows, incident_id)
        if found is None:
            raise Problem("not_found", "No incident has this id.")
        at = snapshot.position
        facts = facts_at(reader.log, [body.order_id], at.position, snapshot.now).get(body.order_id)
        if facts is None:
            raise Problem("not_found", "No order has this id.")
    said = None if body.statements is None else [_said(one) for one in body.statements]
    try:
        if body.text is None:
            made = messages.draft(found.body["kind"], body.language, facts, now=snapshot.now, claims=said)
        else:
            claims = (*(said or ()), *messages.claimed(body.text, facts, snapshot.now))
            must_hold(claims, {body.order_id: facts})
            made = messages.Draft(body.text, claims)
    except Overclaimed as refused:
        claim = msgspec.to_builtins(refused.statement)
        return problems.answer(request, "refused", refused.reason, code=refused.code, claim=claim)
    return contract.Draft(text=made.text, statements=[_statement(one) for one in made.statements], true_at=str(at))


def read_position(reader: Reader, token: str) -> int:
    """Read a position that was given out.

    Raises:
        Problem: it is none of this log.
    """
    read = Token.read(token)
    if not reader.knows(read, reader.feed_checkpoint()):
        raise Problem("unknown_position")
    return read.position


def _tasks(some: Sequence[worklist.Task], snapshot: Snapshot) -> list[contract.Task]:
    """Write tasks as they leave; what all of them need is read in one go."""
    rows = snapshot.rows
    routing = worklist.routing(rows, snapshot.now)
    known = incidents.several(rows, [name for one in some for name in one.items[:_SHOWN]])
    orders = worklist.stakes(rows, [name for one in some for name in one.orders[:_SHOWN]])
    shown = {one.id: one for one in shown_together([*known.values()], snapshot)}
    return [_task(one, shown, orders, routing) for one in some]


def _task(
    one: worklist.Task,
    shown: Mapping[str, Incident],
    orders: Mapping[str, worklist.Stake],
    routing: Routing,
) -> contract.Task:
    rank = one.rank
    listed = [shown[name] for name in one.items[:_SHOWN] if name in shown]
    listed.sort(key=lambda each: (-GRADES.index(each.severity), each.due_at, each.id))
    own = {name: orders[name] for name in one.orders[:_SHOWN] if name in orders}
    kind, _, key = rank.task.partition("-")
    return contract.Task(
        id=rank.task,
        customer_id=key if kind == "customer" else None,
        tier=next((each.tier for each in own.values() if each.tier is not None), None),
        rank=contract.Rank(
            stage=stakes.STAGES[rank.stage],
            severity=GRADES[rank.grade],
            until=iso(rank.until),
            amount=rank.amount,
            currency=next((each.currency for each in own.values() if 0 < each.amount == rank.amount), None),
        ),
        difficulty=contract.Difficulty(
            points=one.points, hard=one.points >= routing.hard_from, goes_to=list(goes_to(routing, one.points))
        ),
        to_contact=one.to_contact,
        assignees=one.assignees,
        channels=listed[0].liability.channels if listed else [],
        incidents=listed,
        orders=[
            contract.OrderAtStake(
                order_id=order_id,
                stage=stakes.STAGES[each.stage],
                value=each.value,
                currency=each.currency,
                deliver_by=None if each.deliver_by is None else iso(each.deliver_by),
            )
            for order_id, each in own.items()
        ],
    )


def _told_wrong(one: contacts.ToldWrong, snapshot: Snapshot) -> contract.ToldWrong:
    return contract.ToldWrong(
        contact_id=one.contact_id,
        incidents=one.incidents,
        customer_id=one.customer,
        at=iso(one.at),
        by=one.by,
        channel=one.channel,
        statements=[_statement(each) for each in one.statements],
        true_at=snapshot.token(one.true_at),
    )


def _said(one: Statement) -> Said:
    return Said(order_id=one.order_id, claim=one.claim, value=one.value)


def _statement(one: Said) -> Statement:
    return Statement(order_id=one.order_id, claim=one.claim, value=one.value)


def _cursor_at(rank: Rank) -> str:
    return cursor([rank.stage, rank.grade, rank.until, repr(rank.amount), rank.task])


def _after(text: str) -> Rank:
    stage, grade, until, amount, name = cast(Any, read_cursor(text, (int, int, int, str, str)))
    try:
        return Rank(stage, grade, until, float(amount), name)
    except ValueError as error:
        raise Problem("invalid_token") from error
