"""Calls: about which open incident whom to call, and what decides how urgent that is, one row for each order.

Worked out inside the view of incidents, from its rows and from what orders, complaints and staff's work are by now.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.complaints.complaint import EVENTS as COMPLAINT_EVENTS
from domain.complaints.complaint import Complaint, ComplaintOpened
from domain.incidents.events import INCIDENT_EVENTS
from domain.incidents.incident import Incident, status
from domain.instant import Instant
from domain.naming import stream
from domain.orders.order import CHANGES, Order
from domain.severity import GRADES
from projections import stakes
from projections.subjects import Subjects
from projections.view import Rows, Streams, among
from projections.workflow import REACHED

TABLES: Final = ("calls",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS calls (
        id TEXT NOT NULL, order_id TEXT NOT NULL, parcel TEXT, task TEXT NOT NULL, stage INTEGER NOT NULL,
        deliver_by INTEGER, amount REAL NOT NULL, kind TEXT NOT NULL, grade INTEGER NOT NULL, due_at INTEGER NOT NULL,
        flaps_since INTEGER, stable_at INTEGER, quiet_until INTEGER, person TEXT, team TEXT,
        to_contact INTEGER NOT NULL, points INTEGER NOT NULL, PRIMARY KEY (id, order_id)) WITHOUT ROWID""",
    # All of one task; and what an order that changed is part of.
    "CREATE INDEX IF NOT EXISTS calls_task ON calls (task)",
    "CREATE INDEX IF NOT EXISTS calls_order ON calls (order_id)",
)
TOPICS: Final = frozenset(event.TOPIC for event in (*CHANGES, *COMPLAINT_EVENTS, *INCIDENT_EVENTS))
"""What changes whom to call although no rule says anything new."""
_OF_MANY: Final = frozenset({"mis_shipment_cluster", "product_defect", "price_difference"})
"""Kinds of which one incident concerns many customers: who was reached counts, not that somebody was."""
_OF_COMPLAINTS: Final = frozenset({"complaint_overdue", "mis_shipment"})
"""Kinds that a complaint may be about, which then says whom to call where no order does."""
_TO_DO: Final = frozenset({"new", "acknowledged"})
_SLICE: Final = 500
_OPEN: Final = """
    SELECT i.id, kind, severity, due_at, stream, subject, parcel, mending_until, order_id, since, stable_at
    FROM incidents AS i LEFT JOIN incident_orders AS o ON o.id = i.id AND o.calls = 1
    LEFT JOIN flapping AS f ON f.id = i.id
    WHERE {column} IN ({{among}}) AND state = 'open' AND due_at >= COALESCE((SELECT MIN(at) FROM live_since), due_at)
        AND COALESCE(muted_as, '') NOT IN ('stronger', 'duplicate')"""
"""Open incidents that speak for themselves, or are told of by a group, with each of their orders."""
_Key = tuple[str, str, str | None]
"""Incident, order and parcel."""
_COLUMNS: Final = {"id": "i.id", "order_id": "o.order_id"}


class Call(NamedTuple):
    """An incident to be called about, and one of its orders."""

    id: str
    order_id: str
    """Empty where a complaint names none."""
    parcel: str | None
    task: str
    stage: int
    deliver_by: Instant | None
    amount: float
    kind: str
    grade: int
    due_at: Instant
    flaps_since: Instant | None
    stable_at: Instant | None
    """Until then it flaps, and keeps the place of when that began."""
    quiet_until: Instant | None
    """Nobody is called before: what is wrong is being mended."""
    person: str | None
    team: str | None
    to_contact: int
    points: int
    """How hard it is, whatever policy says of its kind."""


CALL: Final = ", ".join(Call._fields)
_MARKS: Final = ",".join("?" * len(Call._fields))


class _Open(NamedTuple):
    id: str
    kind: str
    severity: str
    due_at: Instant
    stream: str
    subject: str
    parcel: str | None
    quiet_until: Instant | None
    order_id: str | None
    flaps_since: Instant | None
    stable_at: Instant | None

    @property
    def key(self) -> _Key:
        return self.id, self.order_id or "", self.parcel

    @property
    def may_be_of_complaint(self) -> bool:
        return self.kind in _OF_COMPLAINTS and self.stream == stream("complaint", self.subject)


class _Worth(NamedTuple):
    """What an order brings to each of its calls."""

    task: str
    stage: int
    deliver_by: Instant | None
    amount: float


def concerned(rows: Rows, streams: Streams, subjects: Subjects) -> set[str]:
    """Name the incidents about which somebody else is to be called once these complaints and staff's work changed."""
    complaints = [name for name in streams if name.startswith("complaint-")]
    found = {row[0] for row in among(rows, "SELECT id FROM incidents WHERE stream IN ({among})", complaints)}
    for name in streams:
        if name.startswith("incident-"):
            found.update((name, *subjects.get(name).parts))
    return found


def settle(rows: Rows, identities: set[str], streams: Streams, subjects: Subjects) -> set[str]:
    """Write anew whom to call about these incidents, and about the orders that changed; names the tasks concerned."""
    orders = {subjects.get(name).id for name in streams if name.startswith("order-")}
    return _settle(rows, "id", sorted(identities), subjects) | _settle(rows, "order_id", sorted(orders), subjects)


def _settle(rows: Rows, column: str, values: Sequence[str], subjects: Subjects) -> set[str]:
    tasks: set[str] = set()
    for first in range(0, len(values), _SLICE):
        some = values[first : first + _SLICE]
        found = [_Open(*row) for row in among(rows, _OPEN.format(column=_COLUMNS[column]), some)]
        known = {Call(*row) for row in among(rows, f"SELECT {CALL} FROM calls WHERE {column} IN ({{among}})", some)}  # noqa: S608  # ours
        # What an order brings stands until that order changes: a group of thousands is not read again for one of them.
        kept = {one[:3]: _Worth(*one[3:7]) for one in known if one.order_id} if column == "id" else {}
        now = set(_calls(found, kept, subjects))
        rows.executemany("DELETE FROM calls WHERE id = ? AND order_id = ?", [one[:2] for one in known - now])
        rows.executemany(f"INSERT INTO calls VALUES ({_MARKS})", now - known)  # noqa: S608  # question marks
        tasks.update(one.task for one in known | now)
    return tasks


def _calls(found: Sequence[_Open], kept: Mapping[_Key, _Worth], subjects: Subjects) -> Iterator[Call]:
    read = subjects.load(name for one in found for name in _around(one, kept))
    works: dict[str, Incident] = {one.id: subjects.find(one.id) or Incident() for one in found}
    read += subjects.load(one.merged_into for one in works.values() if one.merged_into is not None)
    for one in found:
        work = works[one.id]
        whole = work if work.merged_into is None else subjects.find(work.merged_into) or Incident()
        opening = _opening(one, subjects)
        worth = kept.get(one.key) or _worth(one, opening, subjects)
        if worth is not None and status(whole) in _TO_DO:
            yield _call(one, worth, work, whole, opening)
    subjects.release(read)


def _around(one: _Open, kept: Mapping[_Key, _Worth]) -> Iterator[str]:
    """Name the streams that say whom to call, and how urgent it is, as far as that is not known."""
    yield one.id
    if one.order_id is not None and one.key not in kept:
        yield stream("order", one.order_id)
    if one.may_be_of_complaint:
        yield one.stream


def _opening(one: _Open, subjects: Subjects) -> ComplaintOpened | None:
    complaint: Complaint | None = subjects.find(one.stream) if one.may_be_of_complaint else None
    return None if complaint is None else complaint.opening


def _worth(one: _Open, opening: ComplaintOpened | None, subjects: Subjects) -> _Worth | None:
    """Say what an order brings, else its complaint; null where nobody is to be called."""
    if one.order_id is None:
        return None if opening is None else _Worth(_task_of(opening, one.subject), stakes.PAST, None, 0.0)
    order: Order | None = subjects.find(stream("order", one.order_id))
    if order is None or order.version == 0:
        return _Worth(stakes.task_of(one.order_id, None), stakes.PAST, None, 0.0)
    stake = stakes.stake(order)
    parcel = None if one.parcel is None else order.parcels.get(one.parcel)
    stage = stake.stage if parcel is None else stakes.stage_of_parcel(parcel)
    return _Worth(stake.task, stage, stake.deliver_by, stake.amount)


def _task_of(opening: ComplaintOpened, complaint_id: str) -> str:
    return f"complaint-{complaint_id}" if opening.customer_id is None else f"customer-{opening.customer_id}"


def _call(one: _Open, worth: _Worth, work: Incident, whole: Incident, opening: ComplaintOpened | None) -> Call:
    grave, complex_ = one.severity == GRADES[-1], opening is not None and opening.complexity == "complex"
    return Call(
        id=one.id,
        order_id=one.order_id or "",
        parcel=one.parcel,
        task=worth.task,
        stage=worth.stage,
        deliver_by=worth.deliver_by,
        amount=worth.amount,
        kind=one.kind,
        grade=GRADES.index(one.severity),
        due_at=one.due_at,
        flaps_since=one.flaps_since,
        stable_at=one.stable_at,
        quiet_until=one.quiet_until,
        person=work.person or whole.person,
        team=work.team or whole.team,
        to_contact=int(_to_contact(one, worth.task, work)),
        points=grave + work.level + (work.reopened > 0) + complex_,
    )


def _to_contact(one: _Open, task: str, work: Incident) -> bool:
    """Say whether somebody has still to be reached: anybody, or where an incident concerns many, this very customer."""
    reached = [contact for contact in work.contacts.values() if contact.outcome in REACHED]
    if one.kind not in _OF_MANY:
        return work.next_attempt is None and (not reached or work.attempt_due)
    return not any(
        (contact.customer_id is not None and task == f"customer-{contact.customer_id}")
        or any(said.order_id == one.order_id for said in contact.statements)
        for contact in reached
    )
