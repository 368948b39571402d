"""Backlogs over HTTP: what lies where, how it goes on, and what breaks first."""

from typing import Any

import pytest

from domain.instant import iso
from tests.api.conftest import Shop
from tests.projections.stage import stage
from tests.projections.test_backlogs import order, shipped
from tests.story import at, heartbeat, labelled, line, placed, requested, scanned


def place(shop: Shop, what: str = "warehouse", name: str = "W") -> Any:
    return shop.read(f"/v1/backlogs/{what}/{name}")["backlog"]


def test_a_warehouse_shows_age_pace_time_to_clear_and_what_breaks_first(shop: Shop) -> None:
    for n in range(24):
        shop.told.hear(*order(f"s{n}", 0, 9999), shipped(f"s{n}", 24.5 + n))
    for n, ship_by in enumerate((47, 50, 50, 50, 70)):
        shop.told.hear(*order(f"{n}", 40, ship_by))
    shop.known(48)
    page = shop.read("/v1/backlogs", what="warehouse")
    assert page["counted_at"] == iso(at(48))
    [one] = page["backlogs"]
    assert {name: one[name] for name in ("name", "unit", "open", "pieces", "held", "late")} == {
        "name": "W", "unit": "fulfillment", "open": 5, "pieces": 5, "held": 0, "late": 1,
    }  # fmt: skip
    assert [(band["band"], band["count"]) for band in one["ages"]] == [
        ("under_1_day", 5), ("1_to_2_days", 0), ("2_to_4_days", 0), ("over_4_days", 0),
    ]  # fmt: skip
    assert one["throughput"] == {
        "since": iso(at(24)), "until": iso(at(48)), "count": 24, "per_hour": 1.0, "usual_per_hour": None, "weeks": [],
    }  # fmt: skip
    assert one["clears"] == {"hours": 5.0, "at": iso(at(53)), "reason": None}
    assert one["next_promise"] == {
        "at": iso(at(50)), "order_ids": ["O1"], "fulfillment_id": "F1", "parcel_id": None,
    }  # fmt: skip
    assert one["first_to_break"] == one["next_promise"]
    assert (one["incident"], len(one["midnights"])) == (None, 7)
    assert place(shop) == one


def test_where_nothing_goes_on_no_time_to_clear_is_made_up(shop: Shop) -> None:
    shop.told.hear(*order("1", 0, 20))
    shop.known(10)
    assert place(shop)["clears"] == {"hours": None, "at": None, "reason": "nothing_left_in_24_hours"}
    assert place(shop)["first_to_break"]["fulfillment_id"] == "F1"


def test_carriers_and_facilities_are_listed_with_their_parcels(shop: Shop) -> None:
    shop.told.hear(placed(0, deliver_by=30), requested(0, ship_by=20), labelled(1), scanned(2, facility_id="HUB/1"))
    shop.known(40)
    [carrier, facility] = shop.read("/v1/backlogs")["backlogs"]
    assert [(one["what"], one["name"], one["unit"]) for one in (carrier, facility)] == [
        ("carrier", "SF", "parcel"), ("facility", "HUB/1", "parcel"),
    ]  # fmt: skip
    for one in (carrier, facility):
        assert (one["open"], one["late"], one["pieces"], one["next_promise"]) == (1, 1, None, None)
    assert place(shop, "facility", "HUB%252F1")["open"] == 1


def test_places_are_found_by_what_they_are_by_name_and_by_their_incident(shop: Shop) -> None:
    for n in range(3):
        shop.told.hear(*order(f"{n}", 0, 20, warehouse_id=f"W{n}"), shipped(f"x{n}", 2, carrier="SF"))
    shop.known(10)

    def names(**asked: Any) -> list[str]:
        found, page = [], shop.read("/v1/backlogs", **asked)
        while True:
            found += [one["name"] for one in page["backlogs"]]
            if page["next"] is None:
                return found
            page = shop.read("/v1/backlogs", **asked, cursor=page["next"])

    assert names() == names(limit=1) == ["SF", "W0", "W1", "W2"]
    assert names(what="warehouse", limit=2) == ["W0", "W1", "W2"]
    assert names(warehouse=["W2", "W0", "nowhere"], carrier="SF", limit=2) == ["SF", "W0", "W2"]
    assert names(what="carrier", warehouse="W1") == []
    assert names(incident=True) == []
    assert names(incident=False) == names()
    assert shop.get("/v1/backlogs", what="ship").status_code == 422
    assert shop.get("/v1/backlogs", cursor="?").status_code == 400
    answer = shop.get("/v1/backlogs/warehouse/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_open_backlog_is_named_with_its_count_and_its_muted_members(tmp_path: Any) -> None:
    with stage(tmp_path, 'timezone = "UTC"\n[warehouse_backlog]\nminimum = 3') as told:
        shop = Shop(told)
        for n in range(4):
            told.hear(*order(f"{n}", 0, 20 + n), until=24)
        told.come(49)
        while told.desk.tracker.group(at(49)):
            told.come(49)
        shop.known(49)
        [one] = shop.read("/v1/backlogs", incident=True)["backlogs"]
        assert (one["counted"], one["late"]) == (4, 4)
        assert [(each["at"], each["count"]) for each in one["midnights"][-2:]] == [(iso(at(24)), 4), (iso(at(48)), 4)]
        incident = one["incident"]
        assert (incident["since"], incident["count"], incident["peak"], incident["needed"]) == (iso(at(24)), 4, 4, 3)
        listed = shop.read("/v1/incidents", muted_by=incident["id"])["incidents"]
        assert len(listed) == incident["members"] == 4


FEEDS = 'feeds = {W = ["/wms"], SF = ["/sf"], YT = ["/yt"]}'


@pytest.fixture
def mapped(tmp_path: Any) -> Any:
    with stage(tmp_path, FEEDS) as told:
        yield Shop(told)


def evidence(shop: Shop, kind: str) -> Any:
    """Read it where it is shown; it must be the same everywhere."""
    [listed] = shop.read("/v1/incidents", kind=kind)["incidents"]
    detail = shop.read(f"/v1/incidents/{listed['id']}")["incident"]
    [shown] = [one for one in shop.read("/v1/orders/O")["incidents"] if one["kind"] == kind]
    assert listed["evidence"] == detail["evidence"] == shown["evidence"]
    return listed["evidence"]


def test_a_late_shipment_says_that_its_warehouse_may_only_not_have_told_us(mapped: Shop) -> None:
    mapped.told.hear(placed(0), requested(0, ship_by=20), until=30)
    assert evidence(mapped, "late_shipment") == "feed never heard"
    mapped.told.hear(heartbeat(10, "/wms"), until=30)
    assert evidence(mapped, "late_shipment") == f"feed silent since {iso(at(10))}"
    mapped.told.hear(heartbeat(21, "/wms"), until=31)
    assert evidence(mapped, "late_shipment") is None


def test_a_late_delivery_asks_the_carriers_whose_parcels_are_on_their_way(mapped: Shop) -> None:
    mapped.told.hear(placed(0, line("1"), line("2", "B"), deliver_by=50))
    mapped.told.hear(requested(0, lines=[("1", 1)]), requested(0, "G", lines=[("2", 1)]))
    mapped.told.hear(
        scanned(5, carrier="YT", source="/yt"), scanned(40, status="delivered", carrier="YT", source="/yt")
    )
    mapped.told.hear(scanned(6, "Q", carrier="SF", source="/sf", fulfillment_ids=("G",)), until=60)
    assert evidence(mapped, "late_delivery") == f"feed silent since {iso(at(6))}"
    mapped.told.hear(scanned(51, "Q", "in_transit", carrier="SF", source="/sf", fulfillment_ids=("G",)), until=61)
    assert evidence(mapped, "late_delivery") is None


def test_what_ended_or_was_never_mapped_to_a_feed_needs_no_evidence(mapped: Shop) -> None:
    mapped.told.hear(placed(0), requested(0, ship_by=20), until=30)
    mapped.told.hear(scanned(25), until=31)
    assert evidence(mapped, "late_shipment") is None


def test_without_a_mapping_nothing_is_said(shop: Shop) -> None:
    shop.told.hear(placed(0), requested(0, ship_by=20), until=30)
    assert evidence(shop, "late_shipment") is None
