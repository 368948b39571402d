"""Deadlines that wait for a feed: due once more of it has been heard, and never before (rule 2 of detection)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError

from deploy.store.sqlite_recorder import SqliteLogRecorder
from domain.history.log import Armed, Beside, LogRecorder
from tests.store.rows import all_of, beside_it, deadlines, event
from tests.stores.engine import beside
from tests.story import file_log

FAR = 2**62


def commit(
    store: LogRecorder, *, heard: Mapping[str, int] = {}, arm: Iterable[Armed] = (), disarm: Iterable[str] = ()
) -> None:
    """Commit this beside an event."""
    number = store.versions(["s"]).get("s", 0) + 1
    beside = Beside(heard=dict(heard), deadlines=deadlines(*arm, gone=disarm))
    store.insert_events([event(version=number)], beside=beside)


def waiting(subject: str, *waits: tuple[str, int], due: int | None = None) -> Armed:
    """Arm a subject that waits for feeds."""
    return Armed(subject, due, "policy", waits)


# What was heard


def test_of_every_source_the_largest_time_is_kept(store: LogRecorder) -> None:
    commit(store, heard={"/a": 5, "/b": 7})
    commit(store, heard={"/a": 9})
    assert store.heard() == {"/a": 9, "/b": 7}


def test_an_older_event_does_not_take_it_back(store: LogRecorder) -> None:
    commit(store, heard={"/a": 5})
    commit(store, heard={"/a": 3})
    assert store.heard() == {"/a": 5}


def test_times_before_1970_are_times(store: LogRecorder) -> None:
    commit(store, heard={"/a": -9})
    commit(store, heard={"/a": -5})
    assert store.heard() == {"/a": -5}


def test_what_was_heard_commits_with_the_events_or_not_at_all(store: LogRecorder) -> None:
    commit(store, heard={"/a": 5}, arm=[waiting("x", ("/a", 9))])
    before = all_of(store), store.heard(), store.armed(["x", "y"])
    spoilt = Beside(heard={"/a": 10}, deadlines=deadlines(waiting("y", ("/a", 1)), gone=["x"]))
    with pytest.raises(IntegrityError):
        store.insert_events([event(version=1)], beside=spoilt)
    assert (all_of(store), store.heard(), store.armed(["x", "y"])) == before


# What is due


def test_a_silent_feed_s_deadline_is_not_due_however_late_it_gets(store: LogRecorder) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))], heard={"/b": 100})
    assert store.due(FAR, 9) == []


@pytest.mark.parametrize(("heard", "due"), [(4, []), (5, []), (6, [(5, "x")])])
def test_it_is_due_once_the_feed_was_heard_past_it(store: LogRecorder, heard: int, due: list[tuple[int, str]]) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))])
    commit(store, heard={"/a": heard})
    assert store.due(FAR, 9) == due


@pytest.mark.parametrize(("before", "due"), [(5, []), (6, [(5, "x")])])
def test_and_time_has_passed_it_as_well(store: LogRecorder, before: int, due: list[tuple[int, str]]) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))], heard={"/a": 100})
    assert store.due(before, 9) == due


def test_of_several_deadlines_of_a_subject_the_earliest_that_is_due_is_given_once(store: LogRecorder) -> None:
    commit(store, arm=[waiting("x", ("/a", 5), ("/b", 3), due=4)], heard={"/a": 100})
    assert store.due(FAR, 9) == [(4, "x")]
    commit(store, heard={"/b": 100})
    assert store.due(FAR, 9) == [(3, "x")]


def test_those_that_wait_and_those_that_do_not_come_in_one_order_within_one_limit(store: LogRecorder) -> None:
    arm = [waiting(f"w{n}", ("/a", n)) for n in (1, 3, 5)] + [Armed(f"p{n}", n, "policy") for n in (2, 4, 6)]
    commit(store, arm=arm, heard={"/a": 100})
    every = [(1, "w1"), (2, "p2"), (3, "w3"), (4, "p4"), (5, "w5"), (6, "p6")]
    assert store.due(FAR, 99) == every
    assert [store.due(FAR, limit) for limit in (1, 2, 3, 4)] == [every[:limit] for limit in (1, 2, 3, 4)]


def test_a_thousand_that_wait_for_a_silent_feed_do_not_hide_the_one_that_is_due(store: LogRecorder) -> None:
    commit(store, arm=[waiting(f"w{n}", ("/silent", n)) for n in range(1000)] + [Armed("p", 2000, "policy")])
    assert store.due(FAR, 3) == [(2000, "p")]


# Arming


def test_what_it_waits_for_is_read_back(store: LogRecorder) -> None:
    one, other = waiting("x", ("/a", 5), ("/b", 3), due=4), Armed("y", 7, "policy")
    commit(store, arm=[one, other])
    assert store.armed(["x", "y", "z"]) == {"x": one, "y": other}


def test_arming_anew_takes_the_place_of_all_that_was_waited_for(store: LogRecorder) -> None:
    commit(store, arm=[waiting("x", ("/a", 5), ("/b", 3)), waiting("y", ("/a", 5))])
    commit(store, arm=[waiting("x", ("/b", 8))])
    assert store.armed(["x"]) == {"x": waiting("x", ("/b", 8))}
    assert store.armed(["y"]) == {"y": waiting("y", ("/a", 5))}
    commit(store, arm=[Armed("x", 9, "policy")])
    assert store.armed(["x"])["x"].waits == ()


def test_disarming_forgets_what_was_waited_for(store: LogRecorder) -> None:
    commit(store, arm=[waiting("x", ("/a", 5)), waiting("y", ("/a", 6))], heard={"/a": 100})
    commit(store, disarm=["x"])
    assert store.due(FAR, 9) == [(6, "y")]
    assert store.armed(["x"]) == {}


def test_armed_and_disarmed_in_one_transaction_it_is_not_left_waiting(store: LogRecorder, path: Path) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))])
    commit(store, disarm=["x"])
    with beside(path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM waits").fetchone() == (0,)


def test_many_subjects_are_read_at_once(store: LogRecorder) -> None:
    every = {f"x{n}": waiting(f"x{n}", ("/a", n)) for n in range(1200)}
    commit(store, arm=list(every.values()))
    assert store.armed(list(every)) == every


def test_who_waits_is_known_to_a_change_of_policy(store: LogRecorder) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))])
    assert store.armed_by_other("another", 9) == ["x"]
    assert store.count_armed_by_other("policy") == 0


# Afterwards


def test_another_process_reads_the_same(store: LogRecorder, path: Path) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))], heard={"/a": 6})
    with file_log(path) as other:
        assert other.store.heard() == {"/a": 6}
        assert other.store.due(FAR, 9) == [(5, "x")]


def test_a_log_from_before_feeds_were_heard_gets_the_tables_and_keeps_its_deadlines(path: Path) -> None:
    with file_log(path) as log:
        commit(log.store, arm=[Armed("x", 5, "policy")])
    with beside(path) as connection:
        connection.execute("DROP TABLE waits")
        connection.execute("DROP TABLE heard")
    with file_log(path) as log:
        assert log.store.due(FAR, 9) == [(5, "x")]
        commit(log.store, arm=[waiting("y", ("/a", 3))], heard={"/a": 4})
        assert log.store.due(FAR, 9) == [(3, "y"), (5, "x")]


@pytest.mark.only_on("sqlite")
def test_what_is_due_is_looked_up_and_not_searched_for(store: LogRecorder, path: Path) -> None:
    commit(store, arm=[waiting("x", ("/a", 5))], heard={"/a": 6})
    assert store.due(FAR, 9) == [(5, "x")]
    with beside_it(path) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {SqliteLogRecorder.WAITING}", (9,)).fetchall()
    assert any("waits_due" in step[3] for step in plan)
