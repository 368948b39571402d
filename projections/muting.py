"""Muting: which open incidents speak through another one, and which must be quiet for a known time.

Worked out inside the view of incidents, from its own rows and the policy in force, whenever one of these changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.detection import incident_id
from domain.groups.backlog import BacklogMemberChanged
from domain.instant import Instant
from domain.policies.policy import Policy
from domain.telling.speaking import CLUSTER, CLUSTERED, children, voice
from projections.view import Rows, among, among_pairs

TABLES: Final = ("backlog_children",)
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS backlog_children (
        child TEXT NOT NULL, stream TEXT NOT NULL, member TEXT NOT NULL, until INTEGER,
        PRIMARY KEY (child, stream, member)) WITHOUT ROWID""",
    # The child of a member that changed; the key gives what a child belongs to.
    "CREATE INDEX IF NOT EXISTS backlog_children_member ON backlog_children (stream, member)",
)
BACKLOGS: Final = frozenset({"warehouse_backlog", "carrier_backlog"})
_BACKLOG: Final = "backlog-"


class _Judged(NamedTuple):
    """An incident, with what decides who speaks for it; then what is written of that."""

    id: str
    kind: str
    rule: str
    state: str
    stream: str
    due_at: Instant
    warehouse: str | None
    carrier: str | None
    merged_into: str | None
    clock: str
    muted_by: str | None
    muted_as: str | None
    mending: str | None
    mending_until: Instant | None
    mending_why: str | None

    @property
    def is_original(self) -> bool:
        """Say whether it is open and tells of what no other one tells in the same words."""
        return self.state == "open" and self.merged_into is None


class _Spoken(NamedTuple):
    """An open incident that may speak for others."""

    due_at: Instant
    id: str
    kind: str
    rule: str


_Voices = Mapping[str, Sequence[_Spoken]]
"""The open incidents of subjects, by their streams."""
_By = tuple[str, str]
"""Who speaks, and as what."""
_JUDGED: Final = f"SELECT {', '.join(_Judged._fields)} FROM incidents WHERE id IN ({{among}})"  # noqa: S608  # ours


def note_members(rows: Rows, told: Sequence[tuple[str, BacklogMemberChanged]]) -> set[str]:
    """Keep what became of members of backlogs; names the incidents they are told of by, before and now."""
    last = {(stream, event.member): event for stream, event in told}
    if not last:
        return set()
    before = "SELECT child FROM {among} CROSS JOIN backlog_children WHERE stream = column1 AND member = column2"
    found = {row[0] for row in among_pairs(rows, before, [*last])}
    rows.executemany("DELETE FROM backlog_children WHERE stream = ? AND member = ?", [*last])
    now = [
        (child, *key, event.until) for key, event in last.items() if not event.gone for child in children(key[0], event)
    ]
    rows.executemany("INSERT INTO backlog_children VALUES (?,?,?,?)", now)
    return found.union(row[0] for row in now)


def concerned(rows: Rows, touched: Iterable[str], streams: Iterable[str]) -> set[str]:
    """Name the incidents that may be muted otherwise once these, of these streams, have changed."""
    found, names = set(touched), [*streams]
    parcels = [name for name in names if name.startswith("parcel-")]
    found |= _ids(rows, "SELECT id FROM incidents WHERE stream IN ({among})", parcels)
    backlogs = [name for name in names if name.startswith(_BACKLOG)]
    found |= _ids(rows, "SELECT DISTINCT child FROM backlog_children WHERE stream IN ({among})", backlogs)
    clusters = sorted(one for one in found if one.startswith(f"incident-{CLUSTER}-"))
    # Orders that it has left are listed still, with nobody to call: their incidents speak for themselves again.
    return found | _ids(
        rows,
        "SELECT DISTINCT other.id FROM incident_orders AS own JOIN incident_orders AS other USING (order_id) "  # noqa: S608
        f"JOIN incidents ON incidents.id = other.id WHERE own.id IN ({{among}}) AND kind = '{CLUSTERED}'",
        clusters,
    )


def settle(rows: Rows, identities: Iterable[str], policy: Policy) -> None:
    """Write who speaks for each of these incidents now, and what is being mended at its place."""
    judged = [_Judged(*row) for row in among(rows, _JUDGED, sorted(identities))]
    originals = [one for one in judged if one.is_original]
    belongs = _belongs(rows, originals)
    streams = {one.stream for one in originals if voice(one.kind, one.rule)}.union(*belongs.values())
    voices = _voices(rows, sorted(streams))
    by = {one.id: _stronger(one, voices) or _backlog(belongs.get(one.id, ()), voices) for one in originals}
    by |= _clusters(rows, [one.id for one in originals if by[one.id] is None and one.kind == CLUSTERED])
    by |= {
        one.id: (incident_id(one.kind, one.merged_into, one.clock), "duplicate")
        for one in judged
        if one.state == "open" and one.merged_into is not None
    }
    found = [((*(by.get(one.id) or (None, None)), *_mending(policy, one)), one) for one in judged]
    rows.executemany(
        "UPDATE incidents SET muted_by = ?, muted_as = ?, mending = ?, mending_until = ?, mending_why = ? WHERE id = ?",
        [(*now, one.id) for now, one in found if now != one[-len(now) :]],
    )


def _belongs(rows: Rows, some: Sequence[_Judged]) -> dict[str, list[str]]:
    """Name the backlogs that these incidents belong to."""
    found: dict[str, list[str]] = defaultdict(list)
    read = "SELECT child, stream FROM backlog_children WHERE child IN ({among}) AND until IS NULL"
    for child, stream in among(rows, read, [one.id for one in some]):
        found[child].append(stream)
    return found


def _voices(rows: Rows, streams: Sequence[str]) -> _Voices:
    read = "SELECT stream, due_at, id, kind, rule FROM incidents WHERE stream IN ({among}) AND state = 'open'"
    found: dict[str, list[_Spoken]] = defaultdict(list)
    for stream, *spoken in among(rows, read, streams):
        found[stream].append(_Spoken(*spoken))
    return found


def _stronger(one: _Judged, voices: _Voices) -> _By | None:
    """Name the open incident that speaks for the parcel; the earlier one where two are as strong."""
    if not voice(one.kind, one.rule):
        return None
    spoken = min((-strength, each) for each in voices[one.stream] if (strength := voice(each.kind, each.rule)))[1]
    return None if spoken.id == one.id else (spoken.id, "stronger")


def _backlog(streams: Sequence[str], voices: _Voices) -> _By | None:
    """Name the open backlog that speaks; the narrower place says more: where parcels lie still, not whose they are."""
    wide = ((not stream.startswith("backlog-facility-"), each) for stream in streams for each in voices.get(stream, ()))
    found = min(wide, default=None)
    return None if found is None else (found[1].id, "backlog")


def _clusters(rows: Rows, identities: Sequence[str]) -> dict[str, _By | None]:
    """Name the open clusters, the earliest of each, that still have to reach one of the orders."""
    found = among(
        rows,
        "SELECT own.id, due_at, incidents.id FROM incident_orders AS own "  # noqa: S608  # our own name
        "JOIN incident_orders AS its USING (order_id) JOIN incidents ON incidents.id = its.id "
        f"WHERE own.id IN ({{among}}) AND its.calls = 1 AND kind = '{CLUSTER}' AND state = 'open'",
        identities,
    )
    first: dict[str, tuple[Instant, str]] = {}
    for identity, due_at, cluster in found:
        first[identity] = min(first.get(identity, (due_at, cluster)), (due_at, cluster))
    return {identity: (cluster, "cluster") for identity, (_, cluster) in first.items()}


def _mending(policy: Policy, one: _Judged) -> tuple[str | None, Instant | None, str | None]:
    if one.state != "open":
        return (None, None, None)
    window = policy.maintenance_of(one.due_at, warehouse=one.warehouse, carrier=one.carrier)
    if window is None:
        return (None, None, None)
    name = next(name for name, known in sorted(policy.maintenance.items()) if known == window)
    return (name, window.until, window.reason)


def _ids(rows: Rows, statement: str, values: Sequence[str]) -> set[str]:
    return {row[0] for row in among(rows, statement, values)}
