"""Fills tables with the past of a shop that has been running for long, as a planner sees it.

What grows is what is over: every copy of a row is some weeks older, has names of its own, and of those that are open
one in twenty stays so. Some thousand rows are there, and the planner is told that they are a million: it then chooses
as it would, and nobody waits for a million rows.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

ROWS = 2_000
_AS_IF = 500
OVER = {"state": "'ended'", "standing": "'gone'", "open": "0", "status": "'resolved'", "warn_at": "NULL"}
"""What stands in a column once a thing is over."""
_WEEK = 604_800_000_000
_A_TIME = 10**12
_A_NAME = 20
"""A column of texts with more different ones than this holds names; with fewer, kinds and places, which stay few."""

_NAMES = ("id", "customer", "incident", "stream", "task")


class Column(NamedTuple):
    """A column, and what is in it so far."""

    name: str
    kind: str
    is_key: bool
    is_needed: bool


def fill(rows: Any, tables: Iterable[str]) -> None:
    """Copy every row of each table until there are many."""
    for table in tables:
        ((count,),) = rows.execute(f"SELECT COUNT(*) FROM {table}").fetchall()
        columns = _columns(rows, table)
        values = [_copied(one, rows, table) if count else _made(one) for one in columns]
        source = f"{table} CROSS JOIN " if count else ""
        names = ", ".join(f'"{one.name}"' for one in columns)
        rows.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "
            f"FROM {source}generate_series(1, {ROWS // max(1, count)}) AS copied"
        )
        rows.execute(f"ANALYZE {table}")
        # The planner multiplies the pages it finds by the rows that it believes to be on each.
        rows.execute(
            "UPDATE pg_class SET reltuples = reltuples * ? WHERE oid = ?::regclass OR oid IN "
            "(SELECT indexrelid FROM pg_index WHERE indrelid = ?::regclass)",
            (_AS_IF, table, table),
        )


def _columns(rows: Any, table: str) -> list[Column]:
    found = rows.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod), EXISTS (SELECT 1 FROM pg_index "
        "WHERE indrelid = attrelid AND indisunique AND attnum = ANY(indkey)), attnotnull FROM pg_attribute "
        "WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    return [Column(*row) for row in found.fetchall()]


def _made(one: Column) -> str:
    """Make a value where there is no row to copy."""
    made = {"text": "'x' || copied", "bytea": "('\\x' || lpad(to_hex(copied), 8, '0'))::bytea"}
    value = made.get(one.kind, "copied")
    return value if one.is_needed else f"CASE WHEN copied % 20 = 0 THEN {value} END"


def _copied(one: Column, rows: Any, table: str) -> str:
    column = f'"{one.name}"'
    if one.name in OVER:
        return f"CASE WHEN copied % 20 = 0 THEN {column} ELSE {OVER[one.name]} END"
    if one.kind == "text":
        ((distinct,),) = rows.execute(f"SELECT COUNT(DISTINCT {column}) FROM {table}").fetchall()
        is_name = one.is_key or distinct > _A_NAME or one.name.endswith(_NAMES)
        return f"{column} || '~' || copied" if is_name else column
    if one.kind == "bytea":
        return f"{column} || int4send(copied::int)" if one.is_key else column
    ((least, most),) = rows.execute(f"SELECT MIN({column}), MAX({column}) FROM {table}").fetchall()
    if one.is_key or one.name.endswith("position"):
        return f"{column} - copied * {1 if most is None else most - least + 1}"
    return f"{column} - copied * {_WEEK}" if most is not None and most > _A_TIME else column
