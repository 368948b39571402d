"""Adoption: policies stand in the log, and each judges what came due in its time."""

from collections.abc import Iterator

import pytest

from domain.history.enrolment import go_live
from domain.history.log import Log
from domain.instant import FOREVER, iso
from domain.judging.adoption import adopt, adopted
from domain.judging.report import final
from domain.policies.policy import PolicyInvalid, load
from tests.story import Desk, approved, at, heartbeat, memory_log, moved, placed, requested, scanned

LATEST = '[late_shipment]\npromise = "latest"'
ORIGINAL = '[late_shipment]\npromise = "original"'
REQUIRED = '[late_shipment]\napproval = "required"'
OFF = '[kinds]\nenabled = ["stalled_parcel"]'


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


@pytest.fixture
def begun(log: Log) -> Log:
    """Go live with a log, so that there is something to judge."""
    go_live(log, {}, "earliest", at(0))
    return log


def test_the_first_policy_judges_all_that_came_before(log: Log) -> None:
    [first] = adopt(log, LATEST, at(5))
    assert first.since == -FOREVER
    assert adopted(log) == [first]


def test_starting_again_with_the_same_policy_changes_nothing(log: Log) -> None:
    adopt(log, LATEST, at(5))
    assert len(adopt(log, "# the same\n" + LATEST, at(6))) == 1
    assert log.store.last_position() == 1


def test_another_policy_judges_from_its_adoption_on_and_the_text_stays(begun: Log) -> None:
    adopt(begun, LATEST, at(5))
    both = adopt(begun, ORIGINAL, at(8))
    assert [one.since for one in both] == [-FOREVER, at(8)]
    assert [one.policy.late_shipment.promise for one in adopted(begun)] == ["latest", "original"]


def test_until_there_is_something_to_judge_a_later_policy_is_the_first(log: Log) -> None:
    """A start that came to nothing, without a policy, must not judge the history that the next one reads."""
    adopt(log, "", at(5))
    [only] = adopt(log, LATEST, at(8))
    assert (only.since, only.policy) == (-FOREVER, load(LATEST))
    assert adopted(log) == [only] == adopt(log, LATEST, at(9))
    go_live(log, {}, "earliest", at(10))
    assert [one.since for one in adopt(log, ORIGINAL, at(11))] == [-FOREVER, at(11)]


def test_going_back_to_an_earlier_policy_is_another_adoption(begun: Log) -> None:
    for text, when in ((LATEST, 1), (ORIGINAL, 2), (LATEST, 3)):
        adopt(begun, text, at(when))
    assert len(adopted(begun)) == 3


def test_a_text_that_is_no_policy_leaves_the_log_as_it_was(log: Log) -> None:
    with pytest.raises(PolicyInvalid):
        adopt(log, "nonsense = 1", at(1))
    assert log.store.last_position() == 0


def test_a_finding_keeps_the_policy_that_opened_it(log: Log) -> None:
    desk = Desk(log, LATEST)
    desk.take(placed(0), requested(0, ship_by=10), until=11)
    again = Desk(log, ORIGINAL, adopted_at=20)
    again.take(scanned(30), until=31)
    [one] = final(log)
    assert (one.state, one.finding.policy) == ("ended", desk.tracker.policies[0].policy.hash)


def test_a_policy_judges_only_what_came_due_in_its_time(log: Log) -> None:
    merchant = moved(1, 30, "merchant")
    Desk(log, ORIGINAL).take(placed(0), requested(0, ship_by=10), merchant, until=11)
    again = Desk(log, LATEST, adopted_at=20)
    again.tick(35)
    while again.tracker.rearm(at(35)):
        pass
    again.tick(36)
    assert again.found() == [("open", "F", 10, None)]
    assert [one.finding.policy for one in final(log)] == [load(ORIGINAL).hash]


def test_a_change_of_policy_finds_from_its_date_on_what_it_sees_otherwise_and_no_version_found(log: Log) -> None:
    merchant = moved(1, 30, "merchant")
    Desk(log, LATEST).take(placed(0), requested(0, ship_by=10), merchant, until=15)
    again = Desk(log, ORIGINAL, adopted_at=20)
    while again.tracker.rearm(at(25)):
        pass
    assert again.found() == [("open", "F", 20, None)]
    [one] = final(log)
    assert (one.finding.policy, one.finding.detail["rule_due_at"]) == (load(ORIGINAL).hash, iso(at(10)))


def test_what_was_over_when_a_policy_came_into_force_is_not_dug_up(log: Log) -> None:
    Desk(log, LATEST).take(placed(0), requested(0, ship_by=10), moved(1, 30, "merchant"), scanned(19), until=19)
    again = Desk(log, ORIGINAL, adopted_at=20)
    while again.tracker.rearm(at(25)):
        pass
    again.tick(99)
    assert again.found() == []


def test_what_is_open_is_armed_anew_under_the_new_policy(log: Log) -> None:
    Desk(log, ORIGINAL).take(placed(0), requested(0, ship_by=40), moved(1, 30, "merchant"), until=5)
    again = Desk(log, LATEST, adopted_at=20)
    assert log.store.count_armed_by_other(again.tracker.policies[-1].policy.hash) == 1
    assert again.tracker.rearm(at(20)) == 1
    assert again.tracker.rearm(at(20)) == 0
    assert log.store.due(at(99), 9) == [(at(30), "order-O")]


def test_a_deadline_under_the_old_policy_still_fires_after_the_new_one_was_adopted(log: Log) -> None:
    Desk(log, LATEST).take(placed(0), requested(0, ship_by=10), moved(1, 30, "merchant"), until=15)
    again = Desk(log, ORIGINAL, adopted_at=40)
    while again.tracker.rearm(at(15)):
        pass
    again.tick(31)
    assert again.found() == [("open", "F", 30, None)]


@pytest.mark.parametrize("blind", [REQUIRED, OFF])
def test_what_the_old_policy_could_not_see_is_armed_under_one_that_can(log: Log, blind: str) -> None:
    Desk(log, blind).take(placed(0), requested(0, ship_by=40), until=5)
    again = Desk(log, "", adopted_at=20)
    while again.tracker.rearm(at(20)):
        pass
    again.tick(41)
    assert again.found() == [("open", "F", 40, None)]


def test_a_finished_order_is_not_looked_at_again_for_a_new_policy(log: Log) -> None:
    Desk(log).take(placed(0), requested(0, ship_by=40), scanned(3), scanned(4, status="delivered"), until=5)
    assert Desk(log, LATEST, adopted_at=20).tracker.rearm(at(20)) == 0


def test_a_parcel_on_its_way_is_looked_at_again_for_a_new_policy_though_its_order_is_shipped(log: Log) -> None:
    Desk(log).take(placed(0), requested(0, ship_by=40), scanned(3, source="/sf"), heartbeat(9, "/sf"), until=5)
    impatient = Desk(log, '[stalled_parcel]\nafter = "10h"', adopted_at=12)
    assert [impatient.tracker.rearm(at(12)) for _ in range(2)] == [1, 0]
    assert log.store.due(at(99), 9) == [(at(13), "parcel-P")]


def test_an_order_that_is_shipped_is_still_open_while_its_delivery_is_promised(log: Log) -> None:
    Desk(log).take(placed(0, deliver_by=90), requested(0, ship_by=40), scanned(3), until=5)
    latest = Desk(log, LATEST, adopted_at=20)
    assert [latest.tracker.rearm(at(20)) for _ in range(2)] == [2, 0]


def test_a_kind_that_is_off_is_not_reported(log: Log) -> None:
    desk = Desk(log, OFF)
    desk.take(placed(0), requested(0, ship_by=10), until=50)
    desk.tick(60)
    assert desk.found() == []


def test_where_approval_is_required_the_approval_makes_it_late(log: Log) -> None:
    desk = Desk(log, REQUIRED)
    desk.take(placed(0), requested(0, ship_by=10), until=15)
    assert desk.found() == []
    desk.take(approved(14), until=15)
    assert desk.found() == [("open", "F", 10, None)]


def test_a_running_process_judges_by_what_another_has_adopted_since(log: Log) -> None:
    running = Desk(log, ORIGINAL)
    running.take(placed(0), requested(0, ship_by=40), moved(1, 30, "merchant"), until=5)
    Desk(log, LATEST, adopted_at=20)
    running.tracker.follow_policies()
    assert running.tracker.policies == tuple(adopted(log))
    assert running.tracker.rearm(at(20)) == 1
    running.tick(31)
    assert running.found() == [("open", "F", 30, None)]


def test_what_comes_due_at_the_very_instant_of_adoption_is_the_new_policy_s_and_found_once(log: Log) -> None:
    Desk(log, ORIGINAL).take(placed(0), requested(0, ship_by=20), until=5)
    again = Desk(log, LATEST, adopted_at=20)
    again.tick(21)
    assert [one.finding.policy for one in final(log)] == [again.tracker.policies[-1].policy.hash]
