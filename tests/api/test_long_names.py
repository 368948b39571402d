"""Whatever the contract lets a name be can be listed, opened and worked on."""

from urllib.parse import quote

import pytest

from domain.orders.order import ItemOutOfStock
from tests.api.test_desk import Staffed
from tests.story import fact, line, placed, requested

WIDEST = "\N{PANDA FACE}" * 128
"""Of all ids the one whose percent-encoding is longest."""
SKU = "大" * 200


@pytest.fixture
def desk(told):
    made = Staffed(told)
    for place, name in enumerate((WIDEST, "B" * 128, "茶" * 128)):
        told.desk.take(
            placed(0, line("1", SKU), of=name, key=f"p{place}"),
            requested(0, name, of=name, ship_by=20, key=f"f{place}"),
            fact(ItemOutOfStock, 1, key=f"out-{place}", order_id=name, sku=SKU),
        )
    told.come(30)
    return made


def test_every_page_of_a_list_leads_to_the_next(desk):
    for sort in ("due_at", "-due_at"):
        found, cursor = [], {}
        while True:
            page = desk.read("/v1/incidents", limit=1, sort=sort, **cursor)
            found += [one["id"] for one in page["incidents"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(found) == len(set(found)) == 6
        assert len(max(found, key=len)) > 3_000


def test_every_incident_that_is_listed_has_an_address_and_can_be_worked_on(desk):
    for one in desk.read("/v1/incidents")["incidents"]:
        # Twice, for the client of the tests takes one encoding off, as no other does.
        place = f"/v1/incidents/{quote(quote(one['id'], safe=''), safe='')}"
        assert desk.read(place)["incident"]["subject"] == one["subject"]
        for step, body in (
            ("note", {"text": "seen"}),
            ("contact", {"channel": "phone", "outcome": "reached"}),
        ):
            answer = desk.client.post(f"{place}/{step}", json=body, headers={"X-Actor": "li"})
            assert answer.status_code == 200, answer.text
        desk.told.follow()
        steps = [step["step"] for step in desk.read(f"{place}/history")["history"]]
        assert steps == ["opened", "noted", "contacted"]


def test_a_name_that_no_incident_can_have_is_refused(desk):
    answer = desk.get("/v1/incidents", muted_by="x" * 20_000)
    assert answer.status_code == 422
    assert "muted_by" in answer.text
