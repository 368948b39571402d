import json
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from api import reading
from api.tokens import Token
from domain.instant import iso
from tests.api.serving import serving
from tests.story import approved, at, moved, placed, requested, scanned


def subjects(page):
    return [one["subject"] for one in page["incidents"]]


def test_an_empty_list_says_how_fresh_it_is(shop):
    page = shop.read("/v1/incidents")
    assert page["incidents"] == []
    assert page["next"] is None
    assert page["as_of"]["known_up_to"] is None
    assert page["as_of"]["now"] == iso(at(0))


def test_incidents_are_listed_newest_first_with_what_would_clear_them(shop):
    shop.late("1", due=20)
    shop.late("2", due=30)
    shop.known(41)
    page = shop.read("/v1/incidents")
    assert subjects(page) == ["F2", "F1"]
    assert page["incidents"][0]["would_clear"]
    assert page["as_of"]["known_up_to"] == iso(at(41))
    assert subjects(shop.read("/v1/incidents", sort="due_at")) == ["F1", "F2"]


def test_what_is_known_never_lies_beyond_the_clock(shop):
    shop.late("1")
    shop.known(40.01)
    shop.now = at(40)
    assert shop.read("/v1/incidents")["as_of"]["known_up_to"] == iso(at(40))


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"state": "open"}, ["F2", "F1"]),
        ({"state": ["ended", "retracted"]}, ["F3"]),
        ({"warehouse": "E"}, ["F2"]),
        ({"kind": "late_shipment", "severity": ["medium", "low"]}, ["F3", "F2", "F1"]),
        ({"kind": "stock_out"}, []),
        ({"order": "O1"}, ["F1"]),
        ({"since": iso(at(25))}, ["F3"]),
        ({"since": "2026-03-02T04:00:00+08:00", "until": iso(at(25))}, ["F2", "F1"]),
        ({"carrier": "SF"}, []),
    ],
)
def test_incidents_are_filtered(shop, params, found):
    shop.late("1")
    shop.late("2", warehouse="E")
    shop.late("3", due=30)
    shop.told.hear(scanned(33, fulfillment_ids=("F3",)), until=41)
    assert subjects(shop.read("/v1/incidents", **params)) == found


@pytest.mark.parametrize("sort", ["due_at", "-due_at"])
def test_pages_go_on_by_their_cursor_and_miss_nothing(shop, sort):
    for name in range(7):
        shop.late(str(name), due=20 + name // 3)
    found, cursor = [], None
    while True:
        page = shop.read("/v1/incidents", limit=2, sort=sort, **({} if cursor is None else {"cursor": cursor}))
        found += subjects(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == [f"F{name}" for name in range(7)]
    assert found == subjects(shop.read("/v1/incidents", limit=500, sort=sort))


def test_one_incident_shows_the_records_that_prove_it(shop):
    shop.told.hear(placed(0), approved(1), requested(2, ship_by=20), until=30)
    detail = shop.read("/v1/incidents/incident-late_shipment-F")
    assert detail["incident"]["state"] == "open"
    (episode,) = detail["episodes"]
    assert [(one["topic"], one["partition"], one["offset"]) for one in episode["evidence"]] == [
        ("orders.events.v1", 0, offset) for offset in (0, 1, 2)
    ]


def test_every_episode_is_shown_and_what_ended_each(shop):
    shop.told.hear(placed(0), requested(0, ship_by=10), until=15)
    shop.told.hear(moved(20, ship_by=40), until=60)
    shop.told.hear(scanned(61), until=62)
    detail = shop.read("/v1/incidents/incident-late_shipment-F")
    assert [one["ended_by"]["type"] for one in detail["episodes"]] == ["order.promise_changed.v1", "parcel.scanned.v1"]
    assert detail["incident"]["episodes"] == 2
    assert detail["incident"]["would_clear"] is None


def test_an_awkward_id_is_found_under_its_encoded_path(told):
    told.hear(placed(0, of="O/1"), requested(0, "F/1 %x", of="O/1", ship_by=20), until=30)
    with serving(told) as server:  # the test client decodes a path twice, a server does not
        (one,) = fetched(f"{server.url}/v1/incidents")["incidents"]
        detail = fetched(f"{server.url}/v1/incidents/{quote(one['id'], safe='')}")
        assert detail["incident"]["subject"] == "F/1 %x"
        assert fetched(f"{server.url}/v1/orders/{quote('O/1', safe='')}")["order_id"] == "O/1"


def fetched(url):
    with urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_an_answer_may_be_asked_to_wait_for_a_position(shop):
    shop.late("1")
    position = shop.read("/v1/incidents")["as_of"]["position"]
    assert subjects(shop.read("/v1/incidents", min_position=position)) == ["F1"]


def test_a_position_that_is_not_reached_in_time_says_when_to_ask_again(shop, monkeypatch):
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.1)
    shop.late("1")
    token = Token.read(shop.read("/v1/incidents")["as_of"]["position"])
    shop.told.desk.take(placed(0, of="O2", key="not yet in the views"))
    behind = token._replace(position=shop.told.log.store.last_position())
    answer = shop.get("/v1/incidents", min_position=str(behind))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "/problems/not_there_yet"


def test_a_position_that_the_log_does_not_have_is_not_waited_for(shop, monkeypatch):
    monkeypatch.setattr(reading, "WAIT_SECONDS", 60)
    shop.late("1")
    token = Token.read(shop.read("/v1/incidents")["as_of"]["position"])
    for unknown in (token._replace(position=token.position + 5), token._replace(epoch="abc")):
        answer = shop.get("/v1/incidents", min_position=str(unknown))
        assert (answer.status_code, answer.json()["type"]) == (410, "/problems/unknown_position")
