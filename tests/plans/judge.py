"""Judges how a database would answer: whether it reads a table from end to end that grows with orders."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from deploy.store.schema import TABLES
from projections import VIEWS

SMALL = frozenset(
    {
        # One row each for a partition, a source, a policy, a place, a kind, a cluster: they do not grow with orders.
        *("meta", "positions", "heard", "feeds", "leases", "delivered", "seen_slices"),
        *("checkpoints", "parked", "frontier", "live_since", "feed_partitions", "feed_sources", "feed_counts"),
        *("routing", "places", "clusters", "incident_counts"),
    }
)
"""Tables that may be read whole."""
GROWING = (
    frozenset(
        {"stored_events", *re.findall(r"TABLE IF NOT EXISTS (\w+)", " ".join(TABLES))}
        | {table for view in VIEWS for table in view.tables}
    )
    - SMALL
)
_SCAN = re.compile(r"^SCAN (\w+)( USING (?:COVERING )?INDEX (\w+))?|^SEARCH (\w+) USING AUTOMATIC")
_NUMBER = count()
_OF = re.compile(r"(?:FROM|JOIN) (\w+)(?: AS)? (\w+)")


class Step(NamedTuple):
    """A table read from end to end, or an index."""

    table: str
    how: str


def of_sqlite(statement: str, plan: Sequence[tuple[int, str]]) -> list[Step]:
    """Name the growing tables that SQLite would read whole; a page of a list in the order of an index is no such."""
    names = {alias: table for table, alias in _OF.findall(statement)}
    in_order = "LIMIT" in statement and not any("TEMP B-TREE FOR" in line for _, line in plan)
    found = []
    for parent, line in plan:
        step = _SCAN.match(line)
        if step is None:
            continue
        name = step[1] or step[4]
        table = names.get(name, name)
        if table in GROWING and (step[4] or not (in_order and parent == 0)):
            found.append(Step(table, step[3] or ("an index made for this once" if step[4] else "all of it")))
    return found


def of_postgres(plan: dict[str, Any], *, in_page: bool = False) -> Iterator[Step]:
    """Name the growing tables that PostgreSQL would read whole, by themselves or through an index."""
    kind, table = plan["Node Type"], plan.get("Relation Name")
    waits = kind in ("Sort", "Hash", "Materialize") or (kind == "Aggregate" and plan["Strategy"] != "Sorted")
    in_page = (in_page or kind == "Limit") and not waits
    if table in GROWING:
        if kind == "Seq Scan" and not in_page:
            yield Step(table, "all of it")
        elif kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan and not in_page:
            yield Step(table, plan["Index Name"])
        elif kind == "Seq Scan":
            yield Step(table, "all of it until the page is full")
    for part in plan.get("Plans", ()):
        yield from of_postgres(part, in_page=in_page)


def plan_of(rows: Any, statement: str, values: Sequence[Any], engine: str) -> list[Step]:
    """Ask the database how it would answer."""
    if engine == "sqlite":
        # A plan that was asked for before is remembered, whatever became of the index.
        told = rows.execute(f"EXPLAIN QUERY PLAN {statement} -- {next(_NUMBER)}", values)
        return of_sqlite(statement, [(row[1], row[3]) for row in told])
    # Our connections take any index that serves somehow; a planner that is free shows where the right one is missing.
    rows.execute("SELECT set_config('enable_seqscan', 'on', true)")
    ((told,),) = rows.execute(f"EXPLAIN (FORMAT JSON) {statement}", values).fetchall()
    found = json.loads(told) if isinstance(told, str) else told
    return list(of_postgres(found[0]["Plan"]))
