"""Feed: every change of a finding, and every step that staff or time took with an incident, under its position.

What only settles whether time will send an incident up (the plan for it, held news, who spoke for it then) is no entry:
nobody is told of it. A step says nothing of the finding; it is told with the one that counted for the incident then,
which is looked up when it is read, so that what was put in behind it later is seen. Free text and what a customer was
told stay in the incident's history.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from domain.detection import FINDING_EVENTS, FindingEvent, FindingRetracted, Stored
from domain.incidents import events as steps
from domain.incidents.step import Step
from domain.incidents.urgency import IncidentEscalated
from domain.instant import Instant, iso
from domain.judging.report import line
from projections.subjects import Subjects
from projections.summing import counting
from projections.view import Rows, Streams, among

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_PAID: Final = ("member", "amount", "currency", "form")
STEPS: Final[Mapping[type[Step], tuple[str, ...]]] = MappingProxyType(
    {
        steps.IncidentAcknowledged: ("until",),
        steps.IncidentReturned: ("was",),
        steps.IncidentAssigned: ("person", "team"),
        steps.IncidentSnoozed: ("until", "next_event"),
        steps.IncidentWoken: ("cause",),
        steps.IncidentNoted: (),
        steps.IncidentLiabilitySet: ("party", "rule"),
        steps.IncidentPriceAnswered: ("mistake",),
        IncidentEscalated: ("level", "to"),
        steps.IncidentMerged: ("into",),
        steps.IncidentAbsorbed: ("part",),
        steps.IncidentSplit: ("whole",),
        steps.IncidentReleased: ("part",),
        steps.IncidentContacted: ("channel", "outcome", "next_attempt"),
        steps.IncidentContactDue: (),
        steps.IncidentConfirmed: ("channel",),
        steps.IncidentCompensationProposed: _PAID,
        steps.IncidentCompensationWithdrawn: ("member",),
        steps.IncidentCompensated: _PAID,
        steps.IncidentResolved: (),
        steps.IncidentReopened: ("cause",),
        steps.IncidentDismissed: ("rule", "policy"),
    }
)
"""The steps that are entries, and what each says beside who took it and when; no free text, and nothing personal."""
_INSTANTS: Final = frozenset({"until", "next_attempt"})


class Feed:
    """Keeps what changed, in the order of the log; entries are never changed."""

    name = "feed"
    version = 3
    tables = ("feed", "feed_steps")
    schema = (
        """CREATE TABLE IF NOT EXISTS feed (
            position INTEGER PRIMARY KEY, change TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
            state TEXT NOT NULL, severity TEXT NOT NULL, warehouse TEXT, carrier TEXT, due_at INTEGER NOT NULL,
            known_up_to INTEGER NOT NULL, order_ids TEXT NOT NULL, body BLOB NOT NULL,
            since INTEGER NOT NULL, stream TEXT NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS feed_steps (
            position INTEGER PRIMARY KEY, change TEXT NOT NULL, incident TEXT NOT NULL, at INTEGER NOT NULL,
            said BLOB NOT NULL)""",
        # What the rules had said of an incident when a step was taken with it.
        "CREATE INDEX IF NOT EXISTS feed_incident ON feed (incident, position)",
    )
    topics = frozenset(event.TOPIC for event in FINDING_EVENTS) | frozenset(event.TOPIC for event in STEPS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:  # noqa: ARG002  # all that is needed was said
        """Add one entry for each event."""
        found, taken = [], []
        for stream, entries in streams.items():
            for entry in entries:
                event = entry.event
                if isinstance(event, Step):
                    taken.append(_taken(entry.position, stream, event))
                elif isinstance(event, FINDING_EVENTS) and event.finding.reported:
                    found.append(_found(entry.position, stream, event))
        rows.executemany("INSERT INTO feed VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", found)
        rows.executemany("INSERT INTO feed_steps VALUES (?,?,?,?,?)", taken)


VIEW = Feed()


class Change(NamedTuple):
    """One entry of the feed, with what it is filtered by."""

    position: int
    change: str
    """``opened``, ``amended``, ``ended``, ``retracted``, or the name of a step."""
    incident: str
    kind: str
    state: str
    severity: str
    warehouse: str | None
    carrier: str | None
    due_at: Instant
    known_up_to: Instant
    """Where time stood when the finding was decided."""
    order_ids: list[str]
    body: dict[str, Any]
    """The finding as it was then, in the contract's form."""
    person: str | None = None
    team: str | None = None
    """Who has the incident, as it is read."""
    unrest: tuple[Instant, Instant] | None = None
    """The last spell in which the incident flapped; not of a step."""
    taken_at: Instant | None = None
    step: dict[str, Any] | None = None
    """What a step says; null where a rule spoke."""

    @property
    def decided_at(self) -> Instant:
        """Say when this was decided: when a step was taken, or where time stood for the rule."""
        return self.known_up_to if self.taken_at is None else self.taken_at


class _Step(NamedTuple):
    position: int
    change: str
    incident: str
    at: Instant
    said: bytes
    person: str | None
    team: str | None


_Episode = tuple[Instant, str]
"""Since when it held, and the stream that tells of it."""
_FOUND: Final = (
    "SELECT feed.position, change, incident, kind, state, severity, warehouse, carrier, due_at, known_up_to, "
    "order_ids, feed.body"
)


def after(rows: Rows, position: int, limit: int) -> list[Change]:
    """Read on from a position; 0 is before the first entry."""
    found = rows.execute(
        f"{_FOUND}, person, team, flapping.since, flapping.stable_at FROM feed "
        "LEFT JOIN workflow ON workflow.id = incident LEFT JOIN flapping ON flapping.id = incident "
        "WHERE feed.position > ? ORDER BY feed.position LIMIT ?",
        (position, limit),
    )
    entries: list[Change | _Step] = [
        _change(row, row[12], row[13], None if row[14] is None else (row[14], row[15])) for row in found
    ]
    page = sorted([*entries, *_steps(rows, position, limit)], key=lambda one: one.position)[:limit]
    about = _about(rows, {one.incident for one in page if isinstance(one, _Step)})
    return [_told(one, about[one.incident]) if isinstance(one, _Step) else one for one in page]


def decided_up_to(rows: Rows) -> Instant | None:
    """Say where time stood at the last change of a finding; null before the first."""
    row = rows.execute("SELECT known_up_to FROM feed ORDER BY position DESC LIMIT 1").fetchone()
    return None if row is None else row[0]


def _steps(rows: Rows, position: int, limit: int) -> list[_Step]:
    """Read on in the steps; one with what no rule had reported is no entry."""
    found = rows.execute(
        "SELECT feed_steps.position, change, incident, at, said, person, team FROM feed_steps "
        "LEFT JOIN workflow ON workflow.id = incident WHERE feed_steps.position > ? AND EXISTS (SELECT 1 FROM feed "
        "WHERE feed.incident = feed_steps.incident AND feed.position < feed_steps.position) "
        "ORDER BY feed_steps.position LIMIT ?",
        (position, limit),
    )
    return [_Step(*row) for row in found]


def _about(rows: Rows, names: Iterable[str]) -> dict[str, list[tuple[_Episode, Change]]]:
    """Give all that the rules ever said of these incidents, in the order of the log, with the episode it was of."""
    found: dict[str, list[tuple[_Episode, Change]]] = {}
    read = f"{_FOUND}, since, stream FROM feed WHERE incident IN ({{among}}) ORDER BY incident, position"
    for row in among(rows, read, sorted(names)):
        found.setdefault(row[2], []).append(((row[12], row[13]), _change(row)))
    return found


def _told(one: _Step, about: Sequence[tuple[_Episode, Change]]) -> Change:
    """Tell a step with the finding that counted when it was taken."""
    last = {episode: said for episode, said in about if said.position < one.position}
    episodes = [last[episode] for episode in sorted(last)]
    return episodes[counting([said.state for said in episodes])]._replace(
        position=one.position,
        change=one.change,
        person=one.person,
        team=one.team,
        taken_at=one.at,
        step=_DECODE(one.said),
    )


def _change(
    row: Sequence[Any],
    person: str | None = None,
    team: str | None = None,
    unrest: tuple[Instant, Instant] | None = None,
) -> Change:
    return Change._make((*row[:10], _DECODE(row[10]), _DECODE(row[11]), person, team, unrest, None, None))


def _taken(position: int, incident: str, event: Step) -> tuple[Any, ...]:
    said = {name: getattr(event, name) for name in STEPS[type(event)]}
    told = {name: iso(value) if name in _INSTANTS else value for name, value in said.items() if value is not None}
    return position, _name(event), incident, event.at, _ENCODE({"by": event.by, "at": iso(event.at), **told})


def _found(position: int, stream: str, event: FindingEvent) -> tuple[Any, ...]:
    finding = event.finding
    stored = Stored(finding, isinstance(event, FindingRetracted))
    return (
        position,
        _name(event),
        finding.incident,
        finding.kind,
        stored.state,
        finding.severity,
        finding.warehouse_id,
        finding.carrier,
        finding.due_at,
        event.known_up_to,
        _ENCODE(finding.order_ids).decode(),
        _ENCODE({**line(stored), "known_up_to": iso(event.known_up_to)}),
        finding.since,
        stream,
    )


def _name(event: Step | FindingEvent) -> str:
    return event.TOPIC.split(".")[1]
