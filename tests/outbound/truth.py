"""What was delivered, held against what readers of the feed and of each incident's page see."""

from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi.testclient import TestClient

from api.app import create_app
from api.outbound import outlets
from tests.outbound.paper import data, identity, last, once
from tests.story import LATER


class Truth(NamedTuple):
    """What readers of the feed and of each incident's page see."""

    changes: list[dict[str, Any]]
    pages: dict[str, dict[str, Any]]


def truth(told):
    client, found, after, more = TestClient(create_app(told.store, told.log.store, clock=lambda: LATER)), [], "first", 1
    while more:
        page = client.get("/v1/feed", params={"after": after, "limit": 500}).json()
        found += page["changes"]
        after, more = page["next"], page["more"]
    names = {one["incident"]["id"] for one in found}
    return Truth(found, {one: client.get(f"/v1/incidents/{_in_path(one)}").json()["incident"] for one in names})


def _in_path(identity):
    """Quote an identity; this client undoes one layer of its own, as no other does."""
    return quote(quote(identity, safe=""), safe="")


def check(topics, true):
    """Hold what subscribers rely on."""
    kept = topics.of("changes")
    assert sorted(map(data, once(kept)), key=str) == sorted(true.changes, key=str)
    bodies = {}
    for one in topics.written:
        assert bodies.setdefault(identity(one), one) == one, "an id came with another content"
    for key in {one.key for one in kept}:
        order = [one["id"] for one in true.changes if one["incident"]["id"].encode() == key]
        told_of_it = [data(one)["id"] for one in kept if one.key == key]
        assert list(dict.fromkeys(told_of_it)) == order, "first seen in another order"
        assert told_of_it[-1] == order[-1], "the last word is an old one"
    assert {key.decode(): data(one) for key, one in last(topics.of("states")).items()} == {
        name: {member: value for member, value in page.items() if member in outlets.STATE}
        for name, page in true.pages.items()
    }
