"""What the big files promise: the same bytes for the same seed, a truth worth scoring, every kind of wrong date."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.generator import files
from tests.generator.labels import features
from tests.generator.policies import KINDS

ORDERS = 400


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one set of files."""
    out = tmp_path_factory.mktemp("season")
    files.write(ORDERS, 7, out)
    return out


@pytest.fixture(scope="module")
def read(season: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Return a reader of the written files."""
    return lambda name: [json.loads(line) for line in (season / name).read_text(encoding="utf8").splitlines()]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(season: Path, tmp_path: Path) -> None:
    files.write(ORDERS, 7, tmp_path / "same")
    files.write(ORDERS, 8, tmp_path / "other")
    for name in ("events.jsonl", "events.arrival.jsonl", "policy.toml", "truth.jsonl"):
        assert (tmp_path / "same" / name).read_bytes() == (season / name).read_bytes()
    assert (tmp_path / "other" / "events.jsonl").read_bytes() != (season / "events.jsonl").read_bytes()


def test_arrival_holds_the_same_events_in_another_order_and_some_twice(read: Callable[[str], Any]) -> None:
    events, arrival = read("events.jsonl"), read("events.arrival.jsonl")
    again = Counter(event["id"] for event in arrival)
    assert {event["id"]: event for event in arrival} == {event["id"]: event for event in events}
    assert (len(arrival) - len(again)) / len(events) == pytest.approx(0.02, abs=0.01)
    assert [event["id"] for event in arrival] != [event["id"] for event in events]


def test_the_truth_holds_every_kind_and_both_open_and_ended_ones(read: Callable[[str], Any]) -> None:
    truth = read("truth.jsonl")
    kinds = Counter(row["incident"] for row in truth)
    assert set(kinds) == set(KINDS)
    for kind in ("late_shipment", "late_delivery", "delivery_failed", "stalled_parcel", "complaint_overdue"):
        assert {row["ended_at"] is None for row in truth if row["incident"] == kind} == {True, False}
    assert ORDERS / 10 < kinds["late_shipment"] < ORDERS
    assert all(row["magnitude_s"] > 0 for row in truth)


def test_no_episode_stands_twice_in_the_truth(read: Callable[[str], Any]) -> None:
    truth = read("truth.jsonl")
    assert len({(row["incident"], row["key"], row["since"], row["rule"]) for row in truth}) == len(truth)
    shipments = [row["key"] for row in truth if row["incident"] == "late_shipment"]
    assert len(set(shipments)) == len(shipments)


def test_the_files_hold_what_an_acceptance_set_is_for(read: Callable[[str], Any]) -> None:
    wanted = {
        *("several fulfilments", "implicit fulfilment", "packed for several orders", "order in several parcels"),
        *("ship_by before placing", "scan before its order", "scan in 1970", "replaced parcel", "label echo"),
        *("recycled number", "scan by number after its label", "hold of the order", "line cancelled"),
        *("promise moved by customer", "promise moved by merchant", "approved after ship_by", "another offset"),
        *("delivery promised as a date", "hold said again at the same place", "lost and found again", "scan: damaged"),
        *("several attempts failed", "scan: ready_for_pickup", "picked after all", "repacked otherwise"),
        *("contents not as expected", "complaint reopened", "one trouble over several channels", "complex complaint"),
        *("complaint waiting on customer", "feed that falls silent", "several feeds with heartbeats"),
    }
    assert wanted <= features(read("events.jsonl"))
