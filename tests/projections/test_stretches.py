"""A task's stretches of time are what its calls say at every instant, and cost little more than there are calls."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import FOREVER
from projections import tasks
from projections.calls import Call
from projections.tasks import CONTENT, Row

NOTHING = tasks._Ruled(-FOREVER, {})
TIMES = st.integers(0, 9)
KINDS = ("late_shipment", "stalled_parcel")


def call(number: int, **said: Any) -> Call:
    """Make a call about an incident of its own."""
    whole = Call(
        id=f"I{number:05}",
        order_id=f"O{number}",
        parcel=None,
        task="customer-C",
        stage=1,
        deliver_by=None,
        amount=1.0,
        kind=KINDS[0],
        grade=1,
        due_at=5,
        flaps_since=None,
        stable_at=None,
        quiet_until=None,
        person=None,
        team=None,
        to_contact=1,
        points=0,
    )
    return whole._replace(**said)


@st.composite
def some_calls(draw: st.DrawFn) -> list[Call]:
    """Draw calls that flap, are being mended, are to be delivered, or none of it."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        flaps, may = draw(st.booleans()), st.none() | TIMES
        found.append(
            call(
                number,
                deliver_by=draw(may),
                kind=draw(st.sampled_from(KINDS)),
                grade=draw(st.integers(0, 3)),
                due_at=draw(TIMES),
                flaps_since=draw(TIMES) if flaps else None,
                stable_at=draw(TIMES) if flaps else None,
                quiet_until=draw(may),
                points=draw(st.integers(0, 2)),
            )
        )
    return found


@st.composite
def some_rules(draw: st.DrawFn) -> list[tasks._Ruled]:
    """Draw from when on which kinds bring points."""
    since = sorted(draw(st.sets(TIMES, max_size=3)))
    return [NOTHING, *(tasks._Ruled(one, {draw(st.sampled_from(KINDS)): draw(st.integers(1, 3))}) for one in since)]


def until(one: Call, at: int) -> int:
    """Say how long there is for one call at an instant."""
    if one.deliver_by is not None:
        return one.deliver_by
    if one.flaps_since is not None and one.stable_at is not None and at < one.stable_at:
        return one.flaps_since
    return one.due_at


def as_it_stands(calls: list[Call], rules: list[tasks._Ruled], at: int) -> tuple[Any, ...] | None:
    """Say what the task is at an instant, from each of its calls by itself."""
    due = [one for one in calls if one.quiet_until is None or one.quiet_until <= at]
    if not due:
        return None
    points = [rule.points for rule in rules if rule.since <= at][-1]
    return (
        [one.id for one in due],
        -max(one.grade for one in due),
        min(until(one, at) for one in due),
        max(one.points + points.get(one.kind, 0) for one in due),
    )


def told(rows: list[Row], at: int) -> tuple[Any, ...] | None:
    """Say what the rows say of an instant."""
    found = [row for row in rows if row.begins <= at < row.ends]
    assert len(found) < 2
    return (CONTENT(found[0].body).items, found[0].grade, found[0].until, found[0].points) if found else None


@given(some_calls(), some_rules())
def test_rows_say_of_every_instant_what_the_calls_say(calls: list[Call], rules: list[tasks._Ruled]) -> None:
    rows = tasks._stretches("customer-C", calls, rules)
    for at in (-FOREVER, *range(-1, 11), FOREVER - 1):
        assert told(rows, at) == as_it_stands(calls, rules, at)
    for one, following in pairwise(rows):
        assert one.begins < one.ends <= following.begins
        assert one.ends < following.begins or one[3:] != following[3:], "two rows say the same of one stretch"


class Watched(Call):
    """A call that counts how often it is looked at."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:
        Watched.looks += 1
        return super().__getattribute__(name)


def looks(count: int) -> int:
    """Count the looks at so many calls, of which each flaps until a time of its own."""
    calls = [Watched(*call(n, flaps_since=n, due_at=count + n, stable_at=3 * count - n)) for n in range(count)]
    Watched.looks = 0
    rows = tasks._stretches("customer-C", calls, [NOTHING])
    assert rows[0].until == 0
    assert rows[-1].until == count
    return Watched.looks


@pytest.mark.parametrize("count", [100, 1000])
def test_twice_the_calls_that_flap_take_twice_the_steps(count: int) -> None:
    assert looks(2 * count) < 2.2 * looks(count)
