"""overdue_parcel: how long a carrier holds what should have been with the customer; counted, never reported."""

from typing import Any

import pytest

from domain.detection import Finding, FindingOpened
from domain.detectors import late_delivery, stalled_parcel
from domain.detectors.overdue_parcel import DETECTOR, findings, look_again
from domain.events import Fact
from domain.history.log import Log
from domain.judging.report import final
from domain.parcels.events import TERMINAL
from domain.policies.policy import DEFAULT, Policy, load
from tests.domain.deliveries import redated
from tests.story import Desk, Given, at, cancelled, heartbeat, hours, labelled, line, placed, scanned, voided

PROMISED = placed(0, deliver_by=10)
Held = list[tuple[float | None, float | None]]


def scan(when: float, status: str = "in_transit", **more: Any) -> Fact:
    """Scan parcel P of order O."""
    return scanned(when, status=status, **({"order_ids": ("O",)} | more))


def found(*facts: Fact, now: float = 999, policy: Policy = DEFAULT) -> tuple[Finding, ...]:
    """Look at parcel P."""
    return findings(Given(*facts).parcel(), at(now), policy)


def overdue(*facts: Fact, now: float = 999, policy: Policy = DEFAULT) -> Held:
    """Say (due, ended) of the stretch in which parcel P was held past its promise."""
    return [(hours(one.due_at), hours(one.ended_at)) for one in found(*facts, now=now, policy=policy)]


def test_in_a_carrier_s_hands_past_the_promise_it_is_overdue() -> None:
    assert overdue(PROMISED, scan(5)) == [(10, None)]
    assert overdue(PROMISED, scan(5), now=10) == []


def test_collected_after_the_promise_it_is_overdue_from_then_on() -> None:
    assert overdue(PROMISED, scan(15)) == [(15, None)]


def test_a_label_is_no_carrier_s_fault() -> None:
    assert overdue(PROMISED, labelled(2, order_ids=("O",)), scan(3, "label_created")) == []


def test_without_a_promise_or_a_known_order_nothing_is_overdue() -> None:
    assert overdue(placed(0), scan(5)) == []
    assert overdue(scan(5)) == []
    assert overdue(PROMISED, scan(5, order_ids=())) == []


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_the_end_of_its_way_ends_it(status: str) -> None:
    assert overdue(PROMISED, scan(5), scan(15, status)) == [(10, 15)]
    assert overdue(PROMISED, scan(5), scan(10, status)) == []


@pytest.mark.parametrize("when", [5, 15])
def test_what_was_first_seen_when_it_was_delivered_was_never_held(when: float) -> None:
    assert overdue(PROMISED, scan(when, "delivered")) == []


@pytest.mark.parametrize(("when", "expected"), [(3, []), (7, []), (10, []), (15, [(10, 15)])])
def test_the_void_of_its_label_ends_it(when: float, expected: Held) -> None:
    assert overdue(PROMISED, scan(5), voided(when)) == expected


@pytest.mark.parametrize(("when", "expected"), [(8, []), (10, []), (20, [(10, 20)])])
def test_the_cancellation_of_its_order_ends_it_and_does_not_unmake_it(when: float, expected: Held) -> None:
    assert overdue(PROMISED, scan(5), cancelled(when)) == expected


def test_the_earliest_promise_of_its_orders_counts() -> None:
    two = (PROMISED, placed(0, deliver_by=7, of="Q"))
    assert overdue(*two, scan(5, order_ids=("O", "Q"))) == [(7, None)]


def test_an_order_cancelled_in_time_has_no_promise_to_break() -> None:
    two = (PROMISED, placed(0, deliver_by=7, of="Q"))
    assert overdue(*two, cancelled(6, of="Q"), scan(5, order_ids=("O", "Q"))) == [(10, None)]


@pytest.mark.parametrize(("when", "expected"), [(7, [(10, None)]), (8, [(7, None)])])
def test_on_the_dot_it_was_cancelled_in_time(when: float, expected: Held) -> None:
    two = (PROMISED, placed(0, deliver_by=7, of="Q"))
    assert overdue(*two, cancelled(when, of="Q"), scan(5, order_ids=("O", "Q"))) == expected


def test_a_cancelled_line_changes_nothing() -> None:
    assert overdue(placed(0, line("1"), line("2"), deliver_by=10), cancelled(3, "2"), scan(5)) == [(10, None)]


# The promise is the customer's


@pytest.mark.parametrize(
    "moves",
    [
        (),
        (redated(8, 20),),
        (redated(8, 20, "merchant"),),
        (redated(12, 50),),
        (redated(8, 6),),
        (redated(8, 20), redated(9, 15), redated(30, 60)),
    ],
)
@pytest.mark.parametrize("rule", ["agreed", "original", "latest"])
def test_it_is_overdue_from_when_its_delivery_is_late(moves: tuple[Fact, ...], rule: str) -> None:
    policy = load(f'[late_delivery]\npromise = "{rule}"')
    facts = (PROMISED, scan(5), *moves)
    [late] = late_delivery.findings(Given(*facts).order(), at(999), policy)
    assert overdue(*facts, policy=policy) == [(hours(late.due_at), None)]


def test_a_date_holds_to_the_end_of_its_day_where_policy_says_so() -> None:
    policy = load('[late_delivery]\ndate_promises = "end_of_day"')
    assert overdue(placed(0, deliver_by=16), scan(5), policy=policy) == [(40, None)]


# When to look, and whether to show it


def test_it_is_looked_at_again_when_the_promise_passes() -> None:
    parcel = Given(PROMISED, scan(5)).parcel()
    assert [hours(look_again(parcel, at(now), DEFAULT)) for now in (0, 10)] == [10, 10]
    assert look_again(parcel, at(11), DEFAULT) is None


def test_it_waits_for_the_feeds_that_would_tell_of_its_arrival() -> None:
    parcel = Given(PROMISED, scan(5, source="/sf")).parcel()
    assert DETECTOR.sources(parcel, DEFAULT) == stalled_parcel.DETECTOR.sources(parcel, DEFAULT) == ("/sf",)


def test_it_is_in_the_log_for_the_backlog_and_in_no_report(desk: Desk) -> None:
    desk.take(PROMISED, scan(5, source="/sf"), heartbeat(12, "/sf"), until=20)
    desk.tick(20)
    kept = [one.finding for one in desk.log.stream("parcel-P") if isinstance(one, FindingOpened)]
    assert [(one.kind, one.reported) for one in kept] == [("overdue_parcel", False)]
    assert [one.finding.kind for one in final(desk.log)] == ["late_delivery"]


def test_where_no_backlog_is_looked_for_it_is_not_even_computed(log: Log) -> None:
    desk = Desk(log, '[kinds]\nenabled = ["late_delivery"]')
    desk.take(PROMISED, scan(5, source="/sf"), heartbeat(12, "/sf"), until=20)
    desk.tick(20)
    assert not any(isinstance(one, FindingOpened) for one in desk.log.stream("parcel-P"))
