"""Ids that were seen: known wherever they stand, in every process, and purged from the front."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from deploy.store import remembering
from domain.history.log import Beside, LogRecorder
from tests.store.rows import event, lay_out_as_before
from tests.stores.engine import beside, file_log

EACH = 5
DIGEST = b"d" * 8


@pytest.fixture(name="little", autouse=True)
def a_little_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index lag behind by 64 ids at most."""
    monkeypatch.setattr(remembering, "LAG", 64)


def key(number: int) -> bytes:
    """Hash what is different in every message."""
    return blake2b(str(number).encode(), digest_size=16).digest()


def keys(first: int, behind: int) -> list[bytes]:
    """Hash so many."""
    return [key(number) for number in range(first, behind)]


def see(store: LogRecorder, seen: Sequence[bytes], at: int = 0) -> None:
    """Take messages in."""
    version = store.versions(["s"]).get("s", 0) + 1
    store.insert_events([event(version=version)], beside=Beside(seen=[(one, DIGEST, at) for one in seen]))


def see_many(store: LogRecorder, first: int, behind: int, at: int = 0) -> None:
    """Take messages in, a few at a time, each looked up first."""
    for start in range(first, behind, EACH):
        some = keys(start, start + EACH)
        assert store.seen(some) == {}
        see(store, some, at)


def indexed(path: Path) -> int:
    """Count what the index holds."""
    with beside(path) as other:
        return int(other.execute("SELECT COUNT(*) FROM seen_places").fetchone()[0])


@pytest.fixture(name="theirs")
def their_store(path: Path, store: LogRecorder) -> Iterator[LogRecorder]:
    """Open the same log in another process's place."""
    assert store.last_position() == 0
    with file_log(path) as log:
        yield log.store


def test_an_id_is_known_whether_it_is_indexed_or_not_and_whoever_asks(path: Path, store: LogRecorder) -> None:
    see_many(store, 0, 1000)
    assert 500 < indexed(path) < 1000
    wanted = [*keys(0, 1000), key(2000)]
    assert store.seen(wanted) == dict.fromkeys(keys(0, 1000), DIGEST)
    with file_log(path) as fresh:
        assert fresh.store.seen(wanted) == dict.fromkeys(keys(0, 1000), DIGEST)


def test_what_is_indexed_is_held_in_memory_no_more(store: LogRecorder) -> None:
    see_many(store, 0, 1000)
    store.seen([key(0)])
    recent: remembering.Recent = store._recent  # type: ignore[attr-defined]  # a store's own part
    assert sum(map(len, recent.places)) < 300


def test_who_was_idle_holds_no_more_in_memory_than_others_while_it_reads_on(
    store: LogRecorder, theirs: LogRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0

    def added(recent: remembering.Recent, rows: Sequence[Sequence[Any]]) -> None:
        nonlocal most
        add(recent, rows)
        most = max(most, sum(map(len, recent.places)))

    see_many(theirs, 0, 100)
    assert len(store.seen(keys(0, 100))) == 100
    see_many(theirs, 100, 1500)
    add = remembering.Recent.add
    monkeypatch.setattr(remembering.Recent, "add", added)
    assert store.seen(keys(0, 1501)) == dict.fromkeys(keys(0, 1500), DIGEST)
    assert 0 < most < 400


def test_what_another_process_has_seen_is_known_as_soon_as_it_is_committed(
    store: LogRecorder, theirs: LogRecorder
) -> None:
    for first in range(0, 400, 20):
        see_many(store, first, first + 10)
        see_many(theirs, first + 10, first + 20)
        assert len(store.seen(keys(0, first + 20))) == first + 20
        assert len(theirs.seen(keys(0, first + 20))) == first + 20


@pytest.mark.parametrize("further", [0, 500], ids=["just added", "and indexed"])
def test_an_id_that_another_process_has_seen_since_it_was_looked_up_is_a_clash(
    store: LogRecorder, theirs: LogRecorder, further: int
) -> None:
    assert store.seen(keys(0, 5)) == {}
    see(theirs, [key(3)])
    see_many(theirs, 1000, 1000 + further)
    with pytest.raises(IntegrityError):
        see(store, keys(0, 5))
    assert store.seen(keys(0, 5)) == {key(3): DIGEST}


def test_an_id_that_was_never_looked_up_clashes_all_the_same(store: LogRecorder) -> None:
    see_many(store, 0, 500)
    for known in (key(0), key(499)):
        with pytest.raises(IntegrityError):
            see(store, [key(600), known])
    with pytest.raises(IntegrityError):
        see(store, [key(600), key(600)])


def test_what_was_undone_was_never_seen(store: LogRecorder) -> None:
    def fail_after_seeing() -> None:
        with store.writing():
            see(store, keys(0, 5))
            assert len(store.seen(keys(0, 5))) == 5
            with pytest.raises(IntegrityError):
                see(store, [key(4)])
            see_many(store, 100, 500)
            raise ZeroDivisionError

    see_many(store, 600, 900)
    with pytest.raises(ZeroDivisionError):
        fail_after_seeing()
    assert store.seen(keys(0, 500)) == {}
    see_many(store, 0, 500)
    assert len(store.seen(keys(0, 900))) == 800


def test_ids_that_begin_alike_are_told_apart(store: LogRecorder) -> None:
    alike = [b"alike" * 2 + bytes([number]) * 6 for number in range(9)]
    see(store, alike[:8])
    see_many(store, 0, 500)
    assert store.seen(alike) == dict.fromkeys(alike[:8], DIGEST)


# Purging


def test_the_index_forgets_what_is_purged(path: Path, store: LogRecorder) -> None:
    see_many(store, 0, 500, at=1)
    assert [store.forget_seen(2, 9, 400) for _ in range(3)] == [400, 100, 0]
    see_many(store, 1000, 1500, at=3)
    assert store.seen(keys(0, 500)) == {}
    assert len(store.seen(keys(1000, 1500))) == 500
    assert indexed(path) <= 500
    see_many(store, 0, 500, at=4)


def test_what_is_purged_last_leaves_its_place_to_nobody(store: LogRecorder) -> None:
    see_many(store, 0, 300)
    assert store.forget_seen(1, 9, 1000) == 300
    see_many(store, 300, 600)
    assert store.seen(keys(0, 600)) == dict.fromkeys(keys(300, 600), DIGEST)


def test_a_purge_looks_at_no_more_than_one_slice_of_the_oldest(store: LogRecorder) -> None:
    see(store, keys(0, 10), at=9)
    see(store, keys(10, 20), at=1)
    assert store.forget_seen(5, 9, 10) == 0
    assert store.forget_seen(5, 9, 12) == 2


AHEAD = 1000


def purge(store: LogRecorder, before: int, now: int) -> list[int]:
    """Purge in slices of ten until there is nothing left to do; gives how much each took."""
    return [*iter(lambda: store.forget_seen(before, now, 10), 0)]


def test_what_came_by_a_clock_ahead_of_time_goes_with_the_old_ones_behind_it(path: Path, store: LogRecorder) -> None:
    see(store, keys(0, 25), at=AHEAD)
    see(store, keys(25, 90), at=1)
    see(store, keys(90, 95), at=9)
    assert store.forget_seen(5, 9, 10) == 10
    assert max(purge(store, 5, 9)) <= 10
    assert set(store.seen(keys(0, 95))) == set(keys(90, 95))
    see_many(store, 1000, 1300, at=9)
    assert indexed(path) <= 300, "the index keeps what is purged"


def test_a_purge_looks_far_behind_what_came_by_a_clock_ahead_of_time_in_few_slices(
    store: LogRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(store, keys(0, 2000), at=AHEAD)
    see(store, keys(2000, 4100), at=1)
    looks = list[str]()
    ask: Callable[[str, Sequence[Any]], list[Any]] = store._all  # type: ignore[attr-defined]  # a store's own part

    def looking(statement: str, values: Sequence[Any] = ()) -> list[Any]:
        looks.append(statement)
        return ask(statement, values)

    monkeypatch.setattr(store, "_all", looking)
    assert store.forget_seen(5, 9, 10) == 10
    assert len(looks) < 12


def test_what_is_ahead_of_time_stays_while_nothing_behind_it_is_old(store: LogRecorder) -> None:
    see(store, keys(0, 30), at=AHEAD)
    see(store, keys(30, 60), at=7)
    assert purge(store, 5, 9) == []
    assert purge(store, AHEAD + 1, AHEAD + 5) == [10] * 6


def test_what_is_young_stays_whatever_stands_behind_it(store: LogRecorder) -> None:
    see(store, [key(0)], at=AHEAD)
    see(store, keys(1, 20), at=8)
    see(store, keys(20, 60), at=1)
    assert purge(store, 5, 9) == [1]
    assert set(store.seen(keys(0, 60))) == set(keys(1, 60))


def test_where_nothing_is_old_a_purge_leaves_the_lock_to_others(path: Path, store: LogRecorder) -> None:
    see(store, keys(0, 10), at=9)
    with beside(path) as other:
        assert other.lock()
        assert store.forget_seen(9, 9, 100) == 0
        assert store.expire_quarantine(9, 100) == 0
        other.execute("COMMIT")


# A log of the layout before this one


def test_a_log_that_kept_ids_by_key_goes_on_knowing_them(path: Path) -> None:
    with file_log(path):
        pass
    with beside(path) as other:
        lay_out_as_before(other, [(one, DIGEST, 300 - number) for number, one in enumerate(keys(0, 300))])
    with file_log(path) as log:
        assert log.store.seen(keys(0, 301)) == dict.fromkeys(keys(0, 300), DIGEST)
        see_many(log.store, 300, 600, at=301)
        assert log.store.forget_seen(101, 301, 1000) == 100
        assert log.store.seen(keys(0, 600)) == dict.fromkeys([*keys(0, 200), *keys(300, 600)], DIGEST)
    with beside(path) as other, pytest.raises(Exception, match=r"no such table|does not exist"):
        # A process of the version before, which would look for this id where it is no more.
        other.execute("INSERT INTO seen VALUES (?, ?, ?)", (key(0), DIGEST, 0))
