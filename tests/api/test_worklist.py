"""The worklist over HTTP: whom to call, what may be said, and what is refused."""

import pytest

from domain.detection import incident_id
from domain.instant import iso
from domain.judging.adoption import adopt
from tests.api.staffed import Desked
from tests.projections.test_muting import MENDED, Told, finding, member
from tests.projections.test_worklist import late
from tests.story import at, labelled, moved, scanned, voided


@pytest.fixture
def shop(told):
    made = Desked(told)
    made.orders(_1="C", _2="C", _3="D/1")
    return made


def contact(shop, name="1", **said):
    body = {"channel": "phone", "outcome": "reached", "customer_id": "C"} | said
    return shop.post(f"/v1/incidents/{late(name)}/contact", body)


def claim(of, what, value=None):
    return {"order_id": of, "claim": what, "value": value}


def test_a_task_says_whom_to_call_why_now_and_how(shop):
    page = shop.read("/v1/worklist")
    [task, other] = page["tasks"]
    assert (task["id"], task["customer_id"], other["id"]) == ("customer-C", "C", "customer-D/1")
    assert [one["id"] for one in task["incidents"]] == [late("1"), late("2")]
    assert task["rank"] == {
        "stage": "not_handed_over",
        "severity": "medium",
        "until": iso(at(20)),
        "amount": 10.0,
        "currency": "CNY",
    }
    assert (task["to_contact"], task["channels"], task["difficulty"]["hard"]) == (True, ["phone"], False)
    assert [one["by"] for one in page["ranked_by"]] == ["stage", "severity", "until", "amount"]
    assert {one["order_id"]: one["value"] for one in task["orders"]} == {"O1": "10.00", "O2": "10.00"}


def test_the_list_goes_on_and_is_filtered(shop):
    first = shop.read("/v1/worklist", limit=1)
    second = shop.read("/v1/worklist", limit=1, cursor=first["next"])
    assert [one["id"] for one in first["tasks"] + second["tasks"]] == ["customer-C", "customer-D/1"]
    assert second["next"] is None
    assert shop.read("/v1/worklist", difficulty="hard")["tasks"] == []
    assert len(shop.read("/v1/worklist", difficulty="normal")["tasks"]) == 2
    shop.post(f"/v1/incidents/{late('3')}/assign", {"team": "night"})
    shop.told.follow()
    assert [one["id"] for one in shop.read("/v1/worklist", assignee="night")["tasks"]] == ["customer-D/1"]
    assert shop.get("/v1/worklist", cursor="bm8").status_code == 400


def test_opening_a_task_tells_what_has_ended_since_the_list_was_read(shop):
    read = shop.read("/v1/worklist")["as_of"]["position"]
    shop.told.hear(scanned(31, "P1", fulfillment_ids=("F1",)), until=32)
    opened = shop.read("/v1/worklist/customer-C", since=read)
    assert [one["id"] for one in opened["cleared_meanwhile"]] == [late("1")]
    assert [one["id"] for one in opened["task"]["incidents"]] == [late("2")]
    now = shop.read("/v1/worklist")["as_of"]["position"]
    assert shop.read("/v1/worklist/customer-C", since=now)["cleared_meanwhile"] == []
    assert len(shop.read("/v1/worklist/customer-C")["cleared_meanwhile"]) == 1


def test_a_task_with_nothing_left_says_so_and_an_unknown_one_is_not_found(shop):
    shop.told.hear(scanned(31, "P3", fulfillment_ids=("F3",)), until=32)
    opened = shop.read("/v1/worklist/customer-D/1")
    assert (opened["task"], opened["may_say"]) == (None, [])
    assert shop.get("/v1/worklist/customer-X").status_code == 404


def test_a_contact_after_the_end_says_that_it_was_cleared_meanwhile(shop):
    assert contact(shop).json()["cleared_meanwhile"] is False
    shop.told.hear(scanned(31, "P1", fulfillment_ids=("F1",)), until=32)
    assert contact(shop).json()["cleared_meanwhile"] is True


def test_what_may_be_said_of_an_order_is_shown_with_its_position(shop):
    shop.told.hear(labelled(31, "P1", "N1", fulfillment_ids=("F1",)), moved(32, None, order_id="O1", deliver_by=80))
    said = shop.read("/v1/orders/O1")["may_say"]
    assert said["claims"] == {"warehouse_shipped": iso(at(31))}
    assert said["dates"] == [{"at": iso(at(80)), "what": "deliver_by", "by": "customer"}]
    assert [one["tracking_number"] for one in said["parcels"]] == ["N1"]
    opened = shop.read("/v1/worklist/customer-C")["may_say"]
    assert [one["order_id"] for one in opened] == ["O1", "O2"]
    assert opened[0] == said


def test_a_contact_that_claimed_more_than_the_facts_is_refused_and_not_recorded(shop):
    answer = contact(shop, statements=[claim("O1", "shipped")])
    assert (answer.status_code, answer.json()["code"]) == (409, "claim_untrue")
    assert "shipped of order O1" in answer.json()["detail"]
    assert list(shop.told.log.stream(late("1"))) == []


def test_a_statement_is_judged_at_the_position_it_was_read_at_and_whoever_heard_it_is_called_again(shop):
    shop.told.hear(labelled(31, "P1", "N1", fulfillment_ids=("F1",)))
    true_at = shop.read("/v1/orders/O1")["may_say"]["true_at"]
    shop.told.hear(voided(32, "P1"))
    said = [claim("O1", "warehouse_shipped")]
    assert contact(shop, statements=said).status_code == 409
    made = contact(shop, statements=said, true_at=true_at)
    assert made.status_code == 200, made.text
    shop.told.follow()
    [wrong] = shop.read("/v1/told-wrong")["told_wrong"]
    assert (wrong["customer_id"], wrong["statements"], wrong["true_at"]) == ("C", said, true_at)
    assert shop.read("/v1/worklist/customer-C")["told_wrong"] == [wrong]
    assert contact(shop, corrects=wrong["contact_id"]).status_code == 200
    shop.told.follow()
    assert shop.read("/v1/told-wrong")["told_wrong"] == []


def test_a_draft_says_what_is_true_and_refuses_what_is_not(shop):
    shop.told.hear(labelled(31, "P1", "N1", fulfillment_ids=("F1",)))
    path = f"/v1/incidents/{late('1')}/draft"
    made = shop.post(path, {"order_id": "O1"}).json()
    assert "仓库已发货" in made["text"]
    assert made["statements"] == [claim("O1", "warehouse_shipped")]
    assert "warehouse has prepared" in shop.post(path, {"order_id": "O1", "language": "en"}).json()["text"]
    for more in ({"statements": [claim("O1", "shipped")]}, {"text": "亲，已发货"}):
        refused = shop.post(path, {"order_id": "O1"} | more)
        assert (refused.status_code, refused.json()["code"]) == (409, "claim_untrue")
        assert refused.json()["claim"]["claim"] == "shipped"
        assert refused.headers["content-type"] == "application/problem+json"
    written = shop.post(path, {"order_id": "O1", "text": "仓库已发货"}).json()
    assert (written["text"], written["statements"]) == ("仓库已发货", [claim("O1", "warehouse_shipped")])
    assert contact(shop, statements=made["statements"], true_at=made["true_at"]).status_code == 200
    assert shop.post(path, {"order_id": "O9"}).status_code == 404
    assert shop.post("/v1/incidents/incident-x-y/draft", {"order_id": "O1"}).status_code == 404


def test_an_incident_shows_the_work_on_it_who_is_liable_and_its_parts(shop):
    before = shop.read(f"/v1/incidents/{late('1')}")
    assert (before["workflow"]["status"], before["incident"]["staff"]["contacts"]) == ("new", 0)
    assert (before["incident"]["liability"]["party"], before["incident"]["liability"]["set_by"]) == (
        "warehouse",
        "rule",
    )
    assert before["incident"]["severity_parts"] == before["incident"]["detail"]["severity"]
    answer = shop.post(f"/v1/incidents/{late('1')}/liability", {"party": "customer"}).json()
    shop.told.follow()
    after = shop.read(f"/v1/incidents/{late('1')}", min_position=answer["position"])
    assert after["workflow"] == answer
    told = after["incident"]["liability"]
    assert (told["party"], told["set_by"], told["channels"], told["show_evidence"]) == (
        "customer",
        "staff",
        ["online"],
        True,
    )


def test_incidents_are_filtered_by_who_has_them_and_by_what_mutes_them(shop):
    shop.post(f"/v1/incidents/{late('2')}/assign", {"person": "zhou"})
    shop.told.follow()
    assert [one["id"] for one in shop.read("/v1/incidents", assignee="zhou")["incidents"]] == [late("2")]
    assert len(shop.read("/v1/incidents", status="new")["incidents"]) == 3
    write, full = Told(shop.told), incident_id("warehouse_backlog", "W")
    write("backlog-warehouse-W", member("F1@1"))
    write.opens("backlog-warehouse-W", finding("warehouse_backlog", "W", 24))
    [child] = shop.read("/v1/incidents", muted="true")["incidents"]
    assert (child["id"], child["muted_by"], child["muted_as"]) == (late("1"), full, "backlog")
    assert shop.read("/v1/incidents", muted_by=full)["incidents"] == [child]
    assert shop.read(f"/v1/incidents/{full}")["incident"]["members"] == 1
    assert len(shop.read("/v1/incidents", muted="false")["incidents"]) == 3


def test_what_is_being_mended_is_said_with_its_reason_until_it_is_over(shop):
    adopt(shop.told.log, MENDED, at(31))
    shop.told.follow()
    told = shop.read(f"/v1/incidents/{late('1')}")["incident"]
    assert (told["muted_by"], told["muted_as"]) == ("maintenance:stocktaking", "maintenance")
    assert told["mending"] == {"name": "stocktaking", "until": "2026-03-03T00:00:00Z", "why": "counting"}
    shop.now = at(48)
    assert shop.read(f"/v1/incidents/{late('1')}")["incident"]["muted_by"] is None
