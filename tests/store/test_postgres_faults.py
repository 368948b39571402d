"""PostgreSQL that breaks off: what was acknowledged is there, what was not told is settled by looking (F8)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from eventsourcing.persistence import (
    IntegrityError,
    InternalError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)
from psycopg_pool.base import AttemptWithBackoff

from domain.history.log import Beside, Log, LogRecorder, Related
from projections import pool
from tests.store.rows import advance, all_of, event, everything
from tests.stores import engine
from tests.stores.cluster import Cluster
from tests.stores.proxy import Cut, Wire
from tests.story import Desk, at, file_log, placed, requested

pytestmark = pytest.mark.only_on("postgres")
T = TypeVar("T")
ROUNDS = 100
BACK_WITHIN = 5 * 15.0
"""Seconds, five times the goal: the machine may be busy with others."""


@pytest.fixture(name="wire")
def a_wire(cluster: Cluster) -> Iterator[Wire]:
    """Give a wire to the server."""
    with Wire(cluster.home) as wire:
        yield wire


@pytest.fixture(name="by_wire")
def a_log_by_wire(path: Path, wire: Wire) -> Iterator[Log]:
    """Open the log over the wire."""
    with Log({**engine.settings(path), "DATABASE_URL": wire.url(engine.url() or "")}) as log:
        yield log


def read(path: Path) -> dict[str, Any]:
    """Read all by another way."""
    with file_log(path) as log:
        return all_of(log.store)


# A commit whose answer is lost


def test_a_commit_that_was_made_and_not_answered_is_a_success(wire: Wire, by_wire: Log, path: Path) -> None:
    for number in range(ROUNDS):
        wire.cut("after")
        beside = advance(10 * number or None, 10 * number + 10, number + 1)
        assert by_wire.store.insert_events([event("a", number + 1), event(f"b{number}")], beside=beside) is not None
    assert wire.cuts == ROUNDS
    assert [row.stream for row in read(path)["events"]] == [n for i in range(ROUNDS) for n in ("a", f"b{i}")]


def test_a_commit_that_was_not_made_is_a_failure_that_leaves_nothing(wire: Wire, by_wire: Log, path: Path) -> None:
    by_wire.store.insert_events([event("a")], beside=everything(1))
    before = read(path)
    for _ in range(3):
        wire.cut("before")
        with pytest.raises(OperationalError):
            by_wire.store.insert_events([event("a", 2)], beside=everything(2, 10, 20, 2))
    assert wire.cuts == 3
    assert read(path) == before
    assert by_wire.store.insert_events([event("a", 2)], beside=everything(2, 10, 20, 2)) is not None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_write_transaction_is_settled_likewise(wire: Wire, by_wire: Log, path: Path, moment: Cut) -> None:
    def write() -> None:
        with by_wire.store.writing():
            assert by_wire.store.versions(["a"]) == {}
            by_wire.store.insert_events([event("a")], beside=everything(1))

    wire.cut(moment)
    if moment == "before":
        with pytest.raises(OperationalError):
            write()
    else:
        write()
    assert len(read(path)["events"]) == (moment == "after")


def test_what_another_process_wrote_meanwhile_is_not_taken_for_ours(
    wire: Wire, by_wire: Log, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datastore = by_wire.recorder.datastore  # type: ignore[attr-defined]  # PostgreSQL's
    settle = datastore._is_stored

    def late(*written: Any) -> bool:
        with file_log(path) as other:
            other.store.insert_events([event("theirs")])
        return bool(settle(*written))

    monkeypatch.setattr(datastore, "_is_stored", late)
    wire.cut("before")
    with pytest.raises(OperationalError):
        by_wire.store.insert_events([event("ours")])
    assert [row.stream for row in read(path)["events"]] == ["theirs"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_tracker_takes_a_batch_once_whatever_became_of_its_commit(wire: Wire, by_wire: Log, moment: Cut) -> None:
    desk = Desk(by_wire)
    batch = desk.batch(placed(0), requested(0, ship_by=10))
    wire.cut(moment)
    with suppress(OperationalError):
        desk.tracker.take(batch, at(20))
    desk.tracker.take(batch, at(20))
    assert desk.found() == [("open", "F", 10, None)]
    assert [row.version for row in by_wire.store.select_streams(["order-O"])] == [1, 2, 3]


def test_a_clash_is_a_clash_at_once(store: LogRecorder) -> None:
    store.insert_events([event("a")])
    begun = time.monotonic()
    with pytest.raises(IntegrityError):
        store.insert_events([event("a")])
    assert time.monotonic() - begun < 1


# Errors that nobody told


def test_a_failed_statement_that_nobody_told_undoes_what_was_written_and_says_so(
    path: Path, store: LogRecorder
) -> None:
    with engine.beside(path) as other:
        other.execute("DROP TABLE relations")

    def write() -> None:
        with store.writing():
            store.insert_events([event()])
            with suppress(PersistenceError):
                store.related(["x"], 0, 1)

    with pytest.raises(InternalError, match="nothing of this was stored"):
        write()
    assert store.last_position() == 0


# The server ends


def test_a_server_that_ends_and_comes_back_is_used_again(cluster: Cluster, store: LogRecorder) -> None:
    for number in range(1, 4):
        assert store.insert_events([event("a", number)]) is not None
        cluster.restart("immediate")
        until = time.monotonic() + BACK_WITHIN
        while True:
            try:
                assert store.versions(["a"]) == {"a": number}
            except OperationalError:
                assert time.monotonic() < until
                time.sleep(0.05)  # between two tries
            else:
                break


def _once_back(work: Callable[[], T]) -> T:
    """Do something as soon as the server can."""
    until = time.monotonic() + BACK_WITHIN
    while True:
        try:
            return work()
        except OperationalError:
            assert time.monotonic() < until
            time.sleep(0.05)  # between two looks at a server that starts


def _refused(log: Log) -> str:
    with pytest.raises(OperationalError) as refused:
        log.store.versions(["a"])
    return str(refused.value)


def test_after_a_long_outage_nobody_sleeps_on_although_the_server_is_back(
    cluster: Cluster, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool doubles its pauses: here the first one is as long as the tenth would be."""
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", 600.0)
    for name in ("CONNECT_TIMEOUT", "_RECONNECT_TIMEOUT"):
        monkeypatch.setattr(pool, name, 0.5)
    with file_log(path) as log:
        cluster.stop("immediate")
        # There may be several connections to lose before one must be made, and cannot.
        while "connection to server" not in _refused(log):
            pass
        cluster.start()
        assert _once_back(lambda: log.store.insert_events([event("a")])) is not None


def test_while_the_server_is_away_one_waits_for_it_and_all_are_told_why(cluster: Cluster, path: Path) -> None:
    with file_log(path) as log:
        cluster.stop("immediate")
        while "connection to server" not in _refused(log):
            pass
        began = time.monotonic()
        assert all("connection to server" in _refused(log) for _ in range(40))
        waited = time.monotonic() - began
        cluster.start()
        assert _once_back(lambda: log.store.versions(["a"])) == {}
    assert waited < 5 * 40 * pool._LOOK


def test_under_load_a_power_cut_loses_nothing_that_was_acknowledged(cluster: Cluster, log: Log, path: Path) -> None:
    acknowledged, stop = [0], threading.Event()

    def append() -> None:
        while not stop.is_set():
            following = acknowledged[0] + 1
            try:
                log.store.insert_events([event("a", following), event(f"b{following}")])
            except IntegrityError:  # it was stored, and the server went away before it could be looked up
                assert log.store.versions(["a"]) == {"a": following}
            except OperationalError:
                stop.wait(0.02)
                continue
            acknowledged[0] = following

    thread = threading.Thread(target=append)
    thread.start()
    for _ in range(3):
        time.sleep(0.3)  # it appends meanwhile
        cluster.restart("immediate")
    known = acknowledged[0]
    while acknowledged[0] <= known and thread.is_alive():
        time.sleep(0.01)  # between two looks
    stop.set()
    thread.join(20)
    found = read(path)["events"]
    assert [row.version for row in found if row.stream == "a"] == [*range(1, acknowledged[0] + 1)]
    assert len(found) == 2 * acknowledged[0]


def test_a_process_that_dies_with_the_lock_gives_it_back(path: Path, store: LogRecorder) -> None:
    connection = psycopg.connect(engine.url() or "", autocommit=True)
    with engine.beside(path) as other:
        assert other.lock()
        other.connection.close()
    connection.close()
    assert store.insert_events([event()]) == [1]


# What no index can hold


def test_a_name_that_is_too_long_is_told_and_no_server_is_waited_for(log: Log) -> None:
    row = Related("what", 0, "".join(map(chr, range(0x4E00, 0x9000))))
    with pytest.raises(ProgrammingError, match="index row"):
        log.append([], Beside(relate=[row]))
