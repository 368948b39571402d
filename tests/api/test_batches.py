"""Batches and payments over HTTP: what is answered and refused, exported and paid on after a crash."""

import asyncio
import csv
import io
import json
import logging
from contextlib import suppress

import pytest

from api.reading import ProductClock, Reader
from api.resuming import Resuming
from domain.instant import iso
from domain.judging.adoption import adopt
from domain.staff.cashier import Cashier
from projections.views import ViewsAway
from tests.api.paying import BATCH, draft, read, settle, two_late
from tests.api.test_desk import F, G
from tests.story import at, line, placed, requested


@pytest.fixture
def desk(told):
    return two_late(told)


def test_a_batch_goes_from_its_draft_to_paid_and_each_answer_can_be_read(desk):
    made = draft(desk, why="late for the feast")
    assert {name: made[name] for name in ("id", "state", "members", "total", "drafted_by", "approvals", "why")} == {
        "id": BATCH,
        "state": "drafted",
        "members": 1,
        "total": "5.00",
        "drafted_by": "li",
        "approvals": [],
        "why": "late for the feast",
    }
    paid = settle(desk, "approve", who="wang")
    assert (paid["state"], paid["paid"], paid["paid_total"], paid["approvals"]) == ("paid", 1, "5.00", ["li", "wang"])
    shown = read(desk, f"/v1/batches/{BATCH}")
    assert shown["batch"] == paid
    assert [(one["member"], one["order_id"], one["amount"], one["state"]) for one in shown["members"]] == [
        ("O1", "O1", "5.00", "paid")
    ]
    assert [one["id"] for one in read(desk, "/v1/batches", state="paid", incident=F)["batches"]] == [BATCH]
    [payment] = read(desk, "/v1/payments", order="O1")["payments"]
    assert (payment["incident"], payment["batch"], payment["amount"]) == (F, BATCH, "5.00")
    assert desk.read(f"/v1/incidents/{F}")["workflow"]["payments"][0]["approvals"] == ["li", "wang"]


def test_what_was_answered_can_be_waited_for(desk):
    token = draft(desk)["position"]
    desk.told.follow()
    assert desk.get(f"/v1/batches/{BATCH}", min_position=token).status_code == 200


def test_lists_go_on_where_they_stopped(desk):
    names = [draft(desk, form=form)["id"] for form in ("coupon", "credit", "goodwill")]
    first = read(desk, "/v1/batches", limit=2)
    rest = read(desk, "/v1/batches", limit=2, cursor=first["next"])
    assert [one["id"] for one in first["batches"] + rest["batches"]] == names[::-1]
    assert rest["next"] is None
    wide = draft(desk, members=[{"member": f"O1:{n}"} for n in range(5)])["id"]
    page = read(desk, f"/v1/batches/{wide}", limit=3)
    more = read(desk, f"/v1/batches/{wide}", limit=3, cursor=page["next"])
    assert [one["member"] for one in page["members"] + more["members"]] == [f"O1:{n}" for n in range(5)]


def test_what_is_not_allowed_is_refused_with_a_code(desk):
    adopt(desk.told.log, '[compensation]\nbatch_approval_above = "4"', at(40))
    assert draft(desk)["needs_second_approval"] is True
    assert settle(desk, "approve", status=409)["code"] == "same_person"
    assert draft(desk, currency=None, status=409)["code"] == "currency_missing"
    assert settle(desk, "withdraw", who="wang")["state"] == "withdrawn"
    assert settle(desk, "approve", who="wang", status=409)["code"] == "already_withdrawn"


def test_what_is_not_there_is_not_found(desk):
    assert draft(desk, incident="incident-late_shipment-X", status=404)["status"] == 404
    for step in ("approve", "withdraw"):
        assert settle(desk, step, batch="payout-x-1", status=404)["status"] == 404
        assert settle(desk, step, batch="order-O1", status=404)["status"] == 404
    assert desk.get("/v1/batches/payout-x-1").status_code == 404
    assert desk.get("/v1/batches/payout-x-1/export").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"amount": "-1"}, {"form": "gift"}, {"currency": "yuan"}, {"members": [{"name": "O"}]}]
)
def test_a_body_that_says_something_else_is_refused(desk, wrong):
    assert draft(desk, status=422, **wrong)["type"] == "/problems/invalid_request"


def test_the_same_key_drafts_once(desk):
    assert draft(desk, key="k")["id"] == draft(desk, key="k")["id"] == BATCH
    assert draft(desk, key="k", amount="6", status=409)["code"] == "command_id_reused"


def test_an_order_paid_through_another_incident_is_refused_with_that_payment(desk):
    said = {"member": "O1", "amount": "36.50", "currency": "CNY", "form": "coupon", "order_id": "O1"}
    desk.do("compensate", said)
    answer = desk.post("compensate", {**said, "amount": "40"}, incident=G)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "already_paid")
    assert problem["paid"] == {
        "incident": F,
        "member": "O1",
        "amount": "36.50",
        "currency": "CNY",
        "form": "coupon",
        "by": "li",
        "at": iso(at(40)),
    }
    [asked] = desk.do("compensate", {**said, "override": "the first one had expired"}, incident=G)["payments"]
    assert asked["paid"] is False
    [paid] = desk.do("compensate/approve", {"member": "O1"}, who="wang", incident=G)["payments"]
    assert paid["paid"] is True
    both = read(desk, "/v1/payments", order="O1")["payments"]
    assert [one["override"] for one in both] == ["", "the first one had expired"]


# Export


def exported(desk, kind):
    desk.told.follow()
    answer = desk.get(f"/v1/batches/{BATCH}/export", format=kind)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_batch_is_exported_with_members_approvals_and_evidence(desk):
    draft(desk, members=[{"member": "O1:1"}, {"member": "O1"}], why="迟到")
    settle(desk, "approve", who="wang")
    answer = exported(desk, "csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    paid, left_out = csv.DictReader(io.StringIO(answer.content.decode(), newline=""))
    assert (paid["member"], paid["order_id"], paid["amount"], paid["currency"], paid["form"], paid["state"]) == (
        "O1:1",
        "O1",
        "5.00",
        "CNY",
        "coupon",
        "paid",
    )
    assert (paid["approvals"], paid["evidence"], paid["why"]) == ("li wang", "https://desk.example/1", "迟到")
    assert (left_out["state"], left_out["code"]) == ("skipped", "already_paid")
    lines = [json.loads(line) for line in exported(desk, "jsonl").text.splitlines()]
    assert [(one["member"], one["state"], one["approvals"]) for one in lines] == [
        ("O1:1", "paid", ["li", "wang"]),
        ("O1", "skipped", ["li", "wang"]),
    ]


@pytest.mark.parametrize("risky", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_no_cell_of_an_export_is_a_formula(desk, risky):
    draft(desk, members=[{"member": risky, "order_id": "O1"}], evidence=[risky], why=risky)
    [row] = csv.DictReader(io.StringIO(exported(desk, "csv").content.decode(), newline=""))
    assert (row["member"], row["evidence"], row["why"]) == (f"'{risky}",) * 3
    [line] = [json.loads(one) for one in exported(desk, "jsonl").text.splitlines()]
    assert line["member"] == risky


# After a crash


def test_a_batch_that_was_left_is_paid_on_and_one_that_goes_on_is_left_alone(desk, monkeypatch):
    lines = [line(f"{n}") for n in range(3)]
    desk.told.hear(placed(0, *lines, of="O3", key="p3"), requested(0, "F3", of="O3", ship_by=20), until=30)
    batch = draft(desk, "incident-late_shipment-F3", members=[{"member": f"O3:{n}"} for n in range(3)])["id"]
    monkeypatch.setattr("domain.staff.cashier.SLICE", 1)
    with monkeypatch.context() as dying:
        dying.setattr(Cashier, "pay_on", lambda *_, **__: None)
        settle(desk, "approve", batch, who="wang")
    desk.told.follow()
    reader = Reader(desk.told.store, desk.told.log.store, ProductClock(lambda: at(41)))
    resuming = Resuming(reader, Cashier(desk.told.log))
    assert asyncio.run(resuming.step()) == []
    Cashier(desk.told.log).pay_on(batch, at=at(40))
    desk.told.follow()
    assert asyncio.run(resuming.step()) == []
    assert asyncio.run(resuming.step()) == [batch]
    shown = read(desk, f"/v1/batches/{batch}")["batch"]
    assert (shown["state"], shown["paid"]) == ("paid", 3)
    assert asyncio.run(resuming.step()) == []


def test_views_that_are_away_are_no_error_of_a_batch_and_told_until_they_are_back(desk, caplog, monkeypatch):
    monkeypatch.setattr("api.resuming.LOOK", 0.01)
    caplog.set_level(logging.INFO, "api.resuming")

    class Away(Reader):
        left = 2

        def snapshot(self):
            if self.left:
                self.left -= 1
                raise ViewsAway("the server starts again")
            return super().snapshot()

    reader = Away(desk.told.store, desk.told.log.store, ProductClock(lambda: at(41)))
    resuming = Resuming(reader, Cashier(desk.told.log))

    async def look():
        running = asyncio.create_task(resuming.run())
        while len(said()) < 3:  # noqa: ASYNC110  # what it said is all there is to wait for
            await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    def said():
        return [one.getMessage() for one in caplog.records if one.name == "api.resuming"]

    asyncio.run(look())
    assert said()[:2] == ["the views cannot be read: the server starts again"] * 2
    assert said()[2].startswith("the views can be read again after ")
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


# What was paid


def test_what_orders_were_paid_is_added_up_by_currency(desk):
    settle(desk, "approve", batch=draft(desk)["id"], who="wang")
    desk.do("compensate", {"member": "O2", "amount": "2.5", "currency": "CNY", "form": "refund"}, incident=G)
    span = {"since": iso(at(0)), "until": iso(at(41))}
    assert read(desk, "/v1/metrics/summary", **span)["paid"] == {"CNY": "7.50"}
    assert read(desk, "/v1/metrics/summary", **(span | {"until": iso(at(39))}))["paid"] == {}
