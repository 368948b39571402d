"""Every measure does its job when it is tiny; how fast, is nobody's business here. What needs Kafka is run by CI's
`make bench QUICK=1`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.instant import instant
from projections.rebuild import verify
from projections.views import SqliteViews
from tests.benchmarks import deadlines, fan_out, growth, growth_log, in_memory, lookups, ours, rebuilding, subjects
from tests.benchmarks import stand as stands
from tests.benchmarks.__main__ import measure_all
from tests.benchmarks.result import OURS, Result
from tests.benchmarks.stand import Size, Stand
from tests.brokers.broker import BrokerMissingError
from tests.stores.cluster import StoreMissingError

TINY = Size(
    quick=True,
    runs=1,
    messages=300,
    batches=(50,),
    rebuilt=300,
    grown_events=1_200,
    template_orders=50,
    after_growth=200,
    touched=60,
    requests=3,
    clients=8,
    changes=2,
    due=40,
    idle_seconds=0.1,
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
    measured = named(results, "SQLite")
    assert [len(one.runs) for one in measured.figures] == [1, 1]
    assert "progress was told" in measured.notes[0]
    assert named(results, "PostgreSQL").ours.why_not == "no PostgreSQL here"


def test_p5_compares_the_grown_log_with_the_start_and_says_how_large_ingest_was(stand):
    rate, memory = growth.measure(stand)
    assert [one.subject for one in rate.figures] == [OURS, growth.AT_START]
    assert 20 < memory.ours.median < 2_000
    assert "60 orders" in memory.notes[0]


def test_p6_opens_each_kind_of_page(stand):
    assert [one.name.split()[0].strip(":") for one in lookups.measure(stand)] == [
        "order",
        "worklist",
        "incident",
        "list",
    ]


def test_p7_tells_every_client(stand):
    waited, memory = fan_out.measure(stand)
    assert 0 < waited.ours.median < 10_000
    assert memory.unit == "KiB"


def test_p7_says_when_too_few_files_may_be_open(stand, monkeypatch):
    monkeypatch.setattr(fan_out.resource, "getrlimit", lambda _: (100, 100))
    assert {one.ours.why_not for one in fan_out.measure(stand)} == {
        "208 open files are needed and 100 allowed: raise `ulimit -n`"
    }


def test_p8_fires_everything_in_order(stand):
    fired, idle = deadlines.measure(stand)
    assert 0 < fired.ours.median < deadlines.PATIENCE_SECONDS
    assert idle.ours.median >= 0


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    return growth_log.grow(tmp_path_factory.mktemp("growing") / "grown", 1_200, 50)


def test_a_grown_log_has_what_was_asked_for_and_an_armed_deadline_for_every_order_that_is_not_late(grown):
    with closing(sqlite3.connect(grown.log)) as log:
        held = log.execute("SELECT COUNT(*) FROM stored_events").fetchone()[0]
        placed = log.execute("SELECT COUNT(*) FROM stored_events WHERE topic = 'order.placed.v1'").fetchone()[0]
        armed = log.execute("SELECT COUNT(*), MIN(due) FROM deadlines WHERE due IS NOT NULL").fetchone()
        mode = log.execute("PRAGMA journal_mode").fetchone()[0]
    assert held == grown.events >= 1_200
    assert placed == grown.orders >= 100
    assert grown.late > 0
    assert grown.orders - grown.late <= armed[0] <= grown.orders
    assert armed[1] >= instant(growth_log.END)
    assert mode == "wal"


def test_the_product_reads_copied_orders_as_its_own(grown):
    with ours.open_log(grown.directory) as log, closing(SqliteViews(grown.directory / "views.db")) as views:
        assert len(ours.late(log)) == grown.late
        grown.follow()
        assert verify(views, log.store).differences == []
        with views.reading() as rows:
            known = {row[0] for row in rows.execute("SELECT subject FROM incidents WHERE kind = 'late_shipment'")}
            parked = rows.execute("SELECT COUNT(*) FROM parked").fetchone()[0]
    assert known == ours_late(grown)
    assert parked == 0


def ours_late(grown: growth_log.Grown) -> set[str]:
    workload, late = growth_log.template(50), set()
    for copy in range(grown.orders // 50):
        for name in workload.late:
            late.add(f"SO-2026-{int(name.split('-')[2]) + copy * 50:08d}-{name.split('-')[3]}")
    return late


def test_the_same_logs_come_of_the_same_size(grown, tmp_path: Path):
    again = growth_log.grow(tmp_path / "grown", 1_200, 50)
    assert again._replace(directory=grown.directory, seconds=grown.seconds) == grown
    assert again.order_ids(5) == grown.order_ids(5)
