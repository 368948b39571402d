"""What staff send and are answered. Unknown members are refused, times must name their offset."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, computed_field, model_validator

from api.bounds import IDENTITY, TOKEN
from api.contract.incidents import Told
from domain.incidents.events import Channel, Form, Outcome, Party, Promised
from domain.instant import Instant, instant


def _read(at: datetime) -> Instant:
    return instant(at)


Time = Annotated[AwareDatetime, PlainSerializer(_read, return_type=int)]
"""RFC 3339 with an offset; an instant inside."""
Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Identity = Annotated[str, Field(min_length=1, max_length=IDENTITY, pattern=r"^[^\x00-\x1f\x7f]+$")]
Claim = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$", description="Decimal text, such as 36.50.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
State = Literal["new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"]


class Asked(BaseModel):
    """What every command may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Text = ""

    def said(self) -> dict[str, Any]:
        """Give what was said, in the domain's words."""
        return self.model_dump()


class Decision(Asked):
    """What takes the place of what was decided before."""

    read_at: Annotated[str, Field(max_length=TOKEN)] | None = None
    """Token of the position at which the incident's work was read: another person's decision since is not overruled."""


class Acknowledge(Asked):
    """Take it on, until a time; without one for as long as the policy says."""

    until: Time | None = None


class Assign(Decision):
    """Give it to a person, a team or both; to nobody where one of them is null and neither is named."""

    person: Name | None = None
    team: Name | None = None

    @model_validator(mode="after")
    def _says_whose(self) -> "Assign":
        if not self.model_fields_set & {"person", "team"}:
            raise ValueError("name a `person` or a `team`, or say null to give it to nobody")
        return self


class Snooze(Decision):
    """Put it aside until a time, until the next event of its finding, or whichever comes first."""

    until: Time | None = None
    next_event: bool = False

    @model_validator(mode="after")
    def _ends(self) -> "Snooze":
        if self.until is None and not self.next_event:
            raise ValueError("say `until` when, or set `next_event`")
        return self


class Note(Asked):
    """Write something down."""

    text: Annotated[Text, Field(min_length=1)]


class SetLiability(Decision):
    """Say who has to answer for it."""

    party: Party


class AnswerPrice(Decision):
    """Say whether the new price is a mistake, and how that is known."""

    mistake: bool
    why: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class Escalate(Decision):
    """Hand it to somebody with more say."""

    to: Name


class Statement(BaseModel):
    """One thing a customer was told about one order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order_id: Name
    claim: Claim
    value: Name | None = None


class Promise(BaseModel):
    """What a customer was promised, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Promised
    until: Time
    order_id: Name | None = None
    text: Text = ""


class Contact(Asked):
    """An attempt to reach the customer, what was said, agreed and promised, and when to try again."""

    channel: Channel
    outcome: Outcome
    contact_id: Annotated[str, Field(max_length=IDENTITY, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """The same for every incident the contact was about; given out where it is left empty."""
    statements: Annotated[tuple[Statement, ...], Field(max_length=50)] = ()
    true_at: Annotated[str, Field(max_length=TOKEN)] | None = None
    """Token of the position at which the statements were read; now, where it is left out."""
    next_attempt: Time | None = None
    promise: Promise | None = None
    agreement: Text = ""
    """What was agreed; by phone it must be confirmed in writing before the incident can be closed."""
    corrects: Identity | None = None
    customer_id: Name | None = None


class Confirm(Asked):
    """The written confirmation of an agreement by phone."""

    contact_id: Identity
    channel: Channel
    evidence: Text = ""


class Compensate(Asked):
    """Pay a member once: at once, or above the policy's limit when a second person approves.

    It counts for the order that is named, or that the member names, over all incidents.
    """

    member: Name
    amount: Amount
    currency: Currency
    form: Form
    order_id: Name | None = None
    evidence: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=20)] = ()
    override: Text = ""
    """Why it is to be paid although the order was paid in this form before; a second person must then approve."""


class Member(Asked):
    """Whose proposed payment is meant."""

    member: Name


class Resolve(Asked):
    """Call it settled."""

    outcome: Text = ""


class Dismiss(Asked):
    """Say why the finding is wrong."""

    why: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class Merge(Asked):
    """Handle it as part of another incident."""

    into: Identity


class ContactMade(Told):
    """A contact as it was recorded."""

    contact_id: str
    at: str
    by: str
    channel: str
    outcome: str
    agreement: str
    confirmed: bool
    cleared: bool
    """The finding had ended before the contact was recorded."""


class Payment(Told):
    """A payment to one member."""

    member: str
    amount: str
    currency: str
    form: str
    paid: bool
    """False while it awaits a second approval."""
    approvals: list[str]


class PriceAnswer(Told):
    """What staff said to the question whether a lower price is a mistake."""

    mistake: bool
    by: str
    at: str
    why: str


class Workflow(Told):
    """What staff have made of an incident."""

    id: str
    status: State
    acknowledged_by: str | None
    acknowledged_until: str | None
    person: str | None
    team: str | None
    snoozed_until: str | None
    wakes_on_event: bool
    merged_into: str | None
    parts: list[str]
    liable: str | None
    level: int
    """How high it was escalated."""
    escalated_to: str | None
    escalates_at: str | None
    """When it goes up by itself unless something is done; null where nothing will, or somebody put it aside."""
    contacts: list[ContactMade]
    next_attempt: str | None
    attempt_due: bool
    awaits_confirmation: list[str]
    payments: list[Payment]
    price_answer: PriceAnswer | None = None
    """Null while nobody has answered, and of all other kinds."""
    notes: int
    reopened: int
    due: str | None
    """When time itself will change something next."""
    position: str
    """Token: ask the views with ``min_position`` to see this."""

    @computed_field  # type: ignore[prop-decorator]  # a property that is written out
    @property
    def cleared_meanwhile(self) -> bool:
        """Say whether the finding had ended before the last contact was recorded."""
        return bool(self.contacts) and self.contacts[-1].cleared
