"""Two that deliver at once, one of them stopped for a while: things may be repeated, the last word is the last."""

import random

import pytest

from api.outbound.deliverer import _Hand
from domain.history.delivered import Mark
from tests.outbound.late import got, late
from tests.outbound.paper import Delivery, data
from tests.outbound.truth import check, truth


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_pages")
def test_one_that_was_stopped_and_tells_old_things_late_is_followed_by_all_that_came_after(told, topics):
    """The one that is stopped has a page in hand; the next one tells everything meanwhile."""
    late(told, "1", "2", "3", "4")
    stopped, active = Delivery(told, topics), Delivery(told, topics)

    def stop_here():
        topics.before_send = lambda: None
        for name in "1234":
            got(told, name)
        active.run()

    topics.before_send = stop_here
    stopped.run()
    active.run()
    check(topics, truth(told))
    kept = [data(one)["change"] for one in topics.of("changes") if one.key == b"incident-late_shipment-F1"]
    assert kept == ["opened", "ended", "opened", "opened", "ended"]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("small_pages")
def test_two_at_once_end_in_the_last_word(season, topics, seed):
    dice = random.Random(seed)
    deliveries = [Delivery(season, topics) for _ in range(2)]
    hands = [[_hand(one, each, topics) for each in one.outlets()[:2]] for one in deliveries]
    stop = _Never()
    quiet = 0
    while quiet < 8:
        moved = [one.pass_on(stop, alone=False) for one in dice.choice(hands)]
        quiet = 0 if any(moved) else quiet + 1
    for one in deliveries:
        one.run()
    check(topics, season.true)


def test_marks_move_from_where_they_stand_only(told):
    marks = told.log.recorder
    assert marks.delivered("c/t") is None
    assert marks.move("c/t", None, Mark("e", 5, 1, 3))
    assert not marks.move("c/t", None, Mark("e", 9))
    assert marks.delivered("c/t") == Mark("e", 5, 1, 3)
    assert not marks.move("c/t", Mark("e", 4), Mark("e", 9))
    assert not marks.move("c/t", Mark("other", 5), Mark("e", 9))
    assert marks.move("c/t", Mark("e", 5), Mark("e", 9))
    marks.move_back("c/t", Mark("e", 20))
    marks.move_back("c/t", Mark("other", 1))
    assert marks.delivered("c/t") == Mark("e", 9)
    marks.move_back("c/t", Mark("e", 2))
    assert marks.delivered("c/t") == Mark("e", 2)
    assert marks.delivered("c/u") is None


class _Never:
    def is_set(self):
        return False


def _hand(delivery, each, topics):
    return _Hand(each, topics.connect(), delivery.marks, delivery.watch)
