"""What a query names and no route knows is refused: a typo must not show everything."""

import pytest
from fastapi.testclient import TestClient

from api.sharded.app import create_merged_app
from tests.story import LATER

WATCHED = ("/healthz", "/readyz", "/version", "/metrics")


def operations(app):
    return [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]


def errors(answer):
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid_request"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(one["where"], one["why"]) for one in answer.json()["errors"]]


def test_a_typo_is_told_with_the_name_that_was_meant(shop):
    shop.late("1")
    (one,) = errors(shop.get("/v1/incidents", statsu="open", kind="late_shipment"))
    assert one == ("query.statsu", "There is no parameter of this name; did you mean 'status'?")


def test_each_unknown_name_is_told_once_for_itself(shop):
    found = errors(shop.client.get("/v1/incidents?warehose=W&warehose=E&limmit=3&order=O1"))
    assert [where for where, _ in found] == ["query.warehose", "query.limmit"]
    assert [why.rpartition("did you mean ")[2] for _, why in found] == ["'warehouse'?", "'limit'?"]


def test_where_nothing_is_near_everything_that_there_is_is_told(shop):
    assert errors(shop.get("/v1/feeds", zzz="1")) == [
        ("query.zzz", "There is no parameter of this name; there are min_position.")
    ]
    found = errors(shop.get("/problems/not_found", x="1"))
    assert found == [("query.x", "There is no parameter of this name, nor any other.")]


def test_nothing_of_a_value_is_sent_back_and_of_a_name_no_more_than_its_beginning(shop):
    long = "n" * 500
    answer = shop.client.get("/v1/incidents", params={long: "13912345678", **{f"x{n}": "1" for n in range(50)}})
    found = errors(answer)
    assert found[0][0] == "query." + "n" * 64
    assert len(found) == 20
    assert "13912345678" not in answer.text


def test_every_operation_over_one_log_and_over_several_refuses_what_it_does_not_know(shop):
    several = TestClient(create_merged_app([], clock=lambda: LATER))
    for client in (shop.client, several):
        asked = [(method, path) for method, path in operations(client.app) if path not in WATCHED]
        assert asked
        for method, path in asked:
            answer = client.request(method, path.replace("{", "").replace("}", ""), params={"qqq": "1"}, json={})
            assert [where for where, _ in errors(answer)] == ["query.qqq"], (method, path)


def test_so_does_a_live_feed_of_one_log_and_of_several(shop):
    merged = TestClient(create_merged_app([], clock=lambda: LATER))
    for client in (shop.client, merged):
        answer = client.get("/v1/feed", params={"kindd": "stock_out"}, headers={"Accept": "text/event-stream"})
        assert [where for where, _ in errors(answer)] == ["query.kindd"]


@pytest.mark.parametrize("path", ["/", "/app.js", "/docs", "/openapi.json", "/asyncapi.json"])
def test_files_and_documents_let_be_what_their_address_says(shop, path):
    assert shop.get(path, utm_source="chat").status_code == 200


@pytest.mark.parametrize("path", WATCHED)
@pytest.mark.parametrize("query", ["", "?x=1", "?verbose", "?_=1763842000"])
def test_no_probe_takes_a_process_out_by_what_it_adds_to_an_address(shop, path, query):
    several = TestClient(create_merged_app([], clock=lambda: LATER))
    for client in (shop.client, several):
        assert client.get(path + query).status_code == client.get(path).status_code != 422


def test_a_kind_that_there_is_not_is_told_with_those_that_there_are(shop):
    shop.late("1")
    for route in ("/v1/incidents", "/v1/feed"):
        [(where, why)] = errors(shop.get(route, kind="late_shipments"))
        assert where == "query.kind.0"
        assert "late_shipment, " in why
        assert "late_shipments" not in why
    asked = next(
        one for one in shop.client.app.openapi()["paths"]["/v1/feed"]["get"]["parameters"] if one["name"] == "kind"
    )
    assert "late_shipment" in asked["schema"]["items"]["enum"]


def test_pages_have_no_snapshot_and_say_so(shop):
    assert [where for where, _ in errors(shop.get("/v1/feed", snapshot="true"))] == ["query.snapshot"]
    assert shop.get("/v1/feed", snapshot="false").status_code == 200
