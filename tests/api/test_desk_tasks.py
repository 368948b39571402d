"""One contact for a customer's whole task, and who is said to have made it."""

import pytest

from domain.incidents.events import IncidentContacted
from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.test_worklist import late
from tests.story import at, labelled, scanned, voided

PATH = "/v1/worklist/customer-C/contact"
SAID = {"channel": "phone", "outcome": "reached", "customer_id": "C"}


@pytest.fixture
def shop(told):
    made = Desked(told)
    made.orders(_1="C", _2="C", _3="D/1")
    return made


def call(shop, body=None, *, key="", path=PATH, who="li"):
    headers = {"X-Actor": who} | ({"Idempotency-Key": key} if key else {})
    return shop.client.post(path, json=SAID | (body or {}), headers=headers)


def made(shop, **more):
    answer = call(shop, **more)
    assert answer.status_code == 200, answer.text
    shop.told.follow()
    return answer.json()


def recorded(shop, name):
    return [one for one in shop.told.log.stream(late(name)) if isinstance(one, IncidentContacted)]


def test_one_contact_is_recorded_in_every_incident_of_the_customer_under_one_id(shop):
    told = made(shop)
    assert [one["incident"] for one in told["recorded"]] == [late("1"), late("2")]
    ids = {one.contact_id for name in "12" for one in recorded(shop, name)}
    assert (ids, recorded(shop, "3")) == ({told["contact_id"]}, [])
    assert shop.read("/v1/worklist", to_contact="true", min_position=told["position"])["tasks"][0]["id"] == (
        "customer-D/1"
    )
    assert [one["to_contact"] for one in shop.read("/v1/worklist")["tasks"]] == [False, True]


def test_an_id_with_a_slash_is_one_task(shop):
    told = made(shop, path="/v1/worklist/customer-D%2F1/contact")
    assert [one["incident"] for one in told["recorded"]] == [late("3")]


def test_each_incident_is_looked_at_again_and_what_ended_meanwhile_is_told(shop):
    read = shop.read("/v1/worklist/customer-C")["as_of"]["position"]
    shop.told.desk.take(scanned(31, "P1", fulfillment_ids=("F1",)), until=32)
    # The list still shows what the log knows better.
    told = call(shop, {"true_at": read}).json()
    assert {one["incident"]: one["cleared"] for one in told["recorded"]} == {late("1"): True, late("2"): False}
    assert told["cleared_meanwhile"] == [late("1")]


def test_what_ended_before_is_told_but_not_recorded(shop):
    read = shop.read("/v1/worklist/customer-C")["as_of"]["position"]
    shop.told.hear(scanned(31, "P1", fulfillment_ids=("F1",)), until=32)
    told = made(shop, body={"true_at": read})
    assert ([one["incident"] for one in told["recorded"]], told["cleared_meanwhile"]) == ([late("2")], [late("1")])


def test_sent_again_under_its_key_it_records_only_what_is_missing(shop):
    first = made(shop, key="k1")
    assert made(shop, key="k1") == first
    assert (len(recorded(shop, "1")), len(recorded(shop, "2"))) == (1, 1)
    shop.told.hear(scanned(41, "P1", fulfillment_ids=("F1",)), scanned(41, "P2", fulfillment_ids=("F2",)), until=42)
    assert made(shop, key="k1")["recorded"] == first["recorded"]
    assert made(shop, path="/v1/worklist/customer-D%2F1/contact", key="k1")["contact_id"] != first["contact_id"]


def test_a_part_of_another_incident_of_the_task_is_told_of_in_that(shop):
    assert shop.post(f"/v1/incidents/{late('1')}/merge", {"into": late("2")}).status_code == 200
    shop.told.follow()
    told = made(shop)
    assert ([one["incident"] for one in told["recorded"]], told["refused"]) == ([late("2")], [])


def test_what_refuses_it_is_told_with_the_reason(shop):
    assert shop.post(f"/v1/incidents/{late('1')}/resolve", {}).status_code == 200
    told = call(shop).json()
    assert [one["incident"] for one in told["recorded"]] == [late("2")]
    assert [(one["incident"], one["code"]) for one in told["refused"]] == [(late("1"), "already_resolved")]


def test_a_promise_is_made_once(shop):
    made(shop, body={"promise": {"what": "called_back", "until": iso(at(60)), "order_id": "O2"}})
    assert [one.promise for one in recorded(shop, "1")] == [None]
    [kept] = recorded(shop, "2")
    assert (kept.promise.order_id, kept.promise.until) == ("O2", at(60))


@pytest.mark.parametrize("path", [PATH, f"/v1/incidents/{late('1')}/contact"])
def test_a_claim_that_is_not_true_is_named_and_nothing_is_recorded(shop, path):
    claim = {"order_id": "O1", "claim": "shipped"}
    answer = call(shop, {"statements": [claim]}, path=path)
    assert (answer.status_code, answer.json()["code"], answer.json()["claim"]) == (409, "claim_untrue", claim)
    assert recorded(shop, "1") == recorded(shop, "2") == []


@pytest.mark.parametrize("path", [PATH, f"/v1/incidents/{late('1')}/contact"])
def test_a_repeat_is_answered_the_same_when_what_was_said_is_no_longer_true(shop, path):
    shop.told.hear(labelled(31, "P1", "N1", fulfillment_ids=("F1",)))
    body = {"statements": [{"order_id": "O1", "claim": "warehouse_shipped"}]}
    first = made(shop, body=body, key="k1", path=path)
    shop.told.hear(voided(32, "P1"))
    assert made(shop, body=body, key="k1", path=path) == first
    assert call(shop, body, key="k2", path=path).json()["code"] == "claim_untrue"


def test_nobody_is_called_about_nothing(shop):
    assert call(shop, path="/v1/worklist/customer-X/contact").status_code == 404
    shop.told.hear(scanned(31, "P3", fulfillment_ids=("F3",)), until=32)
    answer = call(shop, path="/v1/worklist/customer-D%2F1/contact")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_contact")


# Who it was


@pytest.mark.parametrize("who", ["UTF-8''%E7%8E%8B%E8%8A%B3", "utf-8'zh'%E7%8E%8B%E8%8A%B3", "王芳".encode()])
def test_a_name_in_any_script_stands_in_the_log(shop, who):
    shop.client.post(f"/v1/incidents/{late('1')}/note", json={"text": "催仓库"}, headers={"X-Actor": who})
    [noted] = shop.told.log.stream(late("1"))
    assert (noted.by, noted.text) == ("王芳", "催仓库")


@pytest.mark.parametrize("who", ["UTF-8''%FF%FE", "UTF-8''%0A", "UTF-8''%20", "x" * 129, "UTF-8''" + "%E7%8E%8B" * 129])
def test_what_is_no_name_is_refused(shop, who):
    answer = shop.client.post(f"/v1/incidents/{late('1')}/note", json={"text": "?"}, headers={"X-Actor": who})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid_request")
    assert list(shop.told.log.stream(late("1"))) == []


@pytest.mark.parametrize("who", ["UTF-8''%20li%C2%A0", "UTF-8''%E3%80%80li", "UTF-8''li%20", " li "])
def test_blanks_around_a_name_make_nobody_another_person(shop, who):
    shop.client.post(f"/v1/incidents/{late('1')}/note", json={"text": "?"}, headers={"X-Actor": who})
    assert [one.by for one in shop.told.log.stream(late("1"))] == ["li"]


def test_a_name_is_one_name_however_its_accents_are_composed(shop):
    for who in ("UTF-8''Ame%CC%81lie", "UTF-8''Am%C3%A9lie"):
        shop.client.post(f"/v1/incidents/{late('1')}/note", json={"text": who}, headers={"X-Actor": who})
    assert {one.by for one in shop.told.log.stream(late("1"))} == {"Am\u00e9lie"}


def test_plain_names_are_taken_as_they_are(shop):
    shop.client.post(f"/v1/incidents/{late('1')}/note", json={"text": "?"}, headers={"X-Actor": "Li %41"})
    assert [one.by for one in shop.told.log.stream(late("1"))] == ["Li %41"]
