"""A defect batch, live: found among ordinary trouble, its lamps called back or destroyed, and paid for on proof."""

from pathlib import Path
from typing import Any

import pytest

from domain.instant import iso
from tests.brokers.broker import Broker
from tests.stories import defects
from tests.stories.live import Live, live
from tests.story import at

pytestmark = pytest.mark.timeout(180)
DAWN = -671.0
KNOWN, BACK, OVERDUE = 130.5, 141.0, 151.0
UNTIL = iso(at(150))
FIRST, *REST, LAST = defects.BROKEN
"""One sends its lamp back, the last one does nothing, the others destroy theirs."""


def test_a_defect_batch_is_found_and_every_lamp_followed_to_proof(broker: Broker, tmp_path: Path) -> None:
    with live(broker, tmp_path, DAWN) as told:
        told.tell(defects.batch(), KNOWN)
        only_the_lamps_are_no_chance(told)
        its_buyers_are_listed(told)
        ask_for_the_lamps(told)
        told.tell(defects.sent_back(132), BACK)
        pay_on_proof(told)
        told.tell([], OVERDUE)
        who_did_nothing_is_overdue(told)
        settle_it(told)


def cluster(told: Live) -> Any:
    [found] = told.all_of("clusters", kind="product_defect")
    return found


def only_the_lamps_are_no_chance(told: Live) -> None:
    found = cluster(told)
    assert (found["subject"], found["key"]["sku"], found["state"]) == (defects.LAMP, defects.LAMP, "open")
    assert (found["due_at"], found["onset"]["what"]) == (iso(at(80)), "first_trouble")
    chance = found["chance"]
    assert float(chance["likelihood"]) <= 0.001
    assert chance["usual_rate"] == pytest.approx(0.01, abs=0.005)


def its_buyers_are_listed(told: Live) -> None:
    found = cluster(told)
    silent = 77 - len(defects.BROKEN)
    counts = ("proven", "exposed", "silent", "interceptable")
    assert [found["counts"][one] for one in counts] == [len(defects.BROKEN), silent, silent, silent]
    members = told.all_of("members", "clusters", found["id"], "members", proven="true")
    assert sorted(one["order_id"] for one in members) == defects.BROKEN
    called = [one for one in told.tasks() if found["id"] in {each["id"] for each in one["incidents"]}]
    assert {f"C-{name}" for name in defects.BROKEN} <= {one["customer_id"] for one in called}


def ask_for_the_lamps(told: Live) -> None:
    incident = cluster(told)["id"]
    for name in defects.BROKEN:
        action = "return" if name in {FIRST, LAST} else "destroy"
        asked = {"order_id": name, "sku": defects.LAMP, "action": action, "until": UNTIL, "why": "the lamps break"}
        done = told.post("incidents", incident, "dispositions", refund_on_proof=True, **asked)
        assert (done["state"], done["refund_on_proof"]) == ("open", True)
    told.settle()
    assert sorted(one["order_id"] for one in told.all_of("dispositions", state="open")) == defects.BROKEN
    assert told.refused("incidents", incident, "compensate", **refund(FIRST)) == "awaits_proof"


def refund(name: str) -> dict[str, str]:
    return {"member": name, "order_id": name, "amount": "100.00", "currency": "CNY", "form": "refund"}


def pay_on_proof(told: Live) -> None:
    incident = cluster(told)["id"]
    asked = {one["order_id"]: one["id"] for one in told.all_of("dispositions", incident=incident)}
    told.post("dispositions", asked[FIRST], "prove", parcel_id=defects.RETURN)
    assert told.refused("dispositions", asked[LAST], "prove", parcel_id=defects.RETURN) == "parcel_used"
    for name in REST:
        told.post("dispositions", asked[name], "prove", evidence=[f"photo:{name}"])
    for name in (FIRST, *REST):
        told.post("incidents", incident, "compensate", **refund(name))
    assert told.refused("incidents", incident, "compensate", **refund(LAST)) == "awaits_proof"
    told.settle()
    proven = told.all_of("dispositions", state="proven")
    assert sorted(one["order_id"] for one in proven) == [FIRST, *REST]


def who_did_nothing_is_overdue(told: Live) -> None:
    [overdue] = told.all_of("dispositions", state="overdue")
    assert (overdue["order_id"], overdue["until"]) == (LAST, UNTIL)
    assert told.read("metrics", "summary")["paid"] == {"CNY": f"{100 * len((FIRST, *REST))}.00"}


def settle_it(told: Live) -> None:
    incident = cluster(told)["id"]
    told.post("incidents", incident, "resolve", outcome="the delivery was called back", why="supplier informed")
    told.settle()
    found = cluster(told)
    assert (found["state"], found["ended_at"]) == ("ended", iso(at(OVERDUE)))
    assert found["counts"]["settled"] == len((FIRST, *REST))
    assert told.incidents(kind="product_defect", state="open") == []
