"""A wrong SKU binding, live: 12 complaints show what 488 have not noticed, and 300 boxes are stopped in time."""

from pathlib import Path
from typing import Any

import pytest

from domain.instant import iso
from tests.brokers.broker import Broker
from tests.stories import binding
from tests.stories.live import Live, live
from tests.story import at

pytestmark = pytest.mark.timeout(240)
DAWN = -701.0
KNOWN, STOPPED, OVER = 57.5, 61.5, 91.5
CUSTOMERS = [f"C-{name}" for name in binding.names()]
SAVED = CUSTOMERS[binding.DELIVERED :]
"""Those whose box can still be stopped."""


def test_a_wrong_binding_ships_500_wrong_items_of_which_300_are_intercepted(broker: Broker, tmp_path: Path) -> None:
    with live(broker, tmp_path, DAWN) as told:
        told.tell(binding.wrong_binding(), KNOWN)
        twelve_complaints_show_500_wrong_items(told)
        they_speak_through_one_incident(told)
        those_who_can_be_spared_come_first(told)
        call_whom_can_be_spared(told)
        told.tell(binding.stopped(), STOPPED)
        only_who_has_a_box_is_left(told)
        told.tell(binding.recalled(), OVER)
        it_ends_once_nobody_is_left(told)


def cluster(told: Live) -> Any:
    [found] = told.all_of("clusters", kind="mis_shipment_cluster")
    return found


def twelve_complaints_show_500_wrong_items(told: Live) -> None:
    found = cluster(told)
    assert (found["subject"], found["state"], found["severity"]) == (binding.KEY, "open", "critical")
    assert (found["key"]["sku"], found["key"]["warehouse_id"], found["key"]["binding_version"]) == (
        binding.LISTING,
        "W",
        "2",
    )
    counts = {"members": 500, "proven": binding.COMPLAIN, "exposed": 488, "silent": 488, "interceptable": 300}
    assert counts.items() <= found["counts"].items()
    assert found["stages"] == {"not_shipped": 150, "in_transit": 150, "delivered": 200}
    assert (found["onset"]["what"], found["onset"]["at"]) == ("binding_changed", iso(at(binding.CHANGED)))
    assert float(found["chance"]["likelihood"]) <= 0.001


def they_speak_through_one_incident(told: Live) -> None:
    found = cluster(told)
    muted = told.incidents(muted_by=found["id"])
    assert [one["order_ids"] for one in muted] == [[name] for name in binding.names()[: binding.COMPLAIN]]
    assert {(one["kind"], one["muted_as"]) for one in muted} == {("mis_shipment", "cluster")}
    [opened, *more] = [one["change"] for one in told.changes() if one["incident"]["kind"] == "mis_shipment_cluster"]
    assert (opened, set(more) - {"amended"}) == ("opened", set())


def those_who_can_be_spared_come_first(told: Live) -> None:
    ranked = [one["order_id"] for one in told.all_of("members", "clusters", cluster(told)["id"], "members")]
    assert ranked[:150] == binding.names()[350:]
    assert sorted(ranked[:300]) == binding.names()[200:]
    assert sorted(ranked) == binding.names()
    tasks = told.tasks(to_contact="true")
    assert [one["rank"]["stage"] for one in tasks] == [
        *["not_handed_over"] * 150,
        *["in_transit"] * 150,
        *["past"] * 200,
    ]
    assert sorted(one["customer_id"] for one in tasks[:300]) == SAVED


def call_whom_can_be_spared(told: Live) -> None:
    identity = cluster(told)["id"]
    for customer in SAVED:
        said = {"channel": "phone", "outcome": "reached", "customer_id": customer}
        done = told.post("worklist", f"customer-{customer}", "contact", **said)
        assert [one["incident"] for one in done["recorded"]] == [identity]
    told.settle()
    assert sorted(one["customer_id"] for one in told.tasks(to_contact="true")) == CUSTOMERS[: binding.DELIVERED]
    assert cluster(told)["counts"]["contacted"] == len(SAVED)


def only_who_has_a_box_is_left(told: Live) -> None:
    found = cluster(told)
    assert found["state"] == "open"
    assert (found["counts"]["settled"], found["counts"]["interceptable"]) == (300, 0)
    assert found["stages"]["delivered"] == 200
    assert found["onset"]["replaced_at"] == iso(at(58))
    assert sorted(one["customer_id"] for one in told.tasks()) == CUSTOMERS[: binding.DELIVERED]


def it_ends_once_nobody_is_left(told: Live) -> None:
    found = cluster(told)
    assert (found["state"], found["ended_at"]) == ("ended", iso(at(90)))
    assert found["counts"]["settled"] == 500
    numbers = told.read("metrics", "summary", since=iso(at(43)), until=iso(at(50)))
    assert numbers["by"]["kind"]["mis_shipment_cluster"]["incidents"] == 1
