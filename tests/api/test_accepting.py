"""Whether the feed is a stream or a page, by what a client says it likes."""

from types import SimpleNamespace

import pytest

STREAM = [
    "text/event-stream",
    "TEXT/EVENT-STREAM",
    "text/event-stream;q=0.1",
    "text/event-stream; charset=utf-8",
    "text/*",
    "text/event-stream, application/json;q=0.9",
    "application/json;q=0, text/event-stream;q=0.001",
    "text/event-stream, */*",
    "*/*;q=0.8, text/event-stream;Q=0.8",
    "text/plain, text/*;q=0.2",
]
PAGE = [
    None,
    "",
    "*/*",
    "application/json",
    "text/html",
    "application/json, text/event-stream;q=0.5",
    "application/json, text/event-stream",
    "text/event-stream;q=0",
    "text/event-stream;q=0.000, */*",
    "text/*;q=0.9, text/event-stream;q=0, */*;q=0.1",
    "application/x-text/event-stream",
    'application/json;like="text/event-stream, text/event-stream"',
    "text/event-stream;q=2",
    "text/event-stream;q=much",
    "text/event-stream;q=nan",
    "text/event-stream2",
]


def asked(shop, accept):
    """Ask for the feed of a server that is ending: it gives pages still, and begins no stream."""
    shop.app.state.live = SimpleNamespace(closing=True)
    headers = [("Accept", one) for one in accept]
    return shop.client.get("/v1/feed", headers=headers).status_code


@pytest.mark.parametrize("accept", STREAM)
def test_who_likes_a_stream_better_gets_one(shop, accept):
    assert asked(shop, [accept]) == 503


@pytest.mark.parametrize("accept", PAGE)
def test_everybody_else_gets_a_page(shop, accept):
    if accept is None:
        del shop.client.headers["accept"]
    assert asked(shop, [] if accept is None else [accept]) == 200


def test_several_headers_are_one_list(shop):
    assert asked(shop, ["application/json;q=0.3", "text/event-stream"]) == 503
    assert asked(shop, ["text/event-stream;q=0.3", "application/json"]) == 200
