"""A courier's hub stands still: one incident for all that lies there, and every customer called before asking."""

from collections import Counter
from pathlib import Path

import pytest

from domain.instant import iso
from tests.brokers.broker import Broker
from tests.stories import hub
from tests.stories.live import Live, live
from tests.stories.pen import between
from tests.story import at

pytestmark = pytest.mark.timeout(180)
BACKLOG = f"incident-carrier_backlog-{hub.HUB}"
STALLS = [f"incident-stalled_parcel-P-{name}" for name in hub.names()]
CUSTOMERS = sorted({hub.customer(number) for number in range(hub.PARCELS)})
CALLED = 113.0
DAWN = -24.0 * hub.DAYS - 1


def test_a_hub_that_stands_still_is_one_incident_of_which_every_customer_is_told(
    broker: Broker, tmp_path: Path
) -> None:
    with live(broker, tmp_path, DAWN) as told:
        told.tell(between(DAWN, 87, hub.told()), 87)
        every_parcel_stalls_for_itself(told)
        told.tell(between(87, CALLED, hub.told()), CALLED)
        one_incident_speaks_for_all_of_them(told)
        it_is_shown_as_a_place(told)
        call_everybody(told)
        told.tell(between(CALLED, 129, hub.told()), 129)
        everybody_was_told_before_they_complained(told)
        told.tell(between(129, 137, hub.told()), 137)
        it_is_over_once_the_hub_moves(told)


def every_parcel_stalls_for_itself(told: Live) -> None:
    found = told.incidents(kind="stalled_parcel", state="open")
    assert [one["id"] for one in found] == STALLS
    assert [one["due_at"] for one in found] == [iso(at(hub.arrived(n) + hub.STALLED)) for n in range(hub.PARCELS)]
    assert {one["muted_by"] for one in found} == {None}
    assert told.incidents(kind="carrier_backlog") == []


def one_incident_speaks_for_all_of_them(told: Live) -> None:
    [backlog] = [one for one in told.incidents(kind="carrier_backlog") if one["subject"] == hub.HUB]
    assert (backlog["id"], backlog["state"], backlog["muted_by"]) == (BACKLOG, "open", None)
    assert backlog["since"] == backlog["due_at"] == iso(at(hub.MIDNIGHTS[0]))
    assert backlog["detail"]["knowable_at"] == iso(at(hub.MIDNIGHTS[1]))
    assert backlog["detail"]["opened_with"] == [hub.PARCELS, hub.PARCELS]
    muted = told.incidents(muted_by=BACKLOG)
    assert (backlog["members"], [one["id"] for one in muted]) == (hub.PARCELS, STALLS)
    assert {(one["kind"], one["muted_as"]) for one in muted} == {("stalled_parcel", "backlog")}
    assert told.incidents(kind="stalled_parcel", state="open", muted="false") == []


def it_is_shown_as_a_place(told: Live) -> None:
    [place] = told.all_of("backlogs", what="facility", facility=hub.HUB)
    assert (place["open"], place["counted"]) == (hub.PARCELS, hub.PARCELS)
    assert place["incident"]["id"] == BACKLOG
    assert (place["clears"]["at"], place["clears"]["reason"]) == (None, "nothing_left_in_24_hours")


def call_everybody(told: Live) -> None:
    tasks = told.tasks(to_contact="true")
    assert sorted(one["customer_id"] for one in tasks) == CUSTOMERS
    assert Counter(len(one["incidents"]) for one in tasks) == {1: hub.PARCELS - 2 * hub.TWICE, 2: hub.TWICE}
    for task in tasks:
        may_say = told.read("worklist", task["id"])["may_say"]
        assert {"shipped"} <= {claim for one in may_say for claim in one["claims"]} <= {"shipped", "warehouse_shipped"}
        said = [{"order_id": one["order_id"], "claim": "shipped"} for one in may_say]
        true_at = may_say[0]["true_at"]
        words = {"channel": "phone", "outcome": "reached", "customer_id": task["customer_id"]}
        done = told.post("worklist", task["id"], "contact", statements=said, true_at=true_at, **words)
        assert [one["incident"] for one in done["recorded"]] == sorted(one["id"] for one in task["incidents"])
    assert told.settle().tasks(to_contact="true") == []


def everybody_was_told_before_they_complained(told: Live) -> None:
    numbers = told.read("metrics", "summary")
    assert numbers["by"]["kind"]["stalled_parcel"]["contacted_before_complaint"] == 1.0
    assert (numbers["foreseen"]["complaints"], numbers["foreseen"]["foreseen"]) == (hub.IMPATIENT, hub.IMPATIENT)
    assert numbers["blind_spots"] == []
    assert told.read("told-wrong")["told_wrong"] == []


def it_is_over_once_the_hub_moves(told: Live) -> None:
    [backlog] = [one for one in told.incidents(kind="carrier_backlog") if one["subject"] == hub.HUB]
    assert (backlog["state"], backlog["ended_at"], backlog["members"]) == ("ended", iso(at(hub.GONE)), 0)
    assert told.incidents(kind="stalled_parcel", state="open") == []
    assert told.tasks() == []
    nobody = {"channel": "phone", "outcome": "reached"}
    assert told.refused("worklist", f"customer-{CUSTOMERS[0]}", "contact", **nobody) == "nothing_to_contact"
    said = [one["change"] for one in told.changes() if one["incident"]["subject"] == hub.HUB]
    assert (said[0], said[-1]) == ("opened", "ended")
    assert set(said[1:-1]) <= {"amended"}
