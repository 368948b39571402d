"""What was done about an incident, step by step, and what was written down."""

import pytest

from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.test_worklist import late
from tests.story import at


@pytest.fixture
def shop(told):
    made = Desked(told)
    made.orders(_1="C")
    return made


def step(shop, name, body, when):
    shop.now = at(when)
    answer = shop.post(f"/v1/incidents/{late('1')}/{name}", body)
    assert answer.status_code == 200, answer.text
    shop.told.follow()
    return answer.json()["position"]


def by_staff(shop):
    known = shop.read(f"/v1/incidents/{late('1')}/history")["history"]
    return [one for one in known if one["by"] != "rule"]


def test_nothing_was_done_about_what_nobody_has_touched(shop):
    read = shop.read(f"/v1/incidents/{late('1')}")
    assert (read["history"], read["notes"]) == ([], [])
    assert [one["step"] for one in shop.read(f"/v1/incidents/{late('1')}/history")["history"]] == ["opened"]
    assert shop.get("/v1/incidents/incident-x-y/history").status_code == 404


def test_each_step_is_told_with_who_when_why_and_what_it_said(shop):
    step(shop, "acknowledge", {"until": iso(at(42))}, 40)
    step(shop, "note", {"text": "催仓库", "why": "asked twice"}, 41)
    shop.told.come(43)
    position = step(shop, "resolve", {"outcome": "reshipped"}, 44)
    told = shop.read(f"/v1/incidents/{late('1')}")
    assert [(one["step"], one["by"], one["at"]) for one in told["history"]] == [
        ("acknowledged", "li", iso(at(40))),
        ("noted", "li", iso(at(41))),
        ("returned", "clock", iso(at(42))),
        ("resolved", "li", iso(at(44))),
    ]
    assert told["history"][0]["detail"] == {"until": iso(at(42))}
    assert (told["history"][1]["why"], told["history"][3]["position"]) == ("asked twice", position)
    assert told["notes"] == [{"text": "催仓库", "by": "li", "at": iso(at(41))}]
    assert by_staff(shop) == told["history"]


def test_times_inside_a_step_are_written_as_times(shop):
    promise = {"what": "shipped", "until": iso(at(60)), "order_id": "O1"}
    step(shop, "contact", {"channel": "sms", "outcome": "sent", "promise": promise, "next_attempt": iso(at(50))}, 40)
    [one] = by_staff(shop)
    assert (one["step"], one["detail"]["promise"], one["detail"]["next_attempt"]) == (
        "contacted",
        promise,
        iso(at(50)),
    )
    assert "true_at" not in one["detail"]


def test_the_whole_history_is_longer_than_what_an_incident_shows(shop):
    for number in range(101):
        assert shop.post(f"/v1/incidents/{late('1')}/note", {"text": f"note {number}"}).status_code == 200
    shop.told.follow()
    told = shop.read(f"/v1/incidents/{late('1')}")
    assert (len(told["history"]), len(told["notes"])) == (100, 101)
    assert told["history"][0]["detail"]["text"] == "note 1"
    assert len(by_staff(shop)) == 101
