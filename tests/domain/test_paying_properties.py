"""Laws of money: in whatever order people pay, approve, draft, release, ask for goods and are killed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispositions.commands import CancelDisposition, RequestDisposition
from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.account import AccountPaid
from domain.incidents.events import IncidentCompensated
from domain.payouts.payout import Payout
from domain.staff import cashier as cashiers
from domain.staff.desk import Case
from tests.domain.paid import Till, case
from tests.story import at, memory_log

INCIDENTS = [case("F"), case("G"), case("H", "P")]
FORMS = ("coupon", "refund")
PEOPLE = ("li", "wang")
AMOUNTS = ("10", "15", "45", "60")

paying = st.tuples(
    st.just("pay"),
    st.sampled_from(INCIDENTS),
    st.sampled_from(["", ":1", ":2"]),
    st.sampled_from(AMOUNTS),
    st.sampled_from(FORMS),
    st.sampled_from(PEOPLE),
    st.sampled_from(["", "", "lost"]),
)
approving = st.tuples(
    st.just("approve"), st.sampled_from(INCIDENTS), st.sampled_from(["", ":1", ":2"]), st.sampled_from(PEOPLE)
)
drafting = st.tuples(st.just("draft"), st.sampled_from(INCIDENTS), st.sampled_from(AMOUNTS), st.sampled_from(FORMS))
releasing = st.tuples(st.just("release"), st.integers(0, 5), st.sampled_from(PEOPLE), st.integers(1, 4))
holding = st.tuples(st.just("hold"), st.sampled_from(["O", "P"]), st.booleans())


class _Killed(BaseException):
    """The process died before this was committed."""


@pytest.fixture(autouse=True)
def small_slices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cashiers, "SLICE", 1)
        yield


def member(meant: Case, part: str) -> str:
    return meant.stream.removeprefix("order-") + part


class People:
    """Everybody who pays, and what they had paid."""

    def __init__(self, log: Log) -> None:
        self.till = Till(log)
        self.till.late("O", "F", "G")
        self.till.late("P", "H")
        self.batches: list[str] = []

    def act(self, step: tuple[Any, ...]) -> None:
        with suppress(IllegalStep, _Killed):
            getattr(self, step[0])(*step[1:])

    def pay(self, meant: Case, part: str, amount: str, form: str, by: str, override: str) -> None:
        self.till.pay(meant, amount, member=member(meant, part), form=form, by=by, override=override)

    def approve(self, meant: Case, part: str, by: str) -> None:
        self.till.approve(meant, by=by, member=member(meant, part))

    def draft(self, meant: Case, amount: str, form: str) -> None:
        members = (member(meant, ":1"), member(meant, ":2"))
        self.batches.append(self.till.draft(meant, *members, amount=amount, form=form))

    def release(self, which: int, by: str, dies_after: int) -> None:
        if not self.batches:
            return
        append, left = self.till.log.append, [dies_after]

        def dying(*what: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                raise _Killed
            return append(*what)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.till.log, "append", dying)
            self.till.release(self.batches[which % len(self.batches)], by=by)

    def hold(self, order: str, asked: bool) -> None:  # noqa: FBT001  # drawn
        if asked:
            wanted = RequestDisposition(
                by="li", order_id=order, sku="TEA", action="return", until=at(99), refund_on_proof=True
            )
            self.till.goods.request("incident-late_shipment-F", wanted, at=at(30))
        else:
            cancel = CancelDisposition(by="li", why="keep it")
            self.till.goods.cancel(f"disposition-{order}-TEA", cancel, at=at(30))

    def finish(self) -> list[Payout]:
        """Pay all that is approved to its end, as whoever comes after a crash does."""
        for batch in self.batches:
            while self.till.cashier.pay_on(batch, at=at(31)) is not None:
                pass
        return [self.till.cashier.read(one) for one in self.batches]


def cause(one: AccountPaid) -> tuple[str, str, str]:
    """Say for what an order was paid without a word on an earlier payment: lines are one thing each."""
    return one.order_id, one.form, one.member


@given(st.lists(st.one_of(paying, paying, approving, drafting, releasing, holding), min_size=8, max_size=30))
def test_no_order_gets_more_than_the_cap_and_nothing_is_paid_twice(steps: list[Any]) -> None:
    with memory_log() as log:
        people = People(log)
        for step in steps:
            people.act(step)
        payouts = people.finish()
        for order in "OP":
            made = people.till.account(order).payments
            assert sum((Decimal(one.amount) for one in made), Decimal(0)) <= 100
            plain = [one for one in made if not one.override or len(one.approvals) == 1]
            assert max(Counter(map(cause, plain)).values(), default=0) <= 1
            assert len({one.key for one in made}) == len(made)
            assert all(_through_one_incident(form, plain) for form in FORMS)
        _holds_the_incidents_words(people, payouts)


def _through_one_incident(form: str, plain: list[AccountPaid]) -> bool:
    """Without a word on it, an order is paid in a form through one incident only."""
    return len({one.incident for one in plain if one.form == form}) <= 1


def _holds_the_incidents_words(people: People, payouts: list[Payout]) -> None:
    """Hold that accounts, incidents and batches tell of the same payments."""
    accounts = [one for order in "OP" for one in people.till.account(order).payments]
    said = [
        (meant.id, one.member, one.amount, one.batch)
        for meant in INCIDENTS
        for one in people.till.log.stream(meant.id)
        if isinstance(one, IncidentCompensated)
    ]
    assert sorted((one.incident, one.member, one.amount, one.batch) for one in accounts) == sorted(said)
    for name, payout in zip(people.batches, payouts, strict=True):
        assert payout.status in {"drafted", "paid"}
        paid = {one for one, why in payout.settled.items() if why is None}
        assert paid == {one.member for one in accounts if one.batch == name}
