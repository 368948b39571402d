"""The team's numbers over HTTP."""

import pytest

from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.test_worklist import late
from tests.story import at, complained


@pytest.fixture
def shop(told):
    made = Desked(told)
    made.orders(_1="C", _2="D")
    return made


def test_an_empty_span_has_numbers_but_no_shares(shop):
    found = shop.read("/v1/metrics/summary", since=iso(at(100)), until=iso(at(200)))["whole"]
    assert found["incidents"] == 0
    assert [found[name] for name in ("resolution_rate", "first_response_hours", "lead_hours")] == [None, None, None]


def test_the_last_week_is_summarised(shop):
    shop.post(f"/v1/incidents/{late('1')}/resolve", {})
    shop.post(f"/v1/incidents/{late('2')}/dismiss", {"why": "handed over by hand"})
    shop.told.follow()
    found = shop.read("/v1/metrics/summary")
    assert (found["since"], found["until"], found["zone"]) == (iso(at(40 - 7 * 24)), iso(at(40)), "Asia/Shanghai")
    assert (found["whole"]["incidents"], found["whole"]["resolution_rate"]) == (2, 1.0)
    assert found["whole"]["first_response_hours"] == 10.0
    [alarms] = found["false_alarms"]
    assert (alarms["kind"], alarms["dismissed"], alarms["rate"]) == ("late_shipment", 1, 0.5)
    assert list(found["by"]) == ["kind", "warehouse", "carrier", "channel", "day"]


def test_a_blind_spot_names_where_it_could_have_been_seen(shop):
    shop.told.hear(complained(31, "K", order_id="O1", category="price_difference"), until=32)
    found = shop.read("/v1/metrics/summary")
    [spot] = found["blind_spots"]
    assert (spot["complaint_id"], spot["category"], spot["channel"]) == ("K", "price_difference", "phone")
    assert spot["could_have_at"] is not None
    assert found["more_blind_spots"] == 0
    assert found["foreseen_by"]["channel"]["phone"] == {"complaints": 1, "foreseen": 0, "lead_hours": None}


@pytest.mark.parametrize(("since", "until"), [(50, 40), (0, 24 * 93)])
def test_a_span_that_is_none_or_too_long_is_refused(shop, since, until):
    assert shop.get("/v1/metrics/summary", since=iso(at(since)), until=iso(at(until))).status_code == 422
