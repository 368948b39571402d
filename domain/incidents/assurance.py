"""Assurance: what staff promised a customer, kept as facts of the order that it is about."""

from typing import ClassVar, Final

from domain.events import Fact
from domain.incidents.events import Promised
from domain.instant import Instant

KIND: Final = "broken_promise"
DESK: Final = "/desk"
"""Stands for the source of what staff said."""


class AssuranceGiven(Fact, frozen=True, kw_only=True):
    """Staff promised the customer something by a time; its id is the contact's."""

    TOPIC: ClassVar[str] = "order.assured.v1"
    what: Promised
    until: Instant
    incident: str
    by: str
    text: str = ""


class AssuranceKept(Fact, frozen=True, kw_only=True):
    """What staff had promised and no feed can show was done: paid, called, or settled with the incident."""

    TOPIC: ClassVar[str] = "order.assurance_kept.v1"
    contact_id: str


EVENTS = (AssuranceGiven, AssuranceKept)
