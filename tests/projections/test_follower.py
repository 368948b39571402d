import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.history.enrolment import Partition, go_live
from domain.history.log import Beside, UnknownTopic, encode
from projections import VIEWS, checkpoints, follower, frontier, orders, postgres_views, views
from projections.checkpoints import Overtaken
from projections.follower import Follower
from tests.projections.choking import late, open_subjects
from tests.projections.stage import Stage, stage
from tests.projections.told import tell_season
from tests.stores.engine import beside, views_at
from tests.story import Desk, at, file_log, held, placed, requested, scanned

ROOT = Path(__file__).parents[2]


def test_a_batch_of_any_size_gives_the_same_rows(tmp_path):
    with file_log(tmp_path / "log.db") as log:
        tell_season(log, datetime(2026, 3, 1, tzinfo=UTC), days=1)
        tables = []
        for size in (1_000_000, 97, 13):
            (tmp_path / str(size)).mkdir()
            store = views_at(tmp_path / str(size) / "views.db")
            Follower(store, log.store, batch=size, cache=50).catch_up()
            with store.reading() as rows:
                tables.append(
                    {
                        t: sorted(map(tuple, rows.execute(f"SELECT * FROM {t}")), key=repr)
                        for view in VIEWS
                        for t in view.tables
                    }
                )
            store.close()
    assert tables[0] == tables[1] == tables[2]
    assert tables[0]["incidents"]


def test_following_again_changes_nothing(told):
    late(told, "1", "2")
    told.follow()
    before = told.tables()
    Follower(told.store, told.log.store).catch_up()
    assert told.tables() == before


def test_two_followers_of_one_store_do_no_harm(told):
    other = Follower(told.store, told.log.store, batch=7)
    told.follower = Follower(told.store, told.log.store, batch=5)
    for name in range(40):
        late(told, str(name))
        random.Random(name).choice([told.follower, other]).step()
    for name in range(40):  # what one of them has cached, the other may have taken further
        told.desk.take(scanned(31 + name / 9, f"P{name}", fulfillment_ids=(f"F{name}",)), until=40)
        random.Random(name).choice([told.follower, other]).step()
    stop = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in (told.follower, other)]
    for thread in threads:
        thread.start()
    late(told, *(f"x{name}" for name in range(60)))
    told_all = time.monotonic() + 20
    while len(open_subjects(told)) < 100 and time.monotonic() < told_all:
        time.sleep(0.05)  # between two looks
    stop.set()
    for thread in threads:
        thread.join()
    fresh = views_at(told.folder / "fresh.db")
    Follower(fresh, told.log.store).catch_up()
    assert told.tables() == told.tables(fresh)
    fresh.close()


def test_a_follower_that_was_overtaken_commits_nothing(told):
    late(told, "1")
    with told.store.reading() as rows:
        stands = checkpoints.read(rows)
    told.follower.catch_up()
    with pytest.raises(Overtaken), told.store.writing() as rows:
        checkpoints.advance(rows, [stands["feed"]], 99)
    assert told.follower.catch_up() == 0


def test_killed_in_the_middle_it_goes_on_where_it_committed(tmp_path):
    with file_log(tmp_path / "log.db") as log:
        tell_season(log, datetime(2026, 3, 1, tzinfo=UTC), days=2)
        dice = random.Random(5)
        reached = []
        command = [sys.executable, "-m", "tests.projections.following", tmp_path]
        for _ in range(6):
            child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            for _ in range(dice.randrange(1, 40)):
                child.stdout.readline()
            time.sleep(dice.random() * 0.002)  # so that it is killed anywhere
            child.send_signal(signal.SIGKILL)
            child.communicate()
            store = views_at(tmp_path / "views.db")
            with store.reading() as rows:
                reached.append(checkpoints.read(rows)["feed"].position)
            store.close()
        assert sorted(reached) == reached
        assert sum(0 < position < log.store.last_position() for position in reached) > 3, "it was not killed at work"
        store, fresh = views_at(tmp_path / "views.db"), views_at(tmp_path / "fresh.db")
        for one in (store, fresh):
            Follower(one, log.store).catch_up()
        with store.reading() as ours, fresh.reading() as theirs:
            for view in VIEWS:
                for table in view.tables:
                    query = f"SELECT * FROM {table}"
                    assert sorted(map(tuple, ours.execute(query)), key=repr) == sorted(
                        map(tuple, theirs.execute(query)), key=repr
                    )
        store.close()
        fresh.close()


def test_a_view_of_another_log_is_never_continued(tmp_path):
    with stage(tmp_path) as told:
        late(told, "1", "2", "3")
        told.follow()
    with file_log(tmp_path / "another.db") as log:
        told = Stage(log, tmp_path)
        assert set(told.follower.begun) == {view.name for view in VIEWS}
        late(told, "9")
        told.follow()
        assert open_subjects(told) == {"F9": False}
        assert {row[0] for row in told.query("SELECT epoch FROM checkpoints")} == {told.log.store.epoch()}
        told.store.close()


@pytest.mark.only_on("sqlite")
def test_views_that_lie_beyond_a_restored_log_begin_anew(tmp_path):
    with stage(tmp_path) as told:
        late(told, "1")
        told.follow()
        copy = told.log.store.datastore
        with copy.get_connection(commit=False) as connection:
            connection.cursor().execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        late(told, "2", "3")
        told.follow()
    (tmp_path / "backup.db").rename(tmp_path / "log.db")
    for rest in tmp_path.glob("log.db-*"):
        rest.unlink()
    with stage(tmp_path) as told:
        assert set(told.follower.begun) == {view.name for view in VIEWS}
        late(told, "4")
        told.follow()
        assert open_subjects(told).keys() == {"F1", "F4"}


def test_a_view_of_another_version_begins_anew_and_only_that_one(told):
    late(told, "1")
    told.follow()
    with told.store.writing() as rows:
        rows.execute("UPDATE checkpoints SET version = 0 WHERE view = 'orders'")
    again = Follower(told.store, told.log.store)
    assert again.begun == ["orders"]
    again.catch_up()
    assert told.query("SELECT order_id FROM orders") == [("O1",)]
    with pytest.raises(Overtaken):
        _with_old_code(told).step()


def _with_old_code(told):
    old = Follower(told.store, told.log.store)
    with told.store.writing() as rows:
        rows.execute("UPDATE checkpoints SET version = 7 WHERE view = 'orders'")
    return old


def test_an_event_of_a_newer_version_stops_the_follower(told):
    late(told, "1")
    told.follow()
    with beside(told.folder / "log.db") as other:
        other.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)",
            ("order-X", 1, "order.teleported.v9", encode(held(1))),
        )
    with pytest.raises(UnknownTopic):
        told.follower.step()
    assert open_subjects(told) == {"F1": False}


def test_what_is_known_is_told_no_sooner_than_the_views_have_come_there(told):
    told.desk.take(placed(0))
    told.desk.tracker.hear({"test/orders/0": at(5)})
    slow = Follower(told.store, told.log.store, batch=1)
    known = []
    while slow.step():
        known.append(_known(told))
    slow._heard_at = -1e9
    slow.step()
    assert set(known) == {None}
    assert _known(told) == at(5)


def test_what_is_known_moves_on_without_an_event(told):
    told.hear(placed(0))
    told.desk.tracker.hear({"test/orders/0": at(7)})
    told.follower._heard_at = -1e9
    assert told.follower.step() == 0
    assert _known(told) == at(7)


def _known(told):
    with told.store.reading() as rows:
        return frontier.known_up_to(frontier.read(rows), None)


def test_a_partition_that_was_never_read_leaves_it_unknown(told):
    go_live(told.log, {Partition(f"p{n}", "orders.events.v1", n): 0 for n in (0, 1)}, "earliest", at(0))
    told.desk.tracker.positions()
    told.desk.tracker.hear({"p0": at(7)})
    told.follow()
    told.follower._heard_at = -1e9
    told.follower.step()
    assert _known(told) is None


def test_the_follower_goes_on_once_the_log_has_grown_and_until_then_asks_nothing_else(told, monkeypatch):
    monkeypatch.setattr(follower, "_HEARD", 1000.0)
    stop, seen, steps, looks = threading.Event(), threading.Event(), Counter(), threading.Semaphore(0)
    waiting = Follower(told.store, told.log.store, on_commit=seen.set)
    waiting.catch_up()
    seen.clear()
    step, last_position = waiting.step, told.log.store.last_position
    monkeypatch.setattr(waiting, "step", lambda: steps.update(("taken",)) or step())
    monkeypatch.setattr(told.log.store, "last_position", lambda: looks.release() or last_position())
    thread = threading.Thread(target=waiting.run, args=(stop,))
    thread.start()
    assert all(looks.acquire(timeout=5) for _ in range(5))
    assert steps["taken"] == 1
    late(told, "1")
    assert seen.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    with told.store.reading() as rows:
        assert orders.one(rows, "O1") is not None


def test_a_desk_may_write_while_the_views_follow(tmp_path):
    with stage(tmp_path) as told:
        stop = threading.Event()
        thread = threading.Thread(target=told.follower.run, args=(stop,))
        thread.start()
        desk = Desk(told.log)
        for n in range(50):
            desk.take(placed(0, of=f"Q{n}", key=f"q{n}"), requested(0, f"G{n}", of=f"Q{n}", ship_by=20))
        desk.tick(30)
        stop.set()
        thread.join()
        told.follow()
        assert len(open_subjects(told)) == 50


def test_views_that_are_locked_are_waited_for(tmp_path, monkeypatch):
    for module in (views, postgres_views):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.05)
    monkeypatch.setattr(follower, "_STORE_WAITS", 0.05)
    with stage(tmp_path) as told:
        late(told, "1")
        stop = threading.Event()
        thread = threading.Thread(target=told.follower.run, args=(stop,))
        with told.store.writing():
            thread.start()
            time.sleep(0.5)  # it tries meanwhile
            assert thread.is_alive()
        deadline = time.monotonic() + 5
        while not open_subjects(told) and time.monotonic() < deadline:
            time.sleep(0.02)  # between two looks
        stop.set()
        thread.join()
        assert open_subjects(told) == {"F1": False}


def test_an_append_without_events_moves_nothing(told):
    told.follow()
    told.log.append([], Beside())
    assert told.follower.step() == 0
