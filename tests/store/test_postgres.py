"""PostgreSQL: what it must be set to, and where texts are kept as they are sorted (F4, F9)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from deploy.store import schema
from deploy.store.postgres_recorder import PostgresLogRecorder
from domain.errors import StoreUnsuitable
from domain.history.log import Log, LogRecorder
from tests.store.rows import all_of, event, everything
from tests.stores import engine
from tests.stores.cluster import Cluster
from tests.story import Desk, at, file_log, placed, requested

pytestmark = pytest.mark.only_on("postgres")


@contextmanager
def server_setting(cluster: Cluster, name: str, value: str) -> Iterator[None]:
    """Let the server run with a setting for a while."""

    def alter(text: sql.Composable) -> None:
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(text)
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute("SELECT pg_sleep(0.05)").rowcount != 1:
                pass

    alter(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value))
    try:
        yield
    finally:
        alter(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))


# Durability


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_isolation", "serializable"),
    ],
)
def test_settings_that_lose_or_double_facts_are_refused(cluster: Cluster, path: Path, name: str, value: str) -> None:
    with (
        server_setting(cluster, name, value),
        pytest.raises(StoreUnsuitable, match=f"{name} is {value}"),
        file_log(path),
    ):
        pass
    with file_log(path) as log:
        assert log.store.last_position() == 0


def test_what_the_role_or_the_url_sets_is_seen_as_well(path: Path) -> None:
    settings = engine.settings(path)
    settings["DATABASE_URL"] += "&options=-csynchronous_commit%3Doff"
    with pytest.raises(StoreUnsuitable, match="synchronous_commit is off"):
        Log(settings)


@pytest.mark.parametrize(
    ("variable", "value"), [("POSTGRES_ENABLE_DB_FUNCTIONS", "y"), ("SINGLE_ROW_TRACKING", "n"), ("DATABASE_URL", "")]
)
def test_the_library_s_settings_that_break_us_are_refused(path: Path, variable: str, value: str) -> None:
    with pytest.raises(StoreUnsuitable, match=variable):
        Log({**engine.settings(path), variable: value})


@pytest.mark.parametrize("url", ["postgresql://u:secret@h:notaport/d?nonsense=1", "secret=secret"])
def test_a_url_that_cannot_be_read_is_not_repeated(path: Path, url: str) -> None:
    with pytest.raises(StoreUnsuitable, match="DATABASE_URL") as refused:
        Log({**engine.settings(path), "DATABASE_URL": url})
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_told_within_its_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.pool.CONNECT_TIMEOUT", 0.5)
    with pytest.raises(StoreUnsuitable, match=r"cannot be used: .*connection to server"):
        Log({**engine.settings(path), "DATABASE_URL": f"postgresql://u@/d?host={path.parent}"})


# Ids and texts


def test_the_ids_of_failed_appends_are_gaps_and_order_is_kept(store: LogRecorder) -> None:
    store.insert_events([event("a")])
    with pytest.raises(Exception, match="duplicate"):
        store.insert_events([event("b"), event("a")])
    assert store.insert_events([event("c")]) == [4]
    assert [row.position for row in store.select_rows(0, 9)] == [1, 4]


def test_streams_sort_by_bytes_whatever_the_locale_of_the_database(path: Path, store: LogRecorder) -> None:
    with engine.beside(path) as other:
        [(by_locale,)] = other.execute("SELECT 'a' < 'B'").fetchall()
    assert by_locale
    names = ["order-B", "order-a", "order-É", "order-\U0001f600", "order-_"]
    store.insert_events([event(name) for name in names])
    assert [row.stream for row in store.select_streams(names)] == sorted(names)


def test_what_is_held_back_may_say_anything(store: LogRecorder) -> None:
    beside = everything()
    beside.quarantine[0] = beside.quarantine[0].__class__(
        **{
            **{name: getattr(beside.quarantine[0], name) for name in beside.quarantine[0].__struct_fields__},
            "detail": "a\0b",
        }
    )
    store.insert_events([event()], beside=beside)
    [(_, _, one)] = store.quarantined()
    assert one.detail == "a\N{REPLACEMENT CHARACTER}b"


# Plans: whatever is asked for often is looked up and never searched for.

PLANS = {
    "SELECT topic, state FROM stored_events WHERE originator_id = ANY(ARRAY['s1','s2'])": "stored_events_pkey",
    "SELECT topic, state FROM stored_events WHERE notification_id > 900 ORDER BY notification_id LIMIT 10": (
        "stored_events_order"
    ),
    "SELECT MAX(notification_id) FROM stored_events": "stored_events_order",
    "SELECT place FROM seen_places WHERE start = ANY(ARRAY['x'::bytea])": "seen_places_pkey",
    "SELECT place, key FROM seen_ids WHERE place > 4990 ORDER BY place": "seen_ids_pkey",
    "SELECT place, at FROM seen_ids WHERE place >= 0 ORDER BY place LIMIT 50": "seen_ids_pkey",
    "SELECT id FROM quarantine WHERE status <> 'expired' AND at < 9 ORDER BY at LIMIT 5": "quarantine_kept",
    "SELECT due, subject FROM deadlines WHERE due IS NOT NULL AND due < 9 ORDER BY due, subject LIMIT 5": (
        "deadlines_due"
    ),
    PostgresLogRecorder.WAITING.replace("?1", "9").replace("?2", "5"): "waits_due",
    "SELECT name FROM relations WHERE what = ANY(ARRAY['x']) AND at BETWEEN 1 AND 2": "relations_pkey",
}


@pytest.mark.parametrize(("statement", "index"), PLANS.items())
def test_what_is_asked_often_is_looked_up(path: Path, store: LogRecorder, statement: str, index: str) -> None:
    store.insert_events([event(f"s{n}") for n in range(1000)])
    with engine.beside(path) as other:
        other.execute(
            "INSERT INTO seen_ids (key, digest, at) "
            "SELECT sha256(n::text::bytea), 'd', n FROM generate_series(1, 5000) n"
        )
        for one in schema.INDEX_SEEN:
            other.execute(one)
        other.execute(
            'INSERT INTO quarantine (partition, "offset", topic, number, headers, code, detail, at, status) '
            "SELECT 'p', n, 't', 0, '[]', 'c', 'd', n, 'expired' FROM generate_series(1, 5000) AS n"
        )
        other.execute("INSERT INTO deadlines SELECT 'd' || n, n, 'p' FROM generate_series(1, 5000) AS n")
        other.execute("INSERT INTO waits SELECT 'w' || n, '/' || (n % 20), n FROM generate_series(1, 5000) AS n")
        other.execute("INSERT INTO heard SELECT '/' || n, n FROM generate_series(1, 20) AS n")
        other.execute("INSERT INTO relations SELECT 'r' || n % 99, n, 'x' FROM generate_series(1, 5000) AS n")
        other.execute("ANALYZE")
        plan = "\n".join(row[0] for row in other.execute(f"EXPLAIN {statement}"))
    assert index in plan
    assert "Seq Scan" not in plan.replace("Seq Scan on heard", "")


def test_time_is_not_of_the_store(log: Log) -> None:
    desk = Desk(log)
    desk.take(placed(0), requested(0, ship_by=10), until=20)
    assert desk.tracker.tick(at(21)) == 0
    assert all_of(log.store)["heard"] == {"/s": at(0)}
