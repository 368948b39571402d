"""The worklist as one question over the rows of all views: what the product keeps must answer the same."""

import json
from typing import Any, Final

from domain.instant import Instant
from domain.severity import GRADES
from projections import worklist
from projections.view import Rows
from projections.worklist import Rank, Task, Wanted

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
            IN ('new', 'acknowledged')"""
"""Every open incident that somebody must be called about, with each of its orders; asks four times for the time.

What flaps keeps the place that it had when that began, however often it ends and begins."""


def tasks(rows: Rows, now: Instant, wanted: Wanted) -> list[Task]:
    """List all tasks that are asked for."""
    conditions, values = ["task IS NOT NULL"], [now] * 4
    having: list[str] = ["TRUE"]
    more: list[Any] = []
    if wanted.assignee:
        marks = ",".join("?" * len(wanted.assignee))
        having.append(f"MAX(CASE WHEN person IN ({marks}) OR team IN ({marks}) THEN 1 ELSE 0 END) = 1")
        more += [*wanted.assignee, *wanted.assignee]
    if wanted.hard is not None:
        having.append(f"MAX(points) {'>=' if wanted.hard else '<'} ?")
        more.append(worklist.routing(rows, now).hard_from)
    if wanted.to_contact is not None:
        having.append("MAX(to_contact) = ?")
        more.append(int(wanted.to_contact))
    found = rows.execute(
        "SELECT MIN(stage), MAX(grade), MIN(until), MAX(amount), task, json_group_array(DISTINCT id), "
        "json_group_array(DISTINCT order_id), json_group_array(DISTINCT person), json_group_array(DISTINCT team), "
        f"MAX(to_contact), MAX(points) FROM ({_ITEMS}) AS items WHERE {' AND '.join(conditions)} GROUP BY task "
        f"HAVING {' AND '.join(having)} ORDER BY MIN(stage), -MAX(grade), MIN(until), -MAX(amount), task",
        [*values, *more],
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
    return sorted(one for one in json.loads(text) if one is not None)
