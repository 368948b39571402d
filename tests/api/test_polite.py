"""What programs expect of an HTTP API: links to go on by, tags, and waits that are asked for."""

import re
import time
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from starlette.responses import JSONResponse, StreamingResponse

from api import reading
from api.conditional import Conditional
from api.tokens import Token
from tests.api.serving import Listener, serving
from tests.story import placed, scanned

NEXT = re.compile(r'<([^>]+)>; rel="next"')


def following(shop, path, member, **asked):
    """Go on by nothing but the links."""
    answer = shop.get(path, **asked)
    found = []
    while True:
        assert answer.status_code == 200, answer.text
        found += answer.json()[member]
        link = answer.headers.get("Link")
        if link is None or not answer.json().get("more", True):
            return found, answer
        answer = shop.client.get(urljoin(str(answer.url), NEXT.fullmatch(link)[1]))


# Links


def test_a_list_is_read_to_its_end_by_its_links_with_the_filters_kept(shop):
    shop.late(*map(str, range(5)))
    shop.late("x", warehouse="北京 1")
    found, last = following(shop, "/v1/incidents", "incidents", limit=2, warehouse=["W", "E"], sort="due_at")
    assert [one["subject"] for one in found] == [f"F{n}" for n in range(5)]
    assert last.json()["next"] is None
    assert "Link" not in last.headers
    (one,) = following(shop, "/v1/incidents", "incidents", limit=1, warehouse="北京 1")[0]
    assert one["subject"] == "Fx"


def test_the_feed_links_to_where_to_read_on_also_at_its_end(shop):
    shop.late(*map(str, range(5)))
    found, last = following(shop, "/v1/feed", "changes", limit=2, kind="late_shipment")
    assert len(found) == 5
    shop.late("x")
    [one] = shop.client.get(urljoin(str(last.url), NEXT.fullmatch(last.headers["Link"])[1])).json()["changes"]
    assert one["incident"]["subject"] == "Fx"


def test_a_link_can_be_followed_behind_a_proxy_that_serves_us_below_a_path(shop):
    shop.late("1", "2")
    asked = "http://shop.example/tracker/v1/incidents?limit=1&kind=late_shipment"
    link = urljoin(asked, NEXT.fullmatch(shop.get("/v1/incidents", limit=1, kind="late_shipment").headers["Link"])[1])
    assert link.startswith("http://shop.example/tracker/v1/incidents?limit=1&kind=late_shipment&cursor=")
    assert shop.client.get(link.removeprefix("http://shop.example/tracker")).json()["next"] is None


@pytest.mark.parametrize(
    ("path", "member"), [("/v1/worklist", "tasks"), ("/v1/backlogs", "backlogs"), ("/v1/quarantine", "messages")]
)
def test_other_lists_link_as_well(shop, path, member):
    shop.late("1", "2", warehouse="W")
    shop.late("3", warehouse="E")
    shop.told.hear(*[b"no json %d" % n for n in range(3)])
    everything = shop.read(path)[member]
    assert len(everything) > 1
    assert following(shop, path, member, limit=1)[0] == everything


# Tags


def test_what_is_known_already_is_not_sent_again_until_it_changes(shop):
    shop.late("1")
    for path in ("/v1/incidents", "/v1/incidents/incident-late_shipment-F1", "/v1/orders/O1"):
        tag = shop.get(path).headers["ETag"]
        assert shop.get(path).headers["Cache-Control"] == "private, no-cache"
        again = shop.client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
        assert again.headers["Cache-Control"] == "private, no-cache"
        several = shop.client.get(path, headers=[("If-None-Match", '"other"'), ("If-None-Match", tag)])
        assert several.status_code == 304
        assert again.headers["X-Request-ID"]
    before = shop.get("/v1/incidents").headers["ETag"]
    shop.told.hear(scanned(33, fulfillment_ids=("F1",)), until=34)
    after = shop.client.get("/v1/incidents", headers={"If-None-Match": before})
    assert (after.status_code, after.json()["incidents"][0]["state"]) == (200, "ended")
    assert after.headers["ETag"] != before


def test_that_more_has_been_read_of_the_world_is_no_change(shop):
    shop.late("1")
    shop.known(31)
    tag = shop.get("/v1/incidents").headers["ETag"]
    shop.known(32)
    assert shop.client.get("/v1/incidents", headers={"If-None-Match": tag}).status_code == 304


def test_a_filter_has_a_tag_of_its_own_and_errors_and_streams_have_none(shop, told):
    shop.late("1")
    tag = shop.get("/v1/incidents").headers["ETag"]
    other = shop.client.get("/v1/incidents?state=ended", headers={"If-None-Match": tag})
    assert (other.status_code, other.json()["incidents"]) == (200, [])
    wrong = shop.client.get("/v1/incidents/none", headers={"If-None-Match": "*"})
    assert (wrong.status_code, "ETag" in wrong.headers, wrong.headers["Cache-Control"]) == (404, False, "no-store")
    with serving(told) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        listener.changes(1)
        assert "etag" not in listener.head.lower()
        listener.close()


@pytest.mark.parametrize("pieces", [[b'{"a": 1}'], [b'{"a"', b": 1}"], [b"", b'{"a": 1}', b""]])
def test_what_comes_in_pieces_passes_whole_and_without_a_tag(pieces):
    async def app(scope, receive, send):
        if len(pieces) == 1:
            await JSONResponse({"a": 1})(scope, receive, send)
        else:
            await StreamingResponse(iter(pieces), media_type="application/json")(scope, receive, send)

    answer = TestClient(Conditional(app)).get("/v1/a")
    assert answer.json() == {"a": 1}
    assert ("ETag" in answer.headers) is (len(pieces) == 1)
    assert ("Cache-Control" in answer.headers) is (len(pieces) == 1)


# Waits


def test_a_reader_may_prefer_to_wait_longer_for_a_position(shop, monkeypatch):
    monkeypatch.setattr(reading, "WAIT_SECONDS", 30)
    shop.late("1")
    token = Token.read(shop.read("/v1/incidents")["as_of"]["position"])
    shop.told.desk.take(placed(0, of="O2", key="not yet in the views"))
    behind = str(token._replace(position=shop.told.log.store.last_position()))
    begun = time.monotonic()
    answer = shop.client.get("/v1/incidents", params={"min_position": behind}, headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - begun < 10
    shop.told.follow()
    answer = shop.client.get("/v1/incidents", params={"min_position": behind}, headers={"Prefer": "wait=5"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=5")


@pytest.mark.parametrize(
    "prefer",
    ["wait=1", "respond-async, wait=1", "Wait = 1; x=y, handling=lenient", 'wait="1"', 'a="b, wait=9", wait=1, wait=8'],
)
def test_a_reader_may_wait_for_all_that_is_in_the_log(shop, told, prefer):
    with serving(told) as server:
        told.desk.take(placed(0, of="O9", key="p9"))
        answer = shop.client.get("/v1/orders/O9", headers={"Prefer": prefer})
        assert server.url
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_who_names_no_position_gets_what_there_is_when_the_wait_is_over(shop):
    shop.late("1")
    shop.told.desk.take(placed(0, of="O2", key="not yet in the views"))
    answer = shop.client.get("/v1/incidents", headers={"Prefer": "wait=0"})
    assert (answer.status_code, len(answer.json()["incidents"])) == (200, 1)


def test_a_preference_may_stand_in_a_line_of_its_own(shop):
    lines = [("Prefer", "respond-async"), ("Prefer", "wait=0")]
    assert shop.client.get("/v1/incidents", headers=lines).headers["Preference-Applied"] == "wait=0"


def test_who_waits_for_long_looks_ever_less_often(shop, monkeypatch):
    shop.late("1")
    shop.told.desk.take(placed(0, of="O2", key="not yet in the views"))
    looks = []
    look = reading.checkpoints.read
    monkeypatch.setattr(reading.checkpoints, "read", lambda rows: looks.append(1) or look(rows))
    begun = time.monotonic()
    assert shop.client.get("/v1/incidents", headers={"Prefer": "wait=1"}).status_code == 200
    assert 1 <= time.monotonic() - begun < 5
    assert 5 <= len(looks) <= 15


@pytest.mark.parametrize("prefer", ["", "wait", "wait=x", "return=minimal", "waits=3", 'wait="1', 'x="a, wait=3"'])
def test_other_preferences_are_let_be(shop, prefer):
    assert "Preference-Applied" not in shop.client.get("/v1/incidents", headers={"Prefer": prefer}).headers
