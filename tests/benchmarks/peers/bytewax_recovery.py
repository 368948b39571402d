"""A bytewax dataflow with recovery on SQLite: the stream processor that a Python team would reach for.

One source batch is one epoch, so its snapshots are on the disk (WAL, synchronous FULL) when the next
begins, as in the other subjects. It does less than they do: bytewax has no timers in event time, so
silence is judged when a carrier finally speaks or when the input ends, not when a deadline passes.
"""

import argparse
import gc
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.peers.shipments import POSSESSION
from tests.benchmarks.workload import Message, Workload, build

Keyed = tuple[str, Any]
State = TypeVar("State")


class Clock:
    """Where world time stands, as far as the input was read."""

    now = ""


@dataclass(slots=True)
class Order:
    """An order as its messages tell it."""

    lines: list[dict[str, Any]] | None = None
    placed_at: str = ""
    approved_at: str = ""


@dataclass(slots=True)
class Parcel:
    """A parcel as its messages tell it."""

    fulfillment_id: str = ""
    contents: list[dict[str, Any]] | None = None
    tracking_number: str = ""
    status: str = ""
    possession_at: str = ""


@dataclass(slots=True)
class Shipment:
    """What was promised, and when it left."""

    ship_by: str = ""
    handed_over_at: str = ""


class Kept(StatefulBatchLogic[Any, Keyed, State], Generic[State]):
    """Holds one key's state and gives copies of it to the recovery store."""

    def __init__(self, state: State) -> None:
        """Begin new, or with what was recovered."""
        self.state = state

    def snapshot(self) -> State:
        """Copy the state for the recovery store."""
        return copy(self.state)


class Entity(Kept[Order | Parcel | None]):
    """Follows one order or parcel; what it means for a shipment goes downstream."""

    def on_batch(self, values: list[Any]) -> tuple[Iterable[Keyed], bool]:
        """Apply the messages about this entity."""
        if self.state is None:
            self.state = Parcel() if values[0]["type"].startswith("parcel.") else Order()
        said: list[Keyed] = []
        for body in values:
            if isinstance(self.state, Order):
                self._order(self.state, body, said)
            else:
                self._parcel(self.state, body, said)
        delivered = isinstance(self.state, Parcel) and self.state.status == "delivered"
        return said, delivered

    @staticmethod
    def _order(order: Order, body: dict[str, Any], said: list[Keyed]) -> None:
        data = body["data"]
        match body["type"]:
            case "order.placed.v1":
                order.lines, order.placed_at = data["lines"], body["time"]
            case "order.approved.v1":
                order.approved_at = body["time"]
            case "fulfillment.requested.v1":
                said.append((data["fulfillment_id"], ("promised", data["ship_by"])))

    @staticmethod
    def _parcel(parcel: Parcel, body: dict[str, Any], said: list[Keyed]) -> None:
        data = body["data"]
        match body["type"]:
            case "parcel.packed.v1":
                parcel.fulfillment_id, parcel.contents = data["fulfillment_ids"][0], data["contents"]
            case "parcel.labelled.v1":
                parcel.fulfillment_id, parcel.tracking_number = data["fulfillment_ids"][0], data["tracking_number"]
            case "parcel.scanned.v1":
                parcel.status = data["status"]
                if parcel.status in POSSESSION and not parcel.possession_at:
                    parcel.possession_at = body["time"]
                    said.append((parcel.fulfillment_id, ("handed_over", body["time"])))


class Promised(Kept[Shipment]):
    """Follows one fulfilment and emits its id when it is late."""

    def on_batch(self, values: list[Any]) -> tuple[Iterable[Keyed], bool]:
        """Compare what was promised with what happened."""
        for what, at in values:
            if what == "promised":
                self.state.ship_by = at
            else:
                self.state.handed_over_at = at
        if not (self.state.ship_by and self.state.handed_over_at):
            return [], StatefulBatchLogic.RETAIN
        late = [("late", at)] if self.state.handed_over_at > self.state.ship_by else []
        return late, StatefulBatchLogic.DISCARD

    def on_eof(self) -> tuple[Iterable[Keyed], bool]:
        """Judge what has not left by the end of the input."""
        overdue = self.state.ship_by and self.state.ship_by < Clock.now
        return ([("late", Clock.now)] if overdue else []), StatefulBatchLogic.RETAIN


class Partition(StatefulSourcePartition[Message, int]):
    """Gives the messages a batch at a time, from where the last run stopped."""

    def __init__(self, messages: tuple[Message, ...], batch: int, resume: int | None) -> None:
        """Continue behind the last message whose effects are stored."""
        self._messages, self._batch, self._next = messages, batch, resume or 0

    def next_batch(self) -> Iterable[Message]:
        """Return what one poll would."""
        if self._next >= len(self._messages):
            raise StopIteration
        self._next += self._batch
        return self._messages[self._next - self._batch : self._next]

    def snapshot(self) -> int:
        """Return the position that goes into the recovery store."""
        return self._next


class Source(FixedPartitionedSource[Message, int]):
    """The messages in memory, as one partition."""

    def __init__(self, messages: tuple[Message, ...], batch: int) -> None:
        """Serve these messages."""
        self._messages, self._batch = messages, batch

    def list_parts(self) -> list[str]:
        """Name the only partition."""
        return ["memory"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Partition:
        """Open the partition."""
        _ = step_id, for_part
        return Partition(self._messages, self._batch, resume_state)


class Writer(StatelessSinkPartition[Keyed]):
    """Upserts late fulfilments, so that a repeat after recovery changes nothing."""

    def __init__(self, path: Path) -> None:
        """Open the table."""
        self._connection = open_table(path)

    def write_batch(self, items: list[Keyed]) -> None:
        """Write a batch in one durable transaction."""
        rows = [(fulfillment_id, at) for fulfillment_id, (_, at) in items]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR IGNORE INTO late VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the table."""
        self._connection.close()


class LateTable(DynamicSink[Keyed]):
    """The table of late fulfilments."""

    def __init__(self, path: Path) -> None:
        """Write into this file."""
        self._path = path

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Writer:
        """Open the table for the only worker."""
        _ = step_id, worker_index, worker_count
        return Writer(self._path)


def open_table(path: Path) -> sqlite3.Connection:
    """Open the table in WAL mode; every commit reaches the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS late (fulfillment_id TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID")
    return connection


def decode(messages: list[Message]) -> list[Keyed]:
    """Read a batch and give each message the key of its order or parcel."""
    keyed: list[Keyed] = []
    for message in messages:
        body = orjson.loads(message.value)
        data = body["data"]
        keyed.append((data.get("parcel_id") or data["order_id"], body))
        Clock.now = max(Clock.now, body["time"])
    return keyed


def dataflow(workload: Workload, batch: int, path: Path) -> Dataflow:
    """Messages → orders and parcels → shipments → late ones."""
    flow = Dataflow("late_shipments")
    messages = op.input("messages", flow, Source(workload.messages, batch))
    keyed = op.flat_map_batch("decode", messages, decode)
    said = op.stateful_batch("entities", keyed, Entity)
    # Entities emit (entity key, (fulfilment, what was said)); the shipment is keyed by fulfilment.
    about = op.map("about", said, lambda one: one[1])
    late = op.stateful_batch("shipments", about, lambda state: Promised(state or Shipment()))
    op.output("late", late, LateTable(path))
    return flow


def run(workload: Workload, directory: Path, batch: int) -> Outcome:
    """Run the dataflow in a process of its own, which makes the same workload again."""
    command = [
        sys.executable,
        "-m",
        __name__,
        str(len(workload.messages)),
        str(workload.seed),
        str(batch),
        str(directory),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = json.loads(printed)
    return Outcome(frozenset(told["late"]), told["seconds"], told["rows"])


def main() -> None:
    """Run once and print what was found."""
    parser = argparse.ArgumentParser()
    for name in ("messages", "seed", "batch"):
        parser.add_argument(name, type=int)
    parser.add_argument("directory", type=Path)
    chosen = parser.parse_args()
    recovery, path = chosen.directory / "recovery", chosen.directory / "late.db"
    recovery.mkdir()
    init_db_dir(recovery, 1)  # type: ignore[no-untyped-call]
    flow = dataflow(build(chosen.messages, chosen.seed), chosen.batch, path)
    # As every other subject's.
    gc.collect()
    gc.freeze()
    began = perf_counter()
    config = RecoveryConfig(str(recovery))  # type: ignore[no-untyped-call]
    cli_main(flow, epoch_interval=timedelta(0), recovery_config=config)  # type: ignore[no-untyped-call]
    seconds = perf_counter() - began
    with closing(open_table(path)) as late:
        found = [row[0] for row in late.execute("SELECT fulfillment_id FROM late")]
    rows = len(found) + sum(_count(one) for one in recovery.glob("*.sqlite3"))
    sys.stdout.write(json.dumps({"late": found, "seconds": seconds, "rows": rows}))


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as store:
        return int(store.execute("SELECT count(*) FROM snaps").fetchone()[0])


if __name__ == "__main__":
    main()
