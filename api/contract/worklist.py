"""What the worklist tells: customers to call, why, in which order, and what may be said to them."""

from typing import Annotated, Literal

from pydantic import Field

from api.contract.desk import Asked, Name, Statement
from api.contract.incidents import AsOf, Incident, Told
from api.contract.orders import Sayable

Stage = Literal["not_handed_over", "in_transit", "past"]


class Ranked(Told):
    """By what tasks are ranked, and why."""

    by: str
    why: str


class Rank(Told):
    """What a task's place in the list follows from, in this order."""

    stage: Stage
    """How far the goods are that are least far."""
    severity: str
    until: str
    amount: float
    """The worth of the dearest order."""
    currency: str | None
    """What the amount is in; null where nothing is at stake, or where that is not known."""


class Difficulty(Told):
    """How hard a case is, and whom it is for."""

    points: int
    hard: bool
    """The policy's ``routing.hard_from`` is reached."""
    goes_to: list[str]
    """Teams or persons; empty where the policy names nobody."""


class OrderAtStake(Told):
    """An order of the customer that something is wrong with."""

    order_id: str
    stage: Stage
    value: str | None
    currency: str | None
    deliver_by: str | None


class Task(Told):
    """Everything that one customer is to be called about."""

    id: str
    """``customer-<id>``; ``order-<id>`` or ``complaint-<id>`` where nobody knows the customer."""
    customer_id: str | None
    tier: str | None
    rank: Rank
    difficulty: Difficulty
    to_contact: bool
    """Nobody has reached the customer about one of these incidents, or the next attempt has come due."""
    assignees: list[str]
    channels: list[str]
    """How to speak to the customer about the gravest of the incidents, the best first."""
    incidents: list[Incident]
    orders: list[OrderAtStake]


class Worklist(Told):
    """A page of tasks."""

    tasks: list[Task]
    ranked_by: list[Ranked]
    next: str | None
    as_of: AsOf


class ToldWrong(Told):
    """A contact in which something was said that has become untrue; whoever was told is to be called again."""

    contact_id: str
    incidents: list[str]
    customer_id: str | None
    at: str
    by: str
    channel: str
    statements: list[Statement]
    """Those that are not true any more."""
    true_at: str
    """Token of the position at which they were read."""


class ToldWrongPage(Told):
    """A page of contacts to be put right; send the new contact with ``corrects``."""

    told_wrong: list[ToldWrong]
    next: str | None
    as_of: AsOf


class TaskDetail(Told):
    """A customer's task, checked again as it is opened."""

    id: str
    task: Task | None
    """Null when nothing is left to call about."""
    cleared_meanwhile: list[Incident]
    """Ended since the position asked about, or, without one, ended and not yet closed by staff."""
    may_say: list[Sayable]
    told_wrong: list[ToldWrong]
    as_of: AsOf


class Recorded(Told):
    """An incident in which a contact was recorded."""

    incident: str
    cleared: bool
    """Its finding had ended before: whoever was called heard of something that is over."""


class NotRecorded(Told):
    """An incident in which a contact could not be recorded, and why."""

    incident: str
    code: str
    detail: str


class TaskContacted(Told):
    """One contact, in every incident of a customer's task."""

    contact_id: str
    recorded: list[Recorded]
    refused: list[NotRecorded]
    cleared_meanwhile: list[str]
    """The incidents that had ended: those recorded so, and those that did since ``true_at``, where that is given."""
    position: str
    """Token: ask the views with ``min_position`` to see this."""


class DraftAsked(Asked):
    """Ask for a message about an incident, or for a check of one that was written by hand."""

    order_id: Name
    language: Literal["zh", "en"] = "zh"
    statements: Annotated[tuple[Statement, ...], Field(max_length=50)] | None = None
    """What to say; all that is true and of use, where it is left out."""
    text: Annotated[str, Field(max_length=4000)] | None = None
    """A message written by hand, to be checked for what it claims of the whole order."""


class Draft(Told):
    """A message that says no more than the facts, and what it claims."""

    text: str
    statements: list[Statement]
    true_at: str
    """Token of the position of the log at which this is true; send both with the contact."""
