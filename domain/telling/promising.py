"""Promising: orders are told from the log what staff promised about them, and what of it was kept."""

from collections.abc import Iterator, Sequence
from typing import Final

from domain.events import Fact
from domain.incidents.assurance import DESK, AssuranceGiven, AssuranceKept
from domain.incidents.events import IncidentCompensated, IncidentContacted, IncidentResolved
from domain.incidents.incident import Incident
from domain.naming import stream
from domain.orders.order import decide
from domain.telling.telling import Heard, Telling

TOPICS: Final = (IncidentContacted.TOPIC, IncidentCompensated.TOPIC, IncidentResolved.TOPIC)
_Keeping = IncidentContacted | IncidentCompensated | IncidentResolved
_SHOWN_BY_FEEDS: Final = frozenset({"shipped", "delivered"})
_PAID: Final = frozenset({"refunded", "coupon", "price_held"})


def tell(telling: Telling, found: Sequence[Heard]) -> None:
    """Tell orders what was promised about them, and what was kept."""
    for _, name, event in found:
        if isinstance(event, IncidentContacted) and event.promise is not None and event.promise.order_id is not None:
            promise = event.promise
            given = AssuranceGiven(
                at=event.at,
                source=DESK,
                id=event.contact_id,
                what=promise.what,
                until=promise.until,
                incident=name,
                by=event.by,
                text=promise.text,
            )
            _record(telling, event.promise.order_id, given)
        if isinstance(event, _Keeping):
            for contact_id, order_id in _kept(telling.work.state(name), event):
                kept = AssuranceKept(at=event.at, source=DESK, id=f"kept:{contact_id}", contact_id=contact_id)
                _record(telling, order_id, kept)


def _kept(incident: Incident, event: _Keeping) -> Iterator[tuple[str, str]]:
    """Give (contact, order) of every promise made in an incident that an event keeps."""
    for contact in incident.contacts.values():
        promise = contact.promise
        if promise is None or promise.order_id is None or promise.what in _SHOWN_BY_FEEDS or event.at < contact.at:
            continue
        paid = isinstance(event, IncidentCompensated) and promise.what in _PAID
        another = isinstance(event, IncidentContacted) and event.contact_id != contact.contact_id
        if paid or (another and promise.what == "called_back") or isinstance(event, IncidentResolved):
            yield contact.contact_id, promise.order_id


def _record(telling: Telling, order_id: str, fact: Fact) -> None:
    name = stream("order", order_id)
    telling.intake.hear(name, decide(telling.work.state(name), fact))  # type: ignore[arg-type]  # kept like a fact of a feed
