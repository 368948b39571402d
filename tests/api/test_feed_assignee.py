"""Feed and list by who has an incident, alone and with other filters, as pages, snapshot and stream."""

import pytest

from domain.detection import incident_id
from tests.api.serving import Listener, serving
from tests.api.staffed import Desked


@pytest.fixture
def shop(told):
    """Give five late orders, of which three are somebody's: two at W, one at E."""
    made = Desked(told)
    for name in range(5):
        made.late(str(name), warehouse="E" if name == 2 else "W")
    for name, who in ((1, {"person": "zhou"}), (2, {"person": "zhou", "team": "night"}), (3, {"team": "night"})):
        assert made.post(f"/v1/incidents/{late(name)}/assign", who).status_code == 200
    told.follow()
    return made


def late(name):
    return incident_id("late_shipment", f"F{name}")


def in_feed(shop, change="opened", **asked):
    changes = shop.read("/v1/feed", **asked)["changes"]
    return [one["incident"]["subject"] for one in changes if one["change"] == change]


def listed(shop, **asked):
    return sorted(one["subject"] for one in shop.read("/v1/incidents", **asked)["incidents"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"assignee": "zhou"}, ["F1", "F2"]),
        ({"assignee": "night"}, ["F2", "F3"]),
        ({"assignee": ["zhou", "night"]}, ["F1", "F2", "F3"]),
        ({"assignee": "nobody"}, []),
        ({"assignee": "zhou", "warehouse": "W"}, ["F1"]),
        ({"assignee": "zhou", "warehouse": ["W", "E"], "kind": "late_shipment", "state": "open"}, ["F1", "F2"]),
        ({"assignee": "night", "order": "O3"}, ["F3"]),
        ({"assignee": "night", "order": "O1"}, []),
        ({"assignee": "night", "kind": "stock_out"}, []),
        ({"assignee": "zhou", "until": "2026-03-01T00:00:00Z"}, []),
    ],
)
def test_feed_and_list_hold_what_these_have(shop, asked, found):
    assert in_feed(shop, **asked) == found
    assert listed(shop, **asked) == found


def test_pages_of_it_go_on_where_they_stopped(shop):
    first = shop.read("/v1/feed", assignee="zhou", limit=1)
    assert [one["incident"]["subject"] for one in first["changes"]] == ["F1"]
    assert in_feed(shop, assignee="zhou", after=first["next"]) == ["F2"]
    assert in_feed(shop, "assigned", assignee="zhou", after=first["next"]) == ["F1", "F2"]


def test_who_gives_it_away_is_told_no_more_of_it(shop, told):
    shop.post(f"/v1/incidents/{late(1)}/assign", {"person": "wang"})
    told.follow()
    assert in_feed(shop, assignee="zhou") == ["F2"]
    assert in_feed(shop, assignee="wang") == ["F1"]


def test_a_stream_begins_with_theirs_and_goes_on_with_theirs(shop, told):
    with serving(told) as server:
        listener = Listener(server.url, "/v1/feed?snapshot=true&assignee=night&kind=late_shipment")
        begun = listener.until("snapshot")
        assert sorted(one.data["subject"] for one in begun if one.name == "incident") == ["F2", "F3"]
        for name in (4, 1, 3):
            shop.post(f"/v1/incidents/{late(name)}/escalate", {"to": "lead"})
        [change] = listener.changes(1)
        assert (change.data["change"], change.data["incident"]["id"]) == ("escalated", late(3))
        listener.close()
