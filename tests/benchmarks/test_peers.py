"""A ratio only means something between subjects that do the same job, so each must find the same late set."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from tests.benchmarks.in_memory import record
from tests.benchmarks.peers import (
    crud,
    crud_pipelined,
    crud_unnest,
    library_batches,
    newcomer,
    raw_rows,
    raw_rows_postgres,
)
from tests.benchmarks.workload import LOGISTICS, ORDERS, PARTITIONS, Workload, build
from tests.benchmarks.written import Copyist, Written
from tests.stores import engine
from tests.stores.cluster import Cluster

MESSAGES = 300
SEED = 49
BATCH = 40
ALL = ("orders", "shipments", "parcels", "positions")


@pytest.fixture(scope="module")
def workload() -> Workload:
    """Give a workload small enough for every subject."""
    return build(MESSAGES, SEED)


@pytest.fixture(scope="module")
def late(workload: Workload) -> set[str]:
    """Find what is late without any of the code under test: read everything, then look."""
    bodies = [json.loads(one.value) for one in workload.messages]
    until = max(datetime.fromisoformat(one["time"]) for one in bodies)
    promised: dict[str, datetime] = {}
    carried_by: dict[str, str] = {}
    left: dict[str | None, datetime] = {}
    for body in bodies:
        data, at = body["data"], datetime.fromisoformat(body["time"])
        if body["type"] == "fulfillment.requested.v1":
            promised[data["fulfillment_id"]] = datetime.fromisoformat(data["ship_by"])
        if body["type"] == "parcel.labelled.v1":
            carried_by[data["fulfillment_ids"][0]] = data["parcel_id"]
        if body["type"] == "parcel.scanned.v1":
            left[data["parcel_id"]] = min(at, left.get(data["parcel_id"], at))
    return {
        name
        for name, ship_by in promised.items()
        if ship_by < until and left.get(carried_by.get(name), until) > ship_by
    }


def test_the_workload_holds_both_ways_of_being_late(workload: Workload, late: set[str]) -> None:
    scanned = " ".join(one.value.decode() for one in workload.messages if b"parcel.scanned" in one.value)
    never_left = {name for name in late if name.split("-")[2] not in scanned}
    assert workload.late == late
    assert never_left
    assert late - never_left


def test_the_workload_is_the_same_bytes_every_time(workload: Workload) -> None:
    assert build(MESSAGES, SEED) == workload
    assert build(MESSAGES, SEED + 1).messages != workload.messages


def test_the_workload_looks_like_what_a_broker_gives(workload: Workload) -> None:
    offsets: Counter[tuple[str, int]] = Counter()
    for one in workload.messages:
        assert one.offset == offsets[one.topic, one.partition]
        offsets[one.topic, one.partition] += 1
    assert set(offsets) == {(topic, number) for topic in (ORDERS, LOGISTICS) for number in range(PARTITIONS)}
    times = [json.loads(one.value)["time"] for one in workload.messages]
    assert times == sorted(times)


def test_the_newcomers_version_finds_what_is_late(workload: Workload, late: set[str], tmp_path: Path) -> None:
    outcome = newcomer.run(workload, tmp_path, BATCH)
    assert outcome.late == late


def test_the_newcomers_version_saves_once_an_event(workload: Workload, tmp_path: Path) -> None:
    newcomer.run(workload, tmp_path, BATCH)
    stored = sqlite3.connect(tmp_path / "shop.db").execute("SELECT count(*) FROM stored_events").fetchone()
    assert stored == (MESSAGES,)


def test_the_batched_library_finds_what_is_late(workload: Workload, late: set[str], tmp_path: Path) -> None:
    outcome = library_batches.run(workload, tmp_path, BATCH)
    assert outcome.late == late


def test_the_batched_library_can_load_what_it_stored(workload: Workload, tmp_path: Path) -> None:
    library_batches.run(workload, tmp_path, BATCH)
    body = json.loads(workload.messages[0].value)
    shop = library_batches.open_shop(tmp_path)
    order: newcomer.Order = shop.repository.get(newcomer.Order.create_id(body["data"]["order_id"]))
    assert order.placed_at == datetime.fromisoformat(body["time"])
    shop.close()


def test_crud_finds_what_is_late(workload: Workload, late: set[str], tmp_path: Path) -> None:
    assert crud.run(workload, tmp_path, BATCH).late == late


@pytest.mark.parametrize("first", [ORDERS, LOGISTICS])
@pytest.mark.parametrize("peer", [newcomer, library_batches, crud])
def test_what_is_late_does_not_depend_on_which_topic_is_read_first(
    peer: ModuleType, first: str, workload: Workload, late: set[str], tmp_path: Path
) -> None:
    """Kafka keeps no order between topics, so a flag must be taken back, and may come with the promise."""
    by_topic = sorted(workload.messages, key=lambda one: one.topic != first)
    shuffled = replace(workload, messages=tuple(by_topic))
    assert peer.run(shuffled, tmp_path, BATCH).late == late


def test_bytewax_finds_what_is_late(workload: Workload, late: set[str], tmp_path: Path) -> None:
    if find_spec("bytewax") is None:
        pytest.skip("bytewax is not installed: pip install --require-hashes -r requirements-bench.lock")
    from tests.benchmarks.peers import bytewax_recovery  # noqa: PLC0415  # needs bytewax

    assert bytewax_recovery.run(workload, tmp_path, BATCH).late == late


def test_bytewax_stores_a_snapshot_of_every_batch(workload: Workload, tmp_path: Path) -> None:
    if find_spec("bytewax") is None:
        pytest.skip("bytewax is not installed: pip install --require-hashes -r requirements-bench.lock")
    from tests.benchmarks.peers import bytewax_recovery  # noqa: PLC0415  # needs bytewax

    bytewax_recovery.run(workload, tmp_path, BATCH)
    (store,) = (tmp_path / "recovery").glob("*.sqlite3")
    epochs = sqlite3.connect(store).execute("SELECT commit_epoch FROM commits").fetchone()[0]
    assert epochs >= MESSAGES // BATCH


def test_the_ceiling_writes_the_rows_that_were_copied(tmp_path: Path) -> None:
    log = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    log.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, body BLOB)")
    log.execute("CREATE TABLE positions (place TEXT PRIMARY KEY, next INTEGER) WITHOUT ROWID")
    log.execute("INSERT INTO events VALUES (1, x'00')")
    copyist = Copyist(tmp_path / "log.db")
    for batch in (2, 3):
        log.execute("INSERT INTO events VALUES (?, ?)", (batch, b"body"))
        log.execute("INSERT OR REPLACE INTO positions VALUES ('orders', ?)", (batch,))
        copyist.look()
    copyist.written.save(tmp_path / "rows")
    written = Written.load(tmp_path / "rows")
    assert written.count() == {"events": 2, "positions": 2}
    assert written.count_bytes() == 2 * (8 + 4) + 2 * (6 + 8)
    assert raw_rows.replay(written, tmp_path / "raw.db") > 0
    raw = sqlite3.connect(tmp_path / "raw.db")
    assert raw.execute("SELECT * FROM events").fetchall() == [(2, b"body"), (3, b"body")]
    assert raw.execute("SELECT * FROM positions").fetchall() == [("orders", 3)]


@pytest.fixture
def _database(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let PostgreSQL's peers use a database of their own."""
    with cluster.database() as url:
        monkeypatch.setenv(engine.VARIABLE, url)
        yield


@pytest.mark.parametrize("peer", [crud_pipelined, crud_unnest])
def test_crud_on_postgresql_finds_what_is_late_whichever_topic_is_read_first(
    peer: ModuleType, workload: Workload, late: set[str], tmp_path: Path, cluster: Cluster, monkeypatch
) -> None:
    for first in (None, ORDERS, LOGISTICS):
        by_topic = sorted(workload.messages, key=lambda one: first is not None and one.topic != first)
        with cluster.database() as url:
            monkeypatch.setenv(engine.VARIABLE, url)
            assert peer.run(replace(workload, messages=tuple(by_topic)), tmp_path, BATCH).late == late


def test_crud_by_unnest_leaves_the_rows_that_single_statements_leave(
    workload: Workload, tmp_path: Path, cluster: Cluster, monkeypatch
) -> None:
    left = []
    for peer in (crud_pipelined, crud_unnest):
        with cluster.database() as url, psycopg.connect(url, autocommit=True) as connection:
            monkeypatch.setenv(engine.VARIABLE, url)
            peer.run(workload, tmp_path, BATCH)
            left.append([connection.execute(f"SELECT * FROM {one} ORDER BY 1, 2".encode()).fetchall() for one in ALL])
    assert left[0] == left[1]
    assert all(left[0])


@pytest.mark.usefixtures("_database")
def test_the_ceiling_on_postgresql_writes_the_rows_that_the_product_wrote(tmp_path: Path) -> None:
    written = record(MESSAGES, BATCH, tmp_path)
    assert raw_rows_postgres.run(build(MESSAGES), tmp_path / "run", BATCH).rows == sum(written.count().values())
    with engine.beside(tmp_path / "run" / "raw.db") as store:
        counted = {table: store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in written.count()}
    assert counted["stored_events"] == written.count()["stored_events"]
    assert counted["seen_ids"] == MESSAGES
    assert all(0 < counted[table] <= number for table, number in written.count().items())
