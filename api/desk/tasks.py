"""``POST /v1/worklist/{task}/contact``: one call to a customer, recorded in every incident that it was about."""

from collections.abc import Iterable
from secrets import token_hex
from typing import Annotated, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool

from api.contract.desk import Contact
from api.contract.worklist import NotRecorded, Recorded, TaskContacted
from api.desk.actor import Actor
from api.desk.steps import Key, Staffed, position_of
from api.problems import Problem
from api.reading import CaughtUp, Reader
from api.sayings import must_be_true
from domain.errors import IllegalStep
from domain.incidents import commands
from domain.instant import Instant
from domain.staff.desk import Case, Desk
from projections import contacts, incidents, worklist

router = APIRouter(prefix="/v1", tags=["worklist"])
_CLEARED: Final = 500


class _Item(NamedTuple):
    case: Case
    orders: list[str]


class _Call(NamedTuple):
    """One contact, and what it was about."""

    said: commands.Contact
    items: list[_Item]
    cleared: list[str]

    @property
    def about_promise(self) -> str | None:
        """Name the incident that keeps what was promised, so that it is promised once."""
        order_id = None if self.said.promise is None else self.said.promise.order_id
        concerned = (one.case.id for one in self.items if order_id is None or order_id in one.orders)
        return next(concerned, self.items[0].case.id if self.items else None)


@router.post(
    "/worklist/{task_id:path}/contact",
    operation_id="contact_customer_once",
    responses={
        404: {"description": "Nobody has heard of this customer, order or complaint."},
        409: {"description": "Nothing is left to call about, or `claim` says more than the facts."},
    },
)
async def contact(
    reader: CaughtUp,
    desk: Staffed,
    task_id: Annotated[str, Path(max_length=140)],
    body: Contact,
    actor: Actor,
    key: Key = "",
) -> TaskContacted:
    """Record one contact in all incidents of a task, each looked at again: what had ended meanwhile is told.

    Sent again under the same `Idempotency-Key` it records what is missing and answers the same.
    """
    position = position_of(reader, body.true_at)
    name = body.contact_id or f"{task_id}:{key or token_hex(8)}"
    words = {**body.said(), "contact_id": name, "true_at": position, "by": actor, "command_id": key}
    words["customer_id"] = body.customer_id or _customer(task_id)
    call = _call(reader, task_id, msgspec.convert(words, commands.Contact), position)
    return await run_in_threadpool(_carry_out, reader, desk, call)


def _customer(task_id: str) -> str | None:
    kind, _, name = task_id.partition("-")
    return name if kind == "customer" else None


def _call(reader: Reader, task_id: str, said: commands.Contact, read_at: int) -> _Call:
    """Find out what a customer is to be called about, and what they were called about under this id before."""
    with reader.snapshot() as snapshot:
        rows = snapshot.rows
        if not worklist.known(rows, task_id):
            raise Problem("not_found", "Nobody has heard of this customer, order or complaint.")
        task = worklist.task(rows, snapshot.now, task_id)
        names = dict.fromkeys((*contacts.incidents_of(rows, said.contact_id), *([] if task is None else task.items)))
        ended = worklist.cleared(rows, task_id, read_at, _CLEARED) if read_at else []
        found = ((name, incidents.one(rows, name), incidents.stream_of(rows, name)) for name in names)
        items = [_Item(Case(name, of), one.body["order_ids"]) for name, one, of in found if one is not None and of]
        return _Call(said, items, ended)


def _carry_out(reader: Reader, desk: Desk, call: _Call) -> TaskContacted:
    if not call.items:
        raise IllegalStep("nothing_to_contact", "Nothing is left to call this customer about.")
    if not any(call.said.contact_id in desk.read(one.case.id).contacts for one in call.items):
        must_be_true(reader, call.said.statements, call.said.true_at)
    recorded, refused, position = _record(desk, call, reader.clock.now())
    with reader.snapshot() as snapshot:
        return TaskContacted(
            contact_id=call.said.contact_id,
            recorded=recorded,
            refused=refused,
            cleared_meanwhile=sorted({*call.cleared, *(one.incident for one in recorded if one.cleared)}),
            position=snapshot.token(position),
        )


def _record(desk: Desk, call: _Call, at: Instant) -> tuple[list[Recorded], list[NotRecorded], int]:
    """Record it in one incident after the other; a broken line leaves some, and the same key records the rest.

    Raises:
        IllegalStep: none of them takes it.
    """
    recorded: list[Recorded] = []
    refused: dict[str, IllegalStep] = {}
    position = 0
    promised = call.about_promise
    for case, _ in _spoken_for(desk, call.items):
        own = call.said if case.id == promised else msgspec.structs.replace(call.said, promise=None)
        try:
            position = max(position, desk.handle(case, own, at=at))
        except IllegalStep as why:
            refused[case.id] = why
            continue
        recorded.append(Recorded(incident=case.id, cleared=desk.read(case.id).contacts[own.contact_id].cleared))
    if not recorded:
        raise next(iter(refused.values()))
    told = [NotRecorded(incident=name, code=why.code, detail=why.reason) for name, why in refused.items()]
    return recorded, told, position


def _spoken_for(desk: Desk, items: Iterable[_Item]) -> list[_Item]:
    """Leave out what is handled as part of another one of them: a contact is recorded in that."""
    known = list(items)
    names = {one.case.id for one in known}
    return [one for one in known if desk.read(one.case.id).merged_into not in names]
