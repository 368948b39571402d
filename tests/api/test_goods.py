"""Goods to be sent back or destroyed, over HTTP: asked for, proven, overdue, called off."""

from urllib.parse import quote

import pytest

from domain.instant import iso
from tests.api.paying import post, read, two_late
from tests.api.test_desk import F
from tests.story import at, packed, piece, scanned


@pytest.fixture
def desk(told):
    return two_late(told)


def goods(desk, status=200, **more):
    said = {"order_id": "O1", "sku": "TEA", "action": "return", "until": iso(at(60)), "why": "broken"} | more
    return post(desk, f"/v1/incidents/{F}/dispositions", said, status=status)


def of_goods(desk, one, step, body, **more):
    return post(desk, f"/v1/dispositions/{quote(one['id'], safe='')}/{step}", body, **more)


def test_goods_are_asked_for_and_proven(desk):
    one = goods(desk, quantity=2)
    assert (one["state"], one["until"], one["quantity"], one["requested_by"]) == ("open", iso(at(60)), 2, "li")
    assert read(desk, "/v1/dispositions", incident=F)["dispositions"] == [one]
    assert of_goods(desk, one, "prove", {}, status=409)["code"] == "evidence_missing"
    assert of_goods(desk, one, "prove", {"parcel_id": "P9"}, status=409)["code"] == "parcel_not_returned"
    proven = of_goods(desk, one, "prove", {"evidence": ["https://desk.example/2"]}, who="wang")
    assert (proven["state"], proven["evidence"], proven["ended_by"]) == ("proven", ["https://desk.example/2"], "wang")
    assert read(desk, "/v1/dispositions", state="proven", order="O1")["dispositions"] == [proven]
    assert read(desk, "/v1/dispositions", state="open")["dispositions"] == []


def test_parcels_that_came_back_are_named_and_prove_a_return(desk):
    goods(desk)
    desk.told.hear(packed(30, "P7", piece("TEA", of="O1")), scanned(45, "P7", "returned", order_ids=("O1",)), until=46)
    [one] = read(desk, "/v1/dispositions", incident=F)["dispositions"]
    assert one["came_back"] == ["P7"]
    proven = of_goods(desk, one, "prove", {"parcel_id": "P7"})
    assert (proven["state"], proven["seen"], proven["came_back"]) == ("proven", "returned", [])


def test_a_parcel_that_has_proven_goods_of_one_order_proves_none_of_another(desk):
    one, other = goods(desk), goods(desk, order_id="O2")
    nobodys = {"order_ids": ()}
    desk.told.hear(scanned(42, "R", **nobodys), scanned(45, "R", "delivered", **nobodys), until=46)
    assert of_goods(desk, one, "prove", {"parcel_id": "R"})["state"] == "proven"
    assert of_goods(desk, other, "prove", {"parcel_id": "R"}, status=409)["code"] == "parcel_used"


def test_goods_that_are_overdue_are_listed_and_can_be_called_off(desk):
    one = goods(desk)
    desk.told.come(70)
    [late] = read(desk, "/v1/dispositions", state="overdue")["dispositions"]
    assert late["id"] == one["id"]
    assert of_goods(desk, one, "cancel", {}, status=422)
    assert of_goods(desk, one, "cancel", {"why": "keep it"})["state"] == "cancelled"
    assert of_goods(desk, one, "cancel", {"why": "keep it"}, status=409)["code"] == "already_cancelled"


def test_a_refund_waits_for_the_goods(desk):
    one = goods(desk, refund_on_proof=True)
    said = {"member": "O1", "amount": "9", "currency": "CNY", "form": "refund"}
    assert desk.refused("compensate", said) == "awaits_proof"
    of_goods(desk, one, "prove", {"evidence": ["x"]})
    assert desk.do("compensate", said)["payments"][0]["paid"] is True


def test_goods_of_nobody_are_not_found(desk):
    body = {"order_id": "O1", "sku": "A", "action": "return", "until": iso(at(60))}
    assert post(desk, "/v1/incidents/incident-late_shipment-X/dispositions", body, status=404)
    assert goods(desk, order_id="O9", status=409)["code"] == "unknown_order"
    assert post(desk, "/v1/dispositions/disposition-x-y/prove", {"evidence": ["x"]}, status=404)


def test_goods_lists_go_on_where_they_stopped(desk):
    names = [goods(desk, sku=sku, until=iso(at(60 + n)))["id"] for n, sku in enumerate("ABC")]
    first = read(desk, "/v1/dispositions", limit=2)
    rest = read(desk, "/v1/dispositions", limit=2, cursor=first["next"])
    assert [one["id"] for one in first["dispositions"] + rest["dispositions"]] == names
