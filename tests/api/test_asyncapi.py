"""``/asyncapi.json``: AsyncAPI by its own schema, and true of every message that is read, written and streamed."""

import json
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from api import asyncapi, streamed
from api.app import create_app
from api.asyncapi import Channel
from api.outbound.records import dead_letter
from api.reading import ProductClock, Reader
from api.sharded.app import create_merged_app
from api.sharded.shards import Shard
from api.tokens import Mark, Places
from consumers.translate import TYPES
from deploy.described import channels
from deploy.kafka_settings import Outbound
from deploy.serving import application, views
from deploy.settings import Settings
from deploy.wiring import system
from domain.history.batch import Quarantined, Raw
from tests.api.serving import Listener, serving
from tests.outbound.paper import Delivery, Topics, data
from tests.projections.stage import stage
from tests.projections.test_escalation_view import LEADS, come
from tests.projections.test_worklist import late_order
from tests.shards.side import merging
from tests.story import LATER, scanned

OFFICIAL: Final = json.loads((Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json").read_text(encoding="utf-8"))


def written(settings: Settings | None = None, *more: Channel) -> dict[str, Any]:
    """Write the document as a client reads it."""
    told = [*channels(settings or Settings()), *more]
    return json.loads(json.dumps(asyncapi.document("tracker", "1", told)))


FEED: Final = streamed.feed(streamed.EVENTS)
DOCUMENT: Final = written(None, FEED)


def resolve(document, reference):
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def references(content):
    if isinstance(content, dict):
        if "$ref" in content:
            yield content["$ref"]
        content = [*content.values()]
    if isinstance(content, list):
        for one in content:
            yield from references(one)


def strict(content: Any) -> Any:
    """Give schemas that also refuse members they do not name, so that nothing can leave that is not described."""
    if isinstance(content, list):
        return [strict(one) for one in content]
    if not isinstance(content, dict):
        return content
    made = {name: strict(one) for name, one in content.items()}
    return {**made, "additionalProperties": False} if made.get("type") == "object" and "properties" in made else made


def validator(document: dict[str, Any], message: str, part: str = "payload") -> jsonschema_rs.Validator:
    components = {"schemas": strict(document["components"]["schemas"])}
    schema = {**document["components"]["messages"][message][part], "components": components}
    return jsonschema_rs.Draft7Validator(strict(schema) if part == "headers" else schema, validate_formats=True)


@pytest.mark.parametrize(
    "document",
    [DOCUMENT, written(Settings(outbound=Outbound(changes="", dead_letters=False))), written(None)],
    ids=["everything", "states alone", "no feed"],
)
def test_it_is_asyncapi_by_the_official_schema(document):
    errors = [
        f"{one.instance_path}: {one.message}" for one in jsonschema_rs.Draft7Validator(OFFICIAL).iter_errors(document)
    ]
    assert errors == []
    assert {resolve(document, one) is not None for one in references(document)} == {True}


def test_the_official_schema_refuses_what_is_none():
    broken = json.loads(json.dumps(DOCUMENT))
    broken["operations"]["send.changes"]["action"] = "publish"
    assert not jsonschema_rs.Draft7Validator(OFFICIAL).is_valid(broken)


def test_every_topic_and_every_type_is_there_under_the_names_of_the_settings():
    document = written(Settings(topics={"orders": "shop.orders"}, outbound=Outbound(states="mine")))
    found = {name: (one["address"], [*one["messages"]]) for name, one in document["channels"].items()}
    assert found["orders"][0] == "shop.orders"
    assert found["orders.dead_letters"] == ("shop.orders.dlq", ["dead_letter"])
    assert found["states"] == ("mine", ["incident.state.v1"])
    assert found["changes"][0] == "order-incidents.incidents.v1"
    read = {kind for name in ("orders", "logistics", "complaints") for kind in found[name][1]}
    assert read == set(TYPES)
    kafka = document["channels"]["states"]["bindings"]["kafka"]
    assert kafka["topicConfiguration"] == {"cleanup.policy": ["compact"]}
    actions = {one["channel"]["$ref"].split("/")[-1]: one["action"] for one in document["operations"].values()}
    assert {name for name, action in actions.items() if action == "receive"} == {"orders", "logistics", "complaints"}
    assert set(actions) == set(document["channels"])


def test_one_name_for_two_things_is_refused():
    other = FEED._replace(name="other", schemas={"Reset": {}})
    with pytest.raises(ValueError, match="Reset"):
        asyncapi.document("t", "1", [FEED, other])


@pytest.fixture
def troubled(tmp_path):
    """A late order that went up to somebody, and one that was shipped then."""
    with stage(tmp_path, LEADS) as told:
        late_order(told, "1", "C")
        late_order(told, "2", "C")
        come(told, 22)
        told.hear(scanned(23, "P2", fulfillment_ids=("F2",)), until=24)
        yield told


def test_every_record_that_leaves_is_as_described(troubled):
    topics = Topics()
    Delivery(troubled, topics).run()
    kinds = set()
    for one in topics.written:
        headers = {name: value.decode() for name, value in one.headers}
        kinds.add(headers["ce_type"])
        validator(DOCUMENT, headers["ce_type"]).validate(data(one))
        validator(DOCUMENT, headers["ce_type"], "headers").validate(headers)
    assert kinds == {f"incident.{one}.v1" for one in ("opened", "escalated", "ended", "state")}


def test_a_dead_letter_is_as_described():
    raw = Raw("orders", 0, None, b"x", (("trace", b"1"),), 0)
    letter = dead_letter("orders.dlq", Quarantined("p", 7, "not_json", "no JSON", raw, 0))
    added = {name: value.decode() for name, value in letter.headers if name != "trace"}
    validator(DOCUMENT, "dead_letter", "headers").validate(added)


def test_every_event_of_a_stream_is_as_described(troubled):
    with serving(troubled) as running:
        listener = Listener(running.url, "/v1/feed?snapshot=true")
        listener.until("snapshot")
        troubled.hear(scanned(25, "P1", fulfillment_ids=("F1",)), until=26)
        listener.changes(1)
        again = Listener(running.url, last="unknown")
        again.until("change")
        running.stop.set()
        while listener.next() is not None:
            pass
    seen = [*listener.seen, *again.seen]
    for one in seen:
        validator(DOCUMENT, one.name).validate(one.data)
    assert {one.name for one in seen} == set(streamed.EVENTS) - {"lagged"}


def test_it_is_served_where_the_reference_is(told):
    def client(**options):
        return TestClient(create_app(told.store, told.log.store, clock=lambda: 0, version="1.2.3", **options))

    answer = client(docs=True, topics=channels(Settings())).get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/vnd.aai.asyncapi+json;version=3.0.0"
    assert answer.json()["info"]["version"] == "1.2.3"
    assert answer.json()["channels"] == DOCUMENT["channels"]
    assert 'href="asyncapi.json"' in client(docs=True).get("/docs").text
    assert client().get("/asyncapi.json").status_code == 404


@pytest.mark.only_on("sqlite")
def test_a_server_tells_of_the_topics_of_its_settings(tmp_path):
    for docs, status in ((True, 200), (False, 404)):
        settings = Settings(data_dir=tmp_path, docs=docs)
        with system(settings, adopting=True) as parts, views(parts, settings) as reading:
            answer = TestClient(application(parts, reading, settings)).get("/asyncapi.json")
        assert answer.status_code == status
        assert not docs or answer.json()["channels"] == DOCUMENT["channels"]


@pytest.mark.only_on("sqlite")
def test_every_event_of_a_merged_stream_is_as_described(troubled):
    reader = Reader(troubled.store, troubled.log.store, ProductClock(lambda: LATER))
    with merging([Shard("east", lambda: reader)], docs=True) as served:
        document = TestClient(served.app).get("/asyncapi.json").json()
        listener = Listener(served.url, "/v1/feed?after=first")
        listener.changes(1)
        lost = Places((Mark("east", "0ther", 0, 1),))
        again = Listener(served.url, last=str(lost))
        again.until("reset")
        again.until("heartbeat")
    while again.next() is not None:
        pass
    seen = [*listener.seen, *again.seen]
    for one in seen:
        validator(document, one.name).validate(one.data)
    assert {one.name for one in seen} >= set(streamed.MERGED) - {"lagged"}


@pytest.mark.only_on("sqlite")
def test_a_merged_feed_is_described_without_topics():
    with TestClient(create_merged_app([], clock=lambda: 0, docs=True)) as client:
        document = client.get("/asyncapi.json").json()
    assert jsonschema_rs.Draft7Validator(OFFICIAL).is_valid(document)
    assert [*document["channels"]] == ["feed"]
    assert set(document["channels"]["feed"]["messages"]) == set(streamed.MERGED)
