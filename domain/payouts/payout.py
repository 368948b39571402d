"""Payout: a batch of payments to the members of one incident, drafted by one person and paid on the word of another.

A draft is approved or withdrawn; an approved one is paid slice by slice, so that a process that dies in between leaves
only whole slices behind, and whoever goes on pays each member once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

import msgspec

from domain.errors import IllegalStep
from domain.incidents.commands import Command, Terms
from domain.incidents.events import Form
from domain.incidents.payments import above
from domain.instant import Instant
from domain.payouts.events import (
    PayoutApproved,
    PayoutDrafted,
    PayoutEvent,
    PayoutListed,
    PayoutMember,
    PayoutPaid,
    PayoutWithdrawn,
    Skipped,
)

SLICE: Final = 500
"""Members that are listed in one event and paid in one transaction."""
Status = Literal["drafted", "approved", "paid", "withdrawn"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A member as a person names it."""

    member: str
    amount: str | None = None
    order_id: str | None = None


class DraftPayout(Command, frozen=True, kw_only=True):
    """Pay these members, or all, these amounts, this amount, or what each is owed."""

    form: Form
    currency: str | None = None
    amount: str | None = None
    members: tuple[Wanted, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(slots=True)
class Payout:
    """A batch as far as it has come. Owned by whoever loaded it; ``evolve`` changes it in place."""

    id: str = ""
    drafted: PayoutDrafted | None = None
    members: dict[str, PayoutMember] = field(default_factory=dict)
    approved: PayoutApproved | None = None
    settled: dict[str, Skipped | None] = field(default_factory=dict)
    """Of whom it is known what became: paid, or skipped and why."""
    withdrawn: PayoutWithdrawn | None = None

    @property
    def status(self) -> Status:
        """Say how far it has come."""
        if self.withdrawn is not None:
            return "withdrawn"
        if self.approved is None:
            return "drafted"
        return "approved" if len(self.settled) < len(self.members) else "paid"

    @property
    def waiting(self) -> list[PayoutMember]:
        """List whom it has still to pay."""
        return [one for name, one in self.members.items() if name not in self.settled]


def draft(
    drafted: PayoutDrafted, members: Sequence[PayoutMember], terms: Terms
) -> tuple[PayoutDrafted | PayoutListed, ...]:
    """Write a draft with all its members.

    Raises:
        IllegalStep: nobody would be paid, or somebody twice.
    """
    if not members:
        raise IllegalStep("no_members", "Nobody of this incident is left to be paid.")
    if len({one.member for one in members}) < len(members):
        raise IllegalStep("member_twice", "A member is named more than once.")
    total = sum((Decimal(one.amount) for one in members), Decimal(0))
    second = _needs_second(total, members, terms)
    head = msgspec.structs.replace(drafted, members=len(members), total=f"{total:f}", second=second)
    slices = (tuple(members[at : at + SLICE]) for at in range(0, len(members), SLICE))
    return (head, *(PayoutListed(members=some) for some in slices))


def approve(payout: Payout, by: str, why: str, at: Instant, terms: Terms) -> tuple[PayoutApproved, ...]:
    """Let it be paid; nothing where it may be already.

    Raises:
        IllegalStep: it is withdrawn, or needs the word of somebody else than who drafted it.
    """
    drafted = _drafted(payout)
    if payout.approved is not None and payout.withdrawn is None:
        return ()
    _must_not_be_withdrawn(payout)
    second = drafted.second or _needs_second(Decimal(drafted.total), list(payout.members.values()), terms)
    if drafted.by == by and second:
        raise IllegalStep("same_person", "Whoever drafted this batch cannot also approve it; another person must.")
    return (PayoutApproved(at=at, by=by, why=why),)


def withdraw(payout: Payout, by: str, why: str, at: Instant) -> tuple[PayoutWithdrawn, ...]:
    """Pay nobody any more; nothing where it is withdrawn by the same person already.

    Raises:
        IllegalStep: everybody has been paid, or somebody else has withdrawn it.
    """
    _drafted(payout)
    if payout.withdrawn is not None and payout.withdrawn.by == by:
        return ()
    _must_not_be_withdrawn(payout)
    if payout.status == "paid":
        raise IllegalStep("already_paid", "Everybody in this batch has been paid or skipped.")
    return (PayoutWithdrawn(at=at, by=by, why=why),)


def evolve(payout: Payout, event: PayoutEvent) -> Payout:
    """Apply one event. Refuses nothing and reads no clock."""
    match event:
        case PayoutDrafted():
            payout.drafted = event
        case PayoutListed():
            payout.members.update((one.member, one) for one in event.members)
        case PayoutApproved():
            payout.approved = event
        case PayoutPaid():
            payout.settled.update(dict.fromkeys(event.paid))
            payout.settled.update((one.member, one) for one in event.skipped)
        case PayoutWithdrawn():
            payout.withdrawn = event
    return payout


def _needs_second(total: Decimal, members: Sequence[PayoutMember], terms: Terms) -> bool:
    most = max((Decimal(one.amount) for one in members), default=Decimal(0))
    return above(most, terms.second_approval_above) or above(total, terms.batch_approval_above)


def _drafted(payout: Payout) -> PayoutDrafted:
    if payout.drafted is None:
        raise IllegalStep("no_batch", "There is no batch of this id.")
    return payout.drafted


def _must_not_be_withdrawn(payout: Payout) -> None:
    if payout.withdrawn is not None:
        raise IllegalStep("already_withdrawn", f"{payout.withdrawn.by} has withdrawn this batch.")
