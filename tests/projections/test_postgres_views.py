"""Views on PostgreSQL: what is wrong is told of the stream it belongs to, and nobody reads a table that was moved."""

import threading
import time
from datetime import UTC, datetime

import pytest

from projections import checkpoints, postgres_views, rebuild
from projections.follower import Follower
from projections.postgres_views import PostgresViews
from projections.views import QueryTooSlow, RowsRefused, ViewsAway
from tests.projections.told import tell_season
from tests.stores import engine
from tests.story import placed, requested

pytestmark = pytest.mark.only_on("postgres")


def late(told, name):
    told.hear(placed(0, of=f"O{name}", key=f"p{name}"), requested(0, f"F{name}", of=f"O{name}", ship_by=20), until=30)


class Picky:
    """A view that the database refuses a row of."""

    name = "picky"
    version = 1
    tables = ("picky",)
    schema = ("CREATE TABLE IF NOT EXISTS picky (stream TEXT PRIMARY KEY, number INTEGER NOT NULL)",)
    topics = frozenset({"order.placed.v1"})

    def apply(self, streams, rows, subjects):  # noqa: ARG002  # as views are asked
        for stream, entries in streams.items():
            rows.execute("INSERT INTO picky VALUES (?, ?)", (stream, None if stream == "order-O2" else len(entries)))


def test_a_row_that_is_refused_parks_its_own_stream_although_nobody_waited_for_it(told):
    for name in "123":
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}"))
    follower = Follower(told.store, told.log.store, [Picky()])
    follower.catch_up()
    assert sorted(told.query("SELECT stream FROM picky")) == [("order-O1",), ("order-O3",)]
    assert [row[:2] for row in told.query("SELECT view, stream FROM parked")] == [("picky", "order-O2")]


class Verbose(Picky):
    """A view that writes what no index can hold."""

    def apply(self, streams, rows, subjects):  # noqa: ARG002  # as views are asked
        told = {name: "".join(map(chr, range(0x4E00, 0x9000))) if name == "order-O2" else name for name in streams}
        rows.executemany("INSERT INTO picky VALUES (?, ?)", [(name, 1) for name in told.values()])


def test_a_name_that_no_index_can_hold_parks_its_own_stream_and_is_not_waited_for(told):
    for name in "123":
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}"))
    Follower(told.store, told.log.store, [Verbose()]).catch_up()
    assert sorted(told.query("SELECT stream FROM picky")) == [("order-O1",), ("order-O3",)]
    [(stream, error)] = told.query("SELECT stream, error FROM parked")
    assert stream == "order-O2"
    assert "index row" in error


def test_a_refused_row_undoes_its_transaction(told):
    def write():
        with told.store.writing() as rows:
            rows.execute("UPDATE checkpoints SET revision = 9")
            rows.execute("INSERT INTO checkpoints SELECT * FROM checkpoints")

    with pytest.raises(RowsRefused, match="duplicate key"):
        write()
    with told.store.reading() as rows:
        assert {one.revision for one in checkpoints.read(rows).values()} == {0}


@pytest.mark.parametrize("together", [2, 3])
def test_rows_that_go_over_together_are_those_that_go_over_one_by_one(told, monkeypatch, together):
    monkeypatch.setattr(postgres_views, "_TOGETHER", 10_000)
    told.desk.tracker = tell_season(told.log, datetime(2026, 3, 1, tzinfo=UTC), days=1)
    told.follow()
    monkeypatch.setattr(postgres_views, "_TOGETHER", together)
    found = rebuild.verify(told.store, told.log.store)
    assert found.rows > 100
    assert found.differences == []


def test_any_number_of_rows_is_changed_by_one_statement(told):
    with told.store.writing() as rows:
        rows.execute("CREATE TABLE things (name TEXT PRIMARY KEY, number INTEGER, note TEXT)")
        rows.execute("CREATE TABLE statements (kind TEXT)")
        rows.execute(
            "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN INSERT INTO statements VALUES (TG_OP); RETURN NULL; END$$"
        )
        rows.execute(
            "CREATE TRIGGER noting AFTER INSERT OR UPDATE OR DELETE ON things "
            "FOR EACH STATEMENT EXECUTE FUNCTION noted()"
        )
        rows.executemany("INSERT INTO things VALUES (?,?,?)", [(f"n{n}", None if n else 0, None) for n in range(45)])
        odd = [(n, f"n{n}", None) for n in range(1, 45, 2)]
        rows.executemany("UPDATE things SET number = ? WHERE name = ? AND number IS NOT DISTINCT FROM ?", odd)
        rows.executemany("DELETE FROM things WHERE name = ? AND number > 2", [(f"n{n}",) for n in range(45)])
        rows.executemany("DELETE FROM things WHERE name = ?", [])
    assert told.query("SELECT kind FROM statements") == [("INSERT",), ("UPDATE",), ("DELETE",)]
    even = [(f"n{n}", None if n else 0, None) for n in range(0, 45, 2)]
    assert sorted(told.query("SELECT * FROM things")) == sorted([*even, ("n1", 1, None)])


def test_what_is_asked_for_by_keys_is_looked_up_although_a_table_has_no_statistics(told):
    keys = [f"o{n}" for n in range(64)]
    with told.store.writing() as rows:
        rows.execute("ALTER TABLE rated SET (autovacuum_enabled = off)")
        rows.execute(
            "INSERT INTO rated SELECT 'parcel', 'p', 'o' || n, n, '', '', 0 FROM generate_series(1, 3000) AS n"
        )
        asked = f"EXPLAIN SELECT * FROM rated WHERE order_id IN ({','.join('?' * len(keys))})"
        plan = "\n".join(row[0] for row in rows.execute(asked, keys))
    assert "rated_pkey" in plan


def test_a_reader_keeps_its_snapshot_and_a_switch_waits_for_it(told):
    for name in "123":
        late(told, name)
    reading, done = threading.Event(), threading.Event()
    counted = []

    def read():
        with told.store.reading() as rows:
            counted.append(rows.execute("SELECT COUNT(*) FROM feed").fetchone()[0])
            reading.set()
            done.wait(1)
            counted.append(rows.execute("SELECT COUNT(*) FROM incidents").fetchone()[0])

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(5)
    rebuild.rebuild(told.store, told.log.store)
    done.set()
    reader.join()
    assert counted == [3, 3]


def test_a_reading_takes_no_longer_than_it_may(told):
    begun = time.monotonic()
    with pytest.raises(QueryTooSlow), told.store.reading(0.2) as rows:
        rows.execute("SELECT pg_sleep(10)")
    assert time.monotonic() - begun < 2
    with told.store.reading(0.2) as rows:
        assert rows.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_written_while_reading(told):
    with pytest.raises(Exception, match="read-only"), told.store.reading() as rows:
        rows.execute("DELETE FROM feed")


def test_a_server_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ViewsAway):
        PostgresViews(f"postgresql://u@/d?host={tmp_path}", "views")


def test_the_follower_goes_on_after_a_restart_of_the_server(told, cluster):
    late(told, "1")
    stop = threading.Event()
    thread = threading.Thread(target=told.follower.run, args=(stop,))
    thread.start()
    cluster.restart("immediate")
    told.log.recorder.datastore.pool.check()
    late_in = time.monotonic() + 15
    told.desk.take(placed(0, of="O2", key="p2"), requested(0, "F2", of="O2", ship_by=20))
    while time.monotonic() < late_in:
        try:
            if len(told.query("SELECT * FROM orders")) == 2:
                break
        except ViewsAway:
            time.sleep(0.1)  # between two tries
    stop.set()
    thread.join()
    assert len(told.query("SELECT * FROM orders")) == 2


def test_what_is_beside_is_removed_with_its_schema(told):
    late(told, "1")
    rebuild.rebuild(told.store, told.log.store, ["feed"])
    with engine.beside(told.folder / "log.db") as other:
        found = other.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%rebuild%'").fetchall()
    assert found == []


def test_long_names_of_rebuilds_stay_apart(told):
    with told.store.beside("rebuild-" + "x" * 80) as one, told.store.beside("rebuild-" + "x" * 79 + "y") as other:
        assert one.schema != other.schema
        assert len(one.schema) <= 63


# Plans: no list is sorted or searched.

LISTS = {
    "SELECT * FROM incidents ORDER BY due_at DESC, id DESC LIMIT 50": "incidents_due",
    "SELECT * FROM incidents WHERE state = 'open' ORDER BY due_at DESC, id DESC LIMIT 50": "incidents_state",
    "SELECT * FROM incidents WHERE warehouse = 'W7' ORDER BY due_at DESC, id DESC LIMIT 50": "incidents_warehouse",
    "SELECT * FROM fulfillments WHERE warn_at IS NOT NULL AND deadline <= 900 AND warn_at <= 900 "
    "AND (deadline, order_id, fulfillment_id) > (0, '', '') "
    "ORDER BY deadline, order_id, fulfillment_id LIMIT 50": "fulfillments_due",
    "SELECT * FROM feed WHERE position > 9 ORDER BY position LIMIT 50": "feed_pkey",
    "SELECT id FROM incident_orders WHERE order_id = 'o9'": "incident_orders_pkey",
}


@pytest.mark.parametrize(("statement", "index"), LISTS.items())
def test_no_list_is_sorted_or_searched(told, statement, index):
    with told.store.writing() as rows:
        rows.execute(
            "INSERT INTO incidents SELECT 'i' || n, 'k', 's', CASE WHEN n % 200 = 0 THEN 'open' ELSE 'ended' END, "
            "'low', 'W' || (n % 20), NULL, n, NULL, n, 'order-' || n, 1, '{}', 'r', 'c', NULL, NULL, n "
            "FROM generate_series(1, 5000) AS n"
        )
        rows.execute("INSERT INTO fulfillments SELECT 'o' || n, 'f', 'W', n, n FROM generate_series(1, 5000) AS n")
        rows.execute("INSERT INTO incident_orders SELECT 'o' || n, 'i' || n, 0 FROM generate_series(1, 5000) AS n")
        rows.execute(
            "INSERT INTO feed SELECT n, 'opened', 'i', 'k', 'open', 'low', 'W', NULL, n, n, '[]', '{}', n, 's' "
            "FROM generate_series(1, 5000) AS n"
        )
        rows.execute("ANALYZE incidents, fulfillments, incident_orders, feed")
    plan = "\n".join(row[0] for row in told.query(f"EXPLAIN {statement}"))
    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
