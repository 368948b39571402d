"""Worklist: one task for every customer whom an open incident concerns, ranked by what can still be saved.

Read from the rows of several views at once, so that a task is what they say together at one moment.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.instant import Instant
from domain.naming import stream
from domain.routing import Routing
from domain.severity import GRADES
from projections.view import Rows

RANKED_BY: Final = (
    ("stage", "What is not handed over yet can still be put right, what is in transit can be met, the rest is past."),
    ("severity", "The gravest of the customer's open incidents."),
    ("until", "The least time left: to the delivery date of an order, else since its incident came due."),
    ("amount", "The worth of the dearest order, in its own currency."),
)
"""What decides, the first first, and why."""
_DECODE: Final = msgspec.json.Decoder(Routing).decode
_OF_MANY: Final = "'mis_shipment_cluster', 'product_defect', 'price_difference'"
"""Kinds of which one incident concerns many customers: who was reached counts, not that somebody was."""
_GRADE: Final = " ".join(f"WHEN '{grade}' THEN {place}" for place, grade in enumerate(GRADES))

_ITEMS: Final = f"""
    SELECT COALESCE(s.task, 'order-' || o.order_id, 'customer-' || c.customer, 'complaint-' || c.complaint_id) AS task,
        incidents.id AS id, o.order_id AS order_id, COALESCE(p.stage, s.stage, 2) AS stage,
        CASE incidents.severity {_GRADE} END AS grade, COALESCE(s.deliver_by, f.since, incidents.due_at) AS until,
        COALESCE(s.amount, 0.0) AS amount, COALESCE(w.person, m.person) AS person, COALESCE(w.team, m.team) AS team,
        CASE WHEN incidents.kind IN ({_OF_MANY}) THEN CASE WHEN EXISTS (SELECT 1 FROM cluster_contacts AS told
                WHERE told.incident = incidents.id AND told.who IN ('order ' || o.order_id, 'customer ' || s.customer))
                THEN 0 ELSE 1 END
            WHEN w.next_attempt IS NULL AND (w.contacted_at IS NULL OR w.attempt_due = 1) THEN 1 ELSE 0 END
            AS to_contact,
        CASE incidents.severity WHEN '{GRADES[-1]}' THEN 1 ELSE 0 END + COALESCE(w.level, 0)
            + CASE WHEN w.reopened > 0 THEN 1 ELSE 0 END + COALESCE(c.complex, 0) + COALESCE(k.points, 0) AS points
    FROM incidents
    LEFT JOIN incident_orders AS o ON o.id = incidents.id AND o.calls = 1
    LEFT JOIN flapping AS f ON f.id = incidents.id AND f.stable_at > ?
    LEFT JOIN stakes AS s ON s.order_id = o.order_id
    LEFT JOIN stake_parcels AS p ON p.order_id = o.order_id AND p.parcel_id = incidents.parcel
    LEFT JOIN complaints AS c ON c.complaint_id = incidents.subject
        AND incidents.kind IN ('complaint_overdue', 'mis_shipment') AND incidents.stream LIKE 'complaint-%'
    LEFT JOIN workflow AS w ON w.id = incidents.id
    LEFT JOIN workflow AS m ON m.id = w.merged_into
    LEFT JOIN routing_kinds AS k ON k.kind = incidents.kind
        AND k.since = (SELECT MAX(since) FROM routing WHERE since <= ?)
    WHERE incidents.state = 'open' AND incidents.due_at >= COALESCE((SELECT MIN(at) FROM live_since), incidents.due_at)
        AND COALESCE(incidents.muted_as, '') NOT IN ('stronger', 'duplicate')
        AND COALESCE(incidents.mending_until, ?) <= ?
        AND CASE w.status WHEN 'merged' THEN COALESCE(m.status, 'new') ELSE COALESCE(w.status, 'new') END
            IN ('new', 'acknowledged')"""  # noqa: S608  # our own names
"""Every open incident that somebody must be called about, with each of its orders; asks four times for the time.

What flaps keeps the place that it had when that began, however often it ends and begins."""


class Rank(NamedTuple):
    """By what a task is ranked; also where a list goes on."""

    stage: int
    grade: int
    until: Instant
    amount: float
    task: str


class Task(NamedTuple):
    """A customer to be called, or an order whose customer nobody knows."""

    rank: Rank
    items: list[str]
    """Incidents, by id."""
    orders: list[str]
    assignees: list[str]
    to_contact: bool
    """Nobody has reached the customer about one of them, or the next attempt has come due."""
    points: int
    """How hard it is."""


class Wanted(NamedTuple):
    """Which tasks are asked for; an empty part asks for nothing."""

    assignee: tuple[str, ...] = ()
    hard: bool | None = None
    to_contact: bool | None = None


def tasks(rows: Rows, now: Instant, wanted: Wanted, limit: int, after: Rank | None = None) -> list[Task]:
    """List tasks, the most urgent first."""
    conditions, values = ["task IS NOT NULL"], [now] * 4
    having: list[str] = []
    more: list[Any] = []
    if wanted.assignee:
        marks = ",".join("?" * len(wanted.assignee))
        having.append(f"MAX(CASE WHEN person IN ({marks}) OR team IN ({marks}) THEN 1 ELSE 0 END) = 1")
        more += [*wanted.assignee, *wanted.assignee]
    if wanted.hard is not None:
        having.append(f"MAX(points) {'>=' if wanted.hard else '<'} ?")
        more.append(routing(rows, now).hard_from)
    if wanted.to_contact is not None:
        having.append("MAX(to_contact) = ?")
        more.append(int(wanted.to_contact))
    if after is not None:
        having.append("(MIN(stage), -MAX(grade), MIN(until), -MAX(amount), task) > (?,?,?,?,?)")
        more += [after.stage, -after.grade, after.until, -after.amount, after.task]
    return _tasks(rows, [*values, *more, limit], conditions, having)


def task(rows: Rows, now: Instant, name: str) -> Task | None:
    """Give one task, if there is still something to do."""
    among, values = _incidents_of(rows, name)
    found = _tasks(rows, [now, now, now, now, name, *values, 1], ["task = ?", f"id IN ({among})"], [])
    return found[0] if found else None


def known(rows: Rows, name: str) -> bool:
    """Say whether the name is that of a customer, order or complaint that was ever heard of."""
    among, values = _incidents_of(rows, name)
    heard = rows.execute("SELECT 1 FROM stakes WHERE task = ?", (name,)).fetchone() is not None
    return heard or rows.execute(among, values).fetchone() is not None


def orders_of(rows: Rows, name: str) -> list[str]:
    """List the orders of a task, those included that nothing is wrong with."""
    found = rows.execute("SELECT order_id FROM stakes WHERE task = ? ORDER BY order_id", (name,))
    return [row[0] for row in found]


def cleared(rows: Rows, name: str, since: int | None, limit: int) -> list[str]:
    """Name the incidents of a task that have ended after a position, the last one first.

    Without a position: those whose end staff have not yet taken note of.
    """
    among, values = _incidents_of(rows, name)
    open_to_staff = "COALESCE((SELECT status FROM workflow WHERE workflow.id = incidents.id), 'new')"
    when = f"{open_to_staff} NOT IN ('resolved', 'dismissed')" if since is None else "position > ?"
    found = rows.execute(
        f"SELECT id FROM incidents WHERE id IN ({among}) AND state != 'open' AND {when} "  # noqa: S608  # as above
        "AND due_at >= COALESCE((SELECT MIN(at) FROM live_since), due_at) ORDER BY position DESC, id LIMIT ?",
        (*values, *(() if since is None else (since,)), limit),
    )
    return [row[0] for row in found]


def routing(rows: Rows, now: Instant) -> Routing:
    """Give the rules in force at an instant, which say which cases are hard and whom they are for."""
    row = rows.execute("SELECT body FROM routing WHERE since <= ? ORDER BY since DESC LIMIT 1", (now,)).fetchone()
    return Routing() if row is None else _DECODE(row[0])


class Stake(NamedTuple):
    """What the worklist shows of an order."""

    customer: str | None
    tier: str | None
    value: str | None
    currency: str | None
    deliver_by: Instant | None
    stage: int


def stakes(rows: Rows, order_ids: Sequence[str]) -> dict[str, Stake]:
    """Give what is known of these orders."""
    found = {}
    for order_id in order_ids:
        row = rows.execute(
            "SELECT customer, tier, value, currency, deliver_by, stage FROM stakes WHERE order_id = ?", (order_id,)
        ).fetchone()
        if row is not None:
            found[order_id] = Stake(*row)
    return found


def _tasks(rows: Rows, values: Sequence[Any], conditions: Sequence[str], having: Sequence[str]) -> list[Task]:
    only = f"HAVING {' AND '.join(having)}" if having else ""
    found = rows.execute(
        "SELECT MIN(stage), MAX(grade), MIN(until), MAX(amount), task, json_group_array(DISTINCT id), "  # noqa: S608
        "json_group_array(DISTINCT order_id), json_group_array(DISTINCT person), json_group_array(DISTINCT team), "
        f"MAX(to_contact), MAX(points) FROM ({_ITEMS}) AS items WHERE {' AND '.join(conditions)} GROUP BY task {only} "
        "ORDER BY MIN(stage), -MAX(grade), MIN(until), -MAX(amount), task LIMIT ?",
        values,
    )
    return [_task(*row) for row in found]


def _task(*row: Any) -> Task:
    stage, grade, until, amount, name, items, orders, persons, teams, to_contact, points = row
    return Task(
        rank=Rank(stage, grade, until, amount, name),
        items=_names(items),
        orders=_names(orders),
        assignees=_names(persons) + _names(teams),
        to_contact=bool(to_contact),
        points=points,
    )


def _names(text: str) -> list[str]:
    return sorted(one for one in msgspec.json.decode(text) if one is not None)


def _incidents_of(rows: Rows, name: str) -> tuple[str, list[Any]]:
    """Ask for the incidents of a task's orders, and of complaints that name no order."""
    kind, _, key = name.partition("-")
    column = {"customer": "customer", "complaint": "complaint_id"}.get(kind)
    alone: list[str] = []
    if column is not None:
        found = rows.execute(
            f"SELECT complaint_id FROM complaints WHERE {column} = ? AND order_id IS NULL",  # noqa: S608  # one of two
            (key,),
        )
        alone = [stream("complaint", row[0]) for row in found]
    of_orders = "SELECT i.id FROM incident_orders AS i JOIN stakes USING (order_id) WHERE task = ? AND calls = 1"
    if not alone:
        return of_orders, [name]
    of_complaints = f"SELECT id FROM incidents WHERE stream IN ({','.join('?' * len(alone))})"  # noqa: S608  # marks
    return f"{of_orders} UNION {of_complaints}", [name, *alone]
