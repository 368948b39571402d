"""What staff did, as pages, stream and records tell it: every step, in order per incident, and no word of a note."""

import json

import pytest

from domain.detection import incident_id
from domain.instant import iso
from tests.api.serving import Listener, serving
from tests.api.staffed import Desked
from tests.api.test_asyncapi import DOCUMENT, validator
from tests.outbound.paper import Delivery, Topics, attributes, data
from tests.story import at

SECRET = "Quetzal-Zanzibar"
FIRST, OTHER = incident_id("late_shipment", "F0"), incident_id("late_shipment", "F1")
SEQUENCE = [
    ("acknowledge", {"until": iso(at(99))}),
    ("assign", {"person": "zhou"}),
    ("assign", {"team": "night"}),
    ("note", {"text": SECRET}),
    ("contact", {"channel": "sms", "outcome": "sent", "agreement": SECRET, "why": SECRET}),
    ("snooze", {"until": iso(at(60))}),
    ("resolve", {"outcome": SECRET}),
    ("reopen", {"why": SECRET}),
    ("merge", {"into": OTHER}),
]
NAMES = ["acknowledged", "assigned", "assigned", "noted", "contacted", "snoozed", "resolved", "reopened", "merged"]


@pytest.fixture
def shop(told):
    made = Desked(told)
    made.late("0", "1")
    return made


def act(shop, incident=FIRST, sequence=SEQUENCE):
    for hour, (step, body) in enumerate(sequence, 41):
        shop.now = at(hour)
        answer = shop.post(f"/v1/incidents/{incident}/{step}", body)
        assert answer.status_code == 200, answer.text
    shop.told.follow()


def pages(shop, limit=4, **asked):
    found, after, more = [], "first", True
    while more:
        page = shop.read("/v1/feed", after=after, limit=limit, **asked)
        found, after, more = [*found, *page["changes"]], page["next"], page["more"]
    return found


def test_pages_stream_and_records_tell_the_same_steps_in_order(shop, told):
    with serving(told) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        live = Listener(server.url)
        live.until("heartbeat")
        act(shop)
        everything = pages(shop)
        streamed = [one.data for one in listener.changes(len(everything))]
        followed = [one.data for one in live.changes(len(everything) - 2)]
        listener.close()
        live.close()
    topics = Topics()
    Delivery(told, topics).run()
    records = topics.of("changes")
    assert [one["change"] for one in everything if one["incident"]["id"] == FIRST] == ["opened", *NAMES]
    assert [one["change"] for one in everything if one["incident"]["id"] == OTHER] == ["opened", "absorbed"]
    assert streamed == everything
    assert followed == everything[2:]
    assert [data(one) for one in records] == everything
    for one, change in zip(records, everything, strict=True):
        said = attributes(one)
        assert one.key.decode() == said["subject"] == change["incident"]["id"]
        assert said["type"] == f"incident.{change['change']}.v1"
        assert said["time"] == (change["step"]["at"] if "step" in change else change["known_up_to"])
        validator(DOCUMENT, said["type"]).validate(change)
    assert len({attributes(one)["id"] for one in records}) == len(records)
    written = json.dumps([[one.value.decode(), str(one.headers)] for one in topics.written])
    assert SECRET not in written + json.dumps(everything)


def test_a_rule_s_word_has_no_step_and_a_step_only_the_members_it_has(shop):
    act(shop)
    found = pages(shop)
    assert {"step" in one for one in found[:2]} == {False}
    assert found[2]["step"] == {"by": "li", "at": iso(at(41)), "until": iso(at(99))}
    assert found[5]["step"] == {"by": "li", "at": iso(at(44))}
    assert {one["flapping"] for one in found} == {False}
    assert found[2]["incident"] == found[0]["incident"]


def test_what_was_just_done_is_in_the_feed_that_is_asked_for_it(shop):
    shop.now = at(41)
    answer = shop.post(f"/v1/incidents/{FIRST}/note", {"text": SECRET})
    shop.told.follow()
    page = shop.read("/v1/feed", min_position=answer.json()["position"])
    assert page["changes"][-1]["change"] == "noted"


def test_steps_are_filtered_by_the_finding_as_it_was_then(shop):
    act(shop, sequence=SEQUENCE[:4])
    assert [one["change"] for one in pages(shop, order="O0")] == ["opened", *NAMES[:4]]
    assert len(pages(shop, state="open", severity="medium", kind="late_shipment")) == 6
    assert pages(shop, state="ended") == []
    assert [one["incident"]["id"] for one in pages(shop, assignee="night")] == [FIRST] * 5
