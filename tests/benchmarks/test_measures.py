"""Every measure does its job when it is tiny; how fast, is nobody's business here. What needs Kafka is run by CI's
`make bench QUICK=1`."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.instant import instant
from projections.follower import Follower
from projections.rebuild import verify
from tests.benchmarks import (
    deadlines,
    fan_out,
    growth,
    growth_log,
    in_memory,
    lookups,
    ours,
    place,
    rebuilding,
    subjects,
)
from tests.benchmarks import stand as stands
from tests.benchmarks.__main__ import measure_all
from tests.benchmarks.place import POSTGRES
from tests.benchmarks.result import OURS, Result
from tests.benchmarks.stand import Size, Stand
from tests.brokers.broker import BrokerMissingError
from tests.stores import engine as engines
from tests.stores.cluster import StoreMissingError

TINY = Size(
    quick=True,
    runs=1,
    messages=300,
    batches=(50,),
    rebuilt=(300, 400),
    grown_events=2_400,
    grown_on_server=1_200,
    template_orders=100,
    after_growth=200,
    touched=60,
    requests=3,
    clients=8,
    changes=2,
    due=40,
    idle_seconds=0.5,
    from_broker=100,
    two_processes=100,
)


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    def missing_cluster():
        raise StoreMissingError("no PostgreSQL here")

    def missing_broker(_directory):
        raise BrokerMissingError("Kafka needs Java")

    with pytest.MonkeyPatch.context() as patched, Stand(tmp_path_factory.mktemp("stand"), TINY) as made:
        patched.setattr(stands, "Cluster", missing_cluster)
        patched.setattr(stands, "ApacheKafka", missing_broker)
        yield made


def named(results: list[Result], name: str) -> Result:
    (found,) = (one for one in results if one.name.startswith(name))
    return found


def test_p1_measures_every_subject_and_says_which_store_is_missing(stand, monkeypatch):
    few = [one for one in subjects.SQLITE if one.name in {OURS, "CRUD upserts", "raw rows (ceiling)"}]
    absent = subjects.Subject("peer", "-", needs="no_such_package")
    monkeypatch.setattr(in_memory, "SUBJECTS", {"SQLite": (*few, absent), "PostgreSQL": subjects.POSTGRES})
    results = in_memory.measure(stand)
    measured = named(results, "SQLite, batches of 50")
    assert [one.subject for one in measured.figures] == [OURS, "CRUD upserts", "raw rows (ceiling)", "peer"]
    assert all(len(one.runs) == 1 for one in measured.figures[:3])
    assert "requirements-bench.lock" in measured.figures[3].why_not
    assert any("rows written per message" in note for note in measured.notes)
    assert named(results, "PostgreSQL").ours.why_not == "no PostgreSQL here"


@pytest.mark.parametrize("name", ["P2", "P3", "P9"])
def test_what_needs_kafka_or_postgresql_says_so(name, stand):
    before = len(stand.results)
    assert measure_all([name], stand) == []
    assert [one.ours.why_not for one in stand.results[before:]] in (["Kafka needs Java"], ["no PostgreSQL here"])


def test_p4_rebuilds_and_streams_the_same_log(stand):
    results = rebuilding.measure(stand)
    for messages in ("300", "400"):
        measured = named(results, f"SQLite, log of {messages}")
        assert [len(one.runs) for one in measured.figures] == [1, 1]
        assert "progress was told" in measured.notes[0]
        assert named(results, f"PostgreSQL, log of {messages}").ours.why_not == "no PostgreSQL here"


def test_p5_compares_the_grown_log_with_the_start_and_says_how_large_ingest_was(stand):
    rate, memory, *absent = growth.measure(stand)
    assert [one.subject for one in rate.figures] == [OURS, growth.AT_START]
    assert 20 < memory.ours.median < 2_000
    assert "60 orders" in memory.notes[0]
    assert [one.name for one in absent] == ["PostgreSQL: rate", "PostgreSQL: memory"]


def test_p6_opens_each_kind_of_page(stand):
    results = lookups.measure(stand)
    assert [one.name for one in results[:4]] == [f"SQLite: {page}" for page in lookups.PAGES]
    assert all(one.ours.runs for one in results[:4])
    assert {one.ours.why_not for one in results[4:]} == {"no PostgreSQL here"}


def test_p7_tells_every_client(stand):
    waited, memory, *absent = fan_out.measure(stand)
    assert 0 < waited.ours.median < 10_000
    assert memory.unit == "KiB"
    assert len(absent) == 2


def test_p7_says_when_too_few_files_may_be_open(stand, monkeypatch):
    monkeypatch.setattr(fan_out.resource, "getrlimit", lambda _: (100, 100))
    assert {one.ours.why_not for one in fan_out.measure(stand)} == {
        "208 open files are needed and 100 allowed: raise `ulimit -n`"
    }


def test_p8_fires_everything_in_order_and_says_what_waiting_costs(stand):
    fired, idle, *absent = deadlines.measure(stand)
    assert 0 < fired.ours.median < deadlines.PATIENCE_SECONDS
    assert 0 <= idle.ours.median < 200
    assert "watched for 0 s" in idle.notes[0]
    assert len(absent) == 2


def test_an_hour_of_waiting_is_many_looks_and_one_tidying():
    assert deadlines.Idle(60, looks=0.004, tidying=7.2).percent == pytest.approx(0.6)


@pytest.mark.only_on("postgres")
@pytest.mark.usefixtures("engine")
def test_every_measure_of_a_store_is_taken_on_postgres_too(cluster, tmp_path, monkeypatch):
    lent = {"start": lambda: None, "close": lambda: None, "database": cluster.database}
    monkeypatch.setattr(stands, "Cluster", lambda: SimpleNamespace(**lent))
    for module in (place, rebuilding):
        monkeypatch.setattr(module, "STORES", (POSTGRES,))
    with Stand(tmp_path, TINY) as stand:
        for measure in (rebuilding, lookups, growth, fan_out, deadlines):
            results = measure.measure(stand)
            assert all(one.name.startswith(POSTGRES) for one in results)
            assert [one.ours.why_not for one in results if not one.ours.runs] == []


@pytest.fixture(scope="module")
def grown(engine, tmp_path_factory):
    return growth_log.grow(tmp_path_factory.mktemp(engine) / "grown", 2_400, 100, engines.url())


def test_a_grown_log_has_what_was_asked_for_and_an_armed_deadline_for_every_order_that_is_not_late(grown):
    with grown.place.beside() as log:
        (placed,) = log.execute("SELECT COUNT(*) FROM stored_events WHERE topic = 'order.placed.v1'").fetchone()
        (seen,) = log.execute("SELECT COUNT(*) FROM seen_ids").fetchone()
        armed = log.execute("SELECT COUNT(*), MIN(due) FROM deadlines WHERE due IS NOT NULL").fetchone()
    assert grown.events >= 2_400
    assert placed == grown.orders >= 300
    assert seen == len(growth_log.template(100).messages) * grown.orders // 100
    assert grown.late > 0
    assert grown.orders - grown.late <= armed[0] <= grown.orders
    assert armed[1] >= instant(growth_log.END)


def test_the_product_reads_copied_orders_as_its_own_and_finds_the_views_it_would_have_made(grown):
    grown.with_views(100)
    with grown.place.chosen(), ours.open_log(grown.directory) as log, grown.place.views() as views:
        assert len(ours.late(log)) == grown.late
        verified = verify(views, log.store)
        with views.reading() as rows:
            known = {row[0] for row in rows.execute("SELECT subject FROM incidents WHERE kind = 'late_shipment'")}
            parked = rows.execute("SELECT COUNT(*) FROM parked").fetchone()[0]
        assert Follower(views, log.store).catch_up() == 0
        log_ends = log.store.last_position()
    assert (verified.position, verified.differences) == (log_ends, [])
    assert known == ours_late(grown)
    assert parked == 0


def ours_late(grown: growth_log.Grown) -> set[str]:
    workload, late = growth_log.template(100), set()
    for copy in range(grown.orders // 100):
        for name in workload.late:
            late.add(f"SO-2026-{int(name.split('-')[2]) + copy * 100:08d}-{name.split('-')[3]}")
    return late


def test_a_grown_log_on_files_is_left_as_the_product_opens_one(grown):
    with grown.place.beside() as log:
        if grown.place.url is None:
            assert log.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        else:
            (known,) = log.execute("SELECT reltuples FROM pg_class WHERE relname = 'stored_events'").fetchone()
            assert known > 2_000


def test_the_same_logs_come_of_the_same_size(tmp_path: Path):
    one, again = (growth_log.grow(tmp_path / name, 2_400, 100) for name in ("one", "again"))
    assert again._replace(place=one.place, seconds=one.seconds) == one
    assert again.order_ids(5) == one.order_ids(5)
