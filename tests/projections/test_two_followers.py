"""A follower that lost its turn and does not know yet: whatever the next one did, it does no harm."""

import pytest

from projections import VIEWS, incidents
from projections.follower import Follower
from projections.parking import Lot
from projections.subjects import Subjects
from tests.projections.choking import Choking, late, open_subjects
from tests.projections.stage import Stage
from tests.stores.engine import views_at
from tests.story import scanned


@pytest.fixture(name="choking")
def a_choking_view():
    """Cannot take in one order."""
    return Choking(incidents.VIEW, "order-O2")


def follower(told: Stage, view: Choking) -> Follower:
    """Begin to follow with the choking view."""
    return Follower(told.store, told.log.store, [view if one is incidents.VIEW else one for one in VIEWS])


def is_as_from_scratch(told: Stage) -> bool:
    fresh = views_at(told.folder / "fresh.db")
    Follower(fresh, told.log.store).catch_up()
    same = told.tables() == told.tables(fresh)
    fresh.close()
    return same


def test_what_the_next_one_parked_waits_for_the_former_one_too(told, choking):
    former = Follower(told.store, told.log.store)
    late(told, "1", "2")
    follower(told, choking).catch_up()
    told.desk.take(scanned(33, "P2", fulfillment_ids=("F2",)), until=34)
    former.catch_up()
    assert open_subjects(told) == {"F1": False}
    choking.mended = True
    follower(told, choking).catch_up()
    assert is_as_from_scratch(told)


def test_what_the_next_one_healed_goes_on_with_the_former_one(told, choking):
    former = follower(told, choking)
    late(told, "1", "2")
    former.catch_up()
    choking.mended = True
    follower(told, choking).catch_up()
    told.desk.take(scanned(33, "P2", fulfillment_ids=("F2",)), until=34)
    former.catch_up()
    assert told.query("SELECT * FROM parked") == []
    assert is_as_from_scratch(told)


def test_what_two_heal_at_once_is_put_in_once(told, choking):
    late(told, "1", "2")
    follower(told, choking).catch_up()
    lot = Lot(told.store, told.log.store, [choking if one is incidents.VIEW else one for one in VIEWS])
    listed = lot._waiting()
    choking.mended = True
    follower(told, choking).catch_up()
    lot._waiting = lambda: listed
    lot.retry(Subjects(told.log.store, 100))
    assert told.query("SELECT revision FROM checkpoints WHERE view = 'incidents'") == [(1,)]
    assert is_as_from_scratch(told)


def test_what_one_healed_is_not_parked_again_by_another_that_cannot(told, choking):
    late(told, "1", "2")
    follower(told, choking).catch_up()
    lot = Lot(told.store, told.log.store, [choking if one is incidents.VIEW else one for one in VIEWS])
    heal = lot._heal

    def overtaken(*one):
        choking.mended = True
        follower(told, choking).catch_up()
        choking.mended = False
        heal(*one)
        raise KeyError("too late")

    lot._heal = overtaken
    lot.retry(Subjects(told.log.store, 100))
    assert told.query("SELECT * FROM parked") == []
    assert is_as_from_scratch(told)


def test_two_that_follow_in_turns_make_what_one_makes(told):
    one, other = Follower(told.store, told.log.store, batch=2), Follower(told.store, told.log.store, batch=3)
    for name in "123456":
        late(told, name)
        one.step()
        told.desk.take(scanned(33, f"P{name}", fulfillment_ids=(f"F{name}",)), until=34)
        other.step()
    one.catch_up()
    other.catch_up()
    assert is_as_from_scratch(told)
