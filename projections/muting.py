"""Muting: which open incidents speak through another one, and which must be quiet for a known time.

Worked out inside the view of incidents, from its own rows and the policy in force, whenever one of these changes.
"""

from collections.abc import Iterable
from typing import Any, Final

from domain.detection import incident_id
from domain.groups.backlog import BacklogMemberChanged
from domain.policies.policy import Policy
from domain.telling.speaking import CLUSTER, CLUSTERED, children, voice
from projections.view import Rows

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


def note_member(rows: Rows, stream: str, event: BacklogMemberChanged) -> set[str]:
    """Keep what became of a member of a backlog; returns the incidents it is told of by, before and now."""
    key = (stream, event.member)
    before = rows.execute("SELECT child FROM backlog_children WHERE stream = ? AND member = ?", key).fetchall()
    rows.execute("DELETE FROM backlog_children WHERE stream = ? AND member = ?", key)
    now = () if event.gone else children(stream, event)
    rows.executemany(
        "INSERT INTO backlog_children VALUES (?,?,?,?)", [(child, stream, event.member, event.until) for child in now]
    )
    return {row[0] for row in before} | set(now)


def concerned(rows: Rows, stream: str, touched: Iterable[str]) -> set[str]:
    """Name the incidents that may be muted otherwise once these of one stream have changed."""
    found = set(touched)
    if stream.startswith("parcel-"):
        found |= _ids(rows, "SELECT id FROM incidents WHERE stream = ?", stream)
    elif stream.startswith(_BACKLOG):
        found |= _ids(rows, "SELECT DISTINCT child FROM backlog_children WHERE stream = ?", stream)
    for identity in [one for one in found if one.startswith(f"incident-{CLUSTER}-")]:
        # Orders that it has left are listed still, with nobody to call: their incidents speak for themselves again.
        found |= _ids(
            rows,
            "SELECT DISTINCT other.id FROM incident_orders AS own JOIN incident_orders AS other USING (order_id) "
            "JOIN incidents ON incidents.id = other.id WHERE own.id = ? AND kind = ?",
            identity,
            CLUSTERED,
        )
    return found


def settle(rows: Rows, identity: str, policy: Policy) -> None:
    """Write who speaks for an incident now, and what is being mended at its place."""
    row = rows.execute(
        "SELECT kind, rule, state, stream, due_at, warehouse, carrier, merged_into, clock FROM incidents WHERE id = ?",
        (identity,),
    ).fetchone()
    if row is None:
        return
    kind, rule, state, stream, due_at, warehouse, carrier, merged_into, clock = row
    by: tuple[str | None, str | None] = (None, None)
    mending: tuple[Any, ...] = (None, None, None)
    if state == "open":
        if merged_into is not None:
            by = (incident_id(kind, merged_into, clock), "duplicate")
        else:
            by = _stronger(rows, identity, stream, kind, rule) or _group(rows, identity, kind) or by
        mending = _mending(policy, due_at, warehouse, carrier)
    rows.execute(
        "UPDATE incidents SET muted_by = ?, muted_as = ?, mending = ?, mending_until = ?, mending_why = ? WHERE id = ?",
        (*by, *mending, identity),
    )


def _stronger(rows: Rows, identity: str, stream: str, kind: str, rule: str) -> tuple[str, str] | None:
    """Name the open incident that speaks for the parcel; the earlier one where two are as strong."""
    if not voice(kind, rule):
        return None
    found = rows.execute(
        "SELECT id, kind, rule, due_at FROM incidents WHERE stream = ? AND state = 'open'", (stream,)
    ).fetchall()
    spoken = min((-voice(row[1], row[2]), row[3], row[0]) for row in found if voice(row[1], row[2]))
    return None if spoken[2] == identity else (spoken[2], "stronger")


def _group(rows: Rows, identity: str, kind: str) -> tuple[str, str] | None:
    # Two statements: joined, they would be read from every open incident.
    belongs = rows.execute("SELECT stream FROM backlog_children WHERE child = ? AND until IS NULL", (identity,))
    open_ones = "SELECT due_at, id FROM incidents WHERE stream = ? AND state = 'open'"
    # The narrower place says more: where parcels lie still, not only whose they are.
    parents = [
        (not stream.startswith("backlog-facility-"), *one)
        for (stream,) in belongs.fetchall()
        for one in rows.execute(open_ones, (stream,))
    ]
    if parents:
        return min(parents)[2], "backlog"
    if kind != CLUSTERED:
        return None
    found = rows.execute(
        "SELECT incidents.id FROM incident_orders AS own JOIN incident_orders AS its USING (order_id) "
        "JOIN incidents ON incidents.id = its.id WHERE own.id = ? AND its.calls = 1 AND kind = ? AND state = 'open' "
        "ORDER BY due_at, incidents.id LIMIT 1",
        (identity, CLUSTER),
    ).fetchone()
    return None if found is None else (found[0], "cluster")


def _mending(policy: Policy, due_at: int, warehouse: str | None, carrier: str | None) -> tuple[Any, ...]:
    window = policy.maintenance_of(due_at, warehouse=warehouse, carrier=carrier)
    if window is None:
        return (None, None, None)
    name = next(name for name, one in sorted(policy.maintenance.items()) if one == window)
    return (name, window.until, window.reason)


def _ids(rows: Rows, statement: str, *values: Any) -> set[str]:
    return {row[0] for row in rows.execute(statement, values)}
