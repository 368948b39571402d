"""Tables and upserts on PostgreSQL, no history: one statement a table over arrays, a batch a transaction."""

from pathlib import Path
from typing import Any

from tests.benchmarks.peers import crud
from tests.benchmarks.peers.crud_pipelined import OVERDUE, Connection, take_all
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.workload import Workload

Row = tuple[Any, ...]


def _insert(statement: str, arrays: int) -> str:
    """Take the values of an upsert from arrays."""
    head, _, tail = statement.partition("VALUES")
    after = tail[tail.index(")") + 1 :]
    return f"{head}SELECT * FROM unnest({', '.join(['%s::text[]'] * arrays)}) {after}"


# A key may stand in one statement once, so what a batch says of it is reduced to what would stand in the end.
UPSERTS = {
    crud.PLACED: _insert(crud.PLACED, 6),
    crud.APPROVED: _insert(crud.APPROVED, 2),
    crud.REQUESTED: _insert(crud.REQUESTED, 4),
    crud.PACKED: _insert(crud.PACKED, 3),
    crud.LABELLED: _insert(crud.LABELLED, 4),
    crud.SCANNED: _insert(crud.SCANNED, 4),
}
OTHERS = {
    crud.BROKEN: """INSERT INTO late SELECT fulfillment_id FROM shipments
        WHERE fulfillment_id = ANY(%s) AND handed_over_at > ship_by ON CONFLICT DO NOTHING""",
    crud.HANDED_OVER: """INSERT INTO shipments (fulfillment_id, handed_over_at)
        SELECT fulfillment_id, MIN(at) FROM unnest(%s::text[], %s::text[]) AS scan(at, parcel_id)
        JOIN parcels USING (parcel_id) WHERE fulfillment_id IS NOT NULL GROUP BY fulfillment_id
        ON CONFLICT (fulfillment_id) DO UPDATE SET handed_over_at = excluded.handed_over_at
        WHERE shipments.handed_over_at IS NULL OR shipments.handed_over_at > excluded.handed_over_at""",
    crud.IN_TIME: """DELETE FROM late WHERE fulfillment_id IN (SELECT fulfillment_id FROM shipments
        JOIN parcels USING (fulfillment_id) WHERE parcel_id = ANY(%s) AND handed_over_at <= ship_by)""",
    crud.TOO_LATE: """INSERT INTO late SELECT fulfillment_id FROM shipments JOIN parcels USING (fulfillment_id)
        WHERE parcel_id = ANY(%s) AND handed_over_at > ship_by ON CONFLICT DO NOTHING""",
}
POSITIONS = """INSERT INTO positions SELECT * FROM unnest(%s::text[], %s::int[], %s::int[])
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset"""


def write(connection: Connection, rows: crud.Rows, positions: list[Row], now: str) -> None:
    """Write a batch in one durable transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for statement, values in rows.items():
            if not values:
                continue
            if statement in UPSERTS:
                last = latest(values) if statement == crud.SCANNED else {row[0]: row for row in values}.values()
                cursor.execute(UPSERTS[statement], arrays([*last]))
            else:
                cursor.execute(OTHERS[statement], arrays(values))
        cursor.execute(OVERDUE, (now,))
        cursor.execute(POSITIONS, arrays(positions))


def latest(scans: list[Row]) -> list[Row]:
    """Keep of every parcel the scan that was made last; of two at once the one that came last."""
    found: dict[str, Row] = {}
    for scan in scans:
        known = found.get(scan[0])
        if known is None or known[3] <= scan[3]:
            found[scan[0]] = scan
    return [*found.values()]


def arrays(rows: list[Row]) -> list[list[Any]]:
    """Turn rows into one array a column."""
    return [*map(list, zip(*rows, strict=True))]


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Take every batch in."""
    _ = directory
    return take_all(workload, batch, write)
