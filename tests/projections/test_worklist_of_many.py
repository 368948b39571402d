"""One incident that concerns many customers: each is to be called until they were reached themselves."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.detection import Finding, FindingOpened, incident_id
from domain.history.log import Beside, Recorded, Row
from domain.incidents.commands import Contact
from domain.incidents.events import Statement
from projections import worklist
from projections.follower import Follower
from projections.worklist import Task, Wanted
from tests.projections.staffed import do, rebuilt
from tests.projections.stage import Stage
from tests.story import at, moved, placed

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


def tasks(told: Stage) -> list[Task]:
    with told.store.reading() as rows:
        return worklist.tasks(rows, at(9), Wanted(), 9)


def to_call(told: Stage) -> list[str]:
    with told.store.reading() as rows:
        return sorted(one.rank.task for one in worklist.tasks(rows, at(9), Wanted(to_contact=True), 9))


def call(told: Stage, outcome: str = "reached", **whom: object) -> None:
    do(told, CLUSTER, Contact(by="li", channel="phone", outcome=outcome, **whom), 5)  # type: ignore[arg-type]  # each test names its own


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


def test_what_staff_do_about_it_reads_none_of_its_orders_again(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.follower = Follower(shop.store, shop.log.store)
    read: list[str] = []
    select = shop.log.store.select_streams

    def noted(streams: Sequence[str], *more: Any, **others: Any) -> list[Row]:
        read.extend(streams)
        return select(streams, *more, **others)

    monkeypatch.setattr(shop.log.store, "select_streams", noted)
    call(shop, customer_id="C3")
    assert to_call(shop) == ["customer-C1", "customer-C2"]
    assert CLUSTER in read
    assert [one for one in read if one.startswith("order-")] == []


def test_an_order_that_changes_is_ranked_anew(shop: Stage) -> None:
    assert {one.rank.until for one in tasks(shop)} == {at(1)}
    shop.hear(moved(2, None, "customer", order_id="O1", deliver_by=80), until=3)
    assert {one.rank.task: one.rank.until for one in tasks(shop)} == {
        "customer-C1": at(80),
        "customer-C2": at(1),
        "customer-C3": at(1),
    }
    rebuilt(shop)
