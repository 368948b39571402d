"""The worklist: one task a customer, ranked by what can still be saved, joined from several views."""

import pytest

from domain.detection import incident_id
from domain.history.enrolment import Partition, go_live
from domain.incidents.commands import Acknowledge, Assign, Contact, Dismiss, Escalate, Merge, Resolve, Snooze
from domain.judging.adoption import adopt
from domain.policies.routing import goes_to
from domain.staff.desk import Case, Desk
from projections import worklist
from projections.worklist import Wanted
from tests.projections.staffed import do, rebuilt
from tests.projections.stage import stage
from tests.projections.test_muting import MENDED, Told, finding, member
from tests.story import at, complained, line, moved, placed, requested, scanned

ANY = Wanted()


def late_order(told, name, customer=None, *, due=20, price="10.00", tier=None, **more):
    told.desk.take(
        placed(
            0,
            line("1", unit_price=price),
            of=f"O{name}",
            key=f"p{name}",
            customer_id=customer,
            currency="CNY",
            customer_tier=tier,
            **more,
        ),
        requested(0, f"F{name}", of=f"O{name}", ship_by=due),
    )


def listed(told, wanted=ANY, *, now=99, limit=100, after=None):
    with told.store.reading() as rows:
        return worklist.tasks(rows, at(now), wanted, limit, after)


def names(told, wanted=ANY, **more):
    return [one.rank.task for one in listed(told, wanted, **more)]


def late(name):
    return incident_id("late_shipment", f"F{name}")


def test_a_customer_with_three_late_parcels_is_one_task(told):
    for name in "123":
        late_order(told, name, "C")
    late_order(told, "4", "D")
    told.come(30)
    assert names(told) == ["customer-C", "customer-D"]
    [task, _] = listed(told)
    assert (task.items, task.orders) == ([late(name) for name in "123"], ["O1", "O2", "O3"])


def test_an_order_without_a_customer_stands_for_itself_until_a_complaint_names_one(told):
    late_order(told, "1")
    told.come(30)
    assert names(told) == ["order-O1"]
    told.hear(complained(31, order_id="O1", customer_id="C", category="late"), until=31.5)
    assert names(told) == ["customer-C"]
    rebuilt(told)


def test_a_complaint_that_names_no_order_is_its_customers_or_its_own(told):
    told.hear(complained(1, "C1", key="1"), complained(1, "C2", key="2", customer_id="X"), until=5)
    late_order(told, "1", "X")
    told.come(30)
    assert set(names(told)) == {"complaint-C1", "customer-X"}
    with told.store.reading() as rows:
        assert len(worklist.task(rows, at(99), "customer-X").items) == 3
        assert worklist.task(rows, at(99), "complaint-C1").orders == []


def test_what_can_still_be_saved_comes_first_then_severity_then_time_then_money(told):
    late_order(told, "1", "dear", price="900.00")
    late_order(told, "2", "cheap")
    late_order(told, "3", "vip", tier="vip")
    late_order(told, "4", "soon", deliver_by=19)
    late_order(told, "5", "gone", tier="vip")
    told.come(30)
    assert names(told) == ["customer-gone", "customer-vip", "customer-soon", "customer-dear", "customer-cheap"]
    told.hear(scanned(31, "P5", fulfillment_ids=("F5",)), until=32)
    told.hear(scanned(32, "P5", status="delivery_failed", fulfillment_ids=("F5",)), until=33)
    ranks = [one.rank for one in listed(told)]
    assert [rank.task for rank in ranks] == [
        "customer-vip",
        "customer-soon",
        "customer-dear",
        "customer-cheap",
        "customer-gone",
    ]
    assert ranks[-1].stage == 1
    rebuilt(told)


def test_it_goes_on_where_it_stopped(told):
    for name in range(7):
        late_order(told, str(name), f"C{name}", price=f"{name % 3}.10")
    told.come(30)
    whole, paged, after = listed(told), [], None
    while page := listed(told, limit=2, after=after):
        paged += page
        after = page[-1].rank
    assert paged == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    "command",
    [Snooze(by="li", until=at(90)), Resolve(by="li"), Dismiss(by="li", why="handed over by hand")],
    ids=["snoozed", "resolved", "dismissed"],
)
def test_what_staff_have_put_aside_or_closed_is_on_nobodys_list(told, command):
    late_order(told, "1", "C")
    told.come(30)
    do(told, late("1"), Acknowledge(by="li"), 31)
    assert names(told) == ["customer-C"]
    do(told, late("1"), command, 32)
    assert names(told) == []
    rebuilt(told)


def test_what_has_ended_or_was_due_before_going_live_is_on_nobodys_list(told):
    go_live(told.log, {Partition("test/orders/0", "orders.events.v1", 0): 0}, "earliest", at(25))
    told.desk.tracker.positions()
    late_order(told, "1", "old", due=20)
    late_order(told, "2", "ended", due=30)
    late_order(told, "3", "open", due=30)
    told.desk.take(scanned(35, "P2", fulfillment_ids=("F2",)))
    told.come(40)
    assert names(told) == ["customer-open"]
    with told.store.reading() as rows:
        assert worklist.cleared(rows, "customer-ended", None, 9) == [late("2")]
        assert worklist.cleared(rows, "customer-old", None, 9) == []
        assert worklist.known(rows, "customer-old")
        assert not worklist.known(rows, "customer-nobody")


def test_members_of_a_backlog_stay_and_what_a_stronger_finding_mutes_does_not(told):
    write = Told(told)
    late_order(told, "1", "C")
    told.come(30)
    write("backlog-warehouse-W", member("F1@1"))
    write.opens("backlog-warehouse-W", finding("warehouse_backlog", "W", 24, orders=("O1",)))
    write.opens("parcel-P", finding("presumed_lost", "P", 5, orders=("O1",), parcel_id="P"))
    write.opens("parcel-P", finding("stalled_parcel", "P", 4, orders=("O1",), parcel_id="P"))
    [task] = listed(told)
    assert task.items == sorted([late("1"), incident_id("presumed_lost", "P")])


def test_everybody_whom_a_cluster_has_to_reach_is_on_it_and_nobody_else(told):
    write = Told(told)
    for name in "123":
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}", customer_id=f"C{name}"))
    orders = ("O1", "O2", "O3")
    write.opens("cluster-x", finding("mis_shipment_cluster", "T", 9, orders=orders, detail={"ranked": ["O1", "O3"]}))
    assert names(told) == ["customer-C1", "customer-C3"]
    rebuilt(told)


def test_it_is_filtered_by_whose_business_it_is_and_by_who_must_be_reached(told):
    for name in "12":
        late_order(told, name, f"C{name}")
    told.come(30)
    do(told, late("1"), Assign(by="li", person="zhou", team="night"), 31)
    for who in ("zhou", "night"):
        assert names(told, Wanted(assignee=(who,))) == ["customer-C1"]
    do(told, late("2"), Contact(by="li", channel="phone", outcome="no_answer", next_attempt=at(40)), 32)
    assert names(told, Wanted(to_contact=True)) == ["customer-C1"]
    told.come(41)
    assert set(names(told, Wanted(to_contact=True))) == {"customer-C1", "customer-C2"}
    do(told, late("2"), Contact(by="li", channel="phone", outcome="reached"), 42)
    assert names(told, Wanted(to_contact=False)) == ["customer-C2"]
    rebuilt(told)


def test_hard_cases_go_to_whom_the_policy_names(told):
    late_order(told, "1", "C1")
    late_order(told, "2", "C2")
    told.come(30)
    adopt(told.log, '[routing]\nhard_from = 2\nhard = ["senior"]\nnormal = ["day"]', at(31))
    told.follow()
    assert set(names(told, Wanted(hard=False))) == {"customer-C1", "customer-C2"}
    do(told, late("1"), Escalate(by="li", to="lead"), 32)
    do(told, late("1"), Escalate(by="li", to="head"), 33)
    [hard] = listed(told, Wanted(hard=True))
    assert (hard.rank.task, hard.points) == ("customer-C1", 2)
    with told.store.reading() as rows:
        assert goes_to(worklist.routing(rows, at(32)), hard.points) == ("senior",)
        assert goes_to(worklist.routing(rows, at(32)), 1) == ("day",)
    adopt(told.log, "[routing]\nhard_from = 3\n[routing.kinds]\nlate_shipment = 1", at(34))
    told.follow()
    assert names(told, Wanted(hard=True)) == ["customer-C1"]
    rebuilt(told)


def test_nobody_is_called_about_what_is_being_mended_until_that_is_over(tmp_path):
    with stage(tmp_path, MENDED) as told:
        late_order(told, "1", "C")
        told.come(30)
        assert names(told, now=47) == []
        assert names(told, now=48) == ["customer-C"]


def test_the_customer_of_a_merged_incident_is_called_until_the_whole_is_settled(told):
    late_order(told, "1", "C")
    late_order(told, "2", "D")
    told.come(30)
    part, whole = (Case(late(name), f"order-O{name}") for name in "12")
    Desk(told.log).handle(part, Merge(by="li"), at=at(31), other=whole)
    told.follow()
    assert set(names(told)) == {"customer-C", "customer-D"}
    do(told, late("2"), Resolve(by="li"), 32)
    assert names(told) == []
    rebuilt(told)


def test_a_delivery_date_that_the_merchant_moved_alone_gives_no_more_time(told):
    late_order(told, "1", "C", deliver_by=60)
    told.hear(moved(10, None, "merchant", order_id="O1", deliver_by=90), until=30)
    assert [one.rank.until for one in listed(told)] == [at(60)]
    told.hear(moved(31, None, "customer", order_id="O1", deliver_by=80), until=32)
    assert [one.rank.until for one in listed(told)] == [at(80)]
