"""What happens when the log cannot be written for a while: nothing is lost, and it goes on by itself."""

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from consumers import ticker
from deploy.store import postgres_connection, sqlite, sqlite_connection
from domain.instant import DAY
from tests.chaos.control import INGEST, TICKER
from tests.chaos.stage import Plan, Stage
from tests.faults.rig import Rig
from tests.stores.engine import beside
from tests.story import at, placed, requested

MIB = 1 << 20


@contextmanager
def _held(path):
    """Hold the write lock as a backup or another process does."""
    with beside(path, timeout=10) as holder:
        while not holder.lock():
            time.sleep(0.01)  # between two tries
        yield
        holder.execute("ROLLBACK")


@pytest.mark.xdist_group("chaos")
def test_processes_wait_for_a_lock_held_for_seconds_and_go_on(tmp_path, nursery):
    stage = Stage(tmp_path, Plan(seed=5, messages=300), nursery)
    with stage:
        for slot in (INGEST, TICKER):
            stage.start(slot)
        stage.produce(0.3)
        assert stage.until(lambda: stage.query("SELECT COUNT(*) FROM seen_ids")[0][0] > 20, 10)
        with _held(tmp_path / "log.db"):
            before = stage.query("SELECT MAX({id}) FROM stored_events")
            stage.produce(0.8)
            time.sleep(2.5)  # the lock is held that long
            assert stage.query("SELECT MAX({id}) FROM stored_events") == before
        stage.drain()
        for slot in (INGEST, TICKER):
            stage.stop(slot)
    assert stage.control.errors() == 0
    assert stage.judged() == []


def test_a_lock_held_longer_than_anybody_waits_is_waited_out(rig, impatient):
    loop = rig.ingest(log=impatient, limit=7)

    def waits(number):
        return [name for name, _ in rig.noted].count("ingest_store_waits_total") >= number

    with rig.running(loop):
        rig.wait(lambda: rig.is_known_up_to(at(0)))
        with _held(rig.log_file):
            rig.say(*(placed(0, of=f"O{number}", key=f"p{number}") for number in range(40)))
            rig.wait(lambda: waits(1))
            before = loop.progress
            rig.wait(lambda: waits(3))
            assert loop.progress > before, "waiting for the store is no hanging of ours"
            assert rig.count("order.placed.v1") == 0
        rig.wait_until_read()
    assert rig.count("order.placed.v1") == 40


def test_ingest_without_anything_to_read_survives_a_lock(rig, impatient):
    """Saying that there was nothing to read is a write, too."""
    with rig.running(rig.ingest(log=impatient)):
        rig.wait(lambda: rig.is_known_up_to(at(0)))
        with _held(rig.log_file):
            time.sleep(0.5)  # the lock is held that long
        rig.clock = at(5)
        rig.wait(lambda: rig.is_known_up_to(at(5)))


def test_ingest_that_starts_while_the_store_is_held_waits_for_it(rig, impatient):
    rig.say(placed(0))
    reading = rig.ingest(log=impatient)
    with ExitStack() as stack:
        with _held(rig.log_file):
            stack.enter_context(rig.running(reading))
            time.sleep(0.3)  # the lock is held that long
        rig.wait_until_read()
    assert rig.count("order.placed.v1") == 1


def test_a_ticker_survives_a_lock(rig, impatient):
    rig.say(placed(0), requested(0, ship_by=20))
    with rig.running(rig.ingest()):
        rig.wait_until_read()
        rig.clock = at(30)
        rig.wait(lambda: rig.is_known_up_to(at(30)))
    firing, stop = rig.tracker(impatient), threading.Event()
    thread = threading.Thread(target=ticker.run, args=(firing, lambda: rig.clock, stop), kwargs={"dedup_for": DAY})
    with _held(rig.log_file):
        thread.start()
        time.sleep(0.5)  # the lock is held that long
        assert rig.found() == []
    rig.wait(lambda: rig.found() == [("open", "F", 20.0, None)])
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_batch_that_waited_for_the_store_until_another_took_a_part_of_it_is_read_on_from(rig, impatient):
    owner = rig.tracker(rig.open_log())
    with rig.running(rig.ingest(log=impatient)):
        rig.wait(lambda: rig.is_known_up_to(at(0)))
        owner.positions()
        with owner.log.store.writing():
            rig.say(*(placed(0, of=f"O{number}", key=f"p{number}") for number in range(10)))
            rig.wait(lambda: "ingest_store_waits_total" in {name for name, _ in rig.noted})
            owner.take(rig.batch(3), at(0))
        rig.wait_until_read()
    assert "ingest_fenced_total" in {name for name, _ in rig.noted}
    assert rig.count("order.placed.v1") == 10


@pytest.fixture
def impatient(rig, monkeypatch):
    """Open the log with a patience of a twentieth of a second."""
    for module in (sqlite, sqlite_connection, postgres_connection):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.05)
    return rig.open_log()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of four megabytes, three of which are taken by something else."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED HERE: a full disk (mounting a small tmpfs needs root)")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"NOT TESTED HERE: a full disk (no tmpfs can be mounted: {mounted.stderr.strip()})")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.only_on("sqlite")
def test_a_full_disk_is_waited_out_and_nothing_is_lost(small_disk, tmp_path):
    ballast = small_disk / "ballast"
    with Rig(tmp_path, log_at=small_disk) as rig:
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - MIB))
        number = 0
        with rig.running(rig.ingest(limit=50), ticking=True):
            while "ingest_store_waits_total" not in {name for name, _ in rig.noted}:
                name = f"O{number}"
                rig.say(placed(0, of=name, key=f"p{number}"), requested(0, f"F{number}", name, ship_by=20), key=name)
                number += 1
                rig.wait(lambda: rig.is_read() or bool(rig.noted))
                assert number < 5000, "the disk never became full"
            assert "full" in rig.noted[0][1]
            # While nothing can be written, everything that is there can be read.
            stored = rig.count("order.placed.v1")
            rig.clock = at(30)
            time.sleep(0.5)  # the ticker tries meanwhile
            assert rig.count("order.placed.v1") == stored
            ballast.unlink()
            rig.wait_until_settled()
        assert rig.count("order.placed.v1") == number
        assert sorted(subject for _, subject, _, _ in rig.found()) == sorted(f"F{one}" for one in range(number))
        assert rig.count("finding.opened.v1") == number
    with closing(sqlite3.connect(small_disk / "log.db")) as log:
        assert log.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
