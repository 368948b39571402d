"""Hand-computed cases for the oracle of backlogs, and the product against it."""

import ast
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.detectors import carrier_backlog, warehouse_backlog
from domain.groups.backlog import Backlog, BacklogMemberChanged, evolve
from domain.instant import instant, iso
from domain.policies.policy import Backlog as Rule
from domain.policies.policy import Policy
from tests.draws import draws
from tests.oracle import backlog as by_force
from tests.oracle.backlog import Late, begins, oracle

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = {
    "UTC": START,
    "Asia/Shanghai": START,
    "America/New_York": datetime(2026, 2, 25, tzinfo=UTC),
    "America/Santiago": datetime(2025, 8, 28, tzinfo=UTC),  # its clocks skip a midnight
    "America/St_Johns": datetime(2010, 10, 25, tzinfo=UTC),  # and these showed one twice
    "Australia/Lord_Howe": datetime(2026, 3, 25, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 20, tzinfo=UTC),  # a whole day was left out
}


def day(number: float) -> datetime:
    return START + number * DAY


def crowd(count: int, since: float, until: float | None) -> list[Late]:
    return [Late(f"{since}-{n}", day(since), None if until is None else day(until)) for n in range(count)]


def spells(things: Sequence[Late], now: float = 99, minimum: int = 3, factor: float = 2.0) -> list[Any]:
    found = oracle(things, "UTC", minimum, factor, day(now))
    return [((one["since"] - START) / DAY, one["ended_at"] and (one["ended_at"] - START) / DAY) for one in found]


def test_two_midnights_running_open_and_the_first_counts() -> None:
    assert spells(crowd(3, 0.5, 3.5)) == [(1, 4)]
    assert spells(crowd(3, 0.5, 1.5)) == []


def test_a_thing_on_the_dot_counts_from_its_midnight_and_not_at_the_one_that_ends_it() -> None:
    assert spells(crowd(3, 1, 3)) == [(1, 3)]


def test_too_few_are_none() -> None:
    assert spells(crowd(2, 0.5, None)) == []


def test_the_second_midnight_must_have_passed() -> None:
    assert spells(crowd(3, 0.5, None), now=2) == []
    assert spells(crowd(3, 0.5, None), now=2.01) == [(1, None)]


def test_nothing_counts_for_more_than_thirty_days() -> None:
    assert spells(crowd(3, 0.5, None)) == [(1, 31)]


def test_it_stays_at_seven_tenths_of_its_peak_though_it_has_become_usual() -> None:
    usual = crowd(10, 0.5, 29.5)
    assert spells(usual) == [(1, 30)]
    assert spells([*crowd(7, 0.5, 29.5), *crowd(3, 0.6, 20.5)]) == [(1, 30)]
    assert spells([*crowd(6, 0.5, 29.5), *crowd(4, 0.6, 20.5)]) == [(1, 21)]


def test_what_is_usual_takes_twice_as_many() -> None:
    # Ten at every midnight; the first ones open, and are usual when the twelve more come.
    steady = [late for n in range(60) for late in crowd(10, n + 0.5, n + 1.5)]
    assert spells([*steady, *crowd(9, 50.5, 53.5)], minimum=12) == []
    assert spells([*steady, *crowd(10, 50.5, 53.5)], minimum=12) == [(51, 54)]


def test_the_median_of_the_last_28_is_the_mean_of_the_middle_two() -> None:
    # 14 midnights with 4, then 14 without: the median is 2, so that 4 are needed.
    before = [*crowd(4, 0.5, 14.5)]
    assert spells([*before, *crowd(3, 28.5, 29.5), *crowd(4, 29.5, 31.5)], minimum=3)[1:] == [(30, 32)]


def test_midnights_where_clocks_change() -> None:
    at = datetime(2025, 9, 7, 4, tzinfo=UTC)
    assert begins(at.date(), "America/Santiago") == at
    assert begins(datetime(2011, 12, 30, tzinfo=UTC).date(), "Pacific/Apia") is None


def test_the_oracle_shares_nothing_with_the_product() -> None:
    tree = ast.parse(Path(by_force.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert {str(one).split(".")[0] for one in modules | names} <= {
        "collections",
        "dataclasses",
        "datetime",
        "fractions",
        "functools",
        "statistics",
        "typing",
        "zoneinfo",
    }


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[Late], datetime]:
    """Crowds of things around clock changes, many at midnights, some far apart, some hardly knowable."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    begin = ZONES[zone]
    quarters = st.integers(0, 14 * 96) | st.integers(0, 14).map(lambda n: 96 * n)
    instants = st.builds(lambda n, far: begin + n * timedelta(minutes=15) + far * DAY, quarters, FAR)
    things: list[Late] = []
    for group in range(draw(st.integers(1, 6))):
        since = draw(_at_midnight(instants, zone))
        until = draw(st.none() | st.timedeltas(-HOUR, 35 * DAY) | _at_midnight(instants, zone))
        until = since + until if isinstance(until, timedelta) else until
        knowable = draw(st.none() | st.timedeltas(-DAY, 4 * DAY).map(lambda more, since=since: since + more))
        spread = draw(st.sampled_from((timedelta(0), HOUR, timedelta(hours=7), DAY)))
        things += [Late(f"{group}-{n}", since + spread * n, until, knowable) for n in range(draw(st.integers(1, 8)))]
    return zone, things, draw(_at_midnight(instants, zone)) + draw(st.sampled_from((0, 1, 40))) * DAY


FAR = st.sampled_from((0, 0, 0, 27, 28, 29, 30, 57, 58, 59, 90))


def _at_midnight(instants: st.SearchStrategy[datetime], zone: str) -> st.SearchStrategy[datetime]:
    return instants | instants.map(lambda at: begins(at.date(), zone) or at)


def told(late: Late) -> BacklogMemberChanged:
    return BacklogMemberChanged(
        member=late.name,
        order_ids=(f"O{late.name}",),
        since=instant(late.since),
        until=None if late.until is None else instant(late.until),
        knowable_at=None if late.knowable is None else instant(late.knowable),
        proof=(f"/s#{late.name}",),
    )


def product(
    events: Sequence[BacklogMemberChanged], policy: Policy, now: datetime, kind: str = "warehouse"
) -> list[dict[str, Any]]:
    state = Backlog(f"{kind}-X")
    for event in events:
        evolve(state, event)
    detector = warehouse_backlog if kind == "warehouse" else carrier_backlog
    return [msgspec.to_builtins(one) for one in detector.findings(state, instant(now), policy)]


def rules(zone: str, minimum: int, factor: float) -> Policy:
    rule = Rule(minimum, factor)
    return Policy(timezone=zone, warehouse_backlog=rule, carrier_backlog=rule)


RULES = st.tuples(st.sampled_from((0, 1, 2, 3, 5, 9)), st.sampled_from((0.0, 0.7, 1.0, 1.1, 1.5, 2.0, 3.0)))


@settings(max_examples=draws(300), deadline=None)
@given(histories(), RULES, st.sampled_from(("warehouse", "carrier", "facility")), st.randoms())
def test_the_product_finds_the_same(history: Any, rule: Any, kind: str, random: Any) -> None:
    zone, things, now = history
    events = [told(late) for late in things]
    random.shuffle(events)
    found = product(events, rules(zone, *rule), now, kind)
    expected = oracle(things, zone, *rule, now)
    assert [
        (
            one["since"],
            one["due_at"],
            one.get("ended_at"),
            one["detail"]["knowable_at"],
            one["detail"]["peak"],
            one["detail"]["opened_with"],
            one["detail"]["members"],
            one["order_ids"],
        )
        for one in found
    ] == [
        (
            instant(one["since"]),
            instant(one["since"]),
            None if one["ended_at"] is None else instant(one["ended_at"]),
            iso(instant(one["held"][1])),
            one["peak"],
            one["opened_with"],
            len(one["names"]),
            tuple(f"O{name}" for name in one["names"]),
        )
        for one in expected
    ]


@settings(max_examples=draws(150), deadline=None)
@given(histories(), RULES, st.data())
def test_what_was_said_before_leaves_no_trace(history: Any, rule: Any, data: st.DataObject) -> None:
    """Members that changed, came early, or proved never to have been: only the last word on each counts."""
    zone, things, now = history
    last = [told(late) for late in things]
    spans = data.draw(st.lists(st.tuples(st.sampled_from(last), st.sampled_from(last)), max_size=10))
    before = [msgspec.structs.replace(one, since=other.since, until=other.until) for one, other in spans]
    wrong = [msgspec.structs.replace(one, member=f"not {one.member}") for one in last]
    gone = [msgspec.structs.replace(one, gone=True) for one in wrong]
    state = Backlog("warehouse-X")
    policy = rules(zone, *rule)
    for event in [*before, *wrong, *data.draw(st.permutations(last)), *gone]:
        evolve(state, event)
        warehouse_backlog.findings(state, instant(now), policy)
    assert [msgspec.to_builtins(one) for one in warehouse_backlog.findings(state, instant(now), policy)] == product(
        last, policy, now
    )


@settings(max_examples=draws(150), deadline=None)
@given(histories(), RULES, st.lists(st.integers(0, 60 * 96), min_size=1, max_size=8))
def test_nothing_is_news_before_it_is_time_to_look_again(history: Any, rule: Any, steps: list[int]) -> None:
    """And walking from one such instant to the next finds all that looking once at the end does."""
    zone, things, now = history
    policy, state = rules(zone, *rule), Backlog("warehouse-X")
    for late in things:
        evolve(state, told(late))
    for step in steps:
        until = instant(now) + step * 15 * 60 * 1_000_000
        again = warehouse_backlog.look_again(state, until, policy)
        assert again is None or again >= until
        fresh = Backlog("warehouse-X")
        for late in things:
            evolve(fresh, told(late))
        then = instant(now) + 400 * 86_400_000_000 if again is None else again
        assert warehouse_backlog.findings(fresh, then, policy) == warehouse_backlog.findings(state, until, policy)
