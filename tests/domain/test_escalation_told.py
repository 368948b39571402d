"""Escalation where a finding grows graver, begins anew, or is told late, and the steps of one level."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.detection import Finding, FindingEnded, FindingOpened
from domain.history.log import Log
from domain.incidents.commands import Reopen, Resolve
from domain.judging.adoption import adopt
from domain.policies.policy import PolicyInvalid, load
from domain.staff.desk import Case
from domain.staff.desk import Desk as Staff
from domain.tracker import Tracker
from tests.domain.test_escalation import GRAVE, LEADS, Shop, a_log_on_disk
from tests.draws import draws
from tests.story import Desk, at, memory_log, scanned

__all__ = ["a_log_on_disk"]


# Gravity


def opened(severity: str, when: float, ended: float | None = None, since: float = 10) -> Finding:
    return Finding(
        kind="stock_out",
        subject="O:TEA",
        since=at(since),
        due_at=at(since),
        ended_at=None if ended is None else at(ended),
        order_ids=("O",),
        rule="out",
        policy="p",
        proof=("/s#1",),
        severity=severity,
        detail={"told": when},
    )


TEA = "incident-stock_out-O%3ATEA"


def found(severity: str, when: float, **more: Any) -> FindingOpened:
    return FindingOpened(finding=opened(severity, when, **more), known_up_to=at(when))


def test_growing_graver_brings_it_to_the_step_for_that_at_once(log: Log) -> None:
    shop = Shop(log, LEADS + GRAVE)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.write("backlog-warehouse-X", found("critical", 10.2))
    shop.come(10.3)
    assert shop.went_up(TEA) == [(10.2, "crisis", 3)]
    shop.come(99)
    assert shop.went_up(TEA) == [(10.2, "crisis", 3)]


def test_told_again_without_growing_graver_it_keeps_its_times(log: Log) -> None:
    shop = Shop(log)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.write("backlog-warehouse-X", found("high", 10.2), found("low", 10.3))
    shop.come(99)
    assert shop.went_up(TEA) == [(10.5, "leads", 1), (12, "boss", 2)]


def test_a_new_beginning_goes_up_from_the_bottom(log: Log) -> None:
    shop = Shop(log, LEADS)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(11)
    over = opened("medium", 12, ended=12)
    shop.write("backlog-warehouse-X", FindingEnded(finding=over, known_up_to=at(12)))
    shop.come(13)
    shop.write("backlog-warehouse-X", found("medium", 14, since=14))
    shop.come(20)
    assert shop.went_up(TEA) == [(10.5, "leads", 1), (14.5, "leads", 1)]


def over(when: float, since: float = 10) -> FindingEnded:
    return FindingEnded(finding=opened("medium", when, ended=when, since=since), known_up_to=at(when))


# Told late


@pytest.mark.parametrize("slices", [1, 2, 500])
def test_an_end_and_a_new_beginning_that_are_told_together_go_up_as_if_told_apart(log: Log, slices: int) -> None:
    shop = Shop(log, LEADS)
    shop.write("backlog-warehouse-X", found("medium", 10), over(12), found("medium", 14, since=14))
    shop.come(20, slices=slices)
    shop.come(99)
    assert shop.went_up(TEA) == [(14.5, "leads", 1)]


@pytest.mark.parametrize("slices", [1, 500])
def test_what_ends_and_begins_anew_at_one_look_goes_up_from_the_bottom(log: Log, slices: int) -> None:
    shop = Shop(log, LEADS)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.come(11)
    ended = FindingEnded(finding=opened("medium", 12, ended=12), known_up_to=at(14))
    shop.write("backlog-warehouse-X", ended, found("medium", 14, since=13))
    shop.come(14.1, slices=slices)
    shop.come(99)
    assert shop.went_up(TEA) == [(10.5, "leads", 1), (14.5, "leads", 1)]


@pytest.mark.parametrize("down", [False, True])
def test_a_parcel_that_stalls_again_while_the_process_is_down_goes_up(log: Log, *, down: bool) -> None:
    shop = Shop(log, f'{LEADS}[kinds]\nenabled = ["stalled_parcel"]\n[feed_silence]\nwaits = []\n')
    feeds = Desk(log, shop.policy)
    feeds.take(scanned(1, order_ids=("O",)), until=2)
    if not down:
        shop.come(74)
    feeds.take(scanned(100, status="in_transit", order_ids=("O",)), until=101)
    if not down:
        shop.come(101.5)
        shop.come(173)
    shop.come(200)
    shop.come(300)
    assert shop.went_up("incident-stalled_parcel-P") == [(200.5 if down else 173.5, "leads", 1)]


@settings(max_examples=draws(40), deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=7), st.integers(1, 3))
def test_what_holds_in_the_end_has_gone_up_once_since_it_began_whenever_it_was_told(
    changes: list[tuple[int, bool]], slices: int
) -> None:
    with memory_log() as log:
        shop, when, begun = Shop(log, f"{LEADS}[incidents.flapping]\nchanges = 0\n"), 10.0, 10.0
        for place, (tenths, told) in enumerate(changes):
            when = round(when + tenths / 10, 1)
            begun = begun if place % 2 else when
            shop.write("backlog-warehouse-X", over(when, begun) if place % 2 else found("medium", when, since=begun))
            if told:
                shop.come(when, slices=slices)
        shop.come(when + 0.1, slices=slices)
        shop.come(99)
        since = [one for one, _, _ in shop.went_up(TEA) if one is not None and at(one) > at(begun)]
        holds = len(changes) % 2 == 1
        assert len(since) == 1 if holds else len(since) <= 1


def test_it_goes_to_those_for_graver_trouble_when_it_grew_so_and_not_before(log: Log) -> None:
    shop = Shop(log, LEADS + GRAVE)
    shop.write("backlog-warehouse-X", found("medium", 10), found("critical", 10.2))
    shop.come(99)
    assert shop.went_up(TEA) == [(10.2, "crisis", 3)]


@pytest.mark.parametrize("slices", [1, 500])
def test_what_staff_open_again_counts_from_then_though_it_is_told_with_what_was_before(log: Log, slices: int) -> None:
    shop, case = Shop(log, LEADS), Case(TEA, "backlog-warehouse-X")
    shop.write(case.stream, found("medium", 10))
    Staff(log).handle(case, Resolve(by="li"), at=at(10.1))
    Staff(log).handle(case, Reopen(by="li", why="no"), at=at(30))
    tracker = Tracker(log, adopt(log, shop.policy, 0))
    while tracker.group(at(30.2), slices):
        pass
    shop.come(99)
    assert shop.went_up(TEA) == [(30.5, "leads", 1)]


# Steps of one level

SOON = '[[incidents.escalation]]\nafter = "5m"\nto = "leads"\nseverity = "critical"\n'


def test_growing_graver_brings_it_sooner_to_the_same_people(log: Log) -> None:
    shop = Shop(log, LEADS + SOON)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.write("backlog-warehouse-X", found("critical", 10.2))
    shop.come(10.21)
    shop.come(99)
    assert shop.went_up(TEA) == [(10.2 + 5 / 60, "leads", 1)]


def test_what_is_grave_no_more_has_its_first_time_again(log: Log) -> None:
    shop = Shop(log, LEADS + SOON)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.write("backlog-warehouse-X", found("critical", 10.2))
    shop.come(10.21)
    shop.write("backlog-warehouse-X", found("medium", 10.22))
    shop.come(10.23)
    shop.come(99)
    assert shop.went_up(TEA) == [(10.5, "leads", 1)]


def test_of_two_steps_that_differ_only_in_their_kinds_the_sooner_counts(log: Log) -> None:
    own = '[[incidents.escalation]]\nafter = "10m"\nto = "leads"\nkinds = ["stock_out"]\n'
    shop = Shop(log, LEADS + own)
    shop.write("backlog-warehouse-X", found("medium", 10))
    shop.come(10.1)
    shop.come(99)
    assert shop.went_up(TEA) == [(10 + 10 / 60, "leads", 1)]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ('after = "30m"\nto = "leads"', 'after = "2h"\nto = "boss"\nunless = "resolved"', r"\[2\]\.level: 1 is also"),
        ('after = "30m"\nto = "leads"', 'after = "2h"\nto = "leads"', r"\[2\]\.after: it never happens"),
        ('after = "2h"\nto = "leads"', 'after = "30m"\nto = "leads"', r"\[1\]\.after: it never happens"),
        ('after = "1h"\nto = "x"', 'after = "1h"\nto = "x"\nseverity = "high"', r"\[2\]\.after: it never happens"),
        ('after = "1h"\nto = "x"', 'after = "2h"\nto = "x"\nkinds = ["stock_out"]', r"\[2\]\.after: it never happens"),
    ],
)
def test_a_step_that_another_of_its_level_keeps_from_ever_happening_is_refused(one: str, other: str, why: str) -> None:
    with pytest.raises(PolicyInvalid, match=why):
        load(f"[[incidents.escalation]]\n{one}\n[[incidents.escalation]]\n{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('after = "4h"\nto = "leads"', 'after = "5m"\nto = "leads"\nseverity = "critical"'),
        ('after = "1h"\nto = "x"', 'after = "2h"\nto = "x"\nunless = "resolved"'),
        ('after = "1h"\nto = "x"', 'after = "2h"\nto = "y"\nlevel = 2'),
        ('after = "1h"\nto = "x"\nkinds = ["stock_out"]', 'after = "2h"\nto = "y"\nkinds = ["late_shipment"]'),
        ('after = "1h"\nto = "x"\nkinds = ["stock_out"]', 'after = "2h"\nto = "x"'),
    ],
)
def test_steps_of_which_each_may_happen_are_taken(one: str, other: str) -> None:
    steps = load(f"[[incidents.escalation]]\n{one}\n[[incidents.escalation]]\n{other}").incidents.escalation
    assert len(steps) == len((one, other))
