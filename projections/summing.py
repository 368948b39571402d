"""Summing up: an incident is what its episodes make it, each as its stream last told it, with its proof.

Worked out inside the view of incidents.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, repeat
from typing import Any, Final, NamedTuple

import msgspec

from domain.detection import FindingEvent, FindingRetracted, Stored
from domain.events import Fact
from domain.instant import Instant, iso
from domain.judging.report import line
from projections import flapping, incident_orders
from projections.evidence import around, cite
from projections.subjects import Subjects
from projections.view import Rows, among

TABLES: Final = ("episodes", "incident_counts")
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS episodes (
        id TEXT NOT NULL, since INTEGER NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL,
        due_at INTEGER NOT NULL, ended_at INTEGER, known_at INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (id, since, stream)) WITHOUT ROWID""",
    # As many rows as kinds and states, for whoever counts all incidents again and again.
    """CREATE TABLE IF NOT EXISTS incident_counts (
        kind TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, state)) WITHOUT ROWID""",
)
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_WEIGHT: Final = {"retracted": 0, "ended": 1, "open": 2}
_ALONE: Final = frozenset({"order", "parcel", "complaint"})
"""The kinds of subject whose findings rest on facts of their own."""


class Told(NamedTuple):
    """What was told of a finding that is shown."""

    position: int
    stream: str
    event: FindingEvent

    @property
    def incident(self) -> str:
        """Name the incident that it is an episode of."""
        return self.event.finding.incident


class _Episode(NamedTuple):
    state: str
    due_at: Instant
    ended_at: Instant | None
    known_at: Instant
    body: bytes


class _Before(NamedTuple):
    state: str
    position: int
    stream: str


class _Row(NamedTuple):
    """An incident as its episodes make it; what is left of its row is who speaks for it."""

    id: str
    kind: str
    subject: str
    state: str
    severity: str
    warehouse: str | None
    carrier: str | None
    due_at: Instant
    ended_at: Instant | None
    position: int
    stream: str
    episodes: int
    body: bytes
    rule: str
    clock: str
    parcel: str | None
    merged_into: str | None
    known_at: Instant


_PUT: Final = (
    f"INSERT INTO incidents ({', '.join(_Row._fields)}) VALUES ({','.join('?' * len(_Row._fields))}) "  # noqa: S608  # ours
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _Row._fields[1:])}"
)


def sum_up(rows: Rows, told: Sequence[Told], subjects: Subjects) -> set[str]:
    """Keep what was told, and make each incident what its episodes make it by now; names the incidents."""
    _keep(rows, told, subjects)
    # Several streams may tell of one incident: the last word is the last in the log, however batches cut it.
    last = {one.incident: one for one in sorted(told, key=lambda one: one.position)}
    episodes, before = _episodes(rows, [*last]), _before(rows, [*last])
    found, bodies = [], {}
    for identity, one in last.items():
        row, bodies[identity] = _row(identity, one, episodes[identity], before.get(identity))
        found.append(row)
    rows.executemany(_PUT, found)
    orders: dict[str, list[str]] = {identity: [] for identity in last}
    for each in told:
        orders[each.incident] += each.event.finding.order_ids
    incident_orders.note(rows, orders, bodies)
    _count(rows, found, before)
    spans = {name: [flapping.Span(*one[:3]) for one in some] for name, some in episodes.items()}
    flapping.note(rows, spans, {row.id: row.position for row in found}, subjects)
    return {*last}


def counting(states: Sequence[str]) -> int:
    """Say which of an incident's episodes counts: the last open one, else the last that held, else the last."""
    return max(range(len(states)), key=lambda place: (_WEIGHT[states[place]], place))


def counts(rows: Rows) -> list[tuple[str, str, int]]:
    """Count incidents by kind and state."""
    found = rows.execute("SELECT kind, state, n FROM incident_counts ORDER BY kind, state")
    return [(row[0], row[1], row[2]) for row in found]


def _keep(rows: Rows, told: Sequence[Told], subjects: Subjects) -> None:
    """Keep each episode as it was told last, and when it was known first."""
    found: dict[tuple[str, Instant, str], _Episode] = {}
    for one, known in zip(told, _facts(told, subjects), strict=True):
        key = (one.incident, one.event.finding.since, one.stream)
        episode = _episode(one.event, known)
        found[key] = episode._replace(known_at=found.get(key, episode).known_at)
    rows.executemany(
        "INSERT INTO episodes (id, since, stream, state, due_at, ended_at, known_at, body) VALUES (?,?,?,?,?,?,?,?) "
        "ON CONFLICT (id, since, stream) DO UPDATE SET "
        "state = excluded.state, due_at = excluded.due_at, ended_at = excluded.ended_at, body = excluded.body",
        [(*key, *episode) for key, episode in found.items()],
    )


def _facts(told: Sequence[Told], subjects: Subjects) -> Iterator[dict[str, Fact]]:
    """Yield the facts that each proof may cite; what groups find rests on facts of many, cited by name alone."""
    alone = {one.stream for one in told if one.stream.partition("-")[0] in _ALONE}
    names = [name for name, _ in groupby(told, key=lambda one: one.stream)]
    facts = around([subjects.get(name) if name in alone else None for name in names], subjects)
    for (_, some), known in zip(groupby(told, key=lambda one: one.stream), facts, strict=True):
        yield from repeat(known, len([*some]))


def _episode(event: FindingEvent, known: dict[str, Fact]) -> _Episode:
    finding = event.finding
    stored = Stored(finding, isinstance(event, FindingRetracted))
    ended_by = finding.detail.get("ended_by")
    body = {
        **line(stored),
        "clock": finding.clock,
        "known_up_to": iso(event.known_up_to),
        "evidence": [cite(ref, known) for ref in finding.proof],
        "ended_by": None if ended_by is None else cite(ended_by, known),
    }
    return _Episode(stored.state, finding.due_at, finding.ended_at, event.known_up_to, _ENCODE(body))


def _episodes(rows: Rows, identities: Sequence[str]) -> dict[str, list[_Episode]]:
    """Give the episodes of these incidents, the earliest first."""
    read = f"SELECT id, {', '.join(_Episode._fields)} FROM episodes WHERE id IN ({{among}}) ORDER BY id, since, stream"  # noqa: S608  # ours
    found: dict[str, list[_Episode]] = {identity: [] for identity in identities}
    for identity, *episode in among(rows, read, identities):
        found[identity].append(_Episode(*episode))
    return found


def _before(rows: Rows, identities: Sequence[str]) -> dict[str, _Before]:
    found = among(rows, "SELECT id, state, position, stream FROM incidents WHERE id IN ({among})", identities)
    return {identity: _Before(*row) for identity, *row in found}


def _row(
    identity: str, last: Told, episodes: Sequence[_Episode], before: _Before | None
) -> tuple[_Row, dict[str, Any]]:
    """Show the episode that counts; gives its body too."""
    shown = episodes[counting([one.state for one in episodes])]
    later = before is not None and before.position > last.position
    body = _DECODE(shown.body)
    clock = body["clock"]
    for only_of_episodes in ("clock", "known_up_to", "evidence", "ended_by"):
        del body[only_of_episodes]
    row = _Row(
        id=identity,
        kind=body["kind"],
        subject=body["subject"],
        state=shown.state,
        severity=body["severity"],
        warehouse=body["warehouse_id"],
        carrier=body["carrier"],
        due_at=shown.due_at,
        ended_at=shown.ended_at,
        position=before.position if before is not None and later else last.position,
        stream=before.stream if before is not None and later else last.stream,
        episodes=len(episodes),
        body=_ENCODE(body),
        rule=body["rule"],
        clock=clock,
        parcel=body["parcel_id"],
        merged_into=body["detail"].get("merged_into"),
        known_at=min(one.known_at for one in episodes),
    )
    return row, body


def _count(rows: Rows, found: Iterable[_Row], before: Mapping[str, _Before]) -> None:
    """Keep how many incidents of a kind are in which state; a count that comes to nothing has no row."""
    change: Counter[tuple[str, str]] = Counter()
    for row in found:
        change[row.kind, row.state] += 1
        if row.id in before:
            change[row.kind, before[row.id].state] -= 1
    changed = [(*key, by) for key, by in sorted(change.items()) if by]
    rows.executemany(
        "INSERT INTO incident_counts VALUES (?,?,?) ON CONFLICT (kind, state) "
        "DO UPDATE SET n = incident_counts.n + excluded.n",
        changed,
    )
    rows.executemany(
        "DELETE FROM incident_counts WHERE kind = ? AND state = ? AND n = 0", [one[:2] for one in changed if one[2] < 0]
    )
