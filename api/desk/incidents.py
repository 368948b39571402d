"""``POST /v1/incidents/{id}/…``: what staff do; a body is always needed, if only ``{}``, which no other site's form is.

Who does it stands in ``X-Actor``, ``staff`` where that is missing; see ``api.desk.steps``. What the state of the
incident does not allow is refused with 409, a stable ``code`` and the reason in ``detail``.
"""

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.contract import desk as contract
from api.contract.desk import Workflow
from api.desk.steps import Acting, position_of
from api.sayings import must_be_true
from domain.incidents import commands
from domain.incidents.events import Statement

router: Final = APIRouter(
    prefix="/v1/incidents/{incident_id}",
    tags=["desk"],
    responses={
        404: {"description": "No incident has this id."},
        409: {"description": "The state of the incident does not allow it; `code` and `detail` say why."},
    },
)


@router.post("/acknowledge", operation_id="acknowledge_incident")
async def acknowledge(step: Acting, body: contract.Acknowledge) -> Workflow:
    """Take an incident on; when the time is up it goes back to all."""
    return await step.carry_out(commands.Acknowledge, body)


@router.post("/give-back", operation_id="give_back_incident")
async def give_back(step: Acting, body: contract.Asked) -> Workflow:
    """Leave an incident to others again."""
    return await step.carry_out(commands.GiveBack, body)


@router.post("/assign", operation_id="assign_incident")
async def assign(step: Acting, body: contract.Assign) -> Workflow:
    """Make it somebody's business, or nobody's."""
    return await step.decide(commands.Assign, body)


@router.post("/snooze", operation_id="snooze_incident")
async def snooze(step: Acting, body: contract.Snooze) -> Workflow:
    """Put it aside until a time or the next event."""
    return await step.decide(commands.Snooze, body)


@router.post("/wake", operation_id="wake_incident")
async def wake(step: Acting, body: contract.Asked) -> Workflow:
    """Put it aside no longer."""
    return await step.carry_out(commands.Wake, body)


@router.post("/note", operation_id="note_incident")
async def note(step: Acting, body: contract.Note) -> Workflow:
    """Write something down."""
    return await step.carry_out(commands.Note, body)


@router.post("/liability", operation_id="set_liability")
async def liability(step: Acting, body: contract.SetLiability) -> Workflow:
    """Say who has to answer for it."""
    return await step.decide(commands.SetLiability, body)


@router.post("/answer", operation_id="answer_price_question")
async def answer(step: Acting, body: contract.AnswerPrice) -> Workflow:
    """Say whether a lower price is a mistake: then nobody is owed the difference; else everybody listed is."""
    return await step.decide(commands.AnswerPrice, body)


@router.post("/escalate", operation_id="escalate_incident")
async def escalate(step: Acting, body: contract.Escalate) -> Workflow:
    """Hand it to somebody with more say."""
    return await step.decide(commands.Escalate, body)


@router.post("/contact", operation_id="contact_customer")
async def contact(step: Acting, body: contract.Contact) -> Workflow:
    """Record an attempt to reach the customer; what was said must be true by the facts it was read from."""
    position = position_of(step.reader, body.true_at)
    said = [Statement(order_id=one.order_id, claim=one.claim, value=one.value) for one in body.statements]
    if not await step.is_repeat():
        await run_in_threadpool(must_be_true, step.reader, said, position)
    return await step.carry_out(commands.Contact, body, true_at=position)


@router.post("/confirm", operation_id="confirm_agreement")
async def confirm(step: Acting, body: contract.Confirm) -> Workflow:
    """Record the written confirmation of an agreement by phone."""
    return await step.carry_out(commands.Confirm, body)


@router.post("/compensate", operation_id="compensate_member")
async def compensate(step: Acting, body: contract.Compensate) -> Workflow:
    """Pay a member, or propose to."""
    return await step.carry_out(commands.Compensate, body)


@router.post("/compensate/approve", operation_id="approve_compensation")
async def approve(step: Acting, body: contract.Member) -> Workflow:
    """Approve a payment that somebody else proposed."""
    return await step.carry_out(commands.Approve, body)


@router.post("/compensate/withdraw", operation_id="withdraw_compensation")
async def withdraw(step: Acting, body: contract.Member) -> Workflow:
    """Take back or decline a proposed payment."""
    return await step.carry_out(commands.Withdraw, body)


@router.post("/resolve", operation_id="resolve_incident")
async def resolve(step: Acting, body: contract.Resolve) -> Workflow:
    """Call it settled."""
    return await step.carry_out(commands.Resolve, body)


@router.post("/reopen", operation_id="reopen_incident")
async def reopen(step: Acting, body: contract.Asked) -> Workflow:
    """Call it not settled, or not wrong, after all."""
    return await step.carry_out(commands.Reopen, body)


@router.post("/dismiss", operation_id="dismiss_incident")
async def dismiss(step: Acting, body: contract.Dismiss) -> Workflow:
    """Say that the finding is wrong: it ends, and counts as a false alarm of its rule."""
    return await step.carry_out(commands.Dismiss, body)


@router.post("/merge", operation_id="merge_incident")
async def merge(step: Acting, body: contract.Merge) -> Workflow:
    """Handle it as part of another incident."""
    return await step.carry_out(commands.Merge, body, into=body.into)


@router.post("/split", operation_id="split_incident")
async def split(step: Acting, body: contract.Asked) -> Workflow:
    """Handle it on its own again."""
    return await step.carry_out(commands.Split, body)
