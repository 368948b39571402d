"""Worklist: one task for every customer whom an open incident concerns, ranked by what can still be saved.

Read from the rows of several views at once, so that a task is what they say together at one moment.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.instant import Instant
from domain.naming import stream
from domain.policies.routing import Routing
from projections.tasks import CONTENT, ROW, Row
from projections.view import Rows, among

RANKED_BY: Final = (
    ("stage", "What is not handed over yet can still be put right, what is in transit can be met, the rest is past."),
    ("severity", "The gravest of the customer's open incidents."),
    ("until", "The least time left: to the delivery date of an order, else since its incident came due."),
    ("amount", "The worth of the dearest order, in its own currency."),
)
"""What decides, the first first, and why."""
_DECODE: Final = msgspec.json.Decoder(Routing).decode
_NOW: Final = f"SELECT {ROW} FROM tasks WHERE begins <= ? AND ends > ?"  # noqa: S608  # our own names


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
    conditions: list[tuple[str, Sequence[Any]]] = []
    if wanted.assignee:
        marks = ",".join("?" * len(wanted.assignee))
        own = f"(task, begins) IN (SELECT task, begins FROM task_assignees WHERE name IN ({marks}))"  # noqa: S608  # marks
        conditions.append((own, wanted.assignee))
    if wanted.hard is not None:
        conditions.append((f"points {'>=' if wanted.hard else '<'} ?", (routing(rows, now).hard_from,)))
    if wanted.to_contact is not None:
        conditions.append(("to_contact = ?", (int(wanted.to_contact),)))
    if after is not None:
        last = (after.stage, -after.grade, after.until, 0.0 - after.amount, after.task)
        conditions.append(("(stage, grade, until, amount, task) > (?,?,?,?,?)", last))
    found = rows.execute(
        f"{' AND '.join((_NOW, *(text for text, _ in conditions)))} ORDER BY stage, grade, until, amount, task LIMIT ?",
        (now, now, *(value for _, values in conditions for value in values), limit),
    )
    return [_task(Row(*row)) for row in found]


def task(rows: Rows, now: Instant, name: str) -> Task | None:
    """Give one task, if there is still something to do."""
    row = rows.execute(f"{_NOW} AND task = ?", (now, now, name)).fetchone()
    return None if row is None else _task(Row(*row))


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
    amount: float
    currency: str | None
    deliver_by: Instant | None
    stage: int


def stakes(rows: Rows, order_ids: Sequence[str]) -> dict[str, Stake]:
    """Give what is known of these orders."""
    found = among(
        rows,
        "SELECT order_id, customer, tier, value, amount, currency, deliver_by, stage FROM stakes "
        "WHERE order_id IN ({among})",
        order_ids,
    )
    return {order_id: Stake(*others) for order_id, *others in found}


def _task(row: Row) -> Task:
    content = CONTENT(row.body)
    return Task(
        rank=Rank(row.stage, -row.grade, row.until, 0.0 - row.amount, row.task),
        items=content.items,
        orders=content.orders,
        assignees=content.persons + content.teams,
        to_contact=bool(row.to_contact),
        points=row.points,
    )


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
