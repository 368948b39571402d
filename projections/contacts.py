"""Contacts: what customers were told and when, and which of that has since become untrue."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from domain.history.batch import PolicyAdopted
from domain.incidents.events import IncidentContacted, Statement
from domain.instant import FOREVER, Instant
from domain.judging.adoption import in_force
from domain.naming import stream as name_of
from domain.orders.order import CHANGES, Order
from domain.parcels.estimates import settling
from domain.parcels.events import EVENTS as PARCEL_EVENTS
from domain.parcels.events import ParcelScanned
from domain.parcels.parcel import Parcel
from domain.policies.policy import DEFAULT, Policy
from domain.staff.statements import NEW_DATE, holds, order_facts
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams, among

_SLICE: Final = 500
_Said = tuple[str, int, IncidentContacted]
"""A contact with the incident and the position at which it was recorded."""


class Contacts:
    """Keeps every contact with its statements, each with from when on it is not true by what is known now."""

    name = "contacts"
    version = 2
    tables = ("contacts", "told")
    schema = (
        """CREATE TABLE IF NOT EXISTS contacts (
            contact_id TEXT NOT NULL, incident TEXT NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL,
            by TEXT NOT NULL, channel TEXT NOT NULL, outcome TEXT NOT NULL, customer TEXT, true_at INTEGER NOT NULL,
            corrects TEXT, PRIMARY KEY (contact_id, incident)) WITHOUT ROWID""",
        # Whether a contact was put right by a later one.
        "CREATE INDEX IF NOT EXISTS contacts_corrects ON contacts (corrects) WHERE corrects IS NOT NULL",
        """CREATE TABLE IF NOT EXISTS told (
            contact_id TEXT NOT NULL, incident TEXT NOT NULL, place INTEGER NOT NULL, order_id TEXT NOT NULL,
            claim TEXT NOT NULL, value TEXT, wrong_from INTEGER,
            PRIMARY KEY (contact_id, incident, place)) WITHOUT ROWID""",
        # What was said of an order, to be compared with what holds now.
        "CREATE INDEX IF NOT EXISTS told_order ON told (order_id)",
        # Only what became untrue, by contact.
        "CREATE INDEX IF NOT EXISTS told_wrong ON told (contact_id, wrong_from) WHERE wrong_from IS NOT NULL",
    )
    topics = frozenset(event.TOPIC for event in (IncidentContacted, PolicyAdopted, *CHANGES, *PARCEL_EVENTS))

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Keep new contacts, and look again at what was said of an order whose facts have changed."""
        orders: set[str] = set()
        changed: list[str] = []
        said: list[_Said] = []
        for stream, entries in streams.items():
            kind = stream.partition("-")[0]
            if kind == "incident":
                said += _contacts(stream, entries)
            elif kind == "policy":
                orders |= {row[0] for row in rows.execute("SELECT DISTINCT order_id FROM told")}
            else:
                changed.append(stream)
        orders |= _keep(rows, said)
        if changed and rows.execute("SELECT 1 FROM told LIMIT 1").fetchone() is not None:
            for stream in changed:
                subject: Order | Parcel = subjects.get(stream)
                orders |= {subject.id} if isinstance(subject, Order) else {*subject.meaning.order_ids}
        names = sorted(orders)
        for first in range(0, len(names), _SLICE):
            _look_again(rows, names[first : first + _SLICE], subjects)


VIEW = Contacts()


def _contacts(stream: str, entries: Sequence[Entry]) -> Iterator[_Said]:
    for entry in entries:
        event = entry.event
        assert isinstance(event, IncidentContacted)
        yield stream, entry.position, event


class ToldWrong(NamedTuple):
    """A contact in which something was said that is not true."""

    contact_id: str
    incidents: list[str]
    position: int
    true_at: int
    at: Instant
    by: str
    channel: str
    customer: str | None
    statements: list[Statement]
    """Those that are not true."""


def told_wrong(
    rows: Rows, limit: int, *, now: Instant, after: str = "", customer: str | None = None
) -> list[ToldWrong]:
    """List the contacts in which something was said that is not true now and that nobody has corrected, by id."""
    of_one = "" if customer is None else "AND contacts.customer = ? "
    wrong = rows.execute(
        "SELECT contact_id, MIN(position), MIN(true_at), MIN(at), MIN(by), MIN(channel), MAX(customer) "  # noqa: S608
        "FROM contacts JOIN (SELECT DISTINCT contact_id FROM told WHERE wrong_from <= ?) AS wrong USING (contact_id) "
        f"WHERE contact_id > ? {of_one}AND NOT EXISTS "
        "(SELECT 1 FROM contacts AS later WHERE later.corrects = contacts.contact_id) "
        "GROUP BY contact_id ORDER BY contact_id LIMIT ?",
        (now, after, *(() if customer is None else (customer,)), limit),
    ).fetchall()
    return [_wrong(rows, now, *row) for row in wrong]


def incidents_of(rows: Rows, contact_id: str) -> list[str]:
    """Name the incidents in which a contact was recorded."""
    found = rows.execute("SELECT incident FROM contacts WHERE contact_id = ? ORDER BY incident", (contact_id,))
    return [row[0] for row in found]


def _wrong(rows: Rows, now: Instant, contact_id: str, *columns: Any) -> ToldWrong:
    incidents = incidents_of(rows, contact_id)
    said = rows.execute(
        "SELECT DISTINCT order_id, claim, value FROM told WHERE contact_id = ? AND wrong_from <= ? "
        "ORDER BY order_id, claim, value",
        (contact_id, now),
    )
    position, true_at, at, by, channel, customer = columns
    statements = [Statement(order_id=row[0], claim=row[1], value=row[2]) for row in said]
    return ToldWrong(contact_id, incidents, position, true_at, at, by, channel, customer, statements)


def _keep(rows: Rows, said: Sequence[_Said]) -> set[str]:
    """Keep contacts; names the orders that were spoken of."""
    rows.executemany(
        "INSERT INTO contacts VALUES (?,?,?,?,?,?,?,?,?,?)",
        [
            (
                event.contact_id,
                stream,
                position,
                event.at,
                event.by,
                event.channel,
                event.outcome,
                event.customer_id,
                event.true_at,
                event.corrects,
            )
            for stream, position, event in said
        ],
    )
    rows.executemany(
        "INSERT INTO told VALUES (?,?,?,?,?,?,NULL)",
        [
            (event.contact_id, stream, place, one.order_id, one.claim, one.value)
            for stream, _, event in said
            for place, one in enumerate(event.statements)
        ],
    )
    return {one.order_id for _, _, event in said for one in event.statements}


def _look_again(rows: Rows, order_ids: Sequence[str], subjects: Subjects) -> None:
    """Compare what was said of these orders with what holds now."""
    read = (
        "SELECT order_id, contact_id, incident, place, claim, value, wrong_from, contacts.at "
        "FROM told JOIN contacts USING (contact_id, incident) WHERE order_id IN ({among})"
    )
    said = [tuple(row) for row in among(rows, read, order_ids)]
    orders, parcels = _facts({row[0] for row in said}, subjects)
    policies = subjects.policies()
    changed = []
    for order_id, contact_id, incident, place, claim, value, known, at in said:
        # A day that was named is one of the calendar that was used when it was named.
        policy = in_force(policies, at) if policies else DEFAULT
        statement = Statement(order_id=order_id, claim=claim, value=value)
        wrong_from = _wrong_from(statement, orders[order_id], parcels[order_id], policy)
        if wrong_from != known:
            changed.append((wrong_from, contact_id, incident, place))
    rows.executemany("UPDATE told SET wrong_from = ? WHERE contact_id = ? AND incident = ? AND place = ?", changed)


def _facts(order_ids: Iterable[str], subjects: Subjects) -> tuple[dict[str, Order], dict[str, dict[str, Parcel]]]:
    """Give orders, and the parcels of each."""
    names = {order_id: name_of("order", order_id) for order_id in order_ids}
    subjects.load(names.values())
    orders: dict[str, Order] = {order_id: subjects.get(name) for order_id, name in names.items()}
    subjects.load(name_of("parcel", one) for order in orders.values() for one in order.parcels)
    return orders, {
        order_id: {one: subjects.get(name_of("parcel", one)) for one in order.parcels}
        for order_id, order in orders.items()
    }


def _wrong_from(said: Statement, order: Order, parcels: dict[str, Parcel], policy: Policy) -> Instant | None:
    """Say from when on a statement is not true, by what is known now; null where it stays true.

    Time alone makes one untrue: that named a carrier's estimate, once another one has stood for long enough.
    """
    zone, hold = policy.zone(None if order.placed is None else order.placed.destination), policy.estimates.hold
    wrong_from: Instant | None = None
    estimating = parcels.values() if said.claim == NEW_DATE else ()
    turns = (at for one in estimating for at in settling(one.facts.of(ParcelScanned), hold))
    for at in (FOREVER, *sorted(turns, reverse=True), -FOREVER):
        if holds(said, order_facts(order, parcels, zone, at=at, hold=hold)):
            break
        wrong_from = at
    return wrong_from
