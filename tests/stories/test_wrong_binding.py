"""A wrong SKU binding: found by 12 complaints, it names the 488 who have not noticed, those first who can be spared."""

from typing import Any

import pytest

from domain.instant import iso
from tests.generator.product import SMOOTH, Trouble, judged
from tests.stories import binding
from tests.story import at

Finding = dict[str, Any]


def found(events: list[dict[str, Any]], trouble: Trouble = SMOOTH) -> list[Finding]:
    return judged(events, [500] * (len(events) // 500 + 1), binding.POLICY, trouble)


@pytest.fixture(scope="module")
def cluster() -> Finding:
    [one] = found(binding.wrong_binding())
    return one


def test_twelve_complaints_show_what_488_have_not_noticed(cluster: Finding) -> None:
    assert (cluster["kind"], cluster["subject"]) == ("mis_shipment_cluster", binding.KEY)
    assert (cluster["sku"], cluster["warehouse_id"]) == (binding.LISTING, "W")
    assert cluster["order_ids"] == sorted(binding.names())
    assert cluster["detail"]["proven"] == binding.names()[: binding.COMPLAIN]
    assert cluster["detail"]["silent"] == 488


def test_the_300_that_can_still_be_stopped_are_called_first(cluster: Finding) -> None:
    detail = cluster["detail"]
    assert detail["stages"] == {"not_shipped": 150, "in_transit": 150, "delivered": 200}
    assert detail["ranked"][:150] == binding.names()[350:]
    assert sorted(detail["ranked"][:300]) == binding.names()[200:]


def test_it_begins_with_the_change_of_the_binding(cluster: Finding) -> None:
    begun = {"at": iso(at(binding.CHANGED)), "event": f"/warehouses/W#sku.binding_changed:{binding.LISTING}:2"}
    assert cluster["detail"]["onset"] == begun
    assert cluster["proof"][0] == begun["event"]
    assert (cluster["since"], cluster["state"]) == (iso(at(44)), "open")


def test_it_is_no_chance_by_what_was_usual_before(cluster: Finding) -> None:
    assert float(cluster["detail"]["likelihood"]) <= 0.001


def test_once_the_boxes_are_stopped_only_who_has_one_is_left(cluster: Finding) -> None:
    [one] = found(binding.wrong_binding() + binding.stopped())
    assert one["detail"]["stages"] == {"delivered": 200}
    assert one["order_ids"] == cluster["order_ids"]
    assert one["state"] == "open"


def test_it_ends_once_nobody_is_left() -> None:
    [one] = found(binding.wrong_binding() + binding.stopped() + binding.recalled())
    assert (one["state"], one["ended_at"]) == ("ended", iso(at(90)))
    assert one["detail"]["ranked"] == []


@pytest.mark.parametrize("trouble", [Trouble(by_topic=True), Trouble(by_topic=True, restarts=True, redelivers=True)])
def test_it_is_the_same_however_it_comes(cluster: Finding, trouble: Trouble) -> None:
    assert found(binding.wrong_binding(), trouble) == [cluster]
