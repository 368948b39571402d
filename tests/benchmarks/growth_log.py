"""A generator of large logs: open orders, each with a deadline that is armed, and some that are late already.

The product itself takes in the orders of one template. What it wrote is then written again and again in bulk, under
other order numbers: the product's own rows, without the hours that it would take to decide them one by one.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from domain.adoption import adopt
from domain.instant import instant
from domain.log import Log
from domain.tracker import Tracker
from projections.follower import Follower
from projections.views import SqliteViews
from tests.benchmarks import ours
from tests.benchmarks.workload import PROMISE, SEASON, SEED, START, Json, Story, Workload, tell
from tests.benchmarks.written import TABLES
from tests.stores.engine import VARIABLE

FIRST: Final = 10_000_000
"""The number of the first order; smaller ones are left to what comes to the log later."""
TEMPLATE: Final = 2_000
"""Orders that the product takes in itself."""
BEGIN: Final = START + timedelta(days=60)
END: Final = BEGIN + SEASON
"""When everything was heard; no deadline falls due in the half day after it."""
SHARE_LATE: Final = 0.05
BATCH: Final = 2_000
CACHE_KIB: Final = 1 << 20
EVENTS: Final = "stored_events"
SEEN: Final = "seen"
NUMBER: Final = re.compile(r"-2026-(\d{8})")

Row = tuple[Any, ...]


class Grown(NamedTuple):
    """A log that has grown large, and its views."""

    directory: Path
    events: int
    orders: int
    late: int
    seconds: float
    """What writing it took."""

    @property
    def log(self) -> Path:
        """Say where the log is."""
        return self.directory / "log.db"

    def order_ids(self, count: int, seed: int = SEED) -> list[str]:
        """Draw orders from all over the log."""
        random = Random(f"{seed}-orders")
        return [f"SO-2026-{FIRST + random.randrange(self.orders):08d}" for _ in range(count)]

    def follow(self) -> tuple[int, float]:
        """Bring the views up to the log; returns how many events that were, and the seconds."""
        began = perf_counter()
        with ours.open_log(self.directory) as log, closing(SqliteViews(self.directory / "views.db")) as views:
            taken = Follower(views, log.store).catch_up()
        return taken, perf_counter() - began


class OpenOrder(Story):
    """An order that lies packed and labelled, and that no carrier has taken; its keys all hold its number."""

    def _promised(self) -> datetime:
        if self._random.random() < SHARE_LATE:
            return self._placed_at + PROMISE
        return END + self._between(24, 480)

    def _travel(self, name: str, parcel_id: str, lines: list[Json]) -> datetime | None:
        packed_at = self._placed_at + self._between(2, 30)
        warehouse = f"/warehouses/{self._warehouse}"
        self._add(warehouse, "parcel.packed.v1", packed_at, parcel_id, self._packed(name, parcel_id, lines))
        labelled = self._labelled(name, parcel_id)
        labelled["tracking_number"] = f"{self._carrier.upper()}-2026-{parcel_id[-9:]}"
        self._add(warehouse, "parcel.labelled.v1", packed_at + self._between(0.05, 0.4), parcel_id, labelled)
        return None

    def _placed(self) -> Json:
        return super()._placed() | {"customer_id": f"C-2026-{self._order_id[-8:]}"}


def template(orders: int = TEMPLATE) -> Workload:
    """Tell of the orders that are written again and again."""
    numbers = range(FIRST, FIRST + orders)
    stories = [OpenOrder(Random(f"{SEED}-{one}"), one, BEGIN + SEASON * (one - FIRST) / orders) for one in numbers]
    return tell(stories, SEED, FIRST)


def grow(directory: Path, events: int, orders: int = TEMPLATE) -> Grown:
    """Write a log of at least so many events: whole templates, one after the other."""
    began = perf_counter()
    directory.mkdir(parents=True)
    with patch.dict(os.environ, {VARIABLE: ""}), ours.open_log(directory) as log:
        ours.drive(log, template(orders), BATCH)
        late = len(ours.late(log))
    with closing(sqlite3.connect(directory / "log.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        copies = 1 + _write_copies(connection, events, orders)
        # As the product left it; what was written is on the disk when this returns.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = WAL")
    with patch.dict(os.environ, {VARIABLE: ""}), ours.open_log(directory) as log:
        _tell_groups(log)
        held = log.store.last_position()
    return Grown(directory, held, copies * orders, copies * late, perf_counter() - began)


def _tell_groups(log: Log) -> None:
    """Have the product tell its groups of the findings that were copied, as it does after every look."""
    now = instant(END)
    tracker = Tracker(log, adopt(log, ours.POLICY, now))
    while tracker.group(now):
        pass


def _write_copies(connection: sqlite3.Connection, events: int, orders: int) -> int:
    """Write until there are so many events; returns how many copies of the template that took."""
    tables = [row[0] for row in connection.execute(TABLES)]
    parts = [_Rows.of(connection, table) for table in tables if table != SEEN]
    seen = connection.execute(f"SELECT * FROM {SEEN}").fetchall()
    held, each = 0, 0
    for one in parts:
        if one.table == EVENTS:
            held, each = connection.execute(f"SELECT COUNT(*) FROM {EVENTS}").fetchone()[0], len(one.rows)
    copies = max(0, -(-(events - held) // each))
    for copy in range(1, copies + 1):
        connection.execute("BEGIN")
        for one in parts:
            connection.executemany(one.insert, one.again(copy * orders))
        # The keys are hashes of what is different in every message.
        other = ((blake2b(row[0], digest_size=16, salt=copy.to_bytes(4, "big")).digest(), *row[1:]) for row in seen)
        connection.executemany(f"INSERT INTO {SEEN} VALUES (?, ?, ?)", other)
        connection.execute("COMMIT")
    return copies


class _Rows(NamedTuple):
    """The rows of one table that belong to an order, with the number of that order."""

    table: str
    insert: str
    rows: list[tuple[int, Row]]

    @classmethod
    def of(cls, connection: sqlite3.Connection, table: str) -> "_Rows":
        """Read them; a position in the log is given anew."""
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "rowid"]
        names, places = ", ".join(f'"{one}"' for one in columns), ", ".join("?" * len(columns))
        order = "ORDER BY rowid" if table == EVENTS else ""
        found = connection.execute(f"SELECT {names} FROM {table} {order}").fetchall()
        numbered = [(int(match[1]), row) for row in found if (match := _number(row))]
        return cls(table, f"INSERT INTO {table} ({names}) VALUES ({places})", numbered)

    def again(self, further: int) -> Iterator[Row]:
        """Give the rows for orders whose numbers are larger by so much."""
        for number, row in self.rows:
            old, new = f"-2026-{number:08d}", f"-2026-{number + further:08d}"
            yield tuple(_replaced(value, old, new) for value in row)


def _number(row: Row) -> "re.Match[str] | None":
    """Find the order that a row belongs to: by its keys, never by what else it speaks of."""
    keys = (value for value in row if isinstance(value, str))
    return next((match for key in keys if (match := NUMBER.search(key))), None)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    return value.replace(old.encode(), new.encode()) if isinstance(value, bytes) else value
