"""What lies where, how it goes on, and what is promised of it."""

from typing import Any

import pytest

from domain.instant import DAY
from domain.judging.adoption import adopt
from projections import queue
from projections.tallies import Place
from tests.projections.staffed import rebuilt
from tests.projections.stage import Stage, stage
from tests.story import (
    approved,
    at,
    cancelled,
    held,
    hours,
    labelled,
    line,
    packed,
    piece,
    placed,
    released,
    requested,
    scanned,
    voided,
)

W, SF, HUB = Place("warehouse", "W"), Place("carrier", "SF"), Place("facility", "HUB")
BOUNDS = (DAY, 2 * DAY)


def ask(told: Stage, read: Any, *values: Any) -> Any:
    with told.store.reading() as rows:
        return read(rows, *values)


def opened(told: Stage, place: Place = W, now: float = 1000) -> int:
    return int(ask(told, queue.open_at, place, at(now)))


def order(name: str, when: float = 0, ship_by: float = 100, **more: Any) -> list[Any]:
    """Order one piece, to be shipped by warehouse W."""
    return [
        placed(when, of=f"O{name}", key=f"p{name}"),
        requested(when, f"F{name}", of=f"O{name}", ship_by=ship_by, **more),
    ]


def shipped(name: str, when: float, status: str = "picked_up", **more: Any) -> Any:
    return scanned(when, f"P{name}", status, fulfillment_ids=(f"F{name}",), order_ids=(f"O{name}",), **more)


@pytest.mark.parametrize(
    ("heard", "open_now", "on_hold"),
    [
        ([], 1, 0),
        ([packed(2, "P", piece())], 1, 0),
        ([labelled(2, fulfillment_ids=("F",))], 1, 0),
        ([scanned(2)], 0, 0),
        ([cancelled(2)], 0, 0),
        ([held(2)], 0, 1),
        ([held(2), released(3)], 1, 0),
        ([scanned(2), voided(3)], 1, 0),
    ],
)
def test_what_a_warehouse_has_to_hand_over_is_open(told, heard, open_now, on_hold):
    told.hear(placed(0), requested(0, ship_by=20), *heard)
    assert opened(told) == open_now
    lying = ask(told, queue.lying, 10)
    assert [(one.place, one.open, one.held) for one in lying if one.place == W] == (
        [(W, open_now, on_hold)] if open_now or on_hold else []
    )
    rebuilt(told)


def test_pieces_are_counted_line_by_line(told):
    told.hear(placed(0, line("1", "A", 3), line("2", "B", 2)), requested(0, ship_by=20), cancelled(1, "2"))
    told.hear(packed(2, "P", piece("A", 1)), scanned(3, "P"))
    assert ask(told, queue.one, W).pieces == 2


def test_the_age_begins_when_the_warehouse_could_ship_it(told):
    told.hear(placed(0), approved(5), requested(3, ship_by=99))
    told.hear(*order("2", 1, starts_at=50))
    assert [opened(told, now=when) for when in (4.9, 5, 49.9, 50)] == [0, 1, 1, 2]


def test_what_needs_approval_is_open_only_with_it_or_once_policy_drops_it(tmp_path):
    with stage(tmp_path, '[late_shipment]\napproval = "required"') as told:
        told.hear(placed(0), requested(0, ship_by=20), *order("2"))
        assert opened(told) == 0
        told.hear(approved(1))
        assert opened(told) == 1
        adopt(told.log, "", at(2))
        told.follow()
        assert opened(told) == 2
        rebuilt(told)


def test_ages_are_exact_and_add_up_to_what_is_open(told):
    for name, when in (("1", 0), ("2", 20), ("3", 20.1), ("4", 67.9), ("5", 68)):
        told.hear(*order(name, when))
    assert ask(told, queue.ages, W, at(68), BOUNDS) == [2, 1, 2]
    assert ask(told, queue.ages, W, at(68.05), BOUNDS) == [2, 1, 2]
    assert ask(told, queue.ages, W, at(68.2), BOUNDS) == [2, 0, 3]


def test_what_is_promised_on_the_dot_is_not_late_yet(told):
    told.hear(*order("1", 0, 20), *order("2", 0, 21), *order("3", 0, 50))
    assert [ask(told, queue.late_at, W, at(when)) for when in (20, 20.01, 21.2, 60)] == [0, 1, 2, 3]
    told.hear(shipped("1", 22))
    assert ask(told, queue.late_at, W, at(60)) == 2


def test_the_next_promise_is_the_first_that_has_not_passed(told):
    told.hear(*order("1", 0, 20), *order("2", 0, 21))
    [first, second] = [ask(told, queue.next_promise, W, at(when)) for when in (20, 20.5)]
    assert (first.thing, first.order_ids, hours(first.promise)) == ("F1", ["O1"], 20)
    assert second.thing == "F2"
    assert ask(told, queue.next_promise, W, at(22)) is None


def test_a_carrier_has_a_parcel_from_possession_until_its_way_ends(told):
    told.hear(*order("1"), labelled(1, "P1", fulfillment_ids=("F1",)))
    assert opened(told, SF) == 0
    told.hear(shipped("1", 2))
    assert [opened(told, SF, when) for when in (1.9, 2)] == [0, 1]
    told.hear(shipped("1", 9, "delivered"))
    assert opened(told, SF) == 0
    assert ask(told, queue.pace, SF, at(10)).done == 1
    rebuilt(told)


@pytest.mark.parametrize("heard", [[voided(3, "P1")], [cancelled(3, of="O1")]], ids=["voided", "cancelled"])
def test_nobody_waits_for_a_parcel_that_is_voided_or_cancelled(told, heard):
    told.hear(*order("1"), labelled(1, "P1", fulfillment_ids=("F1",)), shipped("1", 2, facility_id="HUB"))
    assert (opened(told, SF), opened(told, HUB)) == (1, 1)
    told.hear(*heard)
    assert (opened(told, SF), opened(told, HUB)) == (0, 0)
    assert ask(told, queue.pace, SF, at(10)).done == 0
    rebuilt(told)


def test_a_parcel_lies_where_it_moved_last_and_nowhere_on_the_road(told):
    told.hear(*order("1"), labelled(1, "P1", fulfillment_ids=("F1",)), shipped("1", 2, facility_id="HUB"))
    other = Place("facility", "HUB 2")
    told.hear(shipped("1", 3, "departed_facility", facility_id="HUB"))
    assert (opened(told, HUB), opened(told, other)) == (0, 0)
    told.hear(shipped("1", 5, "arrived_facility", facility_id="HUB 2"))
    assert (opened(told, HUB), opened(told, other)) == (0, 1)
    told.hear(shipped("1", 6, "in_transit"))
    assert opened(told, other) == 0
    told.hear(shipped("1", 7, "arrived_facility", facility_id="HUB"))
    assert [opened(told, HUB, when) for when in (6.9, 7)] == [0, 1]
    assert [ask(told, queue.pace, place, at(9)).done for place in (HUB, other)] == [1, 1]
    # An older scan that comes late changes what was between.
    told.hear(shipped("1", 6.5, "arrived_facility", facility_id="HUB 2"))
    assert ask(told, queue.pace, other, at(9)).done == 2
    rebuilt(told)


def test_a_parcel_is_promised_what_its_earliest_order_is(told):
    for name, deliver_by in (("1", 90), ("2", 80)):
        told.hear(
            placed(0, of=f"O{name}", key=f"p{name}", deliver_by=deliver_by), requested(0, f"F{name}", of=f"O{name}")
        )
    told.hear(scanned(3, "P1", fulfillment_ids=("F1", "F2"), carrier="SF"))
    found = ask(told, queue.next_promise, SF, at(4))
    assert (hours(found.promise), found.thing, found.order_ids) == (80, "P1", ["O1", "O2"])


def test_the_pace_is_that_of_the_last_whole_day_of_hours_beside_the_same_weekday(told):
    for name, when in (
        ("1", 24 * 7 + 9),
        ("2", 24 * 14 + 9),
        ("3", 24 * 14 + 10),
        ("4", 24 * 21 + 9.5),
        ("5", 24 * 21 + 11.5),
    ):
        told.hear(*order(name, 0, 9999), shipped(name, when))
    pace = ask(told, queue.pace, W, at(24 * 21 + 11.7))
    assert (hours(pace.since), hours(pace.until)) == (24 * 20 + 11, 24 * 21 + 11)
    assert (pace.done, pace.weeks) == (1, [2])
    pace = ask(told, queue.pace, W, at(24 * 28 + 11))
    assert (pace.done, pace.weeks, pace.usual_per_hour) == (0, [1, 2], 1.5 / 24)
    assert pace.time_for(3) is None


def test_the_first_promise_to_break_is_the_first_that_the_queue_does_not_come_to_in_time(told):
    for n in range(24):
        told.hear(*order(f"s{n}", 0, 9999), shipped(f"s{n}", 30 + n / 2))
    # One an hour goes on: the third of three that are promised in two hours is too late, and so is what stands behind.
    for name, ship_by in (("1", 49.5), ("2", 50), ("3", 50), ("4", 51), ("5", 80)):
        told.hear(*order(name, 40, ship_by))
    pace = ask(told, queue.pace, W, at(48))
    assert pace.done == 24
    spans = ask(told, queue.late_spans, W, at(48), pace)
    assert [(hours(one.after), hours(one.until)) for one in spans] == [(49.75, 51)]
    assert ask(told, queue.first_to_break, W, at(48), pace).thing == "F2"


def test_where_nothing_goes_on_the_next_promise_breaks_first(told):
    told.hear(*order("1", 0, 20))
    pace = ask(told, queue.pace, W, at(10))
    assert ask(told, queue.late_spans, W, at(10), pace) == []
    assert ask(told, queue.first_to_break, W, at(10), pace).thing == "F1"


def test_midnights_count_as_the_rule_on_backlogs_does(tmp_path):
    with stage(tmp_path, 'timezone = "UTC"\n[warehouse_backlog]\nminimum = 3') as told:
        for name, ship_by, gone in (("1", 20, 30), ("2", 24, None), ("3", 24.2, None), ("4", 40, None), ("5", 47, 60)):
            told.hear(*order(name, 0, ship_by), until=ship_by)
            if gone is not None:
                told.hear(shipped(name, gone))
        told.come(73)
        while told.desk.tracker.group(at(73)):
            told.come(73)
        days = queue.last_midnights(at(73), "UTC", 7)
        assert [ask(told, queue.counted, W, when) for when in days if when >= at(0)] == [0, 2, 4, 3]
        assert ask(told, queue.counted, W, at(73)) == 3
        piled = ask(told, queue.piled_up, W)
        assert (hours(piled.since), piled.detail["count"], piled.detail["peak"], piled.members) == (48, 3, 4, 3)
        rebuilt(told)


def test_what_proves_never_to_have_been_late_is_not_counted(tmp_path):
    with stage(tmp_path, 'timezone = "UTC"') as told:
        told.hear(*order("1", 0, 20), until=30)
        while told.desk.tracker.group(at(30)):
            told.come(30)
        assert ask(told, queue.counted, W, at(24)) == 1
        told.hear(shipped("1", 19), until=31)
        while told.desk.tracker.group(at(31)):
            told.come(31)
        assert ask(told, queue.counted, W, at(24)) == 0
        assert told.query("SELECT * FROM late_spans") == []
        rebuilt(told)


def test_a_place_with_an_open_backlog_is_listed_when_nothing_lies_there_any_more(tmp_path):
    with stage(tmp_path, 'timezone = "UTC"\n[warehouse_backlog]\nminimum = 1') as told:
        told.hear(*order("1", 0, 20), until=49)
        while told.desk.tracker.group(at(49)):
            told.come(49)
        told.hear(shipped("1", 50))
        assert [one.place for one in ask(told, queue.lying, 10)] == [W]
        assert ask(told, queue.lying, 10, W) == []


@pytest.mark.only_on("sqlite")
def test_counts_are_answered_from_tallies_and_by_index(told):
    told.hear(*order("1"))
    values = ("warehouse", "W", 0, 9)
    for column, index in (("entered", "queue_entered"), ("promise", "queue_promised")):
        plan = told.plan(
            "SELECT COUNT(*) FROM queue WHERE what = ? AND place = ? AND standing = 'open' "
            f"AND {column} > ? AND {column} <= ?",
            *values,
        )
        assert f"COVERING INDEX {index}" in plan
    plan = told.plan(
        "SELECT promise, thing, order_ids FROM queue WHERE what = ? AND place = ? AND standing = 'open' "
        "AND promise >= ? ORDER BY promise, thing LIMIT 1",
        *values[:3],
    )
    assert "queue_promised" in plan
    assert "TEMP B-TREE" not in plan
