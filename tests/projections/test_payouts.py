"""Batches, payments and dispositions as they are listed; the rows are what the log says, however it is read."""

import pytest

from domain.dispositions.commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.incidents.commands import Compensate
from domain.payouts.payout import DraftPayout, Wanted
from domain.staff.cashier import Cashier
from domain.staff.desk import Case
from domain.staff.disposing import Disposing
from projections import dispositions, payments, payouts
from projections.dispositions import Wanted as Asked
from tests.projections.staffed import do, rebuilt
from tests.projections.test_worklist import late, late_order
from tests.story import at, labelled, line, packed, piece, placed, requested, scanned

F = Case("incident-late_shipment-F1", "order-O1")
BATCH = "payout-late_shipment-F1-1"


@pytest.fixture
def shop(told):
    in_two_lines = placed(0, line("1"), line("2"), of="O1", key="p1", customer_id="C", currency="CNY")
    told.desk.take(in_two_lines, requested(0, "F1", of="O1", ship_by=20))
    late_order(told, "2", "C")
    told.come(30)
    return told


def drafted(told, *members, **more):
    wanted = tuple(Wanted(member=one) for one in members)
    said = {"by": "li", "form": "coupon", "currency": "CNY", "amount": "5"} | more
    name, _ = Cashier(told.log).draft(F, DraftPayout(members=wanted, **said), at=at(31))
    told.follow()
    return name


def approved(told, name):
    Cashier(told.log).approve(name, by="wang", at=at(32))
    told.follow()


def batch(told, name=BATCH):
    with told.store.reading() as rows:
        return payouts.one(rows, name), payouts.members(rows, name, 9)


def test_a_batch_is_listed_from_its_draft_to_its_last_member(shop):
    name = drafted(shop, "O1:1", "O1:2", "O1", why="late", evidence=("e-1",))
    one, members = batch(shop)
    assert (one.state, one.members, one.total, one.paid_total, one.approvals) == ("drafted", 3, "15", "0", [])
    assert (one.why, one.evidence, one.drafted_at) == ("late", ["e-1"], at(31))
    assert {each.state for each in members} == {"waiting"}
    approved(shop, name)
    one, members = batch(shop)
    assert (one.state, one.paid, one.skipped, one.paid_total, one.approvals) == ("paid", 2, 1, "10", ["li", "wang"])
    assert [(each.member, each.state, each.code) for each in members] == [
        ("O1:1", "paid", None),
        ("O1:2", "paid", None),
        ("O1", "skipped", "already_paid"),
    ]
    assert members[2].reason
    rebuilt(shop)


def test_a_withdrawn_batch_says_so_of_everybody(shop):
    name = drafted(shop)
    Cashier(shop.log).withdraw(name, by="wang", at=at(32))
    shop.follow()
    one, [member] = batch(shop)
    assert (one.state, member.state) == ("withdrawn", "withdrawn")
    rebuilt(shop)


def test_batches_are_found_by_incident_and_state_and_what_is_unfinished_is_named(shop):
    first, second = drafted(shop), drafted(shop, form="credit")
    approved(shop, first)
    with shop.store.reading() as rows:
        assert [one.id for one in payouts.listed(rows, 9)] == [second, first]
        assert [one.id for one in payouts.listed(rows, 9, state="paid")] == [first]
        assert [one.id for one in payouts.listed(rows, 9, incident=F.id, after=(at(31), second))] == [first]
        assert payouts.listed(rows, 9, incident="incident-x") == []
        assert payouts.unfinished(rows) == []


def test_a_batch_whose_payer_died_is_unfinished(shop, monkeypatch):
    name = drafted(shop)
    monkeypatch.setattr(Cashier, "pay_on", lambda *_, **__: None)
    approved(shop, name)
    with shop.store.reading() as rows:
        assert payouts.unfinished(rows) == [name]


def test_payments_of_every_kind_are_listed_by_order_and_added_up_by_currency(shop):
    approved(shop, drafted(shop))
    do(shop, late("2"), Compensate(by="li", member="O2", amount="7.5", currency="CNY", form="refund"), 33)
    with shop.store.reading() as rows:
        [paid] = payments.of_order(rows, "O1", 9)
        assert (paid.incident, paid.batch, paid.amount, paid.approvals) == (F.id, BATCH, "5", ["li", "wang"])
        assert payments.paid(rows, at(0), at(33)) == {"CNY": 5}
        assert {name: str(total) for name, total in payments.paid(rows, at(0), at(34)).items()} == {"CNY": "12.5"}
    rebuilt(shop)


def goods(told):
    with told.store.reading() as rows:
        return dispositions.listed(rows, 9, Asked())


def asked(told, sku, until, **more):
    wanted = RequestDisposition(by="li", order_id="O1", sku=sku, action="return", until=at(until), why="?", **more)
    return Disposing(told.log).request(F.id, wanted, at=at(31))[0]


def test_goods_are_listed_by_when_they_are_due_and_by_what_became_of_them(shop):
    late_one, tea, cup = asked(shop, "POT", 70), asked(shop, "TEA", 50, refund_on_proof=True), asked(shop, "CUP", 60)
    shop.come(55)
    assert [(one.sku, one.state) for one in goods(shop)] == [("TEA", "overdue"), ("CUP", "open"), ("POT", "open")]
    Disposing(shop.log).prove(tea, ProveDisposition(by="wang", evidence=("e",)), at=at(56))
    Disposing(shop.log).cancel(cup, CancelDisposition(by="wang", why="keep"), at=at(56))
    shop.follow()
    with shop.store.reading() as rows:
        found = {state: dispositions.listed(rows, 9, Asked(state)) for state in ("open", "proven", "cancelled")}
        assert [one.id for one in dispositions.listed(rows, 9, Asked(order_id="O1"), after=(at(60), cup))] == [late_one]
        assert dispositions.listed(rows, 9, Asked(incident="incident-x")) == []
        assert dispositions.one(rows, "disposition-x-y") is None
    assert {state: [one.sku for one in some] for state, some in found.items()} == {
        "open": ["POT"],
        "proven": ["TEA"],
        "cancelled": ["CUP"],
    }
    [proven] = found["proven"]
    assert (proven.evidence, proven.ended_by, proven.ended_at, proven.refund_on_proof) == (["e"], "wang", at(56), True)
    rebuilt(shop)
    asked(shop, "TEA", 90)
    shop.follow()
    assert [(one.sku, one.state, one.evidence) for one in goods(shop)][-1] == ("TEA", "open", [])
    rebuilt(shop)


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ([labelled(20, "P", order_ids=("O1",)), scanned(45, "P", "returned")], ["P"]),
        ([labelled(20, "P", order_ids=("O1",)), scanned(30, "P", "returned")], []),
        ([packed(35, "P", piece("TEA", of="O1")), scanned(45, "P", "returned")], []),
        ([labelled(35, "P", order_ids=("O1",)), scanned(45, "P", "returned")], []),
        ([labelled(20, "P", order_ids=("O1",)), scanned(45, "P", "delivered")], []),
    ],
    ids=["came back since", "came back before", "packed since", "labelled since", "never came back"],
)
def test_parcels_are_named_that_came_back_after_goods_were_asked_for(shop, facts, named):
    shop.desk.take(*facts)
    shop.come(46)
    with shop.store.reading() as rows:
        assert dispositions.came_back(rows, "O1", at(31)) == named
        assert dispositions.came_back(rows, "nobody's", at(31)) == []
