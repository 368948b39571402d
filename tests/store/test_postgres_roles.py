"""PostgreSQL: what the role that runs the tracker may do, and what nobody may."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from psycopg import sql
from pydantic import SecretStr

from deploy.databases import prepare
from deploy.settings import Settings
from deploy.store.postgres_schema import roles
from deploy.wiring import leases
from domain.errors import StoreUnsuitable
from domain.history.delivered import Mark, Marks
from domain.history.log import Beside, Log, LogRecorder
from projections.follower import Follower
from projections.postgres_views import PostgresViews
from projections.rebuild import rebuild, verify
from tests.store.rows import event, everything
from tests.stores import engine
from tests.stores.cluster import Cluster
from tests.story import Desk, placed, requested, scanned

pytestmark = pytest.mark.only_on("postgres")
OWNER, RUNTIME = "test_owner", "test_runtime"


@pytest.fixture(name="runtime")
def a_runtime_role(cluster: Cluster, path: Path) -> Iterator[str]:
    """Let an owner make roles and log as the commands say; gives the URL of the one who runs the tracker."""
    name, schema = f"{RUNTIME}_db", engine.schema_of(path)
    with psycopg.connect(cluster.url(), autocommit=True) as administrator:
        for statement in roles(OWNER, RUNTIME, name):
            administrator.execute(statement.encode())
        url = SecretStr(cluster.url(database=name, user=OWNER))
        prepare(Settings(database_url=url, database_schema=schema), RUNTIME)
        yield cluster.url(database=name, user=RUNTIME)
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in (OWNER, RUNTIME):
            administrator.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def by(path: Path, role: str, cluster: Cluster) -> dict[str, str]:
    """Give the settings of the log as a role opens it."""
    return {**engine.settings(path), "DATABASE_URL": cluster.url(database=f"{RUNTIME}_db", user=role)}


@pytest.mark.usefixtures("runtime")
def test_the_runtime_role_does_all_that_the_tracker_does(path: Path, cluster: Cluster) -> None:
    with Log(by(path, RUNTIME, cluster)) as log:
        store = log.store
        ids = store.insert_events([event("a")], beside=everything(1))
        assert ids is not None
        with store.writing():
            store.insert_events([event("a", 2)], beside=everything(2, expected=10, following=20, batches=2))
        store.insert_events([], beside=Beside(deadlines={"order-1": None}, settle=[(1, "dropped")]))
        store.hear(list(store.positions().values()))
        assert store.forget_seen(6, 9, 1) == 1
        assert store.expire_quarantine(10, 5) == 2
        marks = cast(Marks, store)
        assert marks.move("topic", None, Mark("epoch", 1))
        assert marks.move("topic", Mark("epoch", 1), Mark("epoch", 2))
        marks.move_back("topic", Mark("epoch", 1))
        assert marks.delivered("topic") == Mark("epoch", 1)
        assert leases(log).claim("ticker", "a", 10**9) == 1
        leases(log).give_up("ticker", "a")
        assert leases(log).claim("ticker", "b", 10**9) == 2


@pytest.mark.usefixtures("runtime")
def test_the_runtime_role_begins_no_second_log_where_the_schema_is_mistyped(path: Path, cluster: Cluster) -> None:
    mistyped = {**by(path, RUNTIME, cluster), "DATABASE_SCHEMA": "mistyped"}
    with pytest.raises(StoreUnsuitable, match=f"TRACKER_DATABASE_SCHEMA={engine.schema_of(path)}"):
        Log(mistyped)


def test_the_runtime_role_ends_a_session_of_its_own_that_stopped_in_a_transaction(
    path: Path, cluster: Cluster, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.postgres_views.SILENT", 0.2)
    with Log(by(path, RUNTIME, cluster)) as log, psycopg.connect(runtime) as silent:
        silent.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(engine.schema_of(path))))
        silent.execute("SELECT lock_log()")
        with pytest.raises(OperationalError, match="lock"):
            log.store.insert_events([event()])
        assert log.store.insert_events([event()]) is not None
        with pytest.raises(psycopg.OperationalError):
            silent.execute("SELECT 1")


def test_the_runtime_role_follows_and_rebuilds_the_views(path: Path, cluster: Cluster, runtime: str) -> None:
    with Log(by(path, RUNTIME, cluster)) as log:
        desk = Desk(log)
        desk.take(placed(0), requested(0, ship_by=10), scanned(12), until=20)
        assert desk.found() == [("ended", "F", 10, 12)]
        views = PostgresViews(runtime, f"{engine.schema_of(path)}_views")
        Follower(views, log.store).catch_up()
        assert rebuild(views, log.store).position == log.store.last_position()
        assert verify(views, log.store).differences == []
        views.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET topic = 'forged'",
        "DELETE FROM stored_events",
        "TRUNCATE stored_events",
        "DROP TABLE stored_events",
        "ALTER TABLE stored_events DISABLE TRIGGER events_stay",
        "CREATE OR REPLACE FUNCTION lock_log() RETURNS void LANGUAGE sql AS 'SELECT'",
        "CREATE TABLE mine (one bigint)",
        "UPDATE meta SET value = 'forged'",
        "DELETE FROM positions",
        "DELETE FROM quarantine",
        "SELECT setval('stored_events_notification_id_seq', 1)",
    ],
)
def test_the_runtime_role_cannot(path: Path, runtime: str, statement: str) -> None:
    with psycopg.connect(runtime, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(engine.schema_of(path))))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement", ["UPDATE stored_events SET topic = 'forged'", "DELETE FROM stored_events", "TRUNCATE stored_events"]
)
def test_not_even_the_owner_changes_an_event(path: Path, store: LogRecorder, statement: str) -> None:
    store.insert_events([event()])
    with engine.beside(path) as owner, pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
        owner.execute(statement)
    assert store.last_position() == 1


def test_a_role_that_may_not_make_the_log_is_told(path: Path, cluster: Cluster, runtime: str) -> None:
    owner = cluster.url(database=f"{RUNTIME}_db", user=OWNER)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"REVOKE CREATE ON DATABASE {RUNTIME}_db FROM {RUNTIME}".encode())
        connection.execute(f"DROP SCHEMA {engine.schema_of(path)} CASCADE".encode())
    with pytest.raises(StoreUnsuitable, match=r"permission denied.*tracker database prepare"):
        Log({**by(path / "another", RUNTIME, cluster)})
    assert runtime != owner
