"""Incident events: what staff did about a finding, and what time did to that; kept apart from the finding itself."""

from typing import ClassVar, Literal

import msgspec

from domain.incidents.step import Step
from domain.incidents.urgency import (
    IncidentEscalated,
    IncidentEscalationPlanned,
    IncidentMuted,
    IncidentNewsHeld,
)
from domain.instant import Instant

Channel = Literal["phone", "sms", "email", "chat", "online", "app", "letter"]
Outcome = Literal["reached", "agreed", "sent", "no_answer", "busy", "voicemail", "wrong_number", "declined"]
Party = Literal["merchant", "warehouse", "carrier", "platform", "customer"]
Promised = Literal["shipped", "delivered", "refunded", "replaced", "called_back", "price_held", "coupon", "other"]
Form = Literal["refund", "price_difference", "coupon", "credit", "goodwill"]

CLOCK = "clock"
"""Stands in ``by`` where time did it."""
TRACKER = "tracker"
"""Stands in ``by`` where news of the finding did it."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing a customer was told about one order."""

    order_id: str
    claim: str
    """What was claimed: ``warehouse_shipped``, ``shipped``, ``delivered``, ``new_date`` …"""
    value: str | None = None
    """The date, place or number that was named with it."""


class Promise(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer was promised, and until when."""

    what: Promised
    until: Instant
    order_id: str | None = None
    text: str = ""


class IncidentAcknowledged(Step, frozen=True, kw_only=True):
    """Somebody works on it, until a time at which it goes back to all."""

    TOPIC: ClassVar[str] = "incident.acknowledged.v1"
    until: Instant


class IncidentReturned(Step, frozen=True, kw_only=True):
    """Nobody works on it any more: the time ran out, or it was given back."""

    TOPIC: ClassVar[str] = "incident.returned.v1"
    was: str
    """Who had it."""


class IncidentAssigned(Step, frozen=True, kw_only=True):
    """It is the business of a person or team; of neither when it was taken off them."""

    TOPIC: ClassVar[str] = "incident.assigned.v1"
    person: str | None = None
    team: str | None = None


class IncidentSnoozed(Step, frozen=True, kw_only=True):
    """It is put aside until a time, or until there is news of the finding, or whichever is first."""

    TOPIC: ClassVar[str] = "incident.snoozed.v1"
    until: Instant | None = None
    next_event: bool = False


class IncidentWoken(Step, frozen=True, kw_only=True):
    """It is no longer put aside."""

    TOPIC: ClassVar[str] = "incident.woken.v1"
    cause: Literal["time", "event", "staff"]


class IncidentNoted(Step, frozen=True, kw_only=True):
    """Somebody wrote something down."""

    TOPIC: ClassVar[str] = "incident.noted.v1"
    text: str


class IncidentMerged(Step, frozen=True, kw_only=True):
    """It is handled as part of another incident."""

    TOPIC: ClassVar[str] = "incident.merged.v1"
    into: str


class IncidentAbsorbed(Step, frozen=True, kw_only=True):
    """Another incident is handled as part of this one."""

    TOPIC: ClassVar[str] = "incident.absorbed.v1"
    part: str


class IncidentSplit(Step, frozen=True, kw_only=True):
    """It is handled on its own again."""

    TOPIC: ClassVar[str] = "incident.split.v1"
    whole: str


class IncidentReleased(Step, frozen=True, kw_only=True):
    """Another incident is no longer part of this one."""

    TOPIC: ClassVar[str] = "incident.released.v1"
    part: str


class IncidentContacted(Step, frozen=True, kw_only=True):
    """Somebody tried to reach the customer."""

    TOPIC: ClassVar[str] = "incident.contacted.v1"
    contact_id: str
    """The same in every incident that one contact was about."""
    channel: Channel
    outcome: Outcome
    statements: tuple[Statement, ...] = ()
    true_at: int = 0
    """The log position at which the statements were true."""
    next_attempt: Instant | None = None
    promise: Promise | None = None
    agreement: str = ""
    """What was agreed; by phone it awaits its written confirmation."""
    corrects: str | None = None
    """The contact whose statements became untrue and are put right."""
    customer_id: str | None = None
    cleared: bool = False
    """The finding had ended before this was recorded."""


class IncidentContactDue(Step, frozen=True, kw_only=True):
    """The time of the next attempt has come."""

    TOPIC: ClassVar[str] = "incident.contact_due.v1"
    contact_id: str
    """The attempt before."""


class IncidentConfirmed(Step, frozen=True, kw_only=True):
    """What was agreed by phone was confirmed in writing."""

    TOPIC: ClassVar[str] = "incident.confirmed.v1"
    contact_id: str
    channel: Channel
    evidence: str = ""
    """Link or number of the written word."""


class _Money(Step, frozen=True, kw_only=True):
    member: str
    """The order, or the member of a batch, that is paid once."""
    amount: str
    """Decimal text."""
    currency: str
    form: Form
    order_id: str | None = None
    evidence: tuple[str, ...] = ()
    override: str = ""
    """Why it is paid although the order was paid in this form before."""
    despite: tuple[str, ...] = ()
    """The earlier payments that ``override`` speaks of: incident and member of each."""
    batch: str = ""
    """The batch of payments it is part of."""


class IncidentCompensationProposed(_Money, frozen=True, kw_only=True):
    """Somebody wants to pay more than one person may decide."""

    TOPIC: ClassVar[str] = "incident.compensation_proposed.v1"


class IncidentCompensationWithdrawn(Step, frozen=True, kw_only=True):
    """A proposed payment will not be made."""

    TOPIC: ClassVar[str] = "incident.compensation_withdrawn.v1"
    member: str


class IncidentCompensated(_Money, frozen=True, kw_only=True):
    """A payment is released, for this member once and for all."""

    TOPIC: ClassVar[str] = "incident.compensated.v1"
    approvals: tuple[str, ...]
    """Everybody who agreed, the one who proposed it first."""


class IncidentLiabilitySet(Step, frozen=True, kw_only=True):
    """Somebody, or a rule, said who has to answer for it."""

    TOPIC: ClassVar[str] = "incident.liability_set.v1"
    party: Party
    rule: str | None = None
    """The rule that proposed it; null where staff decided."""


class IncidentPriceAnswered(Step, frozen=True, kw_only=True):
    """Somebody said whether a lower price is a mistake; the last word counts."""

    TOPIC: ClassVar[str] = "incident.price_answered.v1"
    mistake: bool


class IncidentResolved(Step, frozen=True, kw_only=True):
    """It was settled."""

    TOPIC: ClassVar[str] = "incident.resolved.v1"
    outcome: str = ""


class IncidentReopened(Step, frozen=True, kw_only=True):
    """It is not settled after all: staff say so, it recurred within a window, or it began anew after that."""

    TOPIC: ClassVar[str] = "incident.reopened.v1"
    cause: Literal["staff", "recurrence", "anew"]
    resolved_at: Instant | None = None
    """When staff had settled what they now open again; null where they had called it wrong, or the news opened it."""
    subject: str = ""
    """The stream that holds the finding."""


class IncidentDismissed(Step, frozen=True, kw_only=True):
    """The finding is wrong because of ``why``: a false alarm of its rule."""

    TOPIC: ClassVar[str] = "incident.dismissed.v1"
    rule: str
    policy: str
    """The policy by which the rule judged."""


IncidentProgress = (
    IncidentAcknowledged
    | IncidentReturned
    | IncidentAssigned
    | IncidentSnoozed
    | IncidentWoken
    | IncidentNoted
    | IncidentLiabilitySet
    | IncidentPriceAnswered
)
IncidentUrgency = IncidentEscalationPlanned | IncidentEscalated | IncidentMuted | IncidentNewsHeld
IncidentGrouping = IncidentMerged | IncidentAbsorbed | IncidentSplit | IncidentReleased
IncidentDealing = IncidentContacted | IncidentContactDue | IncidentConfirmed
IncidentPayment = IncidentCompensationProposed | IncidentCompensationWithdrawn | IncidentCompensated
IncidentClosing = IncidentResolved | IncidentReopened | IncidentDismissed
IncidentEvent = (
    IncidentProgress | IncidentUrgency | IncidentGrouping | IncidentDealing | IncidentPayment | IncidentClosing
)
INCIDENT_EVENTS = IncidentEvent.__args__
EVENTS = INCIDENT_EVENTS
