"""A process that has stopped inside a transaction, and what keeps it from holding everybody else up for ever."""

import threading
import time
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from psycopg import sql

from domain.history.log import LogRecorder
from projections import postgres_views
from tests.contracts.ingesting import until
from tests.store.rows import event
from tests.stores.engine import schema_of, url, views_at

pytestmark = pytest.mark.only_on("postgres")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_views, "SILENT", 1)


def beside(path: Path) -> "psycopg.Connection":
    """Connect as another process would."""
    address = url()
    assert address is not None
    other = psycopg.connect(address, autocommit=True)
    other.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema_of(path))))
    return other


def is_locked(path: Path) -> bool:
    with beside(path) as other:
        query = "SELECT 1 FROM pg_locks WHERE relation = 'gate'::regclass AND granted AND mode = 'ExclusiveLock'"
        return other.execute(query).fetchone() is not None


def test_a_writer_of_views_that_fell_silent_in_a_pipeline_is_ended_by_who_waits(tmp_path: Path) -> None:
    store = views_at(tmp_path / "views.db")
    with store.writing() as rows:
        rows.execute("CREATE TABLE kept (one INTEGER PRIMARY KEY)")
    silent = beside(tmp_path / "views.db")
    with pytest.raises(psycopg.OperationalError), silent.pipeline():  # noqa: PT012  # it is said when it is left
        silent.execute("BEGIN")
        silent.execute("LOCK TABLE gate IN EXCLUSIVE MODE")
        for number in range(2000):  # more than is kept until somebody asks for an answer
            silent.execute("INSERT INTO kept VALUES (%s)", (number,))
        until(lambda: is_locked(tmp_path / "views.db"))
        begun = time.monotonic()
        with store.writing() as rows:
            rows.execute("INSERT INTO kept VALUES (-1)")
        assert 1 <= time.monotonic() - begun < 15
    with store.reading() as rows:
        assert [tuple(row) for row in rows.execute("SELECT one FROM kept")] == [(-1,)]
    store.close()


def test_a_writer_that_speaks_now_and_then_is_waited_for(tmp_path: Path) -> None:
    store = views_at(tmp_path / "views.db")
    held = threading.Event()

    def slowly() -> None:
        with store.writing() as rows:
            rows.execute("CREATE TABLE kept (one INTEGER PRIMARY KEY)")
            held.set()
            for number in range(6):
                time.sleep(0.3)  # silent, but not for too long
                assert rows.execute("INSERT INTO kept VALUES (?)", (number,)).rowcount == 1

    slow = threading.Thread(target=slowly)
    slow.start()
    assert held.wait(10)
    with store.writing() as rows:
        assert rows.execute("SELECT COUNT(*) FROM kept").fetchone() == (6,)
    slow.join(10)
    store.close()


def test_an_appender_that_stopped_in_a_pipeline_is_ended_by_who_waits(path: Path, store: LogRecorder) -> None:
    store.insert_events([event("before")])
    silent = beside(path)
    silent.execute("BEGIN")
    silent.execute("SELECT lock_log()")
    statement = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"
    with pytest.raises(psycopg.OperationalError), silent.pipeline():  # noqa: PT012  # the error comes when it is closed
        for number in range(2000):  # more than is kept until somebody asks for an answer
            silent.execute(statement, (f"half-{number}", 1, "t.v1", b"{}"))
        begun = time.monotonic()
        while True:  # as ingest and the ticker do
            try:
                store.insert_events([event("after")])
                break
            except OperationalError:
                assert time.monotonic() - begun < 15
    assert {row.stream for row in store.select_rows(0, 10)} == {"before", "after"}
