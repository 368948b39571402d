"""Orders with two troubles each, and the people who pay for them."""

from typing import Any, Final

import pytest

from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.account import Account, paid
from domain.incidents.commands import Approve, Command, Compensate
from domain.payouts.payout import DraftPayout, Payout, Wanted
from domain.staff.cashier import Cashier
from domain.staff.desk import Case
from domain.staff.desk import Desk as StaffDesk
from domain.staff.disposing import Disposing
from domain.staff.ledger import Ledger
from tests.story import Desk, at, line, placed, requested

LIMITS: Final = (
    '[kinds]\nenabled = ["late_shipment"]\n'
    '[compensation]\ncap = "100"\nsecond_approval_above = "50"\nbatch_approval_above = "80"'
)


def case(fulfillment: str, order: str = "O") -> Case:
    """Name the incident of a late fulfilment."""
    return Case(f"incident-late_shipment-{fulfillment}", f"order-{order}")


F, G = case("F"), case("G")


class Till:
    """Late orders, and everybody who may pay for them, all at hour 30."""

    def __init__(self, log: Log, policy: str = LIMITS) -> None:
        self.log = log
        self.ingest = Desk(log, policy)
        self.staff, self.cashier, self.goods = StaffDesk(log), Cashier(log), Disposing(log)
        self.now = 30.0

    def late(self, order: str, *fulfillments: str) -> None:
        """Let an order's fulfilments be late."""
        asked = [requested(0, name, of=order, ship_by=10) for name in fulfillments]
        lines = line("1", "TEA"), line("2", "CUP")
        self.ingest.take(placed(0, *lines, of=order, currency="CNY"), *asked, until=20)

    def do(self, meant: Case, command: Command) -> None:
        self.staff.handle(meant, command, at=at(self.now))

    def pay(self, meant: Case, amount: str = "10", *, member: str = "O", **more: Any) -> None:
        said = {"by": "li", "currency": "CNY", "form": "coupon"} | more
        self.do(meant, Compensate(member=member, amount=amount, **said))

    def approve(self, meant: Case, by: str = "wang", member: str = "O") -> None:
        self.do(meant, Approve(by=by, member=member))

    def refuses(self, meant: Case, amount: str = "10", **more: Any) -> IllegalStep:
        before = self.log.store.last_position()
        with pytest.raises(IllegalStep) as refused:
            self.pay(meant, amount, **more)
        assert self.log.store.last_position() == before
        return refused.value

    def account(self, order: str = "O") -> Account:
        return Ledger(self.log).account(order)

    def total(self, order: str = "O") -> Any:
        return paid(self.account(order))

    def draft(self, meant: Case, *members: str, by: str = "li", **more: Any) -> str:
        said = {"form": "coupon", "currency": "CNY"} | more
        wanted = tuple(Wanted(member=one) for one in members)
        return self.cashier.draft(meant, DraftPayout(by=by, members=wanted, **said), at=at(self.now))[0]

    def release(self, batch: str, by: str = "wang") -> Payout:
        self.cashier.approve(batch, by=by, at=at(self.now))
        return self.cashier.read(batch)


def skipped(payout: Payout) -> dict[str, str]:
    """Say who was not paid, and by which code."""
    return {name: one.code for name, one in payout.settled.items() if one is not None}
