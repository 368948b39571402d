"""Every store: which log it is, ids that are not given out twice, and names instead of paths (F9, F13)."""

from pathlib import Path

import pytest
from eventsourcing.persistence import PersistenceError

from domain.history.log import Log, LogRecorder
from tests.store.rows import event
from tests.story import Desk, file_log, placed, requested, scanned


def test_a_log_keeps_its_epoch_and_another_has_another(tmp_path: Path) -> None:
    epochs = []
    for name in ("a", "a", "b"):
        with file_log(tmp_path / name) as log:
            epochs.append(log.store.epoch())
    assert epochs[0] == epochs[1] != epochs[2]
    assert len(epochs[0]) >= 8


def test_the_ids_of_a_failed_append_leave_no_event_behind(store: LogRecorder) -> None:
    store.insert_events([event("a")])
    with pytest.raises(PersistenceError):
        store.insert_events([event("b"), event("a")])
    [after] = store.insert_events([event("c")]) or [0]
    assert [row.position for row in store.select_rows(0, 9)] == [1, after]


def test_a_topic_is_a_name_and_no_path_into_the_code(log: Log) -> None:
    desk = Desk(log)
    desk.take(placed(0), requested(0, ship_by=10), scanned(12), until=20)
    names = {row.topic for row in log.store.select_rows(0, 99)}
    assert all(":" not in name and name.rpartition(".v")[2].isdigit() for name in names)
