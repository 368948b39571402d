"""Incidents that end and begin again and again: marked, counted, and kept at their place."""

import pytest

from api.frames import change
from api.tokens import Token
from domain.history.enrolment import Partition, go_live
from domain.judging.adoption import adopt
from projections import feed, flapping
from tests.projections.staffed import rebuilt
from tests.projections.test_muting import Told, finding
from tests.projections.test_worklist import late_order, listed
from tests.story import at, hours

POLICY = '[incidents.flapping]\nchanges = 4\nwithin = "10h"\nhold = "3h"\n'
TEA = "incident-stock_out-O1%3ATEA"


class Shop:
    def __init__(self, told):
        self.told = told
        self.write = Told(told)

    def flaps(self, *whens):
        for place, when in enumerate(whens):
            if place % 2:
                self.write.ends("backlog-x", self._finding(whens[place - 1], when))
            else:
                self.write.opens("backlog-x", self._finding(when, None))

    def mark(self, when):
        with self.told.store.reading() as rows:
            found = flapping.several(rows, [TEA]).get(TEA)
        return (
            None
            if found is None or found.stable_at <= at(when)
            else (hours(found.since), hours(found.stable_at), found.changes)
        )

    def _finding(self, due, ended):
        return finding("stock_out", "O1:TEA", due, ended=ended, orders=("O1",))


@pytest.fixture
def shop(told):
    adopt(told.log, POLICY, at(0))
    late_order(told, "1", "C1", due=900)
    return Shop(told)


def test_it_is_marked_from_the_change_that_was_one_too_many_until_it_stood_still(shop):
    shop.flaps(1, 2, 3)
    assert shop.mark(3) is None
    shop.flaps(1, 2, 3, 4, 5)
    assert (shop.mark(5), shop.mark(7.9), shop.mark(8)) == ((4, 8, 5), (4, 8, 5), None)
    rebuilt(shop.told)


def test_changes_far_apart_are_news(shop):
    shop.flaps(1, 2, 30, 31, 60)
    assert shop.mark(61) is None
    rebuilt(shop.told)


def test_in_the_feed_each_change_within_it_is_kept_and_marked(shop):
    shop.flaps(1, 2, 3, 4, 5, 6)
    with shop.told.store.reading() as rows:
        found = feed.after(rows, 0, 100)
    marks = [change(one, Token("e", 1, one.position), None)["flapping"] for one in found]
    assert [one.change for one in found] == ["opened", "ended"] * 3
    assert marks == [False, False, False, False, True, True]


def test_it_keeps_its_place_in_the_worklist_while_it_flaps(shop):
    def until(now):
        return [hours(one.rank.until) for one in listed(shop.told, now=now)]

    shop.flaps(1, 2, 3)
    assert until(3) == [3]
    shop.flaps(1, 2, 3, 4, 5)
    assert until(5) == [4]
    shop.flaps(1, 2, 3, 4, 5, 6, 7)
    assert until(7) == [4]
    assert until(10) == [7]


def test_a_policy_that_comes_later_changes_no_mark_of_before(shop):
    go_live(shop.told.log, {Partition("test/orders/1", "orders.events.v1", 1): 0}, "earliest", at(0))
    shop.flaps(1, 2, 3, 4, 5)
    adopt(shop.told.log, "[incidents.flapping]\nchanges = 0", at(6))
    shop.told.follow()
    assert shop.mark(7) == (4, 8, 5)
    shop.flaps(1, 2, 3, 4, 5, 7, 8)
    assert shop.mark(8) is None
    rebuilt(shop.told)
