"""How many statements it takes to bring payouts on does not depend on how many there are, nor on their members."""

from collections import Counter

from domain.payouts.payout import DraftPayout, Wanted
from domain.staff.cashier import Cashier
from projections import VIEWS, payouts
from projections.follower import Follower
from tests.projections.staffed import rebuilt
from tests.projections.stage import stage
from tests.projections.test_payouts import F
from tests.projections.test_statements import Counted, count
from tests.story import at, line, placed, requested

LINES = 12


def paid(told, batches):
    """Draft so many batches and pay them, the last one excepted, which is withdrawn."""
    cashier = Cashier(told.log)
    for number in range(1, batches + 1):
        members = tuple(Wanted(member=f"O1:{n}") for n in (number, LINES))
        said = DraftPayout(by="li", members=members, form="coupon", currency="CNY", amount="5")
        name, _ = cashier.draft(F, said, at=at(31))
        if number < batches:
            cashier.approve(name, by="wang", at=at(32))
        else:
            cashier.withdraw(name, by="wang", at=at(33))


def statements(folder, batches):
    """Follow what became of so many batches in one step; gives how many statements that took."""
    folder.mkdir()
    with stage(folder) as told:
        lines = [line(str(n)) for n in range(1, LINES + 1)]
        told.desk.take(
            placed(0, *lines, of="O1", key="p1", customer_id="C", currency="CNY"),
            requested(0, "F1", of="O1", ship_by=20),
        )
        told.come(30)
        paid(told, batches)
        counter = count(told.store)
        views = [Counted(one, counter) if one is payouts.VIEW else one for one in VIEWS]
        assert Follower(told.store, told.log.store, views).step()
        with told.store.reading() as rows:
            found = {one.id: (one.state, one.paid, one.skipped) for one in payouts.listed(rows, 99)}
        assert len(found) == batches
        assert Counter(state for state, _, _ in found.values()) == {"paid": batches - 1, "withdrawn": 1}
        assert sum(one for _, one, _ in found.values()) == batches
        rebuilt(told)
        return counter[payouts.VIEW.name]


def test_ten_batches_take_as_many_statements_as_two(tmp_path, engine):  # noqa: ARG001  # made anew on each store
    few, many = statements(tmp_path / "few", 2), statements(tmp_path / "many", 10)
    assert few == many
    assert 0 < few < 10
