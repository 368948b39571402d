"""Over HTTP: what went up and to whom, what flaps, and the question whether a price is a mistake."""

import pytest

from domain.catalogue import PriceChanged
from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.stage import stage
from tests.projections.test_escalation_view import LEADS, come
from tests.projections.test_muting import Told, finding
from tests.projections.test_worklist import late, late_order
from tests.story import at, fact, line, placed

FLAPPING = '[incidents.flapping]\nchanges = 4\nwithin = "10h"\nhold = "3h"\n'
PRICE = "incident-price_difference-TEA%3Acut"


@pytest.fixture
def shop(tmp_path):
    with stage(tmp_path, LEADS + FLAPPING) as told:
        yield Desked(told)


def read(shop, incident):
    # The test client, unlike a server, decodes a path twice.
    return shop.client.get(f"/v1/incidents/{incident.replace('%', '%2525')}").json()


def test_an_incident_says_when_it_goes_up_and_then_to_whom_it_went(shop):
    late_order(shop.told, "1", "C")
    come(shop.told, 21)
    before = read(shop, late("1"))["incident"]["staff"]
    assert (before["level"], before["escalated_to"], before["escalates_at"]) == (0, None, iso(at(21.5)))
    come(shop.told, 22)
    shop.now = at(22)
    told = read(shop, late("1"))
    after = told["incident"]["staff"]
    assert (after["level"], after["escalated_to"], after["escalates_at"]) == (1, "leads", None)
    assert (told["workflow"]["level"], told["workflow"]["escalated_to"]) == (1, "leads")
    assert [(one["step"], one["by"], one["at"]) for one in told["history"]] == [
        ("escalation_planned", "tracker", iso(at(21))),
        ("escalated", "clock", iso(at(21.5))),
    ]
    [change] = [one for one in shop.read("/v1/feed", after="first")["changes"] if one["change"] == "escalated"]
    assert (change["incident"]["id"], change["flapping"]) == (late("1"), False)
    assert change["step"] == {"by": "clock", "at": iso(at(21.5)), "level": 1, "to": "leads"}
    assert shop.read("/v1/metrics/summary", since=iso(at(0)), until=iso(at(99)))["whole"]["escalated"] == 1
    text = shop.client.get("/metrics").text
    assert 'tracker_incidents_escalated{kind="late_shipment",level="1"} 1.0' in text


def test_a_view_and_the_desk_say_the_same_of_it(shop):
    late_order(shop.told, "1", "C")
    come(shop.told, 21)
    answer = shop.post(f"/v1/incidents/{late('1')}/note", {"text": "?"}).json()
    shop.told.follow()
    assert answer["escalates_at"] == iso(at(21.5))
    assert read(shop, late("1"))["workflow"] == answer


def test_an_incident_that_flaps_says_so_until_it_stands_still(shop):
    write = Told(shop.told)
    late_order(shop.told, "1", "C", due=900)
    for due in (1, 3):
        write.opens("backlog-x", finding("stock_out", "O1:TEA", due, orders=("O1",)))
        write.ends("backlog-x", finding("stock_out", "O1:TEA", due, ended=due + 1, orders=("O1",)))
    tea = "incident-stock_out-O1%3ATEA"
    shop.now = at(5)
    assert read(shop, tea)["incident"]["flapping"] == {"since": iso(at(4)), "until": iso(at(7)), "changes": 4}
    shop.now = at(7)
    assert read(shop, tea)["incident"]["flapping"] is None


# The price question


@pytest.fixture
def cheaper(told):
    made = Desked(told)
    told.desk.take(
        fact(PriceChanged, 0, key="first", sku="TEA", price="100", currency="CNY"),
        placed(1, line("1", "TEA", 1, unit_price="100"), of="A", currency="CNY"),
        fact(PriceChanged, 10, key="cut", sku="TEA", price="1", currency="CNY"),
    )
    come(told, 20)
    made.now = at(30)
    return made


def answer(shop, **body):
    path = f"/v1/incidents/{PRICE.replace('%', '%2525')}/answer"
    return shop.post(path, body)


def test_staff_answer_that_it_is_a_mistake_and_nobody_is_owed_anything(cheaper):
    assert read(cheaper, PRICE)["incident"]["detail"]["ask"] == "is the new price meant?"
    assert read(cheaper, PRICE)["workflow"]["price_answer"] is None
    told = answer(cheaper, mistake=True, why="the page lost two digits")
    assert told.status_code == 200, told.text
    come(cheaper.told, 31)
    after = read(cheaper, PRICE)
    assert (after["incident"]["state"], after["incident"]["ended_at"]) == ("ended", iso(at(30)))
    assert after["workflow"]["price_answer"] == told.json()["price_answer"]
    assert told.json()["price_answer"] == {
        "mistake": True,
        "by": "li",
        "at": iso(at(30)),
        "why": "the page lost two digits",
    }


def test_staff_answer_that_it_is_meant_and_everybody_listed_is_owed(cheaper):
    assert answer(cheaper, mistake=False, why="summer sale").status_code == 200
    come(cheaper.told, 31)
    after = read(cheaper, PRICE)["incident"]
    assert ("ask" in after["detail"], after["state"], after["detail"]["amounts"]) == (False, "open", {"A:1": "99"})


def test_an_answer_needs_a_reason_and_a_question(cheaper):
    assert answer(cheaper, mistake=True).status_code == 422
    assert answer(cheaper, mistake=True, why=" ").status_code == 422
    late_order(cheaper.told, "1", "C")
    cheaper.told.come(30)
    refused = cheaper.post(f"/v1/incidents/{late('1')}/answer", {"mistake": True, "why": "?"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_question")
