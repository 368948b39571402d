"""Clusters over HTTP: whom a wrong binding, a defect or a price cut reached, and who can still be called in time."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.staffed import rebuilt
from tests.projections.stage import stage
from tests.stories import binding, prices
from tests.stories.pen import complained, in_order, placed, priced
from tests.story import at

INCIDENT = "incident-mis_shipment_cluster-TEA-GREEN%3AW%3A2"
ENABLED = '[kinds]\nenabled = ["mis_shipment_cluster", "product_defect", "price_difference"]'


def tell(shop: Desked, events: list[dict[str, Any]], until: float) -> None:
    """Let this happen, be judged and be seen."""
    for first in range(0, len(events), 500):
        shop.told.desk.take(*(orjson.dumps(one) for one in events[first : first + 500]), until=until)
    tracker = shop.told.desk.tracker
    while tracker.tick(at(until)) + tracker.group(at(until)):
        pass
    shop.told.follow()
    shop.now = at(until)


def pages(shop: Desked, path: str, name: str, **asked: Any) -> list[Any]:
    """Read every page of a list."""
    page = shop.read(path, **asked)
    found = page[name]
    while page["next"] is not None:
        page = shop.read(path, **asked, cursor=page["next"])
        found += page[name]
    return found


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with stage(tmp_path_factory.mktemp("bound"), ENABLED) as told:
        shop = Desked(told)
        tell(shop, binding.wrong_binding(), 57)
        yield shop


def addressed(identity: str) -> str:
    """Write an id as part of an address; the test client decodes it once more than a server does."""
    return quote(quote(identity, safe=""), safe="")


def members_of(shop: Desked, identity: str, **asked: Any) -> list[Any]:
    return pages(shop, f"/v1/clusters/{addressed(identity)}/members", "members", **asked)


def test_a_wrong_binding_names_who_noticed_who_did_not_and_who_can_still_be_stopped(bound: Desked) -> None:
    [one] = bound.read("/v1/clusters")["clusters"]
    assert (one["id"], one["kind"], one["state"]) == (INCIDENT, "mis_shipment_cluster", "open")
    assert one["key"] | {"lot": None} == {
        "sku": "TEA-GREEN", "warehouse_id": "W", "binding_version": "2", "lot": None, "price_change_id": None,
    }  # fmt: skip
    assert one["counts"] == {
        "members": 500, "proven": 12, "exposed": 488, "silent": 488, "interceptable": 300, "contacted": 0, "settled": 0,
    }  # fmt: skip
    assert one["stages"] == {"not_shipped": 150, "in_transit": 150, "delivered": 200}
    assert (one["incident"]["id"], one["incident"]["staff"]["status"]) == (INCIDENT, "new")


def test_it_says_what_is_usual_and_what_changed_when_it_began(bound: Desked) -> None:
    [one] = bound.read("/v1/clusters")["clusters"]
    assert one["onset"]["at"] == iso(at(binding.CHANGED))
    assert (one["onset"]["what"], one["onset"]["binding_version"]) == ("binding_changed", "2")
    chance = one["chance"]
    assert chance["usual_orders"] > 300
    assert chance["usual_troubles"] == 2
    assert chance["usual_rate"] == pytest.approx(3 / (chance["usual_orders"] + 2))
    assert float(chance["likelihood"]) <= 0.001


def test_its_members_come_page_by_page_those_first_that_can_be_saved(bound: Desked) -> None:
    whole = members_of(bound, INCIDENT, limit=77)
    assert len({one["member"] for one in whole}) == len(whole) == 500
    assert [one["stage"] for one in whole] == ["not_shipped"] * 150 + ["in_transit"] * 150 + ["delivered"] * 200
    assert [one["order_id"] for one in whole[:150]] == binding.names()[350:]
    assert sum(one["interceptable"] for one in whole) == 300
    assert [one["order_id"] for one in members_of(bound, INCIDENT, proven=True)] == binding.names()[:12]
    assert len(members_of(bound, INCIDENT, proven=False, stage=["delivered"], limit=500)) == 188
    assert members_of(bound, INCIDENT, settled=True) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "mis_shipment_cluster"}, 1),
        ({"kind": ["product_defect", "price_difference"]}, 0),
        ({"state": "open"}, 1),
        ({"state": "ended"}, 0),
        ({"sku": "TEA-GREEN"}, 1),
        ({"sku": "CUP"}, 0),
        ({"warehouse": "W"}, 1),
        ({"warehouse": "V"}, 0),
    ],
)
def test_clusters_are_found_by_kind_state_sku_and_warehouse(bound: Desked, asked: Any, found: int) -> None:
    assert len(bound.read("/v1/clusters", **asked)["clusters"]) == found


def test_what_is_no_cluster_is_a_problem(bound: Desked) -> None:
    for path in ("/v1/clusters/nobody", "/v1/clusters/nobody/members"):
        answer = bound.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert bound.get("/v1/clusters", kind="late_shipment").status_code == 422
    assert bound.get("/v1/clusters", cursor="?").status_code == 400
    path = f"/v1/clusters/{addressed(INCIDENT)}"
    assert bound.read(path)["cluster"]["counts"]["members"] == 500


def test_contacts_and_settlements_are_counted(tmp_path: Any) -> None:
    with stage(tmp_path, ENABLED) as told:
        shop = Desked(told)
        tell(shop, binding.wrong_binding(), 57)
        path = f"/v1/incidents/{addressed(INCIDENT)}/contact"
        for outcome, customer in (("reached", "C-T350"), ("no_answer", "C-T351"), ("sent", "C-T350")):
            answer = shop.post(path, {"channel": "phone", "outcome": outcome, "customer_id": customer})
            assert answer.status_code == 200, answer.text
        spoken_of = [{"order_id": "T250", "claim": "shipped"}]
        answer = shop.post(path, {"channel": "phone", "outcome": "agreed", "statements": spoken_of})
        assert answer.status_code == 200, answer.text
        tell(shop, binding.stopped(), 61)
        [one] = shop.read("/v1/clusters")["clusters"]
        assert (one["counts"]["contacted"], one["counts"]["settled"], one["counts"]["interceptable"]) == (2, 300, 0)
        assert (one["counts"]["silent"], one["stages"]) == (188, {"delivered": 200})
        assert one["onset"]["replaced_at"] == iso(at(58))
        whole = members_of(shop, INCIDENT, limit=500)
        assert [one["settled_at"] is None for one in whole] == [True] * 200 + [False] * 300
        assert [one["order_id"] for one in whole if one["contacted_at"] is not None] == ["T250", "T350"]
        rebuilt(told)


def test_a_price_cut_lists_its_buyers_with_what_each_is_owed(tmp_path: Any) -> None:
    with stage(tmp_path, ENABLED) as told:
        shop = Desked(told)
        tell(shop, prices.questioned(), prices.CUT + 1)
        tell(shop, prices.answered(), 411)
        [tea] = shop.read("/v1/clusters", sku=prices.TEA)["clusters"]
        assert (tea["kind"], tea["key"]["sku"], tea["key"]["price_change_id"] is not None) == (
            "price_difference", prices.TEA, True,
        )  # fmt: skip
        assert (tea["counts"]["proven"], tea["counts"]["exposed"], tea["owed"]) == (4, 1, {"CNY": "75.00"})
        assert (tea["onset"]["what"], tea["onset"]["at"], tea["onset"]["price"]) == (
            "price_changed", iso(at(prices.CUT)), "80.00",
        )  # fmt: skip
        owed = {one["member"]: one["amount"] for one in members_of(shop, tea["id"], proven=True)}
        assert owed == prices.OWED
        [pot] = shop.read("/v1/clusters", sku=prices.POT)["clusters"]
        assert (pot["state"], pot["onset"]["mistaken_at"] is not None) == ("ended", True)
        tell(shop, prices.paid(), 441)
        [tea] = shop.read("/v1/clusters", sku=prices.TEA)["clusters"]
        assert (tea["state"], tea["counts"]["settled"], tea["owed"]) == ("ended", 4, {})
        rebuilt(told)


def test_what_cannot_be_compared_is_exposed_and_owed_nothing_that_is_known(tmp_path: Any) -> None:
    with stage(tmp_path, ENABLED) as told:
        shop = Desked(told)
        cut = [placed(1, "A", "TEA"), placed(2, "B", "TEA", currency="USD"), priced(9, "TEA", "80.00")]
        tell(shop, in_order(cut), 10)
        [tea] = shop.read("/v1/clusters")["clusters"]
        assert (tea["counts"]["proven"], tea["counts"]["exposed"]) == (1, 1)
        assert {one["order_id"]: one["amount"] for one in members_of(shop, tea["id"])} == {"A": "20.00", "B": None}


def test_a_defect_lists_who_complained_the_last_due_first_beside_other_causes(tmp_path: Any) -> None:
    with stage(tmp_path, ENABLED) as told:
        shop = Desked(told)
        told_of = [placed(number, f"D{number}", "CUP") for number in range(5)]
        told_of += [complained(20 + number, f"D{number}", "defective", "CUP") for number in range(4)]
        told_of += [placed(1, "A", "TEA"), priced(9, "TEA", "80.00")]
        tell(shop, in_order(told_of), 40)
        first, second = shop.read("/v1/clusters")["clusters"]
        assert (first["kind"], first["counts"]["proven"], first["key"]["sku"]) == ("product_defect", 4, "CUP")
        assert (first["onset"]["what"], first["chance"]) == ("first_trouble", None)
        assert second["kind"] == "price_difference"
        assert pages(shop, "/v1/clusters", "clusters", limit=1) == [first, second]
