"""Payout events: a batch of payments from its draft to its last slice."""

from typing import ClassVar

import msgspec

from domain.events import Event
from domain.incidents.events import Form
from domain.instant import Instant


class PayoutMember(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be paid, for which order, and how much."""

    member: str
    order_id: str
    amount: str
    """Decimal text."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A member that was not paid, and why not."""

    member: str
    code: str
    reason: str


class PayoutDrafted(Event, frozen=True, kw_only=True):
    """Somebody wants to pay many members of an incident."""

    TOPIC: ClassVar[str] = "payout.drafted.v1"
    at: Instant
    by: str
    incident: str
    about: str
    """The stream that holds the incident's finding."""
    form: Form
    currency: str
    members: int
    total: str
    second: bool = False
    """Whether it needs the word of a second person, for one of the members or for all together."""
    why: str = ""
    evidence: tuple[str, ...] = ()
    command_id: str = ""
    digest: str = ""


class PayoutListed(Event, frozen=True, kw_only=True):
    """Some of those who are to be paid."""

    TOPIC: ClassVar[str] = "payout.listed.v1"
    members: tuple[PayoutMember, ...]


class PayoutApproved(Event, frozen=True, kw_only=True):
    """It may be paid."""

    TOPIC: ClassVar[str] = "payout.approved.v1"
    at: Instant
    by: str
    why: str = ""


class PayoutPaid(Event, frozen=True, kw_only=True):
    """A slice of it was paid; the payments themselves stand in the incident and in the accounts of the orders."""

    TOPIC: ClassVar[str] = "payout.paid.v1"
    at: Instant
    paid: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class PayoutWithdrawn(Event, frozen=True, kw_only=True):
    """Nobody will be paid any more by it; who was paid before keeps the money."""

    TOPIC: ClassVar[str] = "payout.withdrawn.v1"
    at: Instant
    by: str
    why: str = ""


PayoutEvent = PayoutDrafted | PayoutListed | PayoutApproved | PayoutPaid | PayoutWithdrawn
EVENTS = PayoutEvent.__args__
