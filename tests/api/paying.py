"""A desk with two late orders, and what is asked of it over HTTP about money and goods."""

from urllib.parse import quote

from tests.api.test_desk import F, Staffed
from tests.story import at

BATCH = "payout-late_shipment-F1-1"


def post(desk, path, body=None, *, who="li", status=200, key=""):
    headers = {"X-Actor": who} | ({"Idempotency-Key": key} if key else {})
    answer = desk.client.post(path, json={} if body is None else body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def draft(desk, incident=F, status=200, key="", **more):
    body = {"form": "coupon", "currency": "CNY", "amount": "5.00", "evidence": ["https://desk.example/1"]} | more
    return post(desk, f"/v1/incidents/{incident}/batches", body, status=status, key=key)


def settle(desk, step, batch=BATCH, **more):
    return post(desk, f"/v1/batches/{quote(batch, safe='')}/{step}", **more)


def read(desk, path, **params):
    desk.told.follow()
    return desk.read(path, **params)


def two_late(told):
    made = Staffed(told)
    made.late("1", "2")
    made.now = at(40)
    return made
