"""A promotion day overruns a warehouse: seen coming while nothing is late, then one incident until it is worked off."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from domain.instant import iso
from tests.brokers.broker import Broker
from tests.stories import promotion
from tests.stories.live import Live, live
from tests.stories.pen import between
from tests.stories.promotion import MIDNIGHTS
from tests.story import at

pytestmark = pytest.mark.timeout(180)
BACKLOG = f"incident-warehouse_backlog-{promotion.WAREHOUSE}"
DAWN = -24.0 * promotion.DAYS - 1
QUIET, EARLY, ONCE, KNOWN, OVER = 0.25, 18.25, 63.25, 65.25, 137.25
ROUNDED = partial(pytest.approx, abs=0.01)
ABOUT = 4
"""Orders of a quarter of an hour, which are predicted as one."""


def test_a_promotion_day_overruns_a_warehouse(broker: Broker, tmp_path: Path) -> None:
    with live(broker, tmp_path, DAWN) as told:
        told.tell(between(DAWN, QUIET, promotion.told()), QUIET)
        four_ordinary_weeks_are_no_backlog(told)
        told.tell(between(QUIET, EARLY, promotion.told()), EARLY)
        it_is_seen_coming_before_anything_is_late(told)
        told.tell(between(EARLY, ONCE, promotion.told()), ONCE)
        one_midnight_is_no_backlog_yet(told)
        told.tell(between(ONCE, KNOWN, promotion.told()), KNOWN)
        two_midnights_are_one(told)
        what_is_late_is_muted_but_listed(told)
        told.tell(between(KNOWN, OVER, promotion.told()), OVER)
        it_ends_at_the_midnight_at_which_nothing_is_late(told)


def place(told: Live) -> Any:
    [found] = told.all_of("backlogs", what="warehouse")
    assert found["name"] == promotion.WAREHOUSE
    return found


def late(hour: float) -> list[str]:
    return [f"incident-late_shipment-F-{one.name}" for one in promotion.promoted() if one.is_late(hour)]


def left(after: float, until: float) -> int:
    return sum(after < one.left <= until for one in (*promotion.ordinary(), *promotion.promoted()))


def four_ordinary_weeks_are_no_backlog(told: Live) -> None:
    assert told.incidents(kind="warehouse_backlog") == []
    assert len(told.incidents(kind="late_shipment")) == promotion.DAYS - 1
    here = place(told)
    assert here["incident"] is None
    assert (here["throughput"]["count"], here["throughput"]["usual_per_hour"]) == (left(-24, 0), ROUNDED(8 / 24))
    assert [one["count"] for one in here["midnights"]] == [1] * 7


def it_is_seen_coming_before_anything_is_late(told: Live) -> None:
    here, waiting = place(told), [one for one in promotion.promoted() if one.waits(EARLY)]
    assert (here["open"], here["late"], here["incident"]) == (len(waiting), 0, None)
    assert {one["band"]: one["count"] for one in here["ages"] if one["count"]} == {"under_1_day": len(waiting)}
    rate = left(-6, 18) / 24
    assert here["throughput"]["per_hour"] == ROUNDED(rate)
    assert here["throughput"]["per_hour"] > 4 * here["throughput"]["usual_per_hour"]
    assert here["clears"]["hours"] == ROUNDED(len(waiting) / rate)
    assert here["next_promise"]["order_ids"] == [waiting[0].name]
    breaks = next(turn for turn, one in enumerate(waiting, 1) if turn / rate > one.ship_by - EARLY)
    [named] = [one for one in waiting if [one.name] == here["first_to_break"]["order_ids"]]
    assert waiting.index(named) + 1 in range(breaks - ABOUT + 1, breaks + 1)
    assert here["first_to_break"]["at"] == iso(at(named.ship_by))
    warned = told.all_of("at_risk", "orders", at_risk="true")
    assert [one["order_id"] for one in warned] == [one.name for one in waiting[waiting.index(named) :]]
    assert {(one["kind"], *one["because"]) for one in warned} == {("late_shipment", "queue")}


def one_midnight_is_no_backlog_yet(told: Live) -> None:
    assert told.incidents(kind="warehouse_backlog") == []
    found = told.incidents(kind="late_shipment", state="open")
    assert [one["id"] for one in found] == late(ONCE)
    assert {one["muted_by"] for one in found} == {None}
    assert place(told)["midnights"][-1] == {"at": iso(at(MIDNIGHTS[0])), "count": len(late(MIDNIGHTS[0]))}


def two_midnights_are_one(told: Live) -> None:
    [backlog] = told.incidents(kind="warehouse_backlog")
    detail = backlog["detail"]
    assert (backlog["id"], backlog["state"], backlog["warehouse_id"]) == (BACKLOG, "open", promotion.WAREHOUSE)
    assert (backlog["due_at"], detail["knowable_at"]) == (iso(at(MIDNIGHTS[0])), iso(at(MIDNIGHTS[1])))
    assert detail["opened_with"] == [len(late(one)) for one in MIDNIGHTS[:2]]
    assert detail["needed"] == [12, 12]
    shown = place(told)["incident"]
    assert (shown["id"], shown["since"], shown["peak"]) == (BACKLOG, backlog["due_at"], len(late(MIDNIGHTS[0])))
    [opened] = [one for one in told.changes() if one["incident"]["kind"] == "warehouse_backlog"]
    assert opened["change"] == "opened"


def what_is_late_is_muted_but_listed(told: Live) -> None:
    muted = told.incidents(muted_by=BACKLOG)
    assert [one["id"] for one in muted] == late(KNOWN)
    assert {(one["state"], one["muted_as"]) for one in muted} == {("open", "backlog")}
    [backlog] = told.incidents(kind="warehouse_backlog")
    assert backlog["members"] == len(muted)
    assert told.incidents(kind="late_shipment", state="open", muted="false") == []
    tasks = told.tasks(to_contact="true")
    assert sorted(task["incidents"][0]["id"] for task in tasks) == late(KNOWN)
    assert {task["rank"]["stage"] for task in tasks} == {"not_handed_over"}


def it_ends_at_the_midnight_at_which_nothing_is_late(told: Live) -> None:
    [backlog] = told.incidents(kind="warehouse_backlog")
    assert (backlog["state"], backlog["ended_at"], backlog["members"]) == ("ended", iso(at(MIDNIGHTS[-1])), 0)
    assert told.incidents(kind="late_shipment", state="open") == []
    assert told.tasks() == []
    assert told.all_of("backlogs", what="warehouse") == []
