"""Views take what comes in a steady stream together, and what comes after silence at once."""

from projections import follower
from projections.follower import Follower
from tests.pauses import Pauses
from tests.projections.choking import late


def test_a_follower_takes_the_first_at_once_and_gathers_what_comes_next(told, monkeypatch):
    monkeypatch.setattr(follower, "GATHER", 60.0)
    stands = []
    following = Follower(told.store, told.log.store, on_commit=lambda: stands.append(told.log.store.last_position()))
    late(told, "1")
    first = told.log.store.last_position()
    stop = Pauses(lambda: late(told, "2", "3"), lambda: late(told, "4"), lambda: None)
    following.run(stop)
    assert len(stands) == 3
    assert stands[0] == first
    assert stands == sorted(set(stands))
    assert all(50 < one <= 60 for one in stop.seconds)


def test_a_follower_that_is_far_behind_takes_one_full_batch_after_the_other(told, monkeypatch):
    monkeypatch.setattr(follower, "GATHER", 60.0)
    late(told, *map(str, range(9)))
    steps = []
    following = Follower(told.store, told.log.store, batch=5, on_commit=lambda: steps.append(1))
    events = told.log.store.last_position()
    stop = Pauses(lambda: None)
    following.run(stop)
    assert len(steps) == -(-events // 5)
    assert len(stop.seconds) == 1
