"""Terms: whatever a later version changes, a trouble is found once, by the first policy under which it comes due."""

from collections.abc import Iterator

import pytest

from domain.detection import Finding
from domain.detectors import DETECTORS
from domain.events import Fact, Stamp
from domain.groups import price_cut
from domain.groups.backlog import Backlog, BacklogMemberChanged, evolve
from domain.groups.price_cut import PriceCut, PriceCutBuyerChanged, PriceCutChanged
from domain.history.log import Log
from domain.instant import DAY, FOREVER, HOUR, iso
from domain.judging.adoption import Adopted
from domain.judging.judgement import Judgement
from domain.judging.report import final
from domain.policies.policy import load
from tests.domain.termed import HEARD, judged
from tests.story import (
    Desk,
    Given,
    at,
    complained,
    heartbeat,
    hours,
    labelled,
    line,
    memory_log,
    moved,
    packed,
    piece,
    placed,
    requested,
    scanned,
)


@pytest.fixture(name="log")
def an_empty_log() -> Iterator[Log]:
    """Open a log in memory."""
    with memory_log() as log:
        yield log


def versions(table: str, key: str, first: str, later: str, when: float = 20) -> str:
    """Write a file of two versions that differ in one threshold."""
    valid_from = f'[[version]]\nvalid_from = "{iso(at(when))}"\n'
    return f'[{table}]\n{key} = "{first}"\n{valid_from}[version.{table}]\n{key} = "{later}"\n'


def found(log: Log, kind: str) -> list[tuple[str, float | None, float | None, float | None]]:
    """Say (state, since, due, ended) of every finding of a kind."""
    mine = (one for one in final(log) if one.finding.kind == kind)
    return [(one.state, *_times(one.finding)) for one in mine]


def _times(one: Finding) -> tuple[float | None, float | None, float | None]:
    return hours(one.since), hours(one.due_at), hours(one.ended_at)


def passing(desk: Desk, *times: float) -> None:
    """Let time come to each of these instants."""
    for when in times:
        desk.tick(when)


LABEL = labelled(8, order_ids=("O",))
SCAN = scanned(8, status="in_transit", order_ids=("O",))
ALIVE = scanned(90, "P9", order_ids=("O9",))


@pytest.mark.parametrize(
    ("kind", "key", "fact", "since"),
    [("unconfirmed_handover", "after", LABEL, 20), ("stalled_parcel", "after", SCAN, 8)],
)
def test_what_falls_between_a_longer_and_a_shorter_threshold_comes_due_when_the_shorter_one_comes_into_force(
    log: Log, kind: str, key: str, fact: Fact, since: float
) -> None:
    desk = Desk(log, versions(kind, key, "15h", "9h"))
    desk.take(placed(0), fact, ALIVE, until=9)
    passing(desk, 17.5, 20)
    assert found(log, kind) == []
    passing(desk, 20.5, 23.5, 40)
    assert [one for one in found(log, kind) if one[2] != 90] == [("open", since, 20, None)]
    [one] = [one.finding for one in final(log) if one.finding.kind == kind and one.finding.parcel_id == "P"]
    assert one.policy == desk.tracker.policies[1].policy.hash
    assert one.detail["rule_due_at"] == iso(at(17))


def test_it_waits_for_a_feed_that_has_not_been_heard_up_to_the_date_of_the_version(log: Log) -> None:
    desk = Desk(log, versions("stalled_parcel", "after", "15h", "9h"))
    desk.take(placed(0), SCAN, heartbeat(18), until=9)
    passing(desk, 20.5, 40)
    assert found(log, "stalled_parcel") == []
    assert [one.waits for one in log.store.armed(["parcel-P"]).values()] == [(("/s", at(20)),)]
    desk.take(heartbeat(20), until=41)
    passing(desk, 41)
    assert found(log, "stalled_parcel") == []
    desk.take(heartbeat(20.1), until=42)
    passing(desk, 42)
    assert found(log, "stalled_parcel") == [("open", 8, 20, None)]


@pytest.mark.parametrize("when", [19, 20])
def test_what_was_over_by_then_is_left_as_the_version_before_left_it(log: Log, when: float) -> None:
    desk = Desk(log, versions("unconfirmed_handover", "after", "15h", "9h"))
    desk.take(placed(0), LABEL, scanned(when, order_ids=("O",)), ALIVE, until=9)
    passing(desk, 20.5, 23.5, 40)
    assert found(log, "unconfirmed_handover") == []


@pytest.mark.parametrize(("kind", "fact", "since"), [("unconfirmed_handover", LABEL, 17), ("stalled_parcel", SCAN, 8)])
def test_what_was_found_before_the_threshold_grew_is_not_found_again(
    log: Log, kind: str, fact: Fact, since: float
) -> None:
    desk = Desk(log, versions(kind, "after", "9h", "15h"))
    desk.take(placed(0), fact, ALIVE, until=9)
    passing(desk, 17.5, 20.5, 23.5, 40)
    assert [one for one in found(log, kind) if one[2] != 90] == [("open", since, 17, None)]
    [one] = [one.finding for one in final(log) if one.finding.kind == kind and one.finding.parcel_id == "P"]
    assert one.policy == desk.tracker.policies[0].policy.hash


def test_what_comes_due_under_the_longer_one_after_it_came_into_force_is_its_own(log: Log) -> None:
    desk = Desk(log, versions("unconfirmed_handover", "after", "15h", "30h"))
    desk.take(placed(0), LABEL, ALIVE, until=9)
    passing(desk, 23.5, 37.5, 38.5)
    assert found(log, "unconfirmed_handover") == [("open", 38, 38, None)]


def test_a_loss_is_found_once_though_its_window_grew(log: Log) -> None:
    desk = Desk(log, versions("presumed_lost", "after", "9h", "20h"))
    desk.take(placed(0), SCAN, ALIVE, until=9)
    passing(desk, 17.5, 28.5, 40)
    assert [one for one in found(log, "presumed_lost") if one[2] and one[2] < 90] == [("open", 17, 17, None)]


def test_a_complaint_that_was_in_time_for_the_old_version_is_late_from_the_new_one_on(log: Log) -> None:
    desk = Desk(log, versions("complaint_overdue", "first_response", "15h", "9h"))
    desk.take(complained(8), until=9)
    passing(desk, 17.5, 20.5, 23.5, 31)
    assert found(log, "complaint_overdue") == [("open", 8, 20, None)]


def test_a_missing_item_stays_with_the_version_of_its_packing_though_a_later_one_would_know_sooner() -> None:
    rule = "mis_shipment"
    assert {detector.kind for detector in DETECTORS["parcel"]} >= {rule}
    policies = [load(f'[{rule}]\nmissing_after = "{after}"') for after in ("30h", "2h")]
    world = Given(
        placed(0, line("1", quantity=2)),
        requested(0, ship_by=90),
        packed(1, "P", piece(quantity=1), fulfillment_ids=("F",)),
        scanned(2),
    )
    terms = [Adopted(-FOREVER, policies[0]), Adopted(at(3), policies[1])]
    assert [_kinds(terms, world, when) for when in (5, 31, 33)] == [[], [], [(rule, 1)]]


def test_what_one_look_finds_is_told_in_the_order_in_which_it_came_due_however_many_versions_there_are() -> None:
    world = Given(
        placed(0, line("1"), ship_by=0),
        requested(0, "F"),
        requested(0, "G"),
        moved(0, 0, key="agreed"),
        moved(1, 0, key="agreed again"),
    )
    order = world.work.state("order-O")
    for since in ((), (at(1),)):
        terms = [Adopted(one, load("")) for one in (-FOREVER, *since)]
        found = judged(terms, "order-O", order)
        assert [(one.subject, hours(one.due_at)) for one in found] == [("F", 0), ("G", 0), ("F", 1), ("G", 1)]


def _kinds(terms: list[Adopted], world: Given, when: float) -> list[tuple[str, float | None]]:
    verdict = Judgement(terms).of("parcel-P", world.parcel(), at(when), HEARD)
    opened = (event.finding for event in verdict.events if hasattr(event, "finding"))
    return [(one.kind, hours(one.due_at)) for one in opened if one.kind == "mis_shipment"]


def test_a_crowd_that_the_new_version_calls_a_backlog_is_one_from_its_date_on_and_the_old_one_s_is_not_told_again() -> (
    None
):
    def of(first: int, later: int, until: float) -> list[tuple[int, float]]:
        policies = [load(f'timezone = "UTC"\n[warehouse_backlog]\nminimum = {least}') for least in (first, later)]
        place = Backlog("warehouse-W")
        for name in "abcd":
            evolve(place, BacklogMemberChanged(member=name, order_ids=(name,), since=HOUR, proof=(f"/s#{name}",)))
        terms = [Adopted(-FOREVER, policies[0]), Adopted(5 * DAY // 2, policies[1])]
        verdict = Judgement(terms).of("backlog-warehouse-W", place, int(until * DAY), HEARD)
        found = [event.finding for event in verdict.events if hasattr(event, "finding")]
        return [([one.hash for one in policies].index(one.policy), one.due_at / DAY) for one in found]

    assert [of(9, 3, until) for until in (2.4, 2.5, 2.6, 9)] == [[], [], [(1, 2.5)], [(1, 2.5)]]
    assert [of(3, 9, until) for until in (2.4, 9)] == [[(0, 1.0)], [(0, 1.0)]]
    assert [of(3, 4, until) for until in (2.4, 9)] == [[(0, 1.0)], [(0, 1.0)]]


def test_a_price_that_fell_before_a_longer_protection_owes_nobody_more_and_what_was_owed_stays_owed() -> None:
    def owed(first: str, later: str) -> list[tuple[int, float]]:
        cut = PriceCut("TEA:cut")
        changed = PriceCutChanged(sku="TEA", changed=Stamp(20 * DAY, "/s", "cut"), price="80", currency="CNY")
        bought = Stamp(10 * DAY, "/s", "bought")
        buyer = PriceCutBuyerChanged(
            buyer="A:1", order_id="A", bought=bought, unit_price="100", quantity=1, currency="CNY"
        )
        for event in (changed, buyer):
            price_cut.evolve(cut, event)
        windows = [load(f'[price_protection]\nwindow = "{window}"') for window in (first, later)]
        terms = [Adopted(-FOREVER, windows[0]), Adopted(30 * DAY, windows[1])]
        found = judged(terms, "price_cut-TEA:cut", cut, 99 * DAY)
        return [([one.hash for one in windows].index(one.policy), one.due_at / DAY) for one in found]

    assert owed("7d", "15d") == []
    assert owed("15d", "7d") == [(0, 20)]
