"""Who writes waits for who writes, and decides on what was written (F8, F15)."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError, PersistenceError

from deploy.store import postgres_connection, sqlite_connection
from domain.history.log import Beside, Log, LogRecorder
from tests.members import ROOT
from tests.store.rows import advance, event, everything
from tests.stores.engine import beside, url
from tests.story import Desk, at, file_log, held, placed, requested, scanned

HOLDER = """
import sys, time
from pathlib import Path
from tests.stores.engine import beside
with beside(Path(sys.argv[1])) as other:
    assert other.lock()
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))  # it holds it that long
    other.execute("COMMIT")
"""


def holding(path: Path, seconds: float) -> "subprocess.Popen[str]":
    """Let another process hold the write lock for a while."""
    command = [sys.executable, "-c", HOLDER, str(path), str(seconds)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def pragma(log: Log, name: str) -> Any:
    """Ask a connection of the log's pool."""
    with log.recorder.datastore.transaction(commit=False) as cursor:  # type: ignore[attr-defined]  # SQLite's
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


# Locks


def test_a_writer_waits_while_another_process_writes(path: Path, store: LogRecorder) -> None:
    with holding(path, 0.6) as other:
        begun = time.monotonic()
        store.insert_events([event()], beside=everything())
        assert time.monotonic() - begun > 0.3
        assert other.wait(5) == 0
    assert store.last_position() == 1


@pytest.mark.only_on("sqlite")
def test_a_statement_waits_a_little_and_whoever_must_not_give_up_tries_again(log: Log) -> None:
    assert pragma(log, "busy_timeout") == 3_000
    assert sqlite_connection.LOCK_TIMEOUT == 3


@pytest.mark.only_on("postgres")
def test_no_transaction_holds_the_lock_without_an_end(store: LogRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "IDLE_TIMEOUT", 0.2)
    datastore = postgres_connection.Datastore(url() or "", store.datastore.schema)  # type: ignore[attr-defined]  # PostgreSQL's
    with pytest.raises(OperationalError), datastore.writing():
        time.sleep(0.6)  # longer than it may say nothing
    datastore.close()
    assert store.insert_events([event()]) == [1]


def test_when_the_wait_is_over_the_error_says_locked_and_nothing_is_harmed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.store.sqlite.LOCK_TIMEOUT", 0.1)
    monkeypatch.setattr("deploy.store.postgres_connection.LOCK_TIMEOUT", 0.1)
    with file_log(path) as log, beside(path) as other:
        assert other.lock()
        with pytest.raises(OperationalError, match="lock"):
            log.store.insert_events([event()], beside=everything())
        other.execute("COMMIT")
        assert log.store.insert_events([event()], beside=everything()) == [1]


def test_a_reader_does_not_wait_for_a_writer(path: Path, store: LogRecorder) -> None:
    store.insert_events([event()])
    with beside(path) as other:
        assert other.lock()
        assert store.last_position() == 1  # whoever waited for the lock would be refused


def test_who_reads_in_order_to_write_holds_the_lock_from_its_first_read(path: Path, store: LogRecorder) -> None:
    with store.writing(), beside(path) as other:
        assert store.positions() == {}
        assert not other.lock()
        store.insert_events([event()], beside=advance(None, 5))
    assert store.last_position() == 1


def test_a_write_after_another_process_wrote_between_reading_and_writing_succeeds(
    path: Path, store: LogRecorder
) -> None:
    assert store.positions() == {}
    with beside(path) as other:
        other.execute("INSERT INTO meta VALUES ('x', 'y')")
    assert store.insert_events([event()], beside=advance(None, 5)) == [1]


def test_two_threads_appending_wait_for_each_other(store: LogRecorder) -> None:
    failures: list[Exception] = []

    def append(name: str) -> None:
        try:
            for number in range(1, 30):
                store.insert_events([event(name, number)])
        except PersistenceError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=append, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.versions(["a", "b", "c"]) == {"a": 29, "b": 29, "c": 29}


def test_a_failing_statement_under_the_lock_is_the_store_s_error_and_nobody_s_message(
    path: Path, store: LogRecorder
) -> None:
    with beside(path) as other:
        other.execute("DROP TABLE seen_ids")
    with pytest.raises(PersistenceError):
        store.seen([b"x" * 16])
    with store.writing(), pytest.raises(PersistenceError):
        store.seen([b"x" * 16])


# The tracker on two processes' files (F8, F15)


def test_a_conflict_is_decided_again_under_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_log(path) as mine, file_log(path) as theirs:
        desk, other = Desk(mine), Desk(theirs)
        desk.take(placed(0), requested(0, ship_by=10))
        append, attempts = mine.append, []

        def appending(recorded: Any, beside: Beside) -> int | None:
            attempts.append(_can_write(path))
            if len(attempts) == 1:
                other.take(held(1), partition="other")
            return append(recorded, beside)

        monkeypatch.setattr(mine, "append", appending)
        desk.take(scanned(12), until=20)
        assert attempts == [True, False]
        assert other.found() == []
        assert [row.version for row in mine.store.select_streams(["order-O"])] == [1, 2, 3, 4]


def _can_write(path: Path) -> bool:
    with beside(path) as other:
        free = other.lock()
        other.execute("ROLLBACK" if free else "SELECT 1")
        return free


def test_a_commit_whose_answer_was_lost_is_recognised_by_its_position_and_digest(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(log)
    batch = desk.batch(placed(0), requested(0, ship_by=10))
    append = log.append

    def losing(recorded: Any, beside: Beside) -> int | None:
        append(recorded, beside)
        raise OperationalError("connection lost")

    with monkeypatch.context() as broken:
        broken.setattr(log, "append", losing)
        with pytest.raises(OperationalError):
            desk.tracker.take(batch, at(20))
    before = log.store.last_position()
    assert desk.tracker.take(batch, at(20)).position is None
    assert log.store.last_position() == before
    assert desk.found() == [("open", "F", 10, None)]


@pytest.mark.only_on("postgres")
def test_an_append_waits_for_no_vacuum(path: Path, store: LogRecorder) -> None:
    with beside(path) as other:
        other.execute("BEGIN")
        # What VACUUM and ANALYZE hold while they run, by hand or by themselves.
        other.execute("LOCK TABLE stored_events IN SHARE UPDATE EXCLUSIVE MODE")
        assert store.insert_events([event()], beside=everything())


@pytest.mark.only_on("postgres")
def test_an_append_waits_for_one_by_the_lock_of_before(
    path: Path, store: LogRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connection, "LOCK_TIMEOUT", 0.2)
    with beside(path) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
        with pytest.raises(OperationalError, match="lock"):
            store.insert_events([event()])
    assert store.insert_events([event()])


@pytest.mark.only_on("postgres")
@pytest.mark.usefixtures("store")
def test_a_log_of_before_gets_its_turn(path: Path) -> None:
    with beside(path) as other:
        other.execute("DROP TABLE turn")
    with file_log(path) as log, holding(path, 0.2):
        assert log.store.insert_events([event()])
