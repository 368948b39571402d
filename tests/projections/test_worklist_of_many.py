"""One incident that concerns many customers: each is to be called until they were reached themselves."""

import pytest

from domain.detection import Finding, FindingOpened, incident_id
from domain.incident_commands import Contact
from domain.incident_events import Statement
from domain.log import Beside, Recorded
from projections import worklist
from projections.worklist import Wanted
from tests.projections.staffed import do
from tests.projections.stage import Stage
from tests.story import at, placed

CLUSTER = incident_id("mis_shipment_cluster", "TEA:W:2")


@pytest.fixture
def shop(told: Stage) -> Stage:
    """Let one binding send the wrong goods to three customers, of whom one has bought twice."""
    customers = {"O1": "C1", "O2": "C2", "O3": "C3", "O4": "C3"}
    told.desk.take(*(placed(0, of=name, key=name, customer_id=who) for name, who in customers.items()))
    found = Finding(
        kind="mis_shipment_cluster",
        subject="TEA:W:2",
        since=at(1),
        due_at=at(1),
        order_ids=tuple(customers),
        rule="one_binding",
        policy="p",
        proof=(),
        severity="high",
        detail={"ranked": list(customers), "severity": {}, "cleared_by": "staff"},
    )
    told.log.append(
        [Recorded("cluster-binding-TEA%3AW%3A2", 1, FindingOpened(finding=found, known_up_to=at(1)))], Beside()
    )
    told.follow()
    return told


def to_call(told: Stage) -> list[str]:
    with told.store.reading() as rows:
        return sorted(one.rank.task for one in worklist.tasks(rows, at(9), Wanted(to_contact=True), 9))


def call(told: Stage, outcome: str = "reached", **whom: object) -> None:
    do(told, CLUSTER, Contact(by="li", channel="phone", outcome=outcome, **whom), 5)  # type: ignore[arg-type]


def test_who_was_reached_is_not_called_again_and_the_others_still_are(shop: Stage) -> None:
    assert to_call(shop) == ["customer-C1", "customer-C2", "customer-C3"]
    call(shop, customer_id="C3")
    assert to_call(shop) == ["customer-C1", "customer-C2"]
    call(shop, customer_id="C1")
    assert to_call(shop) == ["customer-C2"]


def test_to_speak_of_an_order_reaches_its_customer(shop: Stage) -> None:
    shop.hear(until=4)
    call(shop, statements=(Statement(order_id="O2", claim="shipped"),))
    assert to_call(shop) == ["customer-C1", "customer-C3"]


def test_who_did_not_answer_is_called_again(shop: Stage) -> None:
    call(shop, "no_answer", customer_id="C1", next_attempt=at(8))
    assert to_call(shop) == ["customer-C1", "customer-C2", "customer-C3"]
