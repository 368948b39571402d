"""Defects: who complained of the same goods, and who bought them and is silent."""

import pytest

from domain.complaints.complaint import ComplaintCategorised
from domain.groups.cluster import ClusterMemberChanged
from domain.history.log import Log
from domain.incidents.commands import Compensate
from domain.staff.desk import Case
from domain.staff.desk import Desk as StaffDesk
from tests.domain.grouped import found, lines
from tests.domain.test_exposure import SOLD, THREE, cluster, complaint, take
from tests.story import Desk, at, cancelled, fact, line, placed, scanned


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    return Desk(log, THREE)


def silent(log: Log, order: str) -> ClusterMemberChanged:
    return cluster(log, "defect-A").members[order]


def weighed(log: Log) -> int:
    """Count the orders that are weighed against the complaints, those apart that complain."""
    state = cluster(log, "defect-A")
    return sum(state.reach.values()) + sum(one.proven is None for one in state.members.values())


def test_complaints_about_the_goods_are_counted_by_what_was_bought(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    [one] = lines(log)
    assert (one["kind"], one["subject"], one["detail"]["proven"]) == ("product_defect", "A", ["O0", "O1", "O2"])
    assert [one for one in log.stream("cluster-defect-A") if isinstance(one, ClusterMemberChanged)] != []


def test_who_bought_the_same_and_is_silent_is_named_too(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    [one] = lines(log)
    assert (one["order_ids"], one["detail"]["silent"]) == ([f"O{n}" for n in range(6)], 3)
    assert [silent(log, f"O{n}").stage for n in (3, 4)] == ["not_shipped", "not_shipped"]
    sent = [scanned(30, "P3", order_ids=("O3",)), scanned(31, "P4", order_ids=("O4",))]
    take(desk, *sent, scanned(40, "P4", "delivered", order_ids=("O4",)), cancelled(41, of="O5"))
    assert [silent(log, f"O{n}").stage for n in (3, 4)] == ["in_transit", "delivered"]
    assert [silent(log, f"O{n}").settled is None for n in (3, 5)] == [True, False]


def test_who_complains_after_all_is_silent_no_more(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    take(desk, complaint(50, "O4", "damaged"))
    members = cluster(log, "defect-A").members.values()
    assert [one.proven is not None for one in members if one.order_id == "O4"] == [True]
    assert len(members) == 6


def test_few_complaints_name_nobody_who_is_silent(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(2)])
    assert len(cluster(log, "defect-A").members) == 2
    take(desk, complaint(30, "O2", "defective"))
    assert len(cluster(log, "defect-A").members) == 6
    take(desk, fact(ComplaintCategorised, 31, complaint_id="K-O2", category="other"))
    assert (len(cluster(log, "defect-A").members), lines(log)) == (2, [])


def test_a_complaint_may_come_before_what_was_bought_is_known(log: Log, desk: Desk) -> None:
    take(desk, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    assert lines(log) == []
    take(desk, *SOLD)
    assert [one["subject"] for one in lines(log)] == ["A"]


def test_the_orders_that_were_placed_meanwhile_are_weighed(log: Log, desk: Desk) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    assert weighed(log) == 3
    take(desk, *[placed(5, of=f"L{n}") for n in range(4)])
    assert weighed(log) == 7
    take(desk, *[placed(99, of=f"M{n}") for n in range(4)])
    assert weighed(log) == 7


@pytest.mark.parametrize("batch", [1000, 50, 7, 1])
@pytest.mark.parametrize("first", ["sold", "said"])
def test_silent_buyers_are_weighed_once_however_it_comes(batch: int, first: str) -> None:
    """Three of thirty are no chance where none of 200 others complained; three of twice as many would be."""
    others = [placed(-100, line("1", "B"), of=f"B{n}") for n in range(200)]
    bought = [placed(0, of=f"O{n}", customer_id=f"c{n}") for n in range(30)]
    said = [complaint(20 + n, f"O{n}", "defective") for n in range(3)]
    facts = [*said, *others, *bought] if first == "said" else [*others, *bought, *said]
    [one] = found(facts, THREE, batch=batch)
    assert (one["subject"], one["detail"]["silent"], one["detail"]["likelihood"]) == ("A", 27, "4.5e-04")


@pytest.mark.parametrize(
    ("member", "order"), [("O0", None), ("K-O0", "O0"), ("c0", "O0"), ("O0:1", "O0"), ("O4", None)]
)
def test_a_payment_settles_the_order_however_its_member_is_called(
    log: Log, desk: Desk, member: str, order: str | None
) -> None:
    take(desk, *SOLD, *[complaint(20 + n, f"O{n}", "defective") for n in range(3)])
    words = {"amount": "9", "currency": "CNY", "form": "refund", "by": "li"}
    case = Case("incident-product_defect-A", "cluster-defect-A")
    StaffDesk(log).handle(case, Compensate(member=member, order_id=order, **words), at=at(60))
    take(desk)
    settled = [one.order_id for one in cluster(log, "defect-A").members.values() if one.settled is not None]
    assert settled == [order or member]
