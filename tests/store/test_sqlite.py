"""SQLite: durability, identity, and ids that are never given out again (F9, F13)."""

from pathlib import Path
from typing import Any

import pytest

from deploy.store import sqlite_connection
from domain.errors import StoreUnsuitable
from domain.history.log import Log, LogRecorder
from tests.store.rows import beside_it, event
from tests.story import file_log

pytestmark = pytest.mark.only_on("sqlite")


def pragma(log: Log, name: str) -> Any:
    """Ask a connection of the log's pool."""
    with log.recorder.datastore.transaction(commit=False) as cursor:  # type: ignore[attr-defined]  # SQLite's
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


# Durability


def test_every_connection_runs_wal_and_full(log: Log) -> None:
    assert (pragma(log, "journal_mode"), pragma(log, "synchronous")) == ("wal", 2)
    pool = log.recorder.datastore.pool  # type: ignore[attr-defined]  # SQLite's
    taken = [pool.get_connection(is_writer=False) for _ in range(3)]
    try:
        for connection in taken:
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == 2
    finally:
        for connection in taken:
            pool.put_connection(connection)


def test_a_place_without_wal_is_refused(path: Path) -> None:
    with pytest.raises(StoreUnsuitable, match="WAL"), file_log(Path(f"file:{path}?vfs=unix-dotfile")):
        pass


def test_anything_but_full_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = sqlite_connection._Pool._create_connection

    def weaker(self: Any) -> Any:
        connection = create(self)
        connection.cursor().execute("PRAGMA synchronous=NORMAL")
        return connection

    monkeypatch.setattr(sqlite_connection._Pool, "_create_connection", weaker)
    with pytest.raises(StoreUnsuitable, match="FULL"), file_log(path):
        pass


def test_a_file_that_cannot_be_written_is_refused(path: Path) -> None:
    with pytest.raises(StoreUnsuitable), file_log(Path(f"file:{path}?mode=ro")):
        pass


def test_the_library_s_other_tracking_is_refused(path: Path) -> None:
    settings = {"PERSISTENCE_MODULE": "deploy.store.sqlite", "SQLITE_DBNAME": str(path), "SINGLE_ROW_TRACKING": "n"}
    with pytest.raises(StoreUnsuitable, match="SINGLE_ROW_TRACKING"):
        Log(settings)


# Identity, that is epochs and ids: F9.


def test_a_log_begun_anew_in_the_same_place_has_another_epoch(path: Path) -> None:
    with file_log(path) as log:
        before = log.store.epoch()
    for leftover in path.parent.glob("log.db*"):
        leftover.unlink()
    with file_log(path) as log:
        assert log.store.epoch() != before


def test_the_id_of_a_deleted_last_event_is_never_given_out_again(path: Path, store: LogRecorder) -> None:
    store.insert_events([event("a"), event("b"), event("c")])
    with beside_it(path) as other:
        other.execute("DELETE FROM stored_events WHERE rowid >= 2")
    assert store.insert_events([event("d")]) == [4]


def test_ids_survive_a_backup_a_dump_and_a_vacuum(path: Path, tmp_path: Path, store: LogRecorder) -> None:
    store.insert_events([event("a"), event("b"), event("c")])
    copies = [tmp_path / name for name in ("backup.db", "dump.db", "into.db")]
    with beside_it(path) as live:
        live.execute("DELETE FROM stored_events WHERE rowid = 2")
        for copy, copying in zip(
            copies[:2], (live.backup, lambda to: to.executescript("\n".join(live.iterdump()))), strict=True
        ):
            with beside_it(copy) as to:
                copying(to)
        live.execute(f"VACUUM INTO '{copies[2]}'")
        live.execute("VACUUM")
    for one in (path, *copies):
        with file_log(one) as log:
            assert [row.position for row in log.store.select_rows(0, 9)] == [1, 3]
            assert log.store.insert_events([event("d")]) == [4]
