import json

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api import reading
from api.app import create_app
from api.problems import PROBLEMS
from projections import incidents, views

CANARY = "13912345678"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nothing", 404, "not_found"),
        ("/nothing", 404, "not_found"),
        ("/v1/incidents/none", 404, "not_found"),
        ("/v1/incidents?limit=501", 422, "invalid_request"),
        ("/v1/incidents?state=gone", 422, "invalid_request"),
        (f"/v1/incidents?since={CANARY}x", 422, "invalid_request"),
        ("/v1/incidents?since=2026-03-01T00:00:00", 422, "invalid_request"),
        (f"/v1/incidents?cursor={CANARY}", 400, "invalid_token"),
        ("/v1/incidents?cursor=W10", 400, "invalid_token"),
        (f"/v1/incidents?min_position={CANARY}", 400, "invalid_token"),
        ("/v1/feed?after=%00", 400, "invalid_token"),
        (f"/v1/feed?after={'A' * 600}", 422, "invalid_request"),
        (f"/v1/incidents?kind={CANARY}'--", 422, "invalid_request"),
        ("/problems/nothing", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_that_repeats_nothing_of_what_was_sent(shop, path, status, code):
    answer = shop.client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == (f"/problems/{code}", status)
    assert CANARY not in json.dumps({name: value for name, value in body.items() if name != "instance"})
    assert body["request_id"] == answer.headers["x-request-id"]
    assert shop.read(f"/problems/{code}")["meaning"] == PROBLEMS[code][1]


def test_a_cursor_of_another_order_of_the_list_is_refused(shop):
    shop.late("1", "2")
    cursor = shop.read("/v1/incidents", limit=1)["next"]
    assert shop.get("/v1/incidents", cursor=cursor, sort="due_at").status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_here(shop, method):
    answer = shop.client.request(method, "/v1/incidents")
    assert answer.status_code == 405
    assert answer.json()["type"] == "/problems/method_not_allowed"


def test_what_fails_inside_says_nothing_but_its_request_id(shop, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(incidents, "listed", broken)
    answer = shop.get("/v1/incidents")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert CANARY not in answer.text


def test_a_question_that_takes_too_long_is_cut_off(shop, monkeypatch):
    shop.late("1")
    monkeypatch.setattr(reading, "QUERY_SECONDS", -1)
    monkeypatch.setattr(views, "_STEPS", 1)
    answer = shop.get("/v1/incidents")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/query_too_slow"
    monkeypatch.undo()
    assert shop.get("/v1/incidents").status_code == 200, "the connection is fit for use afterwards"


def test_every_answer_is_careful(shop):
    for path in ("/v1/incidents", "/", "/v1/nothing", "/metrics"):
        headers = shop.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        kept = {"/": "no-cache", "/v1/incidents": "private, no-cache"}
        assert headers["cache-control"] == kept.get(path, "no-store")


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_a_request_id_is_kept_when_it_is_one(shop, given, kept):
    answer = shop.client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.headers["x-request-id"]


def test_every_route_has_a_model_for_its_answer(shop):
    paths = [path for path in shop.app.openapi()["paths"] if path != "/metrics"]
    for path in paths:
        for operation in shop.app.openapi()["paths"][path].values():
            assert operation["responses"]["200"]["content"]["application/json"]["schema"], path
            assert operation["operationId"]
            assert operation["description"]
    assert len(paths) >= 12
    assert any(isinstance(route, APIRoute) for route in shop.app.routes) or paths


def test_the_reference_needs_no_script_and_is_there_only_when_asked_for(shop, told):
    page = shop.client.get("/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "/v1/incidents" in page.text
    closed = TestClient(create_app(told.store, told.log.store, clock=lambda: 0))
    assert closed.get("/docs").status_code == 404
    assert closed.get("/openapi.json").status_code == 404


def test_a_large_body_is_refused(shop):
    answer = shop.client.request("GET", "/v1/incidents", content=b"x" * (64 * 1024 + 1))
    assert answer.status_code in {200, 413}
