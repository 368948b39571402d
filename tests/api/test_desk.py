"""Commands over HTTP: what is answered, what is refused, and that what was written can be read."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.tokens import Token
from domain.instant import iso
from domain.judging.adoption import adopt
from domain.staff.desk import Desk
from tests.api.conftest import Shop
from tests.projections.stage import Stage
from tests.story import at, moved

F, G = "incident-late_shipment-F1", "incident-late_shipment-F2"


class Staffed(Shop):
    """A shop with a desk behind it, and people who send commands to that."""

    def __init__(self, told: Stage) -> None:
        super().__init__(told)
        self.app = create_app(told.store, told.log.store, clock=lambda: self.now, desk=Desk(told.log), docs=True)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def post(self, step: str, body: Any = None, *, who: str = "li", key: str = "", incident: str = F):
        headers = {"X-Actor": who} | ({"Idempotency-Key": key} if key else {})
        return self.client.post(f"/v1/incidents/{incident}/{step}", json={} if body is None else body, headers=headers)

    def do(self, step: str, body: Any = None, **more: Any) -> dict[str, Any]:
        answer = self.post(step, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, step: str, body: Any = None, **more: Any) -> str:
        answer = self.post(step, body, **more)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "/problems/refused"), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["detail"]
        return problem["code"]


@pytest.fixture
def desk(told):
    made = Staffed(told)
    made.late("1", "2")
    made.now = at(40)
    return made


def test_taking_it_on_answers_who_has_it_until_when(desk):
    answer = desk.do("acknowledge", {"until": iso(at(44))})
    assert (answer["id"], answer["status"], answer["acknowledged_by"]) == (F, "acknowledged", "li")
    assert answer["acknowledged_until"] == answer["due"] == iso(at(44))
    assert desk.refused("acknowledge", who="wang") == "acknowledged_by_other"


def test_an_offset_counts_and_a_time_without_one_is_refused(desk):
    assert desk.do("snooze", {"until": "2026-03-03T08:00:00+08:00"})["snoozed_until"] == "2026-03-03T00:00:00Z"
    assert desk.post("snooze", {"until": "2026-03-03T08:00:00"}).status_code == 422


@pytest.mark.parametrize(
    ("step", "body", "shows"),
    [
        ("assign", {"person": "zhou", "team": "night"}, {"person": "zhou", "team": "night", "status": "new"}),
        ("snooze", {"next_event": True}, {"status": "snoozed", "wakes_on_event": True, "due": None}),
        ("note", {"text": "called the warehouse"}, {"notes": 1}),
        ("liability", {"party": "carrier", "why": "lost in the hub"}, {"liable": "carrier"}),
        ("escalate", {"to": "lead"}, {"level": 1, "escalated_to": "lead"}),
        ("resolve", {"outcome": "reshipped"}, {"status": "resolved"}),
        ("dismiss", {"why": "picked up by hand"}, {"status": "dismissed"}),
        ("merge", {"into": G}, {"status": "merged", "merged_into": G}),
    ],
)
def test_each_step_answers_what_it_made_of_the_incident(desk, step, body, shows):
    answer = desk.do(step, body)
    assert {name: answer[name] for name in shows} == shows


def test_what_was_begun_can_be_ended(desk):
    desk.do("snooze", {"next_event": True})
    assert desk.do("wake")["status"] == "new"
    desk.do("acknowledge")
    assert desk.do("give-back")["acknowledged_by"] is None
    desk.do("resolve")
    assert desk.do("reopen")["reopened"] == 1
    desk.do("merge", {"into": G})
    assert desk.do("split")["status"] == "new"


def test_a_contact_is_kept_with_what_was_said_and_holds_the_incident_open_until_confirmed(desk):
    desk.told.hear(moved(38, None, order_id="O1", deliver_by=80))
    read = desk.read("/v1/incidents")["as_of"]["position"]
    [made] = desk.do(
        "contact",
        {
            "channel": "phone",
            "outcome": "agreed",
            "statements": [{"order_id": "O1", "claim": "new_date", "value": "2026-03-04"}],
            "true_at": read,
            "next_attempt": iso(at(50)),
            "promise": {"what": "shipped", "until": iso(at(60)), "order_id": "O1"},
            "agreement": "wait until Tuesday",
            "customer_id": "C",
        },
    )["contacts"]
    assert (made["contact_id"], made["by"], made["confirmed"], made["cleared"]) == (f"{F}:1", "li", False, False)
    [event] = desk.told.log.stream(F)
    assert event.true_at == Token.read(read).position
    assert (event.promise.until, event.statements[0].claim) == (at(60), "new_date")
    assert desk.refused("resolve") == "awaits_confirmation"
    answer = desk.do("confirm", {"contact_id": made["contact_id"], "channel": "email", "evidence": "mail-1"})
    assert (answer["awaits_confirmation"], answer["contacts"][0]["confirmed"]) == ([], True)
    assert desk.do("resolve")["status"] == "resolved"


@pytest.mark.parametrize(("change", "status"), [({"position": 10**9}, 410), ({"epoch": "abc"}, 410)])
def test_statements_cannot_be_true_at_a_position_of_no_log(desk, change, status):
    read = Token.read(desk.read("/v1/incidents")["as_of"]["position"])._replace(**change)
    said = {"channel": "sms", "outcome": "sent", "true_at": str(read)}
    assert desk.post("contact", said).status_code == status


def test_a_member_is_paid_once(desk):
    said = {"member": "O1", "amount": "36.50", "currency": "CNY", "form": "coupon"}
    [paid] = desk.do("compensate", said)["payments"]
    assert (paid["paid"], paid["approvals"]) == (True, ["li"])
    assert desk.refused("compensate", {**said, "amount": "40"}) == "already_paid"


def test_above_the_policy_s_limit_a_second_person_approves(desk):
    adopt(desk.told.log, '[compensation]\nsecond_approval_above = "100"', at(40))
    said = {"member": "O1", "amount": "100.01", "currency": "CNY", "form": "refund"}
    [asked] = desk.do("compensate", said)["payments"]
    assert (asked["paid"], asked["approvals"]) == (False, ["li"])
    assert desk.refused("compensate/approve", {"member": "O1"}) == "same_person"
    assert desk.do("compensate/withdraw", {"member": "O1"})["payments"] == []
    desk.do("compensate", said)
    [paid] = desk.do("compensate/approve", {"member": "O1"}, who="wang")["payments"]
    assert (paid["paid"], paid["approvals"]) == (True, ["li", "wang"])


@pytest.mark.parametrize("text", ["\x00", "seen\x1b[2J"])
def test_words_hold_no_control_characters_but_lines_and_tabs(desk, text):
    assert desk.post("note", {"text": text}).status_code == 422
    assert desk.do("note", {"text": "one\n\ttwo"})["notes"] == 1


# Once


def test_the_same_key_has_one_effect(desk):
    first = desk.do("note", {"text": "seen"}, key="k1")
    assert desk.do("note", {"text": "seen"}, key="k1") == first
    assert desk.do("note", {"text": "seen"}, key="k2")["notes"] == 2
    assert desk.refused("note", {"text": "heard"}, key="k1") == "command_id_reused"


# Read what was written


def test_views_can_be_asked_to_wait_for_what_was_answered(desk):
    token = desk.do("note", {"text": "seen"})["position"]
    desk.told.follow()
    assert desk.get("/v1/incidents", min_position=token).status_code == 200


def test_views_that_are_behind_say_when_to_ask_again(desk, monkeypatch):
    monkeypatch.setattr("api.reading.WAIT_SECONDS", 0.05)
    token = desk.do("note", {"text": "seen"})["position"]
    answer = desk.get("/v1/incidents", min_position=token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


# Refused before the desk


@pytest.mark.parametrize(
    ("step", "body", "where"),
    [
        ("snooze", {}, "body"),
        ("note", {}, "body.text"),
        ("note", {"text": ""}, "body.text"),
        ("assign", {"persno": "li"}, "body.persno"),
        ("liability", {"party": "weather"}, "body.party"),
        ("dismiss", {"why": "   "}, "body.why"),
        ("dismiss", {}, "body.why"),
        ("compensate", {"member": "O", "amount": "-1", "currency": "CNY", "form": "coupon"}, "body.amount"),
        ("compensate", {"member": "O", "amount": 36.5, "currency": "CNY", "form": "coupon"}, "body.amount"),
        ("compensate", {"member": "O", "amount": "1", "currency": "yuan", "form": "coupon"}, "body.currency"),
        ("contact", {"channel": "pigeon", "outcome": "sent"}, "body.channel"),
        ("contact", {"channel": "sms", "outcome": "sent", "promise": {"what": "shipped"}}, "body.promise.until"),
        ("merge", {"into": "a\nb"}, "body.into"),
        ("acknowledge", {"until": "tomorrow"}, "body.until"),
    ],
)
def test_a_body_that_says_something_else_is_told_where_and_why(desk, step, body, where):
    answer = desk.post(step, body)
    assert answer.status_code == 422
    assert [one["where"] for one in answer.json()["errors"]] == [where]
    assert desk.told.log.stream(F) == []


def test_nothing_is_done_for_a_form_of_another_site(desk):
    path = f"/v1/incidents/{F}/reopen"
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        assert desk.client.post(path, content="" if not headers else "{}", headers=headers).status_code == 422
    assert desk.told.log.stream(F) == []


def test_who_it_was_is_staff_until_somebody_says_otherwise(desk):
    desk.client.post(f"/v1/incidents/{F}/note", json={"text": "seen"})
    assert [event.by for event in desk.told.log.stream(F)] == ["staff"]
    assert desk.post("note", {"text": "seen"}, who="x" * 129).status_code == 422


def test_an_incident_that_is_not_there_is_not_found(desk):
    assert desk.post("note", {"text": "seen"}, incident="incident-late_shipment-X").status_code == 404
    assert desk.post("merge", {"into": "incident-late_shipment-X"}).status_code == 404
    assert desk.told.log.stream("incident-late_shipment-X") == []


def test_a_server_without_a_desk_says_that_it_only_reads(shop):
    answer = shop.client.post(f"/v1/incidents/{F}/note", json={"text": "seen"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read_only")


def test_every_step_is_described_with_its_actor(desk):
    paths = desk.read("/openapi.json")["paths"]
    steps = {path.rsplit("{incident_id}/")[1] for path in paths if path.startswith("/v1/incidents/{incident_id}/")}
    named = {"acknowledge", "assign", "snooze", "note", "contact", "compensate", "resolve", "reopen", "merge"}
    assert steps >= named | {"split", "dismiss", "confirm", "escalate", "liability"}
    headers = paths["/v1/incidents/{incident_id}/note"]["post"]["parameters"]
    [actor] = [one for one in headers if one["name"] == "X-Actor"]
    assert "signs people in" in actor["description"]
