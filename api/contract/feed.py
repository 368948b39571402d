"""What leaves as the feed: its entries, its pages, and the events of a stream; see ``contract.incidents``."""

from typing import Literal

from api.contract.incidents import AsOf, ChangedIncident, Told

ChangeKind = Literal[
    "opened",
    "amended",
    "ended",
    "retracted",
    "acknowledged",
    "returned",
    "assigned",
    "snoozed",
    "woken",
    "noted",
    "liability_set",
    "price_answered",
    "escalated",
    "merged",
    "absorbed",
    "split",
    "released",
    "contacted",
    "contact_due",
    "confirmed",
    "compensation_proposed",
    "compensation_withdrawn",
    "compensated",
    "resolved",
    "reopened",
    "dismissed",
]


class FeedStep(Told):
    """A step that staff or time took; only the members that this step has are there."""

    by: str
    """Who took it; `clock` where time did, `tracker` where news of the finding did."""
    at: str
    """When."""
    until: str | None = None
    """`acknowledged`: it goes back to all then; `snoozed`: it is put aside until then."""
    next_event: bool | None = None
    """`snoozed`: or until there is news of the finding."""
    was: str | None = None
    """`returned`: who had it."""
    person: str | None = None
    team: str | None = None
    """`assigned`: whose business it is; neither where it was taken off them."""
    cause: str | None = None
    """`woken`: `time`, `event` or `staff`; `reopened`: `staff`, `recurrence`, or `anew` after its window."""
    into: str | None = None
    """`merged`: the incident that it is handled as part of."""
    part: str | None = None
    """`absorbed`, `released`: the incident that is handled as part of this one, or is no longer."""
    whole: str | None = None
    """`split`: the incident that it is no longer part of."""
    level: int | None = None
    """`escalated`: how high it is now."""
    to: str | None = None
    """`escalated`: who has more say."""
    channel: str | None = None
    """`contacted`, `confirmed`: `phone`, `sms`, `email` …"""
    outcome: str | None = None
    """`contacted`: `reached`, `no_answer` …"""
    next_attempt: str | None = None
    """`contacted`: when it is tried again."""
    party: str | None = None
    """`liability_set`: who has to answer for it."""
    rule: str | None = None
    """`liability_set`: the rule that proposed it, where staff did not; `dismissed`: the rule that was wrong."""
    policy: str | None = None
    """`dismissed`: the policy by which the rule judged."""
    mistake: bool | None = None
    """`price_answered`: whether the lower price is one."""
    member: str | None = None
    """`compensation_proposed`, `compensation_withdrawn`, `compensated`: the order, or the member of a batch."""
    amount: str | None = None
    currency: str | None = None
    form: str | None = None
    """`compensation_proposed`, `compensated`: `refund`, `coupon` …"""


class Change(Told):
    """One entry of the feed: what changed, and the finding as it was then."""

    id: str
    """Token: read on from here with ``after``."""
    change: ChangeKind
    """What a rule said, or the name of a step; there will be more: leave alone what you do not know."""
    flapping: bool
    """The incident began and ended too often before: kept, but nobody need be told."""
    known_up_to: str
    """Where time stood when the finding was decided."""
    step: FeedStep | None = None
    """What staff or time did; not there where a rule spoke."""
    incident: ChangedIncident


class FeedPage(Told):
    """A page of the feed."""

    changes: list[Change]
    next: str
    """Token to read on from, also when there is nothing more yet."""
    more: bool
    as_of: AsOf


class SnapshotEnd(Told):
    """The snapshot is complete."""

    incidents: int
    """How many it had."""
    position: str
    """What it was true at; what follows has no gap and no repeat."""


class Reset(Told):
    """The place that was asked for is not known here: drop what you have, all comes again."""

    reason: str
    position: str
    """Where everything stands."""


class Lagged(Told):
    """You read too slowly; the stream ends."""

    detail: str


class Closing(Told):
    """The server ends; come again with the last id."""
