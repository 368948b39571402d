"""The worklist as one question over the rows of all views and the log: what the product keeps must answer the same."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.complaints.complaint import ComplaintOpened
from domain.history.log import Log
from domain.instant import Instant
from domain.judging.adoption import adopted
from domain.naming import stream
from domain.orders.order import Order, evolve
from domain.severity import GRADES
from projections import stakes, worklist
from projections.view import Rows
from projections.worklist import Rank, Task, Wanted

_OF_MANY: Final = "'mis_shipment_cluster', 'product_defect', 'price_difference'"
"""Kinds of which one incident concerns many customers: who was reached counts, not that somebody was."""

_ITEMS: Final = f"""
    SELECT COALESCE(s.task, 'order-' || o.order_id, 'customer-' || c.customer, 'complaint-' || c.complaint_id) AS task,
        incidents.id, o.order_id, COALESCE(s.stage, 2), incidents.parcel, incidents.severity,
        COALESCE(s.deliver_by, f.since, incidents.due_at), COALESCE(s.amount, 0.0),
        COALESCE(w.person, m.person), COALESCE(w.team, m.team),
        CASE WHEN incidents.kind IN ({_OF_MANY}) THEN CASE WHEN EXISTS (SELECT 1 FROM cluster_contacts AS told
                WHERE told.incident = incidents.id AND told.who IN ('order ' || o.order_id, 'customer ' || s.customer))
                THEN 0 ELSE 1 END
            WHEN w.next_attempt IS NULL AND (w.contacted_at IS NULL OR w.attempt_due = 1) THEN 1 ELSE 0 END,
        incidents.kind, c.complaint_id, COALESCE(w.level, 0) + CASE WHEN w.reopened > 0 THEN 1 ELSE 0 END
    FROM incidents
    LEFT JOIN incident_orders AS o ON o.id = incidents.id AND o.calls = 1
    LEFT JOIN flapping AS f ON f.id = incidents.id AND f.stable_at > ?
    LEFT JOIN stakes AS s ON s.order_id = o.order_id
    LEFT JOIN complaints AS c ON c.complaint_id = incidents.subject
        AND incidents.kind IN ('complaint_overdue', 'mis_shipment') AND incidents.stream LIKE 'complaint-%'
    LEFT JOIN workflow AS w ON w.id = incidents.id
    LEFT JOIN workflow AS m ON m.id = w.merged_into
    WHERE incidents.state = 'open' AND incidents.due_at >= COALESCE((SELECT MIN(at) FROM live_since), incidents.due_at)
        AND COALESCE(incidents.muted_as, '') NOT IN ('stronger', 'duplicate')
        AND COALESCE(incidents.mending_until, ?) <= ?
        AND CASE w.status WHEN 'merged' THEN COALESCE(m.status, 'new') ELSE COALESCE(w.status, 'new') END
            IN ('new', 'acknowledged')"""
"""Every open incident that somebody must be called about, with each of its orders; asks three times for the time.

What flaps keeps the place that it had when that began, however often it ends and begins."""


class _Item(NamedTuple):
    task: str
    id: str
    order_id: str | None
    stage: int
    """Of the order."""
    parcel: str | None
    severity: str
    until: Instant
    amount: float
    person: str | None
    team: str | None
    to_contact: int
    kind: str
    complaint_id: str | None
    """Of the complaint that it is about."""
    worked: int
    """The points that staff's work brings."""


def tasks(rows: Rows, log: Log, now: Instant) -> list[Task]:
    """List all tasks there are."""
    grouped: dict[str, list[_Item]] = defaultdict(list)
    for row in rows.execute(_ITEMS, [now] * 3).fetchall():
        one = _Item(*row)
        if one.task is not None:
            grouped[one.task].append(one)
    rules = [policy.routing.kinds for since, policy in adopted(log) if since <= now]
    return sorted((_task(name, own, log, rules[-1] if rules else {}) for name, own in grouped.items()), key=_place)


def among(rows: Rows, found: list[Task], now: Instant, wanted: Wanted) -> list[Task]:
    """Pick from all tasks those that are asked for."""
    hard_from = worklist.routing(rows, now).hard_from
    return [one for one in found if _is_wanted(one, wanted, hard_from)]


def _is_wanted(one: Task, wanted: Wanted, hard_from: int) -> bool:
    return (
        (not wanted.assignee or not set(wanted.assignee).isdisjoint(one.assignees))
        and wanted.hard in {None, one.points >= hard_from}
        and wanted.to_contact in {None, one.to_contact}
    )


def _place(one: Task) -> tuple[int, int, Instant, float, str]:
    rank = one.rank
    return rank.stage, -rank.grade, rank.until, -rank.amount, rank.task


def _task(name: str, items: list[_Item], log: Log, kinds: dict[str, int]) -> Task:
    return Task(
        rank=Rank(
            min(_stage(one, log) for one in items),
            max(GRADES.index(one.severity) for one in items),
            min(one.until for one in items),
            max(one.amount for one in items),
            name,
        ),
        items=_names(one.id for one in items),
        orders=_names(one.order_id for one in items),
        assignees=_names(one.person for one in items) + _names(one.team for one in items),
        to_contact=any(one.to_contact for one in items),
        points=max(_points(one, log, kinds) for one in items),
    )


def _stage(one: _Item, log: Log) -> int:
    """Give how far the parcel is that an incident is about, else its order."""
    if one.order_id is None or one.parcel is None:
        return one.stage
    order = Order(one.order_id)
    for event in log.stream(stream("order", one.order_id)):
        evolve(order, event)
    parcel = order.parcels.get(one.parcel)
    return one.stage if parcel is None else stakes.stage_of_parcel(parcel)


def _points(one: _Item, log: Log, kinds: dict[str, int]) -> int:
    about = () if one.complaint_id is None else log.stream(stream("complaint", one.complaint_id))
    opening = next((event for event in about if isinstance(event, ComplaintOpened)), None)
    is_complex = opening is not None and opening.complexity == "complex"
    return (one.severity == GRADES[-1]) + one.worked + is_complex + kinds.get(one.kind, 0)


def _names(some: Iterable[str | None]) -> list[str]:
    return sorted({one for one in some if one is not None})
