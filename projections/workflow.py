"""Workflow: where each incident stands in the work of staff, to be joined with what the rules say of it."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from domain.incidents.clock import due, next_step
from domain.incidents.events import CLOCK, INCIDENT_EVENTS, TRACKER, IncidentCompensated, IncidentContacted
from domain.incidents.incident import Incident, status
from domain.instant import Instant, iso
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams, among

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
REACHED: Final = frozenset({"reached", "agreed", "sent"})
"""Outcomes of an attempt after which the customer knows."""
_OF_IT: Final = "(SELECT {} FROM workflow WHERE workflow.id = incidents.id)"
_NOT_STAFF: Final = frozenset({CLOCK, TRACKER})


class Workflow:
    """Keeps one row for every incident that staff have touched."""

    name = "workflow"
    version = 2
    tables = ("workflow",)
    schema = (
        """CREATE TABLE IF NOT EXISTS workflow (
            id TEXT PRIMARY KEY, position INTEGER NOT NULL, status TEXT NOT NULL, person TEXT, team TEXT,
            merged_into TEXT, liable TEXT, level INTEGER NOT NULL, reopened INTEGER NOT NULL,
            next_attempt INTEGER, attempt_due INTEGER NOT NULL, first_at INTEGER, contacted_at INTEGER,
            contact_channel TEXT, settled_at INTEGER, dismissed_rule TEXT, body BLOB NOT NULL) WITHOUT ROWID""",
        # What changed since a position leaves in that order.
        "CREATE INDEX IF NOT EXISTS workflow_position ON workflow (position)",
        # Whose work it is, and what went up to somebody; most of what there is is nobody's any more.
        "CREATE INDEX IF NOT EXISTS workflow_person ON workflow (person) WHERE person IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS workflow_team ON workflow (team) WHERE team IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS workflow_level ON workflow (level) WHERE level > 0",
    )
    topics = frozenset(event.TOPIC for event in INCIDENT_EVENTS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write the incidents' rows anew; when staff first touched one stays."""
        rows.executemany(_PUT, [_row(stream, entries, subjects.get(stream)) for stream, entries in streams.items()])


VIEW = Workflow()


class _Row(NamedTuple):
    id: str
    position: int
    first_at: Instant | None
    status: str
    person: str | None
    team: str | None
    merged_into: str | None
    liable: str | None
    level: int
    reopened: int
    next_attempt: Instant | None
    attempt_due: int
    contacted_at: Instant | None
    contact_channel: str | None
    settled_at: Instant | None
    dismissed_rule: str | None
    body: bytes


_REPLACED: Final = ", ".join(f"{name} = excluded.{name}" for name in _Row._fields if name not in {"id", "first_at"})
_PUT: Final = (
    f"INSERT INTO workflow ({', '.join(_Row._fields)}) VALUES ({','.join('?' * len(_Row._fields))}) "  # noqa: S608  # ours
    f"ON CONFLICT (id) DO UPDATE SET {_REPLACED}, "
    "first_at = CASE WHEN workflow.first_at < excluded.first_at THEN workflow.first_at "
    "ELSE COALESCE(excluded.first_at, workflow.first_at) END"
)


def _row(stream: str, entries: Sequence[Entry], state: Incident) -> _Row:
    people: list[Any] = [one.event for one in entries]
    reached = next((one for one in state.contacts.values() if one.outcome in REACHED), None)
    return _Row(
        id=stream,
        position=entries[-1].position,
        first_at=min((one.at for one in people if one.by not in _NOT_STAFF), default=None),
        status=status(state),
        person=state.person,
        team=state.team,
        merged_into=state.merged_into,
        liable=state.liable,
        level=state.level,
        reopened=state.reopened,
        next_attempt=state.next_attempt,
        attempt_due=int(state.attempt_due),
        contacted_at=None if reached is None else reached.at,
        contact_channel=None if reached is None else reached.channel,
        settled_at=None if state.closed is None else state.closed.at,
        dismissed_rule=getattr(state.closed, "rule", None),
        body=_ENCODE(document(state)),
    )


class Staff(NamedTuple):
    """Where an incident must stand in the work of staff; an empty part asks for nothing."""

    status: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    """Persons or teams."""

    def conditions(self) -> Iterable[tuple[str, Sequence[Any]]]:
        """Write it over the table of incidents."""
        if self.status:
            yield f"COALESCE({_OF_IT.format('status')}, 'new') IN ({_marks(self.status)})", self.status
        if self.assignee:
            marks = _marks(self.assignee)
            either = f"({_OF_IT.format('person')} IN ({marks}) OR {_OF_IT.format('team')} IN ({marks}))"
            yield either, (*self.assignee, *self.assignee)


class Worked(NamedTuple):
    """What staff have made of one incident."""

    position: int
    """Of the last thing they did."""
    body: dict[str, Any]


def one(rows: Rows, identity: str) -> Worked:
    """Give the work on an incident; of one that nobody has touched, that it is new."""
    return several(rows, [identity])[identity]


def several(rows: Rows, identities: Sequence[str]) -> dict[str, Worked]:
    """Give the work on each of these incidents."""
    found = among(rows, "SELECT id, position, body FROM workflow WHERE id IN ({among})", identities)
    known = {row[0]: Worked(row[1], _DECODE(row[2])) for row in found}
    return {identity: known.get(identity) or _untouched() for identity in identities}


@cache
def _untouched() -> Worked:
    """Say of most incidents of a page what is the same of all of them."""
    return Worked(0, document(Incident()))


def escalated(rows: Rows) -> list[tuple[str, int, int]]:
    """Count the open incidents that went up, by kind and level."""
    found = rows.execute(
        "SELECT kind, level, COUNT(*) FROM workflow JOIN incidents USING (id) WHERE level > 0 AND state = 'open' "
        "AND status IN ('new', 'acknowledged', 'snoozed') GROUP BY kind, level ORDER BY kind, level"
    )
    return [(row[0], row[1], row[2]) for row in found]


def document(state: Incident) -> dict[str, Any]:
    """Write what staff have made of an incident, in the words of the contract."""
    held, asleep = state.acknowledged, state.snoozed
    return {
        "status": status(state),
        "acknowledged_by": None if held is None else held.by,
        "acknowledged_until": None if held is None else iso(held.until),
        "person": state.person,
        "team": state.team,
        "snoozed_until": None if asleep is None else _time(asleep.until),
        "wakes_on_event": asleep is not None and asleep.next_event,
        "merged_into": state.merged_into,
        "parts": list(state.parts),
        "liable": state.liable,
        "level": state.level,
        "escalated_to": state.escalated_to,
        "escalates_at": _escalates_at(state),
        "contacts": [_contact(state, name, one) for name, one in state.contacts.items()],
        "next_attempt": _time(state.next_attempt),
        "attempt_due": state.attempt_due,
        "awaits_confirmation": list(state.unconfirmed),
        "payments": [
            {
                "member": member,
                "amount": one.amount,
                "currency": one.currency,
                "form": one.form,
                "paid": isinstance(one, IncidentCompensated),
                "approvals": list(one.approvals) if isinstance(one, IncidentCompensated) else [one.by],
            }
            for member, one in state.payments.items()
        ],
        "price_answer": _price_answer(state),
        "notes": len(state.notes),
        "reopened": state.reopened,
        "due": _time(due(state)),
    }


def _escalates_at(state: Incident) -> str | None:
    step = None if status(state) in {"resolved", "dismissed", "merged"} else next_step(state)
    return None if step is None else iso(step.at)


def _price_answer(state: Incident) -> dict[str, Any] | None:
    said = state.price_answer
    return None if said is None else {"mistake": said.mistake, "by": said.by, "at": iso(said.at), "why": said.why}


def _contact(state: Incident, name: str, one: IncidentContacted) -> dict[str, Any]:
    return {
        "contact_id": name,
        "at": iso(one.at),
        "by": one.by,
        "channel": one.channel,
        "outcome": one.outcome,
        "agreement": one.agreement,
        "confirmed": name in state.confirmed,
        "cleared": one.cleared,
    }


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _time(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
