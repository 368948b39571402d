"""Dated versions: all are adopted at once, each judges what comes due in its time; a new file changes no verdict."""

from collections.abc import Iterator

import msgspec
import pytest

from domain.history.batch import PolicyAdopted
from domain.history.enrolment import go_live
from domain.history.log import Log
from domain.instant import FOREVER, iso
from domain.judging.adoption import Adopted, adopt, adopted, in_force, judging, planned, policy_of
from domain.judging.report import final
from domain.policies.policy import PolicyInvalid, load, load_versions
from tests.story import Desk, at, hours, memory_log, moved, placed, requested

BASE = '[late_shipment]\npromise = "original"\n'


def version(when: float, promise: str) -> str:
    """Write a version that judges from then on."""
    return f'[[version]]\nvalid_from = "{iso(at(when))}"\n[version.late_shipment]\npromise = "{promise}"\n'


def dated(when: float, promise: str) -> str:
    """Write a file that is dated as a whole."""
    return f'valid_from = "{iso(at(when))}"\n[late_shipment]\npromise = "{promise}"\n'


def shape(policies: list[Adopted]) -> list[tuple[float | None, str]]:
    """Say (since, promise) of each; the beginning is null."""
    return [(None if since == -FOREVER else hours(since), one.late_shipment.promise) for since, one in policies]


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


def test_every_version_is_adopted_at_once_under_its_own_hash(log: Log) -> None:
    text = BASE + version(20, "latest") + version(30, "agreed")
    assert shape(adopt(log, text, at(5))) == [(None, "original"), (20, "latest"), (30, "agreed")]
    events = [one for one in log.stream("policy") if isinstance(one, PolicyAdopted)]
    assert [one.hash for one in events] == [policy.hash for _, policy in load_versions(text)]
    assert {one.text for one in events} == {text}
    assert len({one.hash for one in events}) == 3
    assert shape(adopted(log)) == shape(planned(text))


@pytest.mark.parametrize("now", [5, 20, 25, 99])
def test_the_same_file_again_changes_nothing_whenever_it_is(log: Log, now: float) -> None:
    text = BASE + version(20, "latest") + version(30, "agreed")
    adopt(log, text, at(5))
    assert shape(adopt(log, text + "# the same\n", at(now))) == shape(planned(text))
    assert log.store.last_position() == 3


def test_the_first_file_of_a_log_may_be_dated_as_a_whole(log: Log) -> None:
    assert shape(adopt(log, dated(7, "latest"), at(50))) == [(7, "latest")]
    assert shape(adopt(log, dated(7, "latest"), at(60))) == [(7, "latest")]


def test_what_comes_due_before_the_first_date_is_judged_by_nothing(log: Log) -> None:
    desk = Desk(log, dated(15, "agreed"))
    desk.take(placed(0), requested(0, ship_by=10), requested(0, "G", ship_by=16), until=50)
    assert [subject for _, subject, _, _ in desk.found()] == ["G"]


def test_each_finding_is_judged_and_signed_by_the_version_of_its_time(log: Log) -> None:
    desk = Desk(log, BASE + version(20, "latest"))
    desk.take(placed(0), requested(0, ship_by=10), moved(1, 30, "merchant"), until=11)
    desk.tick(29)
    assert desk.found() == [("open", "F", 10, None)]
    desk.tick(31)
    assert desk.found() == [("open", "F", 10, None)]
    desk.take(placed(0, of="Q"), requested(0, "G", "Q", ship_by=32), until=33)
    assert desk.found() == [("open", "F", 10, None), ("open", "G", 32, None)]
    assert [one.finding.policy for one in final(log)] == [one.policy.hash for one in desk.tracker.policies]


def test_a_later_version_is_armed_for_by_the_same_process_without_another_adoption(log: Log) -> None:
    desk = Desk(log, '[kinds]\nenabled = []\n[[version]]\nvalid_from = "2026-03-02T00:00:00Z"\n'
                     '[version.kinds]\nenabled = ["late_shipment"]')  # fmt: skip
    desk.take(placed(0), requested(0, ship_by=40), requested(0, "G", ship_by=10), until=5)
    for when in (11, 39, 41):
        desk.tick(when)
    assert desk.found() == [("open", "F", 40, None)]


def test_a_new_file_takes_the_place_of_what_was_planned(begun: Log) -> None:
    adopt(begun, BASE + version(20, "latest") + version(40, "agreed"), at(5))
    assert shape(adopt(begun, "# none is planned\n" + version(30, "original"), at(25))) == [
        (None, "original"),
        (20, "latest"),
        (25, "agreed"),
        (30, "original"),
    ]
    assert shape(adopted(begun)) == [(None, "original"), (20, "latest"), (25, "agreed"), (30, "original")]


@pytest.mark.parametrize("text", [dated(20, "latest"), dated(20, "latest") + version(30, "agreed")])
def test_a_file_with_a_date_is_the_first_though_a_start_came_to_nothing_before_it(log: Log, text: str) -> None:
    adopt(log, BASE, at(5))
    found = adopt(log, text, at(6))
    assert shape(found) == [(None, "latest"), (20, "latest"), (30, "agreed")][: len(found)]
    assert adopt(log, text, at(7)) == found
    position = log.store.last_position()
    go_live(log, {}, "earliest", at(7))
    assert adopt(log, text, at(8)) == found == adopt(log, text, at(40))
    assert log.store.last_position() == position + 1


def test_a_plan_that_is_taken_back_is_gone(begun: Log) -> None:
    adopt(begun, BASE + version(20, "latest"), at(5))
    assert shape(adopt(begun, BASE, at(6))) == [(None, "original"), (6, "original")]
    assert {one.policy.hash for one in adopted(begun)} == {load(BASE).hash}


def test_a_plan_that_grows_is_added_to(begun: Log) -> None:
    adopt(begun, BASE, at(5))
    adopt(begun, BASE + version(20, "latest"), at(6))
    assert begun.store.last_position() == 3
    assert shape(adopt(begun, BASE + version(20, "latest") + version(30, "agreed"), at(21))) == [
        (None, "original"),
        (20, "latest"),
        (30, "agreed"),
    ]
    assert begun.store.last_position() == 4


def test_a_date_that_has_passed_when_a_later_file_is_adopted_changes_no_old_verdict(log: Log) -> None:
    desk = Desk(log, BASE)
    desk.take(placed(0), requested(0, ship_by=10), moved(1, 30, "merchant"), until=15)
    again = Desk(log, BASE + version(3, "agreed") + version(8, "latest") + version(60, "original"), adopted_at=20)
    assert shape(list(again.tracker.policies)) == [(None, "original"), (20, "latest"), (60, "original")]
    while again.tracker.rearm(at(20)):
        pass
    again.tick(50)
    assert again.found() == [("open", "F", 10, None)]
    assert [one.finding.policy for one in final(log)] == [load(BASE).hash]


def test_a_later_file_that_begins_in_the_future_leaves_the_one_in_force_until_then(begun: Log) -> None:
    adopt(begun, BASE + version(40, "agreed"), at(5))
    adopt(begun, dated(50, "latest"), at(6))
    known = adopted(begun)
    assert [in_force(known, at(when)).late_shipment.promise for when in (0, 6, 45, 50)] == [
        *["original"] * 3,
        "latest",
    ]
    before = begun.store.last_position()
    assert shape(adopt(begun, dated(50, "latest"), at(7))) == shape(known)
    assert begun.store.last_position() == before


def test_a_process_whose_clock_is_behind_takes_nothing_back(begun: Log) -> None:
    adopt(begun, BASE, at(5))
    adopt(begun, dated(1, "agreed"), at(20))
    assert shape(adopt(begun, dated(1, "agreed"), at(19))) == [(None, "original"), (20, "agreed")]
    assert in_force(adopt(begun, version(90, "latest"), at(18)), at(19)).late_shipment.promise == "original"


def test_before_any_policy_the_first_stands_in() -> None:
    first, second = planned(dated(20, "latest") + version(30, "agreed"))
    known = [first, second]
    assert [in_force(known, at(when)) for when in (0, 20, 29.9, 30)] == [first.policy] * 3 + [second.policy]


def test_a_hash_picks_its_version_and_one_that_is_not_there_is_refused() -> None:
    text = BASE + version(20, "latest")
    versions = [policy for _, policy in load_versions(text)]
    assert [policy_of(text, one.hash) for one in versions] == versions
    with pytest.raises(PolicyInvalid, match="no version"):
        policy_of(text, "0" * 64)


def test_a_file_without_versions_is_known_whatever_hash_it_once_had() -> None:
    once = PolicyAdopted(hash="of an earlier release", text=BASE, since=-FOREVER)
    assert judging([once]) == planned(BASE)
    assert judging([msgspec.structs.replace(once, since=at(3))])[0].since == at(3)


def test_versions_out_of_order_leave_the_log_as_it_was(log: Log) -> None:
    with pytest.raises(PolicyInvalid, match="version 2"):
        adopt(log, BASE + version(20, "latest") + version(10, "agreed"), at(1))
    assert log.store.last_position() == 0


def test_another_file_with_the_same_last_version_is_armed_anew(log: Log) -> None:
    last = f'[[version]]\nvalid_from = "{iso(at(90))}"\n[version.late_shipment]\napproval = "required"\n'
    desk = Desk(log, '[late_shipment]\napproval = "required"\n' + last)
    desk.take(placed(0), requested(0, ship_by=40), until=5)
    other = Desk(log, last, adopted_at=10)
    while other.tracker.rearm(at(10)):
        pass
    other.tick(41)
    assert other.found() == [("open", "F", 40, None)]
