"""What is sent and answered about money: batches of payments, and what an order got."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.contract.desk import Amount, Asked, Currency, Name
from api.contract.incidents import AsOf, Told
from domain.incidents.events import Form

Evidence = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...], Field(max_length=20)]
BatchState = Literal["drafted", "approved", "paid", "withdrawn"]
MemberState = Literal["waiting", "paid", "skipped", "withdrawn"]


class BatchMemberAsked(BaseModel):
    """Who is to be paid; the order is that of the member's name where it is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member: Name
    amount: Amount | None = None
    order_id: Name | None = None


class DraftBatch(Asked):
    """Pay many members of an incident.

    Without `members` all who have something to be put right. An amount is the member's own, else `amount`, else what
    the member is owed, which only a price difference knows.
    """

    form: Form
    currency: Currency | None = None
    """Needed where the incident itself names none."""
    amount: Amount | None = None
    members: Annotated[tuple[BatchMemberAsked, ...], Field(max_length=2000)] = ()
    evidence: Evidence = ()


class Batch(Told):
    """A batch of payments and how far it has come."""

    id: str
    incident: str
    state: BatchState
    """``approved`` is being paid; ``paid`` to its end, though some may have been left out."""
    form: str
    currency: str
    members: int
    paid: int
    skipped: int
    total: str
    paid_total: str
    needs_second_approval: bool
    """Whoever drafted it cannot approve it."""
    drafted_by: str
    drafted_at: str
    approvals: list[str]
    """Everybody who agreed; empty before the approval."""
    why: str
    evidence: list[str]
    position: str
    """Token: ask the views with ``min_position`` to see this."""


class BatchMember(Told):
    """One member of a batch, and what became of it."""

    member: str
    order_id: str
    amount: str
    currency: str
    form: str
    state: MemberState
    code: str | None
    """Why it was skipped: ``already_paid``, ``over_the_cap``, ``awaits_proof``, ``no_longer_owed`` …"""
    reason: str | None
    at: str | None


class BatchRow(BatchMember):
    """A line of an export: a member with what is the same for all of its batch."""

    batch: str
    incident: str
    drafted_by: str
    approvals: list[str]
    evidence: list[str]
    why: str


class BatchPage(Told):
    """Batches, the latest draft first."""

    batches: list[Batch]
    next: str | None
    as_of: AsOf


class BatchDetail(Told):
    """One batch with its members as they were drafted."""

    batch: Batch
    members: list[BatchMember]
    next: str | None
    as_of: AsOf


class OrderPayment(Told):
    """Money that an order was paid, whichever incident paid it."""

    order_id: str
    incident: str
    member: str
    amount: str
    currency: str
    form: str
    at: str
    by: str
    approvals: list[str]
    batch: str | None
    override: str
    """Why it was paid although the order had been paid in this form before."""


class OrderPayments(Told):
    """What an order was paid over all incidents."""

    payments: list[OrderPayment]
    next: str | None
    as_of: AsOf
