"""The truth of the demo season: every kind, and just what a tracker and the oracles find in it."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from deploy.demo import complaints, midnights
from deploy.demo.boxes import Boxes
from deploy.demo.calls import Calls
from deploy.demo.counters import Counters
from deploy.demo.journal import Journal
from deploy.demo.ledger import Ledger
from deploy.demo.season import Season, season
from deploy.demo.waybills import Waybill, Waybills
from tests.deploy.season_truth import START, TakenIn, in_findings, in_truth, instant, told
from tests.oracle import whole

SEEDS = (7, 2026)
WHOLE = [(int(seed), 28) for seed in os.environ.get("DEMO_SEEDS", "").split()]
"""Seasons that are judged whole besides, in the census."""
Take = Callable[[int, int], TakenIn]
# One process tells and judges each season once for all.
pytestmark = pytest.mark.xdist_group("season")
FORM = ("incident", "key", "order_id", "hub", "due_at", "ended_at")
A_FEW = {
    "late_shipment": 100,
    "late_delivery": 50,
    "stalled_parcel": 20,
    "delivery_failed": 50,
    "damaged_parcel": 10,
    "unconfirmed_handover": 15,
    "presumed_lost": 5,
    "mis_shipment": 10,
    "stock_out": 10,
    "complaint_overdue": 10,
    "warehouse_backlog": 1,
    "carrier_backlog": 2,
    "mis_shipment_cluster": 1,
    "product_defect": 1,
    "price_difference": 2,
    "feed_silent": 2,
    "broken_promise": 3,
}


@pytest.fixture(params=SEEDS)
def full(request: pytest.FixtureRequest) -> Season:
    """Give a whole season."""
    return told(request.param)


def late(some: Season) -> list[dict[str, Any]]:
    """List the late shipments of a season."""
    return [one for one in some.truth if one["incident"] == "late_shipment"]


def test_the_truth_has_the_form_of_the_given_ones(full: Season) -> None:
    """One line a trouble, in UTC, none without a name, each ending after it began."""
    more = {"complaint_overdue": ("rule",), "warehouse_backlog": ("peak",), "carrier_backlog": ("peak",)}
    assert {one["incident"]: tuple(one) for one in full.truth} == {kind: FORM + more.get(kind, ()) for kind in A_FEW}
    for one in full.truth:
        assert one["key"]
        due, over = instant(one["due_at"]), one["ended_at"]
        assert full.start < due < full.end
        assert over is None or due < instant(over) <= full.end
        assert one["due_at"].endswith("+00:00")


def test_no_trouble_is_told_twice(full: Season) -> None:
    """A key names one line of its kind, so that a scorer may look lines up by it; also one clock of a complaint."""
    names = Counter((one["incident"], one["key"]) for one in full.truth)
    assert {name: count for name, count in names.items() if count > 1} == {}


def test_every_kind_occurs(full: Season) -> None:
    """A season has a few of everything that can go wrong."""
    counts = Counter(one["incident"] for one in full.truth)
    assert counts.keys() == A_FEW.keys()
    assert {kind: counts[kind] for kind, least in A_FEW.items() if counts[kind] < least} == {}


def test_troubles_end_and_some_stay_open(full: Season) -> None:
    """Most of what goes wrong is put right, and the season ends with work on the page."""
    ended = Counter((one["incident"], one["ended_at"] is not None) for one in full.truth)
    everyday = ("late_shipment", "late_delivery", "stalled_parcel", "delivery_failed", "mis_shipment", "stock_out")
    assert [kind for kind in everyday if ended[kind, True] <= ended[kind, False]] == []
    assert ended["late_shipment", False] >= 5
    assert sum(count for (_, over), count in ended.items() if not over) >= 20


@pytest.mark.parametrize("seed", range(20))
def test_the_first_shipment_is_late_within_five_hours_and_none_before_the_start(seed: int) -> None:
    """Somebody who starts the demo sees an incident within seconds, and no history."""
    dues = sorted(instant(one["due_at"]) for one in late(season(seed, START, days=1)))
    assert START < dues[0] <= START + timedelta(hours=5)
    assert len(dues) >= 5


def test_late_shipments_come_in_waves(full: Season) -> None:
    """Chengdu falls behind, and yto stays away from Hangzhou."""
    carrier_of: dict[str, str] = {}
    for one in full.events:
        if one.event["type"] == "parcel.labelled.v1":
            carrier_of |= dict.fromkeys(one.event["data"].get("fulfillment_ids", ()), one.event["data"]["carrier"])
    day = timedelta(days=1)
    since = [(one, (instant(one["due_at"]) - full.start) / day) for one in late(full)]
    chengdu = [one for one, days in since if one["hub"] == "W-CHENGDU" and 2 < days < 8]
    hangzhou = [one for one, days in since if one["hub"] == "W-HANGZHOU" and 2 < days < 6]
    yto = [one for one in hangzhou if carrier_of.get(one["key"]) == "yto"]
    assert len(chengdu) >= 30
    assert len(yto) >= 5
    assert len(yto) > len(hangzhou) // 2
    assert 100 <= len(since) <= 400


def test_the_jam_of_a_hub_stalls_its_parcels(full: Season) -> None:
    """What lies at the depot is stalled, parcel by parcel, and the carrier has one backlog."""
    [jam, *_] = [one for one in full.truth if one["incident"] == "carrier_backlog" and one["hub"] == "YTO-ZJ-1"]
    stalled = [one for one in full.truth if one["incident"] == "stalled_parcel" and one["hub"] == "yto"]
    since, until = instant(jam["due_at"]), instant(jam["ended_at"])
    assert sum(since - timedelta(days=1) <= instant(one["due_at"]) < until for one in stalled) >= 12
    assert jam["peak"] >= 12


def test_complaints_come_on_several_channels_and_are_waited_for_settled_and_reopened(full: Season) -> None:
    """The desk has a day's work of every sort."""
    said = Counter(one.event["type"].split(".")[1] for one in full.events if one.event["type"].startswith("complaint."))
    opened = [one.event["data"] for one in full.events if one.event["type"] == "complaint.opened.v1"]
    steps = ("opened", "answered", "categorised", "waiting", "escalated", "resolved", "reopened")
    assert {step: said[step] for step in steps if said[step] < 3} == {}
    assert len({one["channel"] for one in opened}) == 5
    assert len({one["category"] for one in opened}) == 9
    again = Counter(one["order_id"] for one in {each["complaint_id"]: each for each in opened}.values())
    assert sum(count > 1 for count in again.values()) >= 3


@pytest.mark.parametrize(("seed", "days"), [(7, 28), (3, 9), (4, 3), *WHOLE])
def test_a_tracker_finds_just_what_the_truth_says(taken_in: Take, seed: int, days: int) -> None:
    """All kinds: nothing missing, nothing more, each with its times; precision and recall are one."""
    truth, got = in_truth(told(seed, days).truth), taken_in(seed, days).found()
    assert sorted(set(truth) - set(got), key=str) == []
    assert sorted(set(got) - set(truth), key=str) == []
    assert len(got) == len(set(got)) == len(truth)


@pytest.mark.parametrize(("seed", "days"), [(3, 9), (5, 4), *((seed, 2) for seed in range(7, 12)), *WHOLE])
def test_the_books_of_the_season_agree_with_the_oracles(seed: int, days: int) -> None:
    """Written apart from each other, both say the same of every order, parcel and complaint."""
    some = told(seed, days)
    theirs = in_findings(whole.oracle([one.event for one in some.events], {}))
    ours = [one for one in in_truth(some.truth) if one.kind in whole.KINDS]
    assert set(ours) == set(theirs)
    assert ours


@pytest.mark.parametrize("forgotten", ["pause", "agree", "drop"])
def test_a_ledger_that_forgets_something_does_not_agree(monkeypatch: pytest.MonkeyPatch, forgotten: str) -> None:
    """Holds, new dates and cancellations each matter in the season: leaving one kind out is noticed."""
    monkeypatch.setattr(Ledger, forgotten, lambda *_, **__: None)
    some = season(3, START + timedelta(hours=21), days=9)
    theirs = in_findings(whole.oracle([one.event for one in some.events], {"kinds": {"enabled": ["late_shipment"]}}))
    assert {one for one in in_truth(some.truth) if one.kind == "late_shipment"} != set(theirs)


def nothing(*_: object, **__: object) -> None:
    """Forget it."""


FORGETFUL: dict[str, tuple[Any, str, Any, set[str]]] = {
    "what was picked": (Counters, "pick", nothing, {"stock_out"}),
    "what was dropped": (Counters, "drop", nothing, {"late_delivery", "stock_out"}),
    "what was delivered": (Counters, "bring", nothing, {"late_delivery"}),
    "which labels are void": (Waybills, "void", nothing, {"unconfirmed_handover"}),
    "what was damaged": (Waybill, "_damaged", lambda _: [], {"damaged_parcel"}),
    "which boxes are wrong": (Boxes, "enter", nothing, {"mis_shipment"}),
    "what staff promised": (Calls, "wrongs", lambda *_: [], {"broken_promise"}),
    "when nobody spoke": (Journal, "silences", lambda *_: [], {"feed_silent"}),
    "what is usual": (midnights, "_needed", lambda _: 6, {"warehouse_backlog", "carrier_backlog"}),
}


@pytest.mark.parametrize("forgotten", FORGETFUL)
def test_books_that_forget_something_are_found_out(
    taken_in: Take, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    """Each entry matters in a season: without it the truth differs from what is found, and only where it must."""
    owner, name, instead, kinds = FORGETFUL[forgotten]
    full = told(3, 9)
    monkeypatch.setattr(owner, name, instead)
    some = season(3, full.start, days=9)
    assert some.events == full.events
    differing = set(in_truth(some.truth)) ^ set(taken_in(3, 9).found())
    assert {one.kind for one in differing} == kinds


@pytest.mark.parametrize(
    "since",
    [
        pytest.param(lambda one, _: one.opened_at, id="who said the same before"),
        pytest.param(lambda one, runs: runs[0][0] if runs else one.opened_at, id="what was answered before"),
    ],
)
def test_what_was_complained_of_before_matters(taken_in: Take, monkeypatch: pytest.MonkeyPatch, since: Any) -> None:
    """Who says the same again has waited since he said it first, unless he was answered in between."""
    monkeypatch.setattr(complaints, "_since", since)
    differing = set(in_truth(season(7, START).truth)) ^ set(taken_in(7, 28).found())
    assert {one.kind for one in differing} == {"complaint_overdue"}


def test_orders_cancelled_on_their_way_matter(taken_in: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Money back ends the wait for a parcel that nobody will find."""
    monkeypatch.setattr(Waybills, "cancel", nothing)
    differing = set(in_truth(season(7, START).truth)) ^ set(taken_in(7, 28).found())
    assert {"stalled_parcel", "presumed_lost"} >= {one.kind for one in differing} != set()
