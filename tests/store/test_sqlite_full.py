"""SQLite on a full disk: nothing acknowledged is lost, and it goes on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import PersistenceError

from deploy.store import sqlite_connection
from domain.history.log import Log
from tests.store.rows import beside_it, event
from tests.story import file_log

pytestmark = pytest.mark.only_on("sqlite")

# A full disk


def filled(log: Log) -> int:
    """Append until nothing fits; say how many appends were acknowledged."""
    for acknowledged in range(10_000):
        try:
            log.store.insert_events([event("s", acknowledged + 1, b"x" * 4000)])
        except PersistenceError as error:
            assert "full" in str(error)  # noqa: PT017 - the count is what is wanted
            return acknowledged
    pytest.fail("it never became full")


def check_after_a_full_disk(log: Log, path: Path, acknowledged: int) -> None:
    """Hold that what was acknowledged is there, and that it goes on once there is room."""
    assert acknowledged > 5
    assert log.store.versions(["s"]) == {"s": acknowledged}
    with beside_it(path, timeout=5) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_store_loses_nothing_that_was_acknowledged_and_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 200
    create = sqlite_connection._Pool._create_connection

    def narrow(self: Any) -> Any:
        connection = create(self)
        connection.cursor().execute(f"PRAGMA max_page_count={limit}")
        return connection

    monkeypatch.setattr(sqlite_connection._Pool, "_create_connection", narrow)
    with file_log(path) as log:
        acknowledged = filled(log)
        check_after_a_full_disk(log, path, acknowledged)
        with log.recorder.datastore.transaction(commit=False) as cursor:  # type: ignore[attr-defined]  # SQLite's
            cursor.execute("PRAGMA max_page_count=100000")
        limit = 100_000
    with file_log(path) as log:
        assert log.store.insert_events([event("s", acknowledged + 1)]) is not None


@pytest.fixture(name="small_disk")
def a_small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 600 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("NOT RUN: a small disk can be mounted by root only")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"NOT RUN: no disk could be mounted here: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing_that_was_acknowledged_and_goes_on(small_disk: Path) -> None:
    path, ballast = small_disk / "log.db", small_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    with file_log(path) as log:
        acknowledged = filled(log)
        assert log.store.select_rows(0, 1)
        ballast.unlink()
        check_after_a_full_disk(log, path, acknowledged)
        assert log.store.insert_events([event("s", acknowledged + 1)]) is not None
