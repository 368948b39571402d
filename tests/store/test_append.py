"""One append: everything or nothing, and nobody overtakes anybody (F1, F2, F8, F10)."""

from collections.abc import Callable
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, Tracking

from domain.errors import Fenced
from domain.history.batch import Position
from domain.history.log import Advance, Armed, Beside, LogRecorder
from tests.store.rows import PARTITION, advance, all_of, deadlines, event, everything, position, quarantined


def test_everything_commits_together(store: LogRecorder) -> None:
    ids = store.insert_events([event("a"), event("b"), event("a", 2)], beside=everything())
    assert ids == [1, 2, 3]
    whole = all_of(store)
    assert [(row.position, row.stream, row.version) for row in whole["events"]] == [
        (1, "a", 1),
        (2, "b", 1),
        (3, "a", 2),
    ]
    assert whole["positions"] == {PARTITION: position(10)}
    assert whole["seen"] == {b"\1" * 16: b"digest"}
    assert whole["due"] == [(7, "order-1")]
    assert whole["quarantine"] == [(1, "held", quarantined(1))]


def clash_of_positions(beside: Beside) -> None:
    """Expect what is not."""
    beside.advance[0] = Advance(9, position(20, 2))


def clash_of_seen(beside: Beside) -> None:
    """See what was seen."""
    beside.seen.append((b"\1" * 16, b"another", 9))


def clash_of_quarantine(beside: Beside) -> None:
    """Hold back what is held back."""
    beside.quarantine.append(quarantined(1))


NOTHING: Callable[[Beside], None] = lambda _: None  # noqa: E731 - one of several


@pytest.mark.parametrize(
    ("events", "spoil", "error"),
    [
        ([event("b"), event("a", 2)], clash_of_positions, Fenced),
        ([event("b"), event("a", 2)], clash_of_seen, IntegrityError),
        ([event("b"), event("a", 2)], clash_of_quarantine, IntegrityError),
        ([event("b"), event("a", 1)], NOTHING, IntegrityError),
        ([event("b"), event("a", 3)], NOTHING, IntegrityError),
        ([event("b"), event("c", 2)], NOTHING, IntegrityError),
        ([event("b", 1), event("b", 3)], NOTHING, IntegrityError),
        ([event("b", 1), event("b", 1)], NOTHING, IntegrityError),
        ([event("b", 2), event("b", 1)], NOTHING, IntegrityError),
    ],
    ids=[
        "position",
        "seen id",
        "quarantined record",
        "version taken",
        "hole behind what is stored",
        "hole at the beginning",
        "hole within",
        "twice within",
        "backwards",
    ],
)
def test_whatever_clashes_nothing_is_stored(
    store: LogRecorder, events: list[Any], spoil: Callable[[Beside], None], error: type[Exception]
) -> None:
    store.insert_events([event("a")], beside=everything(1))
    before = all_of(store)
    beside = everything(2, expected=10, following=20, batches=2)
    spoil(beside)
    with pytest.raises(error):
        store.insert_events(events, beside=beside)
    assert all_of(store) == before


def test_after_a_clash_the_store_goes_on(store: LogRecorder) -> None:
    store.insert_events([event("a")], beside=everything(1))
    with pytest.raises(IntegrityError):
        store.insert_events([event("a")], beside=Beside())
    assert store.insert_events([event("a", 2)], beside=Beside()) is not None
    assert store.versions(["a"]) == {"a": 2}


# Positions move by compare and swap: F1 and F2.


def test_a_zombie_with_an_overlapping_batch_is_fenced_although_its_end_is_further(store: LogRecorder) -> None:
    store.insert_events([event("first")], beside=advance(None, 106))
    store.insert_events([event("owner")], beside=advance(106, 116, 2))
    with pytest.raises(Fenced):
        store.insert_events([event("zombie")], beside=advance(106, 126, 2))
    assert store.versions(["zombie"]) == {}
    assert store.positions()[PARTITION].next == 116


def test_a_partition_that_is_known_is_not_begun_again(store: LogRecorder) -> None:
    store.insert_events([], beside=advance(None, 10))
    with pytest.raises(Fenced):
        store.insert_events([], beside=advance(None, 10))


def test_a_partition_that_is_not_known_cannot_be_taken_further(store: LogRecorder) -> None:
    with pytest.raises(Fenced):
        store.insert_events([], beside=advance(0, 10))


def test_at_the_same_position_but_after_another_batch_it_is_fenced(store: LogRecorder) -> None:
    store.insert_events([], beside=advance(None, 10))
    store.insert_events([], beside=advance(10, 10, 2))
    with pytest.raises(Fenced):
        store.insert_events([], beside=advance(10, 20, 2))
    store.insert_events([], beside=advance(10, 20, 3))


def test_of_several_partitions_one_wrong_one_undoes_all(store: LogRecorder) -> None:
    for name in "ab":
        store.insert_events([], beside=advance(None, 10, partition=name))
    both = Beside(advance=[Advance(10, position(20, 2, partition="a")), Advance(11, position(20, 2, partition="b"))])
    with pytest.raises(Fenced):
        store.insert_events([event()], beside=both)
    assert {one.next for one in store.positions().values()} == {10}
    assert store.last_position() == 0


def test_a_batch_without_events_moves_the_position_on(store: LogRecorder) -> None:
    assert store.insert_events([], beside=advance(None, 10)) is None
    assert store.positions() == {PARTITION: position(10)}


def test_positions_are_read_back_as_they_were_written(store: LogRecorder) -> None:
    whole = Position("c/t/1", "t", 1, 7, None, b"", 1, None, 99)
    store.insert_events([], beside=Beside(advance=[Advance(None, whole)]))
    assert store.positions() == {"c/t/1": whole}


# Options are not dropped: F4.


def test_what_would_not_be_stored_is_refused_and_not_dropped(store: LogRecorder) -> None:
    with pytest.raises(TypeError, match="tracking"):
        store.insert_events([event()], tracking=Tracking("upstream", 1))
    assert store.last_position() == 0


# Deadlines


def test_a_deadline_is_moved_and_taken_away_with_the_events(store: LogRecorder) -> None:
    store.insert_events(
        [], beside=Beside(deadlines=deadlines(Armed("a", 7, "p"), Armed("b", 5, "p"), Armed("c", None, "p")))
    )
    assert store.due(8, 9) == [(5, "b"), (7, "a")]
    assert store.due(7, 9) == [(5, "b")]
    assert store.due(8, 1) == [(5, "b")]
    store.insert_events([], beside=Beside(deadlines=deadlines(Armed("a", 3, "q"), gone=["b"])))
    assert store.due(8, 9) == [(3, "a")]
    assert store.armed(["a", "b", "c", "d"]) == {"a": Armed("a", 3, "q"), "c": Armed("c", None, "p")}


def test_what_another_policy_armed_is_known_with_or_without_a_due_time(store: LogRecorder) -> None:
    store.insert_events(
        [], beside=Beside(deadlines=deadlines(Armed("a", 7, "p"), Armed("b", None, "p"), Armed("c", 7, "q")))
    )
    assert sorted(store.armed_by_other("q", 9)) == ["a", "b"]
    assert len(store.armed_by_other("q", 1)) == 1
    assert store.count_armed_by_other("q") == 2


# Seen ids


def test_seen_ids_are_purged_in_slices_oldest_kept_last(store: LogRecorder) -> None:
    store.insert_events([], beside=Beside(seen=[(bytes([n]) * 16, b"d", n) for n in range(10)]))
    assert [store.forget_seen(6, 9, 4) for _ in range(3)] == [4, 2, 0]
    assert set(store.seen([bytes([n]) * 16 for n in range(10)])) == {bytes([n]) * 16 for n in (6, 7, 8, 9)}


def test_thousands_of_ids_are_looked_up_at_once(store: LogRecorder) -> None:
    keys = [n.to_bytes(16, "big") for n in range(3000)]
    store.insert_events([], beside=Beside(seen=[(key, b"d", 1) for key in keys]))
    assert len(store.seen(keys)) == 3000


# Quarantine


def test_raw_bytes_expire_in_slices(store: LogRecorder) -> None:
    store.insert_events([], beside=Beside(quarantine=[quarantined(number) for number in range(5)]))
    assert [store.expire_quarantine(10, 3) for _ in range(3)] == [3, 2, 0]


def test_quarantine_is_settled_in_the_same_transaction(store: LogRecorder) -> None:
    store.insert_events([], beside=Beside(quarantine=[quarantined(1), quarantined(2)]))
    with pytest.raises(IntegrityError):
        store.insert_events([event(version=2)], beside=Beside(settle=[(1, "retried")]))
    assert len(store.quarantined()) == 2
    store.insert_events([event()], beside=Beside(settle=[(1, "retried")]))
    assert [number for number, _, _ in store.quarantined()] == [2]
    assert [status for _, status, _ in store.quarantined(None)] == ["retried", "held"]


def test_raw_bytes_expire_and_the_reason_stays(store: LogRecorder) -> None:
    store.insert_events([], beside=Beside(quarantine=[quarantined(1)]))
    assert store.expire_quarantine(9, 5) == 0
    assert store.expire_quarantine(10, 5) == 1
    assert store.expire_quarantine(10, 5) == 0
    [(_, status, one)] = store.quarantined(None)
    assert (status, one.code, one.raw.key, one.raw.value, one.raw.headers) == ("expired", "not_json", None, None, ())


# Reading


def test_the_log_is_read_in_pages_in_the_order_of_commits(store: LogRecorder) -> None:
    for number in range(1, 8):
        store.insert_events([event("a", number, topic=f"t{number % 2}")])
    assert [row.position for row in store.select_rows(2, 3)] == [3, 4, 5]
    assert [row.version for row in store.select_rows(0, 9, ["t0"])] == [2, 4, 6]
    assert store.select_rows(7, 9) == []
    assert {row.position for row in store.next_rows([0, 1, 4, 6, 7], ["t1", "t9"])} == {1, 3, 5, 7}
    assert store.last_position() == 7


def test_streams_are_read_whole_in_version_order_and_as_of_a_position(store: LogRecorder) -> None:
    for number in range(1, 4):
        store.insert_events([event("b", number), event("a", number)])
    rows = store.select_streams(["b", "a", "none"])
    assert [(row.stream, row.version) for row in rows] == [(s, n) for s in "ab" for n in (1, 2, 3)]
    assert [(row.stream, row.version) for row in store.select_streams(["b", "a"], up_to=3)] == [
        ("a", 1),
        ("b", 1),
        ("b", 2),
    ]
    assert store.versions(["a", "none"]) == {"a": 3}


def test_a_thousand_streams_are_written_and_read_at_once(store: LogRecorder) -> None:
    names = [f"s{n}" for n in range(1000)]
    store.insert_events([event(name) for name in names])
    store.insert_events([event(name, 2) for name in names])
    assert len(store.select_streams(names)) == 2000
    assert set(store.versions(names).values()) == {2}


# Holding the write lock over several reads and one append


def test_what_is_written_under_the_lock_is_read_under_it_and_undone_with_it(store: LogRecorder) -> None:
    def fail_after_writing() -> None:
        with store.writing():
            store.insert_events([event()], beside=everything())
            assert store.versions(["s"]) == {"s": 1}
            assert store.positions()[PARTITION].next == 10
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    assert not any(all_of(store).values())


def test_an_append_that_failed_under_the_lock_leaves_nothing_even_if_the_failure_is_survived(
    store: LogRecorder,
) -> None:
    store.insert_events([], beside=everything(1))
    before = all_of(store)
    beside = everything(2, expected=10, following=20, batches=2)
    clash_of_quarantine(beside)
    with store.writing(), pytest.raises(IntegrityError):
        store.insert_events([event()], beside=beside)
    assert all_of(store) == before
