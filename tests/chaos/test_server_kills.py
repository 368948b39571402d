"""The kill harness on PostgreSQL: the server is killed as well, and what only a server can do wrong is seen."""

import time
from pathlib import Path

import psycopg
import pytest

from tests.chaos.control import INGEST, TICKER
from tests.chaos.evidence import Evidence
from tests.chaos.kills import USUAL
from tests.chaos.oracle import Judge
from tests.chaos.report import counts
from tests.chaos.server import BACK_WITHIN, Blow, Server, Target
from tests.chaos.server_kills import ServerKiller
from tests.chaos.stage import Plan, Stage
from tests.chaos.witness import Witness
from tests.stores import engine as engines
from tests.stores.engine import beside, file_log, schema_of
from tests.stores.plugin import cluster_of

pytestmark = [pytest.mark.only_on("postgres"), pytest.mark.xdist_group("chaos"), pytest.mark.timeout(240)]
PLAN = Plan(seed=5, messages=400)
KILLS = 4


@pytest.fixture(autouse=True, scope="module")
def on_a_server(engine):
    """Keep every log in PostgreSQL."""
    return engine


@pytest.fixture(scope="module")
def server(request):
    return Server(cluster_of(request.config))


@pytest.fixture(scope="module")
def survived(tmp_path_factory, nursery, server):
    """Kill client and server in turn, and let everything come to rest."""
    stage = Stage(tmp_path_factory.mktemp("killed"), PLAN, nursery)
    killer = ServerKiller(stage, KILLS, USUAL._replace(both_every=99, zombie_every=99), Target(server))
    with stage:
        killer.run()
        stage.drain()
        for slot in (INGEST, TICKER):
            stage.stop(slot)
    return stage, killer


def test_nothing_is_lost_or_doubled_by_kills_of_client_and_server(survived):
    stage, killer = survived
    assert stage.judged() == []
    assert killer.killed.total() == KILLS
    assert killer.blows.keys() >= {Blow.BACKEND}
    assert len(killer.recoveries) == killer.blows.total()
    assert all(0 < one.idle < BACK_WITHIN for one in killer.recoveries)


def test_the_oracle_sees_what_is_wrong_in_a_database(survived):
    stage, _ = survived
    with beside(stage.path / "log.db") as log:
        log.execute("UPDATE positions SET next = next - 1")
        log.execute("ALTER TABLE stored_events DISABLE TRIGGER USER")
        log.execute("DELETE FROM stored_events WHERE topic = 'order.placed.v1'")
    found = list(Judge(Evidence(stage.path, stage.season.end)).violations())
    assert {"L1 position", "L1 lost", "L6 hole"} <= {one.partition(":")[0] for one in found}
    assert stage.witness.changed()


def test_a_witness_sees_an_id_that_appears_behind_a_later_one(tmp_path):
    path = tmp_path / "log.db"
    with file_log(path), beside(path) as first, beside(path) as second:
        witness = Witness(tmp_path)
        first.execute("BEGIN")
        for log, stream in ((first, "a"), (second, "b")):
            log.execute("INSERT INTO stored_events VALUES (?, 1, 'x', ?)", (stream, b"{}"))
        witness.look()
        first.execute("COMMIT")
    assert witness.belated() == [1]
    assert witness.changed() == []


def test_a_damaged_page_is_seen(tmp_path, server):
    with file_log(tmp_path / "log.db"), beside(tmp_path / "log.db") as log:
        log.execute("INSERT INTO stored_events VALUES ('a', 1, 'x', ?)", (b"{}",))
        [(name,)] = log.execute("SELECT pg_relation_filepath('stored_events')").fetchall()
        log.execute("CHECKPOINT")
    assert server.damaged() == []
    page = server.cluster.data / name
    server.cluster.stop()
    sound = page.read_bytes()
    page.write_bytes(sound[:100] + bytes([sound[100] ^ 1]) + sound[101:])
    server.cluster.start()
    try:
        assert any("checksum verification failed" in one for one in server.damaged())
    finally:
        server.cluster.stop()
        page.write_bytes(sound)
        server.cluster.start()


@pytest.mark.parametrize("blow", Blow)
def test_a_blow_ends_every_transaction_and_a_restart_finds_what_was_committed(blow, server, tmp_path):
    path = tmp_path / "log.db"
    with file_log(path):
        pass
    address = engines.url() or ""
    with psycopg.connect(address, autocommit=True) as client:
        client.execute(f"SET search_path TO {schema_of(path)}")
        client.execute("INSERT INTO stored_events VALUES ('a', 1, 'x', '')")
        client.execute("BEGIN")
        client.execute("INSERT INTO stored_events VALUES ('a', 2, 'x', '')")
        server.strike(blow, client.info.backend_pid)
        with pytest.raises(psycopg.OperationalError):
            client.execute("COMMIT")
    if blow is not Blow.BACKEND:
        server.cluster.start()
    assert _rows(path) == [("a", 1)]


def _rows(path: Path) -> list[tuple[str, int]]:
    until = time.monotonic() + BACK_WITHIN
    while True:
        try:
            with beside(path) as log:
                return list(log.execute("SELECT originator_id, originator_version FROM stored_events"))
        except psycopg.OperationalError:  # it mends what the blow has left
            assert time.monotonic() < until
            time.sleep(0.02)


def test_every_violation_is_counted_once_under_what_it_is():
    wrong = [
        "L1 lost: x",
        "L1 position: x",
        "L2 doubled: x",
        "L6 hole: x",
        "L6 changed: x",
        "L7 behind: x",
        "H2 ended: x",
    ]
    assert counts(wrong) == (
        "1 lost, 1 doubled, 0 out of order, 0 made up, 0 findings off, 1 gaps in versions, 1 positions off, "
        "1 changed later, 2 other"
    )
