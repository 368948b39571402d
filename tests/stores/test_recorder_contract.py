"""The library's own test cases for recorders, run on ours.

``ProcessRecorderTestCase`` is left out: it tests the library's tracking table, whose rule is the one that lets a
zombie in; ours refuses tracking (``test_append.py``) and has positions instead.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from domain.history.log import Log
from tests.stores.cluster import Cluster
from tests.stores.engine import VARIABLE, file_log

# The module of test cases imports the library's cipher for cases that are not ours; that needs a package we do not.
_CIPHER = ModuleType("eventsourcing.cipher")
_CIPHER.AESCipher = None  # type: ignore[attr-defined]  # never used by the cases below
with patch.dict(sys.modules, {"eventsourcing.cipher": _CIPHER}):
    from eventsourcing.tests import persistence as library


class _OnOurs:
    """Opens our recorder at a place of its own for each test."""

    def setUp(self) -> None:
        """Open a log."""
        self.others = set(threading.enumerate())
        self.place = TemporaryDirectory()
        self.opened = file_log(Path(self.place.name) / "log.db")
        self.log: Log = self.opened.__enter__()

    def tearDown(self) -> None:
        """Close it, once the readers that a case leaves behind have stopped: a connection in use must not be closed."""
        for reader in set(threading.enumerate()) - self.others:
            if not reader.name.startswith("pool-"):
                reader.join()
        self.opened.__exit__(None, None, None)
        self.place.cleanup()

    def create_recorder(self) -> Any:
        """Give our recorder."""
        return self.log.recorder

    def new_originator_id(self) -> str:
        """Name a stream."""
        return str(uuid4())


class _OnPostgres(_OnOurs):
    """Opens it in PostgreSQL."""

    @pytest.fixture(autouse=True)
    def in_postgres(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let logs be there."""
        with cluster.database() as url:
            monkeypatch.setenv(VARIABLE, url)
            yield


class TestApplicationRecorderOnSqlite(_OnOurs, library.ApplicationRecorderTestCase[Any]):
    """Inserting, selecting, notifications, and writers and readers at once."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = True


class TestApplicationRecorderOnPostgres(_OnPostgres, library.ApplicationRecorderTestCase[Any]):
    """The same; a failed append leaves a gap in the ids."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False


class TestNonInterleavingIdsOnSqlite(_OnOurs, library.NonInterleavingNotificationIDsBaseCase):
    """The events of one append have neighbouring ids, whoever else appends."""


class TestNonInterleavingIdsOnPostgres(_OnPostgres, library.NonInterleavingNotificationIDsBaseCase):
    """The same."""


@pytest.mark.parametrize("ours", [TestApplicationRecorderOnSqlite, TestApplicationRecorderOnPostgres])
def test_the_cases_are_the_library_s_and_run(ours: type) -> None:
    found = {name for name in dir(ours) if name.startswith("test_")}
    assert {"test_insert_select", "test_concurrent_no_conflicts", "test_concurrent_throughput"} <= found
