"""What the generator promises: valid seasons, lawful arrivals, declared labels; and what the oracle makes of them."""

import json
import tomllib
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.translate import Translator
from domain.errors import Unreadable
from domain.history.batch import Raw
from domain.policies.policy import load
from tests.generator import census
from tests.generator.expected import expected
from tests.generator.features import instant
from tests.generator.policies import Policy, policies, toml
from tests.generator.season import arrivals, seasons
from tests.generator.world import Event
from tests.story import LATER


def is_held(season: list[Event], order: str, fulfilment: str, at: datetime) -> bool:
    """Replay the switches up to and including an instant, and see whether any hold is on."""
    on: dict[tuple[Any, Any], bool] = {}
    for event in sorted(season, key=lambda e: (instant(e["time"]), e["source"], e["id"])):
        if event["type"] in {"order.held.v1", "order.released.v1"} and instant(event["time"]) <= at:
            data = event["data"]
            if data["order_id"] == order and data.get("fulfillment_id", fulfilment) == fulfilment:
                on[data.get("fulfillment_id"), data["reason"]] = event["type"] == "order.held.v1"
    return any(on.values())


@given(seasons())
def test_every_event_of_a_season_has_an_identity_a_time_with_offset_and_a_versioned_type(season: list[Event]) -> None:
    identities = [(event["source"], event["id"]) for event in season]
    assert len(set(identities)) == len(identities)
    for event in season:
        assert datetime.fromisoformat(event["time"]).utcoffset() is not None
        assert event["type"].endswith(".v1")
        assert event["specversion"] == "1.0"


@given(seasons())
def test_quantities_and_lines_keep_to_the_contract(season: list[Event]) -> None:
    for event in season:
        if event["type"].startswith(("order.", "fulfillment.", "parcel.")):
            for item in (*(event["data"].get("lines") or ()), *(event["data"].get("contents") or ())):
                assert item.get("quantity", 1) in range(1, 1_000_001)
                assert item.get("line_id") or item["sku"]


@given(seasons())
def test_every_message_of_a_season_is_readable(season: list[Event]) -> None:
    read = Translator({})
    for offset, event in enumerate(season):
        content = read.incoming(offset, Raw("all", 0, None, orjson.dumps(event), (), None), LATER).content
        assert not isinstance(content, Unreadable), content


@given(st.data(), seasons())
def test_arrivals_hold_every_event_no_later_than_the_lateness_allows(data: st.DataObject, season: list[Event]) -> None:
    lateness = timedelta(hours=6)
    messages, batches = data.draw(arrivals(season, lateness))
    assert sum(batches) == len(messages)
    assert all(size > 0 for size in batches)
    assert {json.dumps(event) for event in messages} == {json.dumps(event) for event in season}
    latest = instant(messages[0]["time"])
    for event in messages:
        latest = max(latest, instant(event["time"]))
        assert instant(event["time"]) >= latest - lateness


@given(st.data(), seasons(), policies())
def test_the_oracle_does_not_care_how_events_arrive(data: st.DataObject, season: list[Event], policy: Policy) -> None:
    assert expected(data.draw(arrivals(season)).messages, policy) == expected(season, policy)


@given(seasons(), policies())
def test_nothing_becomes_late_while_it_is_held_and_nothing_ends_before_it_began(
    season: list[Event],
    policy: Policy,
) -> None:
    for found in expected(season, policy):
        if found["kind"] == "late_shipment":
            assert not is_held(season, found["order_ids"][0], found["subject"], instant(found["due_at"]))
        assert found["ended_at"] is None or instant(found["ended_at"]) > instant(found["due_at"])


@given(seasons(), policies())
def test_every_label_is_declared(season: list[Event], policy: Policy) -> None:
    assert census.labels(season, policy) <= set(census.LABELS)


@given(policies())
def test_a_drawn_policy_can_be_written_and_loaded(policy: Policy) -> None:
    assert tomllib.loads(toml(policy)) == policy
    assert load(toml(policy)).hash


def test_a_declared_label_that_never_occurs_fails_the_census(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["census", "--examples", "20"])
    monkeypatch.setattr(census, "LABELS", ("heartbeat",))
    assert census.main() == 0
    monkeypatch.setattr(census, "LABELS", ("heartbeat", "parcel on the moon"))
    assert census.main() == 1
