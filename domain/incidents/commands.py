"""Incident commands: what people want done, who wants it and why; the same ``command_id`` has one effect."""

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from domain.incidents.account import Account
from domain.incidents.events import Channel, Form, Outcome, Party, Promise, Statement
from domain.instant import DAY, HOUR, Instant


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What every command says."""

    by: str
    why: str = ""
    command_id: str = ""

    @property
    def digest(self) -> str:
        """Tell it from another command that came under the same id."""
        said = msgspec.json.encode([type(self).__name__, self])
        return blake2b(said, digest_size=8).hexdigest() if self.command_id else ""


class Acknowledge(Command, frozen=True, kw_only=True):
    """Take it on; without ``until`` for as long as the house's terms say."""

    until: Instant | None = None


class GiveBack(Command, frozen=True, kw_only=True):
    """Leave it to others again."""


class Assign(Command, frozen=True, kw_only=True):
    """Make it somebody's business, or nobody's where both are null."""

    person: str | None = None
    team: str | None = None


class Snooze(Command, frozen=True, kw_only=True):
    """Put it aside until a time, until the next event, or whichever comes first."""

    until: Instant | None = None
    next_event: bool = False


class Wake(Command, frozen=True, kw_only=True):
    """Put it aside no longer."""


class Note(Command, frozen=True, kw_only=True):
    """Write something down."""

    text: str


class SetLiability(Command, frozen=True, kw_only=True):
    """Say who has to answer for it; ``rule`` names the rule where it was not a person."""

    party: Party
    rule: str | None = None


class AnswerPrice(Command, frozen=True, kw_only=True):
    """Say whether a lower price is a mistake, because of ``why``."""

    mistake: bool


class Escalate(Command, frozen=True, kw_only=True):
    """Hand it to somebody with more say."""

    to: str


class Contact(Command, frozen=True, kw_only=True):
    """Record an attempt to reach the customer; without an id it gets the next of this incident."""

    channel: Channel
    outcome: Outcome
    contact_id: str = ""
    statements: tuple[Statement, ...] = ()
    true_at: int = 0
    next_attempt: Instant | None = None
    promise: Promise | None = None
    agreement: str = ""
    corrects: str | None = None
    customer_id: str | None = None


class Confirm(Command, frozen=True, kw_only=True):
    """Record that what was agreed by phone has been confirmed in writing."""

    contact_id: str
    channel: Channel
    evidence: str = ""


class Compensate(Command, frozen=True, kw_only=True):
    """Pay a member, at once or, above what one person may decide, once another agrees."""

    member: str
    amount: str
    currency: str
    form: Form
    order_id: str | None = None
    evidence: tuple[str, ...] = ()
    override: str = ""
    """Why it is to be paid although the order was paid in this form before; two people then decide."""
    batch: str = ""


class Approve(Command, frozen=True, kw_only=True):
    """Agree to a proposed payment."""

    member: str


class Withdraw(Command, frozen=True, kw_only=True):
    """Take a proposed payment back, or decline it."""

    member: str


class Resolve(Command, frozen=True, kw_only=True):
    """Call it settled."""

    outcome: str = ""


class Reopen(Command, frozen=True, kw_only=True):
    """Call it not settled, or not wrong, after all."""


class Dismiss(Command, frozen=True, kw_only=True):
    """Say that the finding is wrong, because of ``why``."""


class Merge(Command, frozen=True, kw_only=True):
    """Handle it as part of another incident."""


class Split(Command, frozen=True, kw_only=True):
    """Handle it on its own again."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy in force allows staff, and for how long."""

    acknowledge_timeout: int = HOUR // 2
    """How long somebody who took an incident on has it."""
    reopen_within: int = 3 * DAY
    """How soon after its resolution the same trouble is the same incident, and not a new beginning."""
    cap: str | None = None
    """The most an order may get."""
    second_approval_above: str | None = None
    """The most that one person decides."""
    batch_approval_above: str | None = None
    """The most that one person decides for all members of a batch together."""


class Situation(NamedTuple):
    """What a command meets: the time, how far the log has come, and what the finding says."""

    at: Instant
    position: int = 0
    holds: bool = True
    """Whether the world has not ended what the rule found."""
    rule: str = ""
    policy: str = ""
    terms: Terms = Terms()
    account: Account = Account()
    """What the order that is to be paid has been paid before."""
    subject: str = ""
    """The stream that holds the finding."""
